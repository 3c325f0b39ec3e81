//! `crm report`: one page for people.

use std::path::{Path, PathBuf};

use clap::Args;
use crm_bulk::{AtomicWriter, ChangeSet, DecisionKind, Report as PageOf, page};
use crm_consent::{Ledger, ValuesChanged};

use super::summary::{name, to_be_approved};
use crate::{
    commands::{
        file_arg::{OverwriteArgs, is_stream, keep_apart, make_beside, write_beside},
        ledger,
    },
    error::CliError,
    globals::{Format, Globals},
    output::{Output, note},
    session,
    signal::Signal,
    status::Status,
};

/// Write a page about a set, for approval and for the files
///
/// One HTML page with totals, differences, outcomes, and for opt-outs the evidence of each entry; what
/// needs attention comes first, and what else happened to the same contacts, as far as the desk knows,
/// last. It stays below a megabyte. With --html all of it is also beside the page as CSV, under the
/// page's name with .csv at its end; the page states the SHA-256 of that file.
#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The change set: a file, or the name of one of the desk
    pub(crate) set: PathBuf,

    /// Write the page to this file, and FILE.csv beside it, instead of the page alone to stdout. An
    /// earlier page about the same set is replaced, with its data
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    #[command(flatten)]
    overwrite: OverwriteArgs,
}

/// Writes the page of a set to a file, and all that it is about beside it; tells where.
pub(super) async fn write_page(
    report: PageOf<'_>,
    set: &Path,
    path: &Path,
) -> Result<Result<String, Signal>, CliError> {
    let page = path.display();
    if is_stream(path) {
        let written = write_beside(set, path, |page| report.write(page)).await?;
        return Ok(written.map(|()| format!("written to {page}")));
    }
    let csv = path.with_added_extension("csv");
    keep_set(set, path, &csv)?;
    let name = csv.file_name().unwrap_or_default().to_string_lossy();
    let mut evidence = AtomicWriter::create(&csv).map_err(CliError::unwritten(&csv))?;
    let made = make_beside(set, path, |page| {
        report.write_with_evidence(page, &mut evidence, &name)?;
        Ok(evidence)
    });
    let (file, evidence) = match made.await? {
        Ok(made) => made,
        Err(signal) => return Ok(Err(signal)),
    };
    // In this order, so that no page is without its evidence.
    evidence.finish().map_err(CliError::unwritten(&csv))?;
    file.finish().map_err(CliError::unwritten(path))?;
    Ok(Ok(format!("written to {page}, and all that it is about to {}", csv.display())))
}

/// Refuses to write a page over the set that it is about.
fn keep_set(set: &Path, path: &Path, csv: &Path) -> Result<(), CliError> {
    keep_apart(path, set, "the change set")?;
    keep_apart(csv, set, "the change set")
}

/// Writes the page of a set with all that the desk knows of what happened to its contacts: the same
/// one whatever command writes it. The file has a name after the set's, so that what is there can only
/// be what an earlier run did not bring to its end.
pub(in crate::commands) async fn of_set(
    globals: &Globals,
    set: &Path,
    page: &Path,
) -> Result<Result<String, Signal>, CliError> {
    let opened = ChangeSet::open(set)?.reversed_by(session::reverses(globals, set));
    let ledger = ledger::of_account(globals);
    let changed = ledger::values_changed_of_account(globals, ledger.as_ref());
    let ledger = (ledger.as_ref(), changed.as_ref());
    write_page(of_desk(globals, ledger, &opened, set)?, set, page).await
}

/// The report of a set with what else happened to its contacts, and what the ledger says of it.
fn of_desk<'a>(
    globals: &Globals,
    (ledger, changed): (Option<&'a Ledger>, Option<&'a ValuesChanged>),
    opened: &'a ChangeSet,
    set: &Path,
) -> Result<PageOf<'a>, CliError> {
    let mut report = ledger::on_page(PageOf::of(opened), ledger, changed, opened)?;
    if let Some(ledger) = ledger {
        report = report.left_out(ledger::left_out_of_account(globals, ledger, opened)?);
    }
    Ok(match session::past(globals, set) {
        Some((events, notes)) => report.past(events, notes),
        None => report,
    })
}

/// How the set is approved that its page shows, unless it is approved or a run has begun to send it.
fn to_approve(set: &ChangeSet) -> Result<Option<String>, CliError> {
    let is_begun = set.decisions()?.iter().any(|it| it.kind == DecisionKind::Applied);
    if is_begun || set.approval()?.is_some() || set.totals()?.open() == 0 {
        return Ok(None);
    }
    let [_, approve] = to_be_approved(&name(set.path()), Some(&set.digest()?.short()));
    Ok(Some(approve))
}

impl Report {
    /// Whether it goes to a file that is named.
    pub(crate) fn has_file(&self) -> bool {
        self.html.as_ref().is_some_and(|path| path.as_os_str() != "-")
    }

    pub(crate) async fn run(self, globals: &Globals, output: &Output) -> Result<Status, CliError> {
        let set = ChangeSet::open(&self.set)?.reversed_by(session::reverses(globals, &self.set));
        let ledger = ledger::of_account(globals);
        let changed = ledger::values_changed_of_account(globals, ledger.as_ref());
        let report = of_desk(globals, (ledger.as_ref(), changed.as_ref()), &set, &self.set)?;
        let Some(path) = self.html.filter(|path| path.as_os_str() != "-") else {
            output.is_one_of(
                &[],
                "the report is a page of HTML, crm status and crm show have the same for programs",
            )?;
            report.write(std::io::stdout())?;
            return Ok(Status::Done);
        };
        let csv = path.with_added_extension("csv");
        keep_set(&self.set, &path, &csv)?;
        self.overwrite.spare_page(page::SET, &path, Some(&csv))?;
        self.overwrite.spare_page_of_another(&page::stated(&set.info()?), &path)?;
        let written = match write_page(report, &self.set, &path).await? {
            Ok(written) => written,
            Err(signal) => return Ok(Status::Stopped(signal, None)),
        };
        match output.format() {
            Format::Table => {
                note(written);
                if let Some(approve) = to_approve(&set)? {
                    output.text(&format!("next: {approve}"))?;
                }
            }
            _ => output.done("written", &path.display().to_string())?,
        }
        Ok(Status::Done)
    }
}
