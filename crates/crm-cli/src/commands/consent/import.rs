//! `crm consent import`: lists of wishes.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::Args;
use crm_bulk::{List, Wish as Listed};
use crm_consent::{Import, Imported, Judged, Ledger, Verdict, Wish};
use serde::Serialize;

use super::words::{ScopeArg, WishArg};
use crate::{
    commands::{
        args::{NumberArgs, narrow},
        file_arg::OverwriteArgs,
        ledger::{begin, told},
        texts::{ListArgs, TextArgs, tell_invalid},
    },
    desk::Desk,
    error::CliError,
    globals::Format,
    output::{Output, count, note, records},
    status::Status,
};

/// Take lists of wishes, as the tools of texts and mails write them
///
/// Each row gets a verdict: out, in, neither, or that it cannot be read. A list comes in as a whole or
/// not at all; the rows that cannot be read go to a file to be mended, and the code is 10. The same
/// list again adds nothing, an overlapping one what is new.
///
///   crm consent import opt-outs.csv --by dana
///   crm consent import consents.csv --output csv > verdicts.csv
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct ImportCommand {
    /// CSV, or NDJSON where the name ends in .ndjson or .jsonl; - for stdin
    #[arg(required = true, value_name = "FILE")]
    lists: Vec<PathBuf>,

    /// What all rows mean where no column says it
    #[arg(long, value_name = "WISH")]
    says: Option<WishArg>,

    /// For what the wishes count
    #[arg(long, default_value = "marketing")]
    scope: ScopeArg,

    /// Who took the wishes, unless the list says it
    #[arg(long, value_name = "NAME")]
    by: Option<String>,

    /// Where rows go that cannot be read; without it to a new file beside the list
    #[arg(long, value_name = "FILE")]
    mend: Option<PathBuf>,

    #[command(flatten)]
    overwrite: OverwriteArgs,

    #[command(flatten)]
    columns: ListArgs,

    #[command(flatten)]
    text: TextArgs,

    #[command(flatten)]
    numbers: NumberArgs,
}

/// What became of a value or a column, in the list of all.
#[derive(Serialize)]
struct Row {
    file: String,
    row: Option<u64>,
    column: Option<String>,
    verdict: String,
    reason: String,
    record: Option<u64>,
}

impl Row {
    fn of_value(file: &str, judged: Judged) -> Self {
        let Judged { row, column, verdict, reason, record, .. } = judged;
        Self {
            file: file.to_owned(),
            row: Some(row),
            column,
            verdict: verdict.to_string(),
            reason: reason.into_owned(),
            record,
        }
    }

    fn of_unread(file: &str, column: String, reason: &str) -> Self {
        Self {
            file: file.to_owned(),
            row: None,
            column: Some(column),
            verdict: "not-read".to_owned(),
            reason: reason.to_owned(),
            record: None,
        }
    }
}

records! {
    Row {
        "file" => "FILE", "row" => "LINE", "column" => "COLUMN", "verdict" => "VERDICT",
        "reason" => "REASON", "record" => "RECORD",
    }
}

impl ImportCommand {
    pub(crate) fn run(self, desk: &Desk, output: &Output) -> Result<Status, CliError> {
        if self.mend.is_some() && self.lists.len() > 1 {
            return Err(CliError::Usage(
                "--mend takes the rows of one list: import it alone".to_owned(),
            ));
        }
        let mut records = match output.format() {
            Format::Table => None,
            _ => Some(output.records::<Row>()?),
        };
        let mut ledger = begin(desk, &self.numbers)?;
        ledger.refuse_altered()?;
        let options = self.columns.options(self.numbers.reader(desk.region()));
        let mut is_whole = true;
        for path in &self.lists {
            let mend = self.mend.clone().unwrap_or_else(|| beside(path));
            let mend = self.overwrite.mend_file(&mend);
            let how = Import::new().scope(self.scope.into()).mend_file(mend);
            let how = narrow!(how, says(self.says.map(Wish::from)), taken_by(self.by.as_ref()),);
            let mut list = List::read(self.text.open_list(path)?, &options)?;
            let imported = import(&mut ledger, &mut list, &how, self.says.is_some())?;
            is_whole &= imported.invalid.is_none();
            match &mut records {
                Some(records) => {
                    for (column, why) in list.unread_columns() {
                        records.push(&Row::of_unread(list.name(), column, why))?;
                    }
                    for judged in imported.rows {
                        records.push(&Row::of_value(list.name(), judged))?;
                    }
                }
                None => {
                    output.text(&told(list.name(), &imported))?;
                    tell_neither(&imported);
                }
            }
        }
        if let Some(records) = records {
            records.finish()?;
        }
        Ok(if is_whole { Status::Done } else { Status::Consent })
    }
}

