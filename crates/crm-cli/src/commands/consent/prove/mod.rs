//! `crm consent prove`: what was wished of a number or an address, and what was done.

mod by_hand;
mod judged;
mod page;
mod read_back;
mod told;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use crm_bulk::AtomicWriter;
use crm_consent::{ConsentError, Ledger, Ruling, Sha, ShownKey};
use crm_mirror::Mirror;
use crm_values::PhoneReader;

use self::{page::Beside, told::Document};
use super::{
    against::{AgainstArgs, Kept},
    check::TAKE_NOTE,
    status::line,
};
use crate::{
    commands::{
        args::{NumberArgs, tell_assumed},
        change_sets::known::read_desk_by,
        file_arg::OverwriteArgs,
    },
    desk::{Desk, Sought},
    error::CliError,
    exit::Exit,
    globals::Format,
    output::{Output, moment, note},
    session::Session,
    status::Status,
};

/// Show what was wished of a number or an address, and what was done, for somebody who asks years
/// later
///
/// Who said what, when and in which words, where that came from, each copy that is known with what
/// was done to it, when and how late, what is not covered, and what a stranger needs to check it. With
/// --html it is a page for people and, beside it as FILE.json, all of it for programs; the page states
/// the SHA-256 of that file.
///
/// The code is 9 where the ledger has no wish of it, and 10 where something speaks against you: a copy
/// was late or still receives marketing too late, or the ledger was altered. What was late after an
/// earlier wish, before the person asked to be written to again, is told and changes no code.
///
/// Marketing and what a wish for all kinds of messages turns off are judged each by its own wish. The
/// last day is that of the policy in force at the wish or of that of today, whichever is earlier; where
/// they differ, both are told.
///
///   crm consent prove "(818) 555-0142" --verify --html proof.html
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct ProveCommand {
    /// The number or address
    #[arg(value_name = "NUMBER|ADDRESS", allow_hyphen_values = true)]
    value: String,

    /// Ask the service what each copy is now
    #[arg(long)]
    pub(super) verify: bool,

    /// Write the page to this file, and FILE.json beside it. An earlier page of this command
    /// is replaced, with its data
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    #[command(flatten)]
    overwrite: OverwriteArgs,

    /// Put in all records that lead to the end of the ledger, however many they are
    #[arg(long)]
    with_chain: bool,

    #[command(flatten)]
    against: AgainstArgs,

    #[command(flatten)]
    numbers: NumberArgs,
}

impl ProveCommand {
    pub(crate) async fn run(
        self,
        ledger: Ledger,
        desk: &Desk,
        session: Option<&Session<'_>>,
        output: &Output,
    ) -> Result<Status, CliError> {
        if let Some(path) = &self.html {
            let beside = path.with_added_extension("json");
            self.overwrite.spare_page(page::KIND, path, Some(&beside))?;
        }
        let reader = self.numbers.reader(desk.region());
        let ledger = ledger.numbers(reader);
        let kept = self.against.kept(&ledger)?.of_ledger()?;
        let told = self.document(&ledger, desk, session, (reader, &kept)).await?;
        if let Some(path) = &self.html {
            write(&told, path)?;
        }
        match output.format() {
            Format::Table if self.html.is_some() => {}
            Format::Table => output.text(&text(&told).join("\n"))?,
            _ => output.value(&told)?,
        }
        if told.check.unnoticed_keys > 0 {
            note(TAKE_NOTE);
        }
        let unread = told.unread();
        if unread > 0 {
            let summary =
                format!("{unread} of {} copies could not be read back", told.copies.len());
            return Err(CliError::CheckFailed { summary, exit: Exit::Unreachable });
        }
        Ok(match (told.has_wishes(), told.is_bad()) {
            (_, true) => Status::Consent,
            (false, _) => {
                note("the ledger has no wish of it");
                Status::NothingFound
            }
            _ => Status::Done,
        })
    }

