//! Appends what is new or changed since the last run to a file, one contact a line.
//!
//! ```sh
//! cargo run -p crm-contacts --example nightly_export -- contacts.ndjson
//! ```
//!
//! `contacts.ndjson.token` says where the next run goes on. A run that was killed repeats one
//! batch at most, so take the last line of each owner and contact id.

mod connect;

use std::{
    env,
    error::Error,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, ErrorKind, Write},
    path::{Path, PathBuf},
    pin::pin,
};

use crm_models::{ContinuationToken, ExportFrom, LocationId};
use futures_util::TryStreamExt;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = PathBuf::from(env::args().nth(1).ok_or("give a file to append to")?);
    let token_path = path.with_added_extension("token");
    let mut file = BufWriter::new(OpenOptions::new().create(true).append(true).open(&path)?);

    let contacts = connect::connect()?;
    let mut export = contacts.export::<LocationId>().include_recent_changes();
    if let Some(token) = saved(&token_path)? {
        export = export.from(ExportFrom::Token(ContinuationToken::new(token)));
    }
    let mut count = 0;
    let mut batches = pin!(export.batches());
    while let Some(batch) = batches.try_next().await? {
        for contact in &batch.data {
            serde_json::to_writer(&mut file, contact)?;
            file.write_all(b"\n")?;
        }
        // First the contacts, then the token behind them: nothing is ever skipped.
        file.flush()?;
        file.get_ref().sync_data()?;
        if let Some(token) = &batch.continue_from {
            save(&token_path, token.as_str())?;
        }
        count += batch.data.len();
    }
    println!("{count} contacts are new or changed");
    Ok(())
}

fn saved(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(token) => Ok(Some(token)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Replaces the file in one step, so that it always holds a whole token.
fn save(path: &Path, token: &str) -> io::Result<()> {
    let new = path.with_added_extension("new");
    let mut file = File::create(&new)?;
    file.write_all(token.as_bytes())?;
    file.sync_data()?;
    fs::rename(new, path)
}
