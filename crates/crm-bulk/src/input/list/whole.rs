//! A list that is read and not acted on, for whoever keeps elsewhere what it says.

use std::{
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Seek, Write},
    path::{Path, PathBuf},
};

use crm_mirror::lock::lock;
use sha2::Digest;

use super::{
    columns::Lists,
    entries::{Entries, Entry, Kept},
    names::{file_name, is_named_against},
    options::ListOptions,
    told::{ELSEWHERE, UNKNOWN},
    values::lacks_area_code,
    wish::Wish,
};
use crate::{
    error::{BulkError, InvalidRows, problem},
    input::{
        broken::whole,
        dialect::InputFormat,
        fix::{BadRows, MendFile, refuse_to_mend_in},
        source::Input,
    },
};

/// A list of numbers and addresses with what its rows say: the same reading as that of
/// [`OptOut`](crate::OptOut), without a plan. A number without its area code cannot be read here:
/// nobody is there to look at the contacts that may be meant.
///
/// ```
/// use crm_bulk::{Input, List, ListOptions, Wish};
///
/// # fn main() -> Result<(), crm_bulk::BulkError> {
/// let rows = "contact_id,sender_id,status,date_of_consent\n\
///             +18185550142,s1,opt-out,2026-11-23T10:30:00Z\n";
/// let mut list = List::read(Input::csv("consents", rows.as_bytes()), &ListOptions::new())?;
/// assert_eq!(list.tool(), Some("Twilio Consent API"));
/// list.each_row(None, |line, row| {
///     let row = row.expect("a row that can be read");
///     let value = &row.values[0];
///     assert_eq!((line, value.wish), (2, Wish::Out));
///     assert_eq!(value.received.as_deref(), Some("2026-11-23T10:30:00+00:00"));
///     Ok::<_, crm_bulk::BulkError>(())
/// })?;
/// # Ok(())
/// # }
/// ```
pub struct List {
    name: String,
    path: Option<PathBuf>,
    format: InputFormat,
    entries: Entries,
    sha256: [u8; 32],
    rows: u64,
    /// The rows, one a line: only all cells together say what a column holds, and a list may be
    /// longer than there is memory. The file has no name.
    kept: File,
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List")
            .field("name", &self.name)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

/// What a row of a list says.
///
/// [`Debug`] output contains numbers and addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListRow {
    /// Its numbers and addresses; at least one.
    pub values: Vec<ListedValue>,
    /// The words in which the row says it, as `keyword: STOP`.
    pub words: Option<String>,
    /// Where it was said.
    pub place: Option<String>,
    /// Who took it.
    pub taken_by: Option<String>,
}

/// A number or an address of a row.
///
/// [`Debug`] output contains it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedValue {
    /// The header of its column.
    pub column: String,
    /// The value as the list has it.
    pub given: String,
    /// What it is compared by.
    pub key: String,
    /// What it may be compared by as well, where it can be read in two ways.
    pub otherwise: Option<String>,
    /// What the row says of it.
    pub wish: Wish,
    /// When that was received, in ISO 8601, as exactly as it was written: `2026-11-23`,
    /// `2026-11-23T10:30:00`, `2026-11-23T10:30:00-05:00`.
    pub received: Option<String>,
    /// What is to be told of how that was read; of [`Wish::Neither`], why it is none.
    pub note: Option<String>,
}

impl List {
    /// Reads a whole list and keeps its rows in a temporary file, which goes with this value.
    ///
    /// # Errors
    ///
    /// Returns [`BulkError::Input`] if it is no such list, saying which columns it has, and errors for
    /// failures to read and to keep.
    pub fn read(input: Input, options: &ListOptions) -> Result<Self, BulkError> {
        let (name, format) = (input.name().to_owned(), input.format());
        let path = input.path().map(Path::to_owned);
        let place = std::env::temp_dir();
        let unkept = |e: io::Error| BulkError::file(&place, "written", e);
        let mut kept = BufWriter::new(tempfile::tempfile().map_err(unkept)?);
        let (input, digest) = input.digested();
        let mut rows = 0;
        let entries = Entries::read(input, options, |Kept { line, data, broken }| {
            rows += 1;
            let broken = broken.map(|cells| problem(&cells));
            let row = serde_json::to_string(&(line, data, broken)).map_err(io::Error::from);
            row.and_then(|row| writeln!(kept, "{row}")).map_err(unkept)
        })?;
        let kept = kept.into_inner().map_err(|e| unkept(e.into_error()))?;
        let sha256 = lock(&digest).clone().finalize().into();
        Ok(Self { name, path, format, entries, sha256, rows, kept })
    }

