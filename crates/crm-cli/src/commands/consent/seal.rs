//! `crm consent seal`: all that is in the ledger, signed.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use crm_bulk::AtomicWriter;
use crm_consent::{Ledger, Seal, Sealed, StampQuery, Stamped};
use serde::Serialize;

use super::key_place::KeyArgs;
use crate::{
    error::CliError,
    globals::Format,
    output::{Output, count, note},
    settings::Target,
    status::Status,
    time_stamp::ask,
};

/// Sign all that is in the ledger, so that others can see what it had
///
/// The answer is the seal: how many records there are, the hash of the last, and a signature over
/// both. Keep it where nobody can write who can write the ledger; `crm consent check --against FILE`
/// then sees what was altered or cut off. Whoever has the key can sign again, with any time: that it
/// was there by a time shows a time stamp alone, of an authority that --authority or `time_authority`
/// in the profile names (RFC 3161). Where nothing has come in since the last seal, that one is the
/// answer, and gets its time stamp if it has none.
///
///   crm consent seal --key ~/.keys/ledger.pem --out /mnt/elsewhere
///   crm consent seal | mail -s "Consent ledger" counsel@law.example
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct SealCommand {
    #[command(flatten)]
    key: KeyArgs,

    /// Have the authority at this address say when it saw the seal
    #[arg(long, value_name = "URL")]
    authority: Option<String>,

    /// Ask no authority, whatever the profile says
    #[arg(long, conflicts_with = "authority")]
    without_stamp: bool,

    /// Write the seal to this new file, or to one in this folder; its time stamp goes beside it, with
    /// the ending .tsr
    #[arg(long, value_name = "FILE|FOLDER")]
    out: Option<PathBuf>,
}

/// A seal with its files.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    record: u64,
    is_new: bool,
    seal: &'a Seal,
    stamp: Option<&'a Stamped>,
    files: &'a [PathBuf],
}

impl SealCommand {
    pub(crate) async fn run(
        self,
        mut ledger: Ledger,
        target: &Target,
        output: &Output,
    ) -> Result<Status, CliError> {
        let key = self.key.read(&ledger, target)?;
        let mut sealed = ledger.seal(&key)?;
        let authority = self.authority.as_ref().or(target.time_authority.as_ref());
        let authority = authority.filter(|_| !self.without_stamp && sealed.stamp.is_none());
        let mut failed = None;
        if let Some(authority) = authority {
            let query = StampQuery::of_seal(&sealed.seal)?;
            match ask(authority, &query, target).await {
                Ok((time, answer)) => {
                    let stamp = ledger.keep_stamp(sealed.record, authority, &time, &answer)?;
                    sealed.stamp = Some(stamp);
                }
                Err(source) => {
                    failed = Some(CliError::NoStamp { authority: authority.clone(), source });
                }
            }
        }
        let files = self.out.as_deref().map(|out| write(out, &sealed)).transpose()?;
        // A failure is an answer of its own, of which programs read one.
        if failed.is_none() || output.format() == Format::Table {
            show(&sealed, files.as_deref(), output)?;
        }
        failed.map_or(Ok(Status::Done), Err)
    }
}

fn show(sealed: &Sealed, files: Option<&[PathBuf]>, output: &Output) -> Result<(), CliError> {
    let Sealed { record, seal, is_new, stamp, .. } = sealed;
    if !is_new {
        note(format!("nothing has come in since record {record}, which is this seal"));
    }
    if let Some(Stamped { time, authority, .. }) = stamp {
        note(format!("{authority} saw it at {time}, by its own word: check that with openssl"));
    }
    match (output.format(), files) {
        (Format::Table, None) => output.text(seal.to_string().trim_end())?,
        (Format::Table, Some(files)) => {
            let records = count(seal.head.count, "record");
            let files: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
            output.done("sealed", &format!("{records}, in {}", files.join(" and ")))?;
        }
        _ => output.value(&Shown {
            record: *record,
            is_new: *is_new,
            seal,
            stamp: stamp.as_ref(),
            files: files.unwrap_or_default(),
        })?,
    }
    Ok(())
}

/// Writes a seal and what else there is of it, and returns the files.
fn write(out: &Path, sealed: &Sealed) -> Result<Vec<PathBuf>, CliError> {
    let name = format!("seal-{}.txt", sealed.seal.head.count);
    let path = if out.is_dir() { out.join(name) } else { out.to_owned() };
    let mut files = vec![(path.clone(), sealed.seal.to_string().into_bytes())];
    if let Some(stamp) = &sealed.stamp {
        files.push((path.with_extension("tsr"), stamp.answer.clone()));
    }
    for (path, bytes) in &files {
        keep(path, bytes)?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

/// Writes a file, unless it is there already. One that is something else is never replaced: it may be
/// the only seal that shows what was cut off.
fn keep(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let mut file = AtomicWriter::create(path).map_err(CliError::unwritten(path))?;
    let written = file.write_all(bytes).and_then(|()| file.finish_unless_taken());
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => CliError::Usage(format!(
            "{} is there already, with something else: name another file; the seal is kept in the \
             ledger",
            path.display()
        )),
        _ => CliError::unwritten(path)(error),
    })
}
