//! `crm consent report`: a period, for an auditor.

mod counted;
mod line;
mod page;

use std::path::{Path, PathBuf};

use clap::Args;
use crm_bulk::{AtomicWriter, page::Hashed};
use crm_consent::Ledger;
use crm_mirror::Mirror;

use self::{
    counted::{Document, Open, Punctual},
    line::Line,
    page::Beside,
};
use super::{against::AgainstArgs, check::TAKE_NOTE};
use crate::{
    commands::{age::is_behind, change_sets::known::read_desk_by, file_arg::OverwriteArgs, ledger},
    desk::Desk,
    error::CliError,
    globals::Format,
    output::{Output, count, moment, note},
    status::Status,
};

/// Count for an auditor what was taken in in a period, and what was done about it
///
/// What counts is the day on which something came into the ledger, not that on which it was received:
/// wishes by where they came from, lists with their SHA-256, what was taken back, done against a wish
/// or removed, policies, seals and keys; how many copies were turned off by their last day, how many
/// late and by how much, and how many still receive marketing now. With --html it is a page and, beside
/// it as FILE.csv, every entry; the page states the SHA-256 of that file. --output csv and ndjson write
/// the entries.
///
/// A day that is over keeps its counts so, whatever comes in later; how many wishes were received on
/// other days is told. A copy counts by the day on which it was turned off, by us or by others.
///
/// The code is 10 where a copy was or is late by the wish that counts, nothing shows that it was not,
/// the ledger was altered, or a key signs it to which the one before has not handed over, unless
/// --against gives what was kept elsewhere and covers that. What was late after a wish that a later one
/// to be written to has ended is told and changes no code.
///
///   crm consent report --from 2026-01-01 --to 2026-12-31 --html audit-2026.html
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct ReportCommand {
    /// The first day
    #[arg(long, value_name = "DAY")]
    from: String,

    /// The last day; today, unless this is given
    #[arg(long, value_name = "DAY")]
    to: Option<String>,

    /// Write the page to this file, and FILE.csv beside it. An earlier page of this command
    /// is replaced, with its data
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    #[command(flatten)]
    overwrite: OverwriteArgs,

    #[command(flatten)]
    against: AgainstArgs,
}

impl ReportCommand {
    pub(crate) async fn run(
        self,
        ledger: &Ledger,
        desk: &Desk,
        output: &Output,
    ) -> Result<Status, CliError> {
        if let Some(path) = &self.html {
            let beside = path.with_added_extension("csv");
            self.overwrite.spare_page(page::KIND, path, Some(&beside))?;
        }
        let days = ledger.days(&self.from, self.to.as_deref())?;
        let open = open(ledger, desk).await?;
        let kept = self.against.kept(ledger)?.of_ledger()?;
        let of = |each: &mut dyn FnMut(Line) -> Result<(), CliError>| {
            let site = desk.card().site();
            Document::of(&site, (ledger, &kept), desk, &days, open, each)
        };
        let told = if let Some(path) = &self.html {
            write(path, of)?
        } else if matches!(output.format(), Format::Csv | Format::Ndjson) {
            let mut records = output.records::<Line>()?;
            records.if_none("nothing was taken in in this period");
            let told = of(&mut |line| Ok(records.push(&line)?))?;
            records.finish()?;
            told
        } else {
            of(&mut |_| Ok(()))?
        };
        match output.format() {
            Format::Table if self.html.is_some() => {}
            Format::Table => output.text(&text(&told).join("\n"))?,
            Format::Json => output.value(&told)?,
            _ => {}
        }
        if told.unnoticed_keys > 0 {
            note(TAKE_NOTE);
        }
        Ok(if told.is_bad() { Status::Consent } else { Status::Done })
    }
}

/// Who still receives something by the mirror.
async fn open(ledger: &Ledger, desk: &Desk) -> Result<Option<Open>, CliError> {
    if !desk.mirror().exists() {
        return Ok(None);
    }
    let mirror = Mirror::open(desk.mirror())?;
    read_desk_by(desk, &mirror, desk.region()).await?;
    let is_behind = is_behind(desk, &mirror)?;
    Ok(Some(Open::of(ledger::due(ledger, desk, &mirror)?, mirror.known_at()?, is_behind)))
}