    async fn document(
        &self,
        ledger: &Ledger,
        desk: &Desk,
        session: Option<&Session<'_>>,
        (reader, kept): (PhoneReader, &Kept),
    ) -> Result<Document, CliError> {
        tell_assumed(&self.value, reader);
        let sought = Sought::read(&self.value, reader).map_err(ConsentError::from)?;
        if desk.mirror().exists() {
            read_desk_by(desk, &Mirror::open(desk.mirror())?, desk.region()).await?;
        }
        let places = desk.places(sought)?;
        let now = match session {
            Some(session) => read_back::ask(session, &places.places, &self.value, reader).await,
            None => vec![None; places.places.len()],
        };
        let site = desk.card().site();
        let asked = self.value.clone();
        Ok(Document::of(asked, &site, ledger, kept, (places, now), self.with_chain)?)
    }
}

/// Writes the data, and then the page that states its hash.
fn write(told: &Document, path: &Path) -> Result<(), CliError> {
    let beside = path.with_added_extension("json");
    let mut json = serde_json::to_vec_pretty(told).map_err(io::Error::from)?;
    json.push(b'\n');
    put(&beside, &json)?;
    let name = beside.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let page = page::page(told, Some(&Beside { name, sha256: Sha::of(&json).to_string() }));
    put(path, page.into_string().as_bytes())?;
    note(format!("written to {}, and all of it to {}", path.display(), beside.display()));
    Ok(())
}

pub(super) fn put(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let unwritten = CliError::unwritten(path);
    let mut file = AtomicWriter::create(path).map_err(&unwritten)?;
    file.write_all(bytes).map_err(&unwritten)?;
    file.finish().map_err(&unwritten)
}

/// That no key before has handed over to a key.
pub(super) fn unlinked(key: &ShownKey) -> Option<String> {
    let ShownKey { record, fingerprint, lost, .. } = key;
    let reason = lost.as_deref().unwrap_or_default();
    (key.handed_over == Some(false)).then(|| {
        format!(
            "by record {record} key {fingerprint} signs, to which none before has handed over \
             (\"{reason}\")"
        )
    })
}

/// What it says, in lines.
fn text(told: &Document) -> Vec<String> {
    let ruling = |ruling: Ruling| match (ruling.wish, ruling.decided_by) {
        (Some(wish), Some(record)) => format!("{wish}, by record {record}"),
        _ => "no wish is recorded that counts".to_owned(),
    };
    let (marketing, all_kinds) = (ruling(told.proof.marketing), ruling(told.proof.all_kinds));
    let mut lines = vec![marketing.clone()];
    if told.proof.all_kinds.wish.is_some() && all_kinds != marketing {
        lines = vec![
            format!("for marketing: {marketing}"),
            format!("for all kinds of messages: {all_kinds}"),
        ];
    }
    for (messages, clock) in told.clocks() {
        let counted = &clock.counted;
        lines.push(format!("last day{messages} {}: {}", counted.last_day, counted.in_words()));
        lines.extend(clock.two_days());
    }
    for wish in &told.proof.wishes {
        lines.push(line(&wish.heard));
        lines.extend(wish.came.iter().map(|came| {
            format!(
                "    from {}, SHA-256 {}, imported by {}",
                came.file, came.sha256, came.imported_by
            )
        }));
    }
    let may_be = told.proof.may_be.iter();
    lines.extend(may_be.map(|heard| format!("may be the same: {}", line(heard).trim())));
    for act in &told.proof.acts {
        let reason = act.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let of = act.of.map(|of| format!(" of record {of}")).unwrap_or_default();
        lines.push(format!(
            "  {}: {}{of}, {} by {}{reason}",
            act.record,
            act.kind,
            moment(&act.at),
            act.by
        ));
    }
    for copy in &told.copies {
        lines.push(copy.place());
        lines.extend(copy.sentences().map(|says| format!("  {says}")));
        lines.extend(copy.now.as_ref().map(|now| format!("  {}", now.says())));
    }
    if told.copies.is_empty() {
        lines.push("no copy of it is known".to_owned());
    }
    let sentences = told.not_covered.iter();
    lines.extend(sentences.map(|sentence| format!("not covered: {sentence}")));
    lines.extend(told.unsealed());
    lines.extend(told.proof.keys.iter().filter_map(unlinked));
    lines.push(match &told.check.fault {
        Some(fault) => format!("the ledger was altered: {fault}"),
        None => format!("{}:{}", told.proof.head.count, told.proof.head.hash),
    });
    lines
}
