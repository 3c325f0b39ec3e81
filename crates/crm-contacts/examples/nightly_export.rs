//! Appends what is new or changed since the last run to a file, one contact a line.
//!
//! ```sh
//! cargo run -p crm-contacts --example nightly_export -- contacts.ndjson
//! ```
//!
//! `contacts.ndjson.token` says where the next run goes on, in the file and in the feed: what a
//! killed run wrote behind that is cut off and comes again. Repeats are normal all the same, so
//! take the last line of each owner and contact id.

mod connect;

use std::{
    env,
    error::Error,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, ErrorKind, Write},
    path::{Path, PathBuf},
};

use crm_contacts::models::{ContinuationToken, ExportFrom, LocationId};
use futures_util::TryStreamExt;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = PathBuf::from(env::args().nth(1).ok_or("give a file to append to")?);
    let token_path = beside(&path, ".token");
    let file = OpenOptions::new().create(true).append(true).open(&path)?;
    file.try_lock()?;
    let length = file.metadata()?.len();
    let (whole, mut token) = saved(&token_path)?.unwrap_or((length, None));
    if length < whole {
        return Err("the file is shorter than the last run left it".into());
    }
    file.set_len(whole)?;
    // So that also a run that is killed in its first batch leaves what to cut off.
    save(&token_path, whole, token.as_ref())?;

    let contacts = connect::connect()?;
    let mut export = contacts.export::<LocationId>().include_recent_changes();
    if let Some(token) = &token {
        export = export.from(ExportFrom::Token(token.clone()));
    }
    let mut file = BufWriter::new(file);
    let mut count = 0;
    let mut batches = export.batches();
    while let Some(batch) = batches.try_next().await? {
        for contact in &batch.data {
            serde_json::to_writer(&mut file, contact)?;
            file.write_all(b"\n")?;
        }
        // First the contacts, then the token behind them: nothing is ever skipped.
        file.flush()?;
        file.get_ref().sync_data()?;
        token = batch.continue_from;
        save(&token_path, file.get_ref().metadata()?.len(), token.as_ref())?;
        count += batch.data.len();
    }
    println!("{count} contacts are new or changed");
    Ok(())
}

/// How much of the export's file is whole, and the token behind that.
type Position = (u64, Option<ContinuationToken>);

fn saved(path: &Path) -> Result<Option<Position>, Box<dyn Error>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let (whole, token) = text.split_once(' ').ok_or("the token's file has no length")?;
    let token = Some(token).filter(|token| !token.is_empty());
    Ok(Some((whole.parse()?, token.map(ContinuationToken::new))))
}

/// The file with this at the end of its name.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Replaces the file in one step, so that it always holds a whole position.
fn save(path: &Path, whole: u64, token: Option<&ContinuationToken>) -> io::Result<()> {
    let token = token.map_or("", ContinuationToken::as_str);
    let new = beside(path, ".new");
    let mut file = File::create(&new)?;
    write!(file, "{whole} {token}")?;
    file.sync_data()?;
    fs::rename(new, path)
}