/// Writes the entries, and then the page that states their hash.
fn write(
    path: &Path,
    of: impl FnOnce(&mut dyn FnMut(Line) -> Result<(), CliError>) -> Result<Document, CliError>,
) -> Result<Document, CliError> {
    let csv = path.with_added_extension("csv");
    let unwritten = CliError::unwritten(&csv);
    let file = AtomicWriter::create(&csv).map_err(&unwritten)?;
    let mut writer = csv::Writer::from_writer(Hashed::new(file));
    let mut lines = 0;
    let told = of(&mut |line| {
        lines += 1;
        let line = line.guarded();
        writer.serialize(line).map_err(std::io::Error::from).map_err(&unwritten)
    })?;
    let hashed = writer.into_inner().map_err(|e| unwritten(e.into_error()))?;
    let (file, sha256) = hashed.finish().map_err(&unwritten)?;
    file.finish().map_err(&unwritten)?;
    let name = csv.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let page = page::page(&told, &Beside { name, lines, sha256 });
    super::prove::put(path, page.into_string().as_bytes())?;
    note(format!("written to {}, and every entry to {}", path.display(), csv.display()));
    Ok(told)
}

/// How many copies were turned off of some kinds of messages, in lines.
fn punctual(messages: &str, off: &Punctual) -> Vec<String> {
    let late: Vec<_> = off.ranges().map(|(words, count)| format!("{count} by {words}")).collect();
    let late = if late.is_empty() { String::new() } else { format!(" ({})", late.join(", ")) };
    let first = format!("{messages}turned off: {} in time, {} late{late}", off.in_time, off.late);
    let others = [
        (
            off.not_shown,
            "first seen off or gone after their last day, so that it was in time is not shown",
        ),
        (off.wish_undated, "turned off for a wish of which nobody knows when it was received"),
        (off.late_until_gone, "of the late ones, never turned off: they went or got another value"),
        (off.policies_differ, "of these with another last day by another policy, which is later"),
        (off.taken_back, "turned off for a wish that was taken back"),
        (off.without_wish, "turned off without a wish"),
        (off.value_unknown, "turned off, of a number or address not known here"),
    ];
    let others = others.into_iter().filter(|(number, _)| *number > 0);
    let others = others.map(|(number, what)| format!("  {what}: {number}"));
    std::iter::once(first).chain(others).collect()
}

/// What it says, in lines.
fn text(told: &Document) -> Vec<String> {
    let ledger = &told.ledger;
    let mut lines = vec![format!("taken in {} to {}", ledger.period.from, ledger.period.to)];
    lines.extend(told.other_days());
    if ledger.sources.is_empty() {
        lines.push("no wish was taken in".to_owned());
    }
    lines.extend(ledger.sources.iter().map(|source| {
        let not = source.not_honoured;
        let not = if not > 0 { format!(", {not} of them not honoured") } else { String::new() };
        format!("{}: {} out, {} in{not}", source.source, source.out, source.into)
    }));
    lines.extend(ledger.imports.iter().map(|told| {
        let back = told.retracted_by.map(|by| format!(", taken back by record {by}"));
        format!(
            "import {}: {}, {}: {} out, {} in, {} known, {} cannot be read{}; SHA-256 {}",
            told.record,
            told.file,
            count(told.rows, "row"),
            told.out,
            told.into,
            told.again,
            told.unreadable,
            back.unwrap_or_default(),
            told.sha256
        )
    }));
    lines.extend(ledger.acts.iter().map(|act| {
        let reason = act.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let of = act.of.map(|of| format!(" of record {of}")).unwrap_or_default();
        format!("{}: {}{of}, {} by {}{reason}", act.record, act.kind, moment(&act.at), act.by)
    }));
    lines.extend(punctual("", &told.turned_off));
    if told.other_kinds != Punctual::default() {
        lines.extend(punctual("other kinds of messages ", &told.other_kinds));
    }
    if told.earlier.late > 0 {
        lines.push(format!(
            "late after a wish that a later one to be written to has ended, which changes no code: {}",
            told.earlier.late
        ));
    }
    lines.extend(ledger.keys.iter().filter_map(super::prove::unlinked));
    lines.extend(told.sets.iter().map(|set| {
        format!("set {}: {} turned off, {} undone", set.name, set.turned_off, set.undone)
    }));
    lines.extend(told.open.as_ref().map(|open| {
        let copies = count(open.copies, "copy");
        let cannot = match open.cannot_be_set {
            0 => String::new(),
            cannot => format!(", {cannot} that cannot be set"),
        };
        let (late, look_at) = (open.late, open.look_at);
        format!("open now: {copies}, {late} of them late{cannot}; {look_at} to look at")
    }));
    lines.extend(told.missing.iter().map(|missing| format!("not covered: {missing}")));
    lines.push(match &told.fault {
        Some(fault) => format!("the ledger was altered: {fault}"),
        None => format!("{}:{}", ledger.head.count, ledger.head.hash),
    });
    lines
}
