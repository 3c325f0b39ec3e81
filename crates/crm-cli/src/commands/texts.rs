//! Files of rows: how they are read, and what is told of wrong ones.

use std::{
    collections::BTreeMap,
    io::{self, Read},
    path::Path,
};

use clap::{Args, ValueEnum};
use crm_bulk::{BadCell, DateOrder, Input, InvalidRows, ListOptions, MappedRole};
use crm_values::{InvalidValue, PhoneReader, Readings};

use super::args::narrow;
use crate::{
    error::CliError,
    output::{crm, note, quoted},
};

/// How a text is read as rows.
#[derive(Debug, Args)]
pub(super) struct TextArgs {
    /// What separates cells; `tab` for a tab. Without it a first line such as `sep=;` decides, or
    /// else the header
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter)]
    delimiter: Option<u8>,

    /// The encoding of a file that is not in UTF-8 and has no byte order mark, for example
    /// windows-1252
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,

    /// Stdin is NDJSON
    #[arg(long)]
    ndjson: bool,
}

impl TextArgs {
    /// The rows of a file, or for `-` of stdin.
    pub(super) fn open(&self, path: &Path) -> Result<Input, CliError> {
        match path.as_os_str().to_str() {
            Some("-") => self.read("stdin", io::stdin()),
            _ => self.of(Input::open(path)?),
        }
    }

    /// The same for a list: whoever gives a number or an address instead of its file is told how.
    pub(super) fn open_list(&self, path: &Path) -> Result<Input, CliError> {
        self.open(path).map_err(|error| match path.to_str() {
            Some(text) if !path.exists() && is_value(text) => CliError::Usage(format!(
                "{text} is no file, but a number or an address: `echo {} | {crm} opt-out -` takes it as a \
                 list, and `{crm} consent add` records what somebody said",
                quoted(text),
                crm = crm()
            )),
            _ => error,
        })
    }

    /// The rows of a text that has no file name to tell what they are.
    pub(super) fn read(
        &self,
        name: &str,
        text: impl Read + Send + 'static,
    ) -> Result<Input, CliError> {
        self.of(if self.ndjson { Input::ndjson(name, text) } else { Input::csv(name, text) })
    }

    fn of(&self, input: Input) -> Result<Input, CliError> {
        let input = match &self.encoding {
            Some(encoding) => input.encoding(encoding)?,
            None => input,
        };
        Ok(narrow!(input, delimiter(self.delimiter)))
    }
}

/// Whether a text is a number or an address, wherever it is from.
fn is_value(text: &str) -> bool {
    Readings::of(text, PhoneReader::default()).is_ok()
}

/// What the columns of a list of numbers and addresses hold.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// What columns contain whose headers do not say so, as in phone=COLUMN,email=COLUMN; also
    /// status, received, reason and channel
    #[arg(long, value_name = "WHAT=COLUMN", value_delimiter = ',', value_parser = mapped)]
    pub(super) map: Vec<(MappedRole, String)>,

    /// Which number of a date such as 11/03/2026 is the month
    #[arg(long, value_name = "ORDER")]
    dates: Option<DatesArg>,
}

impl ListArgs {
    /// Which number of a date is the month.
    pub(super) fn dates(&self) -> Option<DateOrder> {
        self.dates.map(DateOrder::from)
    }

    /// How the list is read by whoever keeps what it says.
    pub(super) fn options(&self, reader: PhoneReader) -> ListOptions {
        let options = ListOptions::new().numbers(reader).map(self.map.iter().cloned());
        narrow!(options, dates(self.dates()))
    }
}

/// The choices of `--dates`.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum DatesArg {
    /// The month is first
    Mdy,
    /// The day is first
    Dmy,
}

impl From<DatesArg> for DateOrder {
    fn from(order: DatesArg) -> Self {
        match order {
            DatesArg::Mdy => Self::Mdy,
            DatesArg::Dmy => Self::Dmy,
        }
    }
}

fn mapped(text: &str) -> Result<(MappedRole, String), String> {
    let (role, column) =
        text.split_once('=').ok_or("write it as phone=COLUMN, with the column's header")?;
    let role = match role.trim() {
        "phone" => MappedRole::Phone,
        "email" => MappedRole::Email,
        "status" => MappedRole::Status,
        "received" => MappedRole::Received,
        "reason" => MappedRole::Reason,
        "channel" => MappedRole::Channel,
        _ => return Err("name phone, email, status, received, reason or channel".to_owned()),
    };
    Ok((role, column.to_owned()))
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
pub(super) fn tell_invalid(invalid: &InvalidRows) {
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
    let (reader, letters) =
        (PhoneReader::default().vanity(true), InvalidValue::Letters.to_string());
    let is_vanity = |cell: &BadCell| cell.reason == letters && reader.phone(&cell.value).is_ok();
    if invalid.cells.iter().any(is_vanity) {
        note("--vanity reads letters as digits, as in 1-800-FLOWERS");
    }
    invalid.notes.iter().for_each(note);
    if invalid.more_cells > 0 {
        let hint = match &invalid.mend {
            Some(path) => format!("{} has all of them", path.display()),
            None => "--mend FILE writes all".to_owned(),
        };
        note(format!("and {} more: {hint}", invalid.more_cells));
    }
}