    /// Returns the name, for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the path, if the list is a file.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Returns how many rows it has.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Returns the SHA-256 of its bytes, as they were before their encoding was read.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// Returns the tool of which it comes, if its headers tell.
    #[must_use]
    pub fn tool(&self) -> Option<&'static str> {
        self.entries.tool().map(|tool| tool.name)
    }

    /// Returns the columns that are read, each with what it holds, for people.
    #[must_use]
    pub fn columns(&self) -> Vec<(String, &'static str)> {
        self.entries.read_columns()
    }

    /// Returns the columns that count for nothing, each with why: those in which nothing of a wish is
    /// known to be, and those of wishes about channels that reach no number and no address of the list,
    /// as `Postal Opt Out`.
    #[must_use]
    pub fn unread_columns(&self) -> Vec<(String, &'static str)> {
        let of = |elsewhere, why| {
            let columns = self.entries.unread_columns(elsewhere).into_iter();
            columns.map(move |column| (column, why))
        };
        of(false, UNKNOWN).chain(of(true, ELSEWHERE)).collect()
    }

    /// Returns what people are to be told of this before anything is done with the list: as what it is
    /// read, and which columns are not, in one sentence each.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        self.entries.notes(&self.name)
    }

    /// Returns whether its name says that it is one of other people than those who wish this, as
    /// `subscribed` and `cleaned` do of [`Wish::Out`].
    #[must_use]
    pub fn is_named_against(&self, wish: Wish) -> bool {
        is_named_against(&self.name, wish)
    }

    /// Returns whether its rows say what people wish. If not, their wish is [`Wish::Unsaid`].
    #[must_use]
    pub fn has_status(&self) -> bool {
        self.entries.has_status
    }

    /// Returns by what it is one of those in which nobody is but who opted out, if it is; for people.
    #[must_use]
    pub fn of_opt_outs(&self) -> Option<&'static str> {
        match self.entries.tool()?.lists {
            Lists::OptOuts => Some("its tool lists nobody but who opted out"),
            Lists::OptOutsIfNamed(beginning) => file_name(&self.name)
                .to_lowercase()
                .starts_with(beginning)
                .then_some("its name begins with \"unsubscribed_\""),
            Lists::Anybody => None,
        }
    }

    /// Sets what rows mean that have no status: a row whose reason says the opposite cannot be read.
    pub fn unsaid_means(&mut self, wish: Wish) {
        self.entries.unsaid_means(wish);
    }

    /// Hands out each row with its line, or why it cannot be read; such rows are also written to
    /// `mend`, to be corrected and read again. May be called again.
    ///
    /// # Errors
    ///
    /// Returns errors for failures to read what was kept and to write, and what `each` returns.
    pub fn each_row<E: From<BulkError>>(
        &mut self,
        mend: Option<&MendFile>,
        mut each: impl FnMut(u64, Result<ListRow, String>) -> Result<(), E>,
    ) -> Result<Option<InvalidRows>, E> {
        refuse_to_mend_in(mend, self.path.as_deref().as_slice())?;
        let (marks, header) = (self.entries.marks, &self.entries.header);
        let mut bad = BadRows::new(&self.name, self.format, marks, header, mend);
        let place = std::env::temp_dir();
        let unread = |e: io::Error| BulkError::file(&place, "read", e);
        self.kept.rewind().map_err(unread)?;
        for row in BufReader::new(&self.kept).lines() {
            let row = row.map_err(unread)?;
            let (line, data, broken): (u64, String, Option<String>) =
                serde_json::from_str(&row).map_err(io::Error::from).map_err(unread)?;
            let entry = match broken {
                None => self
                    .entries
                    .entry(line, &data)
                    .and_then(|entry| lacks_area_code(line, &entry.values).map_or(Ok(entry), Err)),
                Some(why) => Err(whole(line, why)),
            };
            match entry {
                Ok(entry) => each(line, Ok(entry.into()))?,
                Err(cells) => {
                    let why = problem(&cells);
                    bad.add(line, cells, &data)?;
                    each(line, Err(why))?;
                }
            }
        }
        Ok(bad.finish()?)
    }
}

impl From<Entry> for ListRow {
    fn from(Entry { values, words, place, taken_by }: Entry) -> Self {
        let values = values.into_iter().map(|value| ListedValue {
            column: value.column,
            given: value.given,
            key: value.keys.key,
            otherwise: value.keys.otherwise,
            wish: value.wish,
            received: value.received.map(|moment| moment.to_string()),
            note: value.note,
        });
        Self { values: values.collect(), words, place, taken_by }
    }
}
