//! Change sets: `crm snapshot`, `plan`, `opt-out`, `show`, `report`, `apply`, `status`, `undo`,
//! `results`, `verify`. One file a command; here is what several of them share.

pub(super) mod apply;
pub(super) mod opt_out;
pub(super) mod plan;
pub(super) mod report;
pub(super) mod results;
pub(super) mod show;
pub(super) mod snapshot;
pub(super) mod status;
mod summary;
mod template;
pub(super) mod undo;
pub(super) mod verify;

use std::{
    collections::BTreeMap,
    fs,
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use crm_bulk::{BulkError, Input, InvalidRows, Site};

use self::summary::Summary;
use crate::{
    commands::args::Switch, error::CliError, files, interrupt, output::note, session::Session,
};

/// The site of a session, for files that belong to it.
fn site(session: &Session<'_>) -> Site {
    Site::new(session.tenant(), &session.api_url)
}

/// How rows are read.
#[derive(Debug, Args)]
pub(crate) struct InputArgs {
    /// What separates cells; `tab` for a tab. Without it a first line such as `sep=;` decides, or
    /// else the header
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter)]
    delimiter: Option<u8>,

    /// The encoding of a file that is not in UTF-8 and has no byte order mark, for example
    /// windows-1252
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,

    /// Leave wrong rows out instead of planning nothing
    #[arg(long)]
    skip_invalid: bool,

    /// Write wrong rows to this file, with what is wrong, to be corrected and planned again
    #[arg(long, value_name = "FILE")]
    mend: Option<PathBuf>,

    /// The value of flags that a row does not name, for new contacts and where the service does
    /// not say what a contact receives; without it such changes are refused
    #[arg(long, value_name = "on|off", hide_possible_values = true)]
    unknown_flags: Option<Switch>,

    /// Stdin is NDJSON
    #[arg(long)]
    ndjson: bool,
}

impl InputArgs {
    /// The rows of a file, or for `-` of stdin, which is read to its end at once: whoever watches
    /// for signals must not wait for a person's rows.
    fn open(&self, path: &PathBuf) -> Result<Input, CliError> {
        let input = match path.as_os_str() == "-" {
            true => {
                let mut rows = Vec::new();
                let read = io::stdin().read_to_end(&mut rows);
                read.map_err(|error| CliError::io("cannot read stdin", error))?;
                match self.ndjson {
                    true => Input::ndjson("stdin", io::Cursor::new(rows)),
                    false => Input::csv("stdin", io::Cursor::new(rows)),
                }
            }
            false => Input::open(path)?,
        };
        let input = match &self.encoding {
            Some(encoding) => input.encoding(encoding)?,
            None => input,
        };
        Ok(match self.delimiter {
            Some(delimiter) => input.delimiter(delimiter),
            None => input,
        })
    }
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"tab" => Ok(b'\t'),
        [one] if one.is_ascii() => Ok(*one),
        _ => Err("give one character, or tab".to_owned()),
    }
}

/// How often the same fault of the same column is told; a file has it in every row or in a few.
const TOLD: u64 = 3;

/// Lists the wrong cells on stderr, in clear: who runs the command has the input. What is wrong in
/// many rows is told of the first ones, with how many more there are.
fn tell_invalid(invalid: &InvalidRows) {
    let mut times = BTreeMap::new();
    for cell in &invalid.cells {
        let times = times.entry((&cell.column, &cell.reason)).or_insert(0_u64);
        *times += 1;
        if *times <= TOLD {
            note(cell.in_clear());
        }
    }
    for ((column, reason), times) in times {
        let column = match column.as_str() {
            "" => String::new(),
            column => format!("{column}: "),
        };
        match times.saturating_sub(TOLD) {
            0 => {}
            1 => note(format!("and in 1 more row: {column}{reason}")),
            more => note(format!("and in {more} more rows: {column}{reason}")),
        }
    }
    if invalid.more_cells > 0 {
        let hint = match &invalid.mend {
            Some(path) => format!("{} has all of them", path.display()),
            None => "--mend FILE writes all".to_owned(),
        };
        note(format!("and {} more: {hint}", invalid.more_cells));
    }
}

/// Writes a file that replaces an older one only when it is complete, and never the set. A signal
/// leaves nothing of it behind.
async fn write_file<R>(
    path: &Path,
    set: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<R, BulkError>,
) -> Result<R, CliError> {
    let failed = |error| CliError::io(format!("cannot write {}", path.display()), error);
    files::keep_apart(path, set, "the change set")?;
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        // Nobody watches for signals here: a pipe may wait for its reader for ever.
        let mut file = BufWriter::new(fs::File::create(path).map_err(failed)?);
        return Ok(write(&mut file)?);
    }
    let made = async {
        let file = tempfile::NamedTempFile::new_in(files::folder(path)).map_err(failed)?;
        let mut file = BufWriter::new(file);
        let written = write(&mut file)?;
        let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
        file.as_file().sync_all().map_err(failed)?;
        Ok((file, written))
    };
    let (file, written) = interrupt::until_signal(made).await?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(written)
}

/// Tells what is wrong with the rows before the error itself is told.
fn told(error: BulkError) -> CliError {
    if let BulkError::InvalidRows(invalid) = &error {
        tell_invalid(invalid);
    }
    error.into()
}

#[cfg(all(test, unix))]
mod tests {
    use signal_hook::{consts::SIGINT, low_level::raise};

    use super::*;
    use crate::interrupt::Signal;

    #[tokio::test]
    async fn a_signal_leaves_nothing_of_a_file_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.html");
        fs::write(&path, "older").unwrap();
        let set = folder.path().join("set.crm");
        let ended = write_file(&path, &set, |file| {
            file.write_all(b"newer").unwrap();
            raise(SIGINT).unwrap();
            Ok(())
        });
        let ended = ended.await.unwrap_err();
        assert!(matches!(ended, CliError::Interrupted(Signal::Interrupt)), "{ended}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "older");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