fn import(
    ledger: &mut Ledger,
    list: &mut List,
    how: &Import,
    is_said: bool,
) -> Result<Imported, CliError> {
    list.notes().iter().for_each(note);
    let imported = ledger.import(list, how)?;
    if let Some(by) = list.of_opt_outs().filter(|_| !is_said && !list.has_status()) {
        note(format!("{}: its rows do not say it, so all of them are out: {by}", list.name()));
    }
    if is_said && list.has_status() {
        note(format!(
            "{}: its rows say it themselves, so --says counts for none of them",
            list.name()
        ));
    }
    tell_against_name(list, &imported);
    if let Some(invalid) = &imported.invalid {
        tell_invalid(invalid);
        if let Some(mend) = &invalid.mend {
            note(format!("to be mended: {} in {}", count(invalid.rows, "row"), mend.display()));
        }
    }
    Ok(imported)
}

/// How many lines are named; all are in the other forms of output.
const TOLD: usize = 30;

/// Tells which values were not taken as a wish, by why: who asked to be left alone may be among them.
fn tell_neither(imported: &Imported) {
    let mut lines = BTreeMap::<&str, Vec<u64>>::new();
    for row in imported.rows.iter().filter(|row| row.verdict == Verdict::Neither) {
        lines.entry(&row.reason).or_default().push(row.row);
    }
    for (why, lines) in lines {
        let named: Vec<_> = lines.iter().take(TOLD).map(u64::to_string).collect();
        let more = match lines.len().saturating_sub(TOLD) {
            0 => String::new(),
            more => format!(" and {more} more; --output csv names all"),
        };
        let of = count(lines.len() as u64, "value");
        note(format!("neither out nor in: {of}, {why}: on line {}{more}", named.join(", ")));
    }
}

/// Tells of wishes that are not those of which the name of the list speaks.
fn tell_against_name(list: &List, imported: &Imported) {
    for (verdict, wish) in [(Verdict::Out, Listed::Out), (Verdict::In, Listed::In)] {
        let wishes = imported.rows.iter().filter(|row| row.verdict == verdict).count() as u64;
        if wishes > 0 && list.is_named_against(wish) {
            note(format!(
                "by its name {} has other people than it says: it says {verdict} of {}; look whether \
                 that is meant; `crm consent retract {}` takes it back",
                list.name(),
                count(wishes, "value"),
                imported.import
            ));
        }
    }
}

/// A new file beside the list for the rows that cannot be read. None that is there is replaced:
/// somebody may be mending it.
fn beside(list: &Path) -> PathBuf {
    let is_stream = list.as_os_str() == "-";
    let list = if is_stream { Path::new("stdin.csv") } else { list };
    let stem = list.file_stem().unwrap_or_default().to_string_lossy();
    let end = list.extension().map_or("csv".into(), |end| end.to_string_lossy());
    let names = (1..).map(|n| match n {
        1 => format!("{stem}.mend.{end}"),
        n => format!("{stem}.mend-{n}.{end}"),
    });
    let mut files = names.map(|name| list.with_file_name(name));
    files.find(|file| !file.exists()).unwrap_or_default()
}
