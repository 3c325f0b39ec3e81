//! An input, and how it is to be read.

use std::{
    convert::Infallible,
    error::Error,
    fmt,
    fs::File,
    io::{self, Read},
    mem,
    path::{Path, PathBuf},
    pin::pin,
    sync::{Arc, Mutex},
};

use crm_mirror::lock::lock;
use encoding_rs::Encoding;
use futures_core::{Stream, future::BoxFuture};
use futures_util::{FutureExt, StreamExt, future};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::{
    arriving,
    columns::{self, InputColumn, is_to_mend},
    delimiter,
    dialect::{Dialect, InputFormat},
    encoding::Text,
    no_text::no_text,
    typed::{Arrived, Row},
};
use crate::error::{BulkError, Counted};

/// A file or stream of rows, each asking for a change.
///
/// | Column | Meaning |
/// |---|---|
/// | `location_id`, `customer_id` | whose contact; one of the two |
/// | `contact_id`, or `id` | which contact |
/// | `action` | `update` (also when empty), `create`, `delete` |
/// | `select` | `value`: every contact whose current number or address is `value`, on every owner or on the one named; `contact` (also when empty): the one that the ids name |
/// | `type` | `Phone`, `MobilePhone`, `Email`, `Fax` |
/// | `value` | the number or address; of a number that selects, an extension counts too |
/// | `new_value` | the number or address to set in a row that selects by `value` |
/// | `memo` | the memo; the clear token (`(clear)`) removes it |
/// | `marketing_updates` and the other [preferences](crm_models::Preference::column) | `on` or `off` (also yes/no, true/false, 1/0) |
///
/// The API's own names are accepted as well (`locationId`, `preferences.marketingUpdatesEnabled`),
/// so that the output of lists and exports can be edited and read: [`COLUMNS`](Self::COLUMNS) has
/// them all. In headers only letters and digits count, in any case.
///
/// An empty cell leaves what is there unchanged. Columns may be in any order; further columns are
/// carried along untouched, and the plan says which. A header that is one letter away from a long
/// name is an error, unless [`ignore_columns`](Self::ignore_columns) names it: no row may mean more
/// contacts than it says because an id was misspelled.
///
/// NDJSON uses the same names for its members, and `preferences` may be an object; numbers and
/// booleans may be written as such, and `null` or an absent member counts as an empty cell.
///
/// ```
/// use crm_bulk::Input;
///
/// let rows = "Location_ID;Contact_ID;Marketing_Updates\n2001;3001;off\n";
/// let input = Input::csv("opt-outs", rows.as_bytes()).delimiter(b';');
/// # let _ = input;
/// ```
#[must_use]
pub struct Input {
    name: String,
    /// The path, if the input is a file.
    path: Option<PathBuf>,
    format: InputFormat,
    source: Source,
    dialect: Dialect,
}

/// Where the rows come from.
enum Source {
    /// A file, which is there to be read.
    File(File),
    /// A text that nobody may have written yet.
    Text(Box<dyn Read + Send>),
    /// Rows that the first of the two receives, as long as the second is polled.
    Rows(mpsc::Receiver<Arrived>, BoxFuture<'static, ()>),
}

/// How many rows may have arrived before they are planned.
const ROWS_AHEAD: usize = 1_024;

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input")
            .field("name", &self.name)
            .field("format", &self.format)
            .field("dialect", &self.dialect)
            .finish_non_exhaustive()
    }
}

impl Input {
    /// Every column that has a meaning.
    pub const COLUMNS: &[InputColumn] = columns::TABLE;

    /// Creates an input of CSV rows. The name is used in messages. The reader is read on a thread of
    /// its own, which nobody waits for: it may be a pipe whose other end writes nothing.
    pub fn csv(name: impl Into<String>, reader: impl Read + Send + 'static) -> Self {
        Self::new(name.into(), InputFormat::Csv, Source::Text(Box::new(reader)))
    }

    /// Creates an input of NDJSON rows. The name is used in messages.
    pub fn ndjson(name: impl Into<String>, reader: impl Read + Send + 'static) -> Self {
        Self::new(name.into(), InputFormat::Ndjson, Source::Text(Box::new(reader)))
    }

    /// Creates an input of rows that a program makes, say from a database. The name is used in
    /// messages. The rows are numbered as they come, from 1.
    ///
    /// The stream is polled by the future of the plan, in the caller's task, and a few rows ahead of
    /// the plan.
    ///
    /// ```
    /// # use crm_bulk::{BulkError, Plan, Site};
    /// # use crm_contacts::ContactsService;
    /// # use crm_transport::Transport;
    /// use crm_bulk::{Input, Row};
    /// use crm_models::{ContactChange, ContactId, LocationId};
    /// use futures_util::{StreamExt, stream};
    ///
    /// # async fn example<T: Transport>(contacts: ContactsService<T>, site: Site) -> Result<(), BulkError> {
    /// # let codes: Vec<(LocationId, ContactId, String)> = Vec::new();
    /// let rows = stream::iter(codes).map(|(location, contact, code)| {
    ///     Row::update(location, contact, ContactChange::new().memo(format!("Gate code {code}")))
    /// });
    /// Plan::new(site).from_api(&contacts, Input::from_stream("gate codes", rows), "set.crm").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_stream(
        name: impl Into<String>,
        rows: impl Stream<Item = Row> + Send + 'static,
    ) -> Self {
        Self::try_from_stream(name, rows.map(Ok::<_, Infallible>))
    }

    /// Creates an input of rows that may fail to come. The first failure ends the plan with
    /// [`BulkError::Input`], and there is no change set.
    pub fn try_from_stream<E: Into<Box<dyn Error + Send + Sync>>>(
        name: impl Into<String>,
        rows: impl Stream<Item = Result<Row, E>> + Send + 'static,
    ) -> Self {
        let (sender, arriving) = mpsc::channel(ROWS_AHEAD);
        let rows = rows.map(|row| row.map_err(Into::into));
        let feed = async move {
            let mut rows = pin!(rows);
            while let Some(row) = rows.next().await {
                let is_last = row.is_err();
                if sender.send(Some(row)).await.is_err() || is_last {
                    return;
                }
            }
            // Nobody waits for it when the plan has failed.
            let _ = sender.send(None).await;
        };
        Self::new(name.into(), InputFormat::Ndjson, Source::Rows(arriving, feed.boxed()))
    }

    /// Opens a file of rows: NDJSON when its name ends in `.ndjson` or `.jsonl`, otherwise CSV.
    ///
    /// # Errors
    ///
    /// Returns [`MirrorError::File`](crate::MirrorError::File) when the file cannot be opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, BulkError> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|e| BulkError::file(path, "read", e))?;
        let format = match path.extension().and_then(|name| name.to_str()) {
            Some("ndjson" | "jsonl") => InputFormat::Ndjson,
            _ => InputFormat::Csv,
        };
        let is_there = file.metadata().is_ok_and(|metadata| metadata.is_file());
        let source = if is_there { Source::File(file) } else { Source::Text(Box::new(file)) };
        Ok(Self {
            path: Some(path.to_owned()),
            ..Self::new(path.display().to_string(), format, source)
        })
    }

    fn new(name: String, format: InputFormat, source: Source) -> Self {
        Self { name, path: None, format, source, dialect: Dialect::default() }
    }

    /// Sets the encoding of a file that is not in UTF-8, by its name in the WHATWG's list, such as
    /// `windows-1252`. A byte order mark takes precedence: files in UTF-8 and UTF-16 that have one
    /// are read accordingly.
    ///
    /// # Errors
    ///
    /// Returns [`BulkError::Input`] for a name that is not in the list.
    pub fn encoding(mut self, name: &str) -> Result<Self, BulkError> {
        let encoding = Encoding::for_label(name.as_bytes());
        self.dialect.encoding = Some(encoding.ok_or_else(|| BulkError::Input {
            name: self.name.clone(),
            reason: format!("`{name}` is not an encoding; windows-1252 or utf-16le is one"),
        })?);
        Ok(self)
    }

    /// Sets the delimiter between cells. By default it is the one named by a first line such as
    /// `sep=;`, otherwise the one that the header shows, otherwise a comma.
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.dialect.says_delimiter = true;
        self.dialect.marks.delimiter = delimiter;
        self
    }

    /// Sets the character that encloses cells, instead of `"`.
    pub fn quote(mut self, quote: u8) -> Self {
        self.dialect.marks.quote = quote;
        self
    }

    /// Sets the token that clears a memo, instead of `(clear)`.
    pub fn clear_token(mut self, token: impl Into<String>) -> Self {
        self.dialect.clear = token.into();
        self
    }

    /// Lets rows without a contact's id select every contact that has their `value`, on all
    /// customers and locations or on the one that they name, as `value` in the column `select` does
    /// row by row. Without either, such a row is wrong.
    pub fn select_by_value(mut self) -> Self {
        self.dialect.by_value = true;
        self
    }

    /// Treats columns with these names as further ones, whatever they would mean; upper case,
    /// blanks and the like do not count. A name that no column has is refused.
    pub fn ignore_columns(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let names = names.into_iter().map(Into::into);
        self.dialect.ignored.extend(names);
        self
    }

    /// Returns the name, for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the format in which the rows are written.
    #[must_use]
    pub fn format(&self) -> InputFormat {
        self.format
    }

    /// By what the rows are counted.
    pub(crate) fn counted(&self) -> Counted {
        match self.source {
            Source::File(_) | Source::Text(_) => Counted::Lines,
            Source::Rows(..) => Counted::Rows,
        }
    }

    /// What has to be polled for the rows to arrive, by whoever waits for the plan.
    pub(crate) fn take_feed(&mut self) -> BoxFuture<'static, ()> {
        match &mut self.source {
            Source::Rows(_, feed) => mem::replace(feed, future::ready(()).boxed()),
            Source::File(_) => future::ready(()).boxed(),
            Source::Text(reader) => {
                let (arriving, feed) = arriving::apart(mem::replace(reader, Box::new(io::empty())));
                *reader = Box::new(arriving);
                feed
            }
        }
    }

    /// The rows that arrive, with name and dialect, unless the input is a text.
    pub(super) fn typed(self) -> Result<(String, mpsc::Receiver<Arrived>, Dialect), Box<Self>> {
        match self.source {
            Source::Rows(arriving, _) => Ok((self.name, arriving, self.dialect)),
            Source::File(_) | Source::Text(_) => Err(Box::new(self)),
        }
    }

    /// The input as text, after anything that precedes its header.
    pub(crate) fn opened(self) -> Result<Opened, BulkError> {
        let Self { name, mut dialect, .. } = self;
        let unread =
            |error: io::Error| BulkError::Input { name: name.clone(), reason: error.to_string() };
        let reader = match self.source {
            Source::File(file) => Box::new(file),
            Source::Text(reader) => reader,
            Source::Rows(..) => {
                let other = "it has rows of changes and is no list of numbers and addresses";
                return Err(unread(io::Error::other(other)));
            }
        };
        let mut text = Text::new(reader, dialect.encoding).map_err(unread)?;
        dialect.marks.bom = text.needs_mark();
        let mut head = delimiter::head(&mut text).map_err(unread)?;
        // Rows to mend are text, whatever it is that is wrong with them.
        if let Some(what) = no_text(&head).filter(|_| !is_to_mend(&head)) {
            return Err(unread(io::Error::other(what)));
        }
        if self.format == InputFormat::Csv
            && let Some((delimiter, length)) = delimiter::named(&head)
        {
            head.drain(..length);
            dialect.lines_before = 1;
            if !dialect.says_delimiter {
                dialect.marks.delimiter = delimiter;
                dialect.says_delimiter = true;
            }
        }
        Ok(Opened {
            reader: Box::new(io::Cursor::new(head.clone()).chain(text)),
            head,
            name,
            dialect,
        })
    }

    /// Has a digest taken of all bytes that are read, which has them all once the rows are read.
    pub(crate) fn digested(mut self) -> (Self, Arc<Mutex<Sha256>>) {
        let digest = Arc::new(Mutex::new(Sha256::new()));
        let by = |reader| Box::new(Digested { reader, digest: Arc::clone(&digest) });
        self.source = match self.source {
            Source::File(file) => Source::Text(by(Box::new(file))),
            Source::Text(reader) => Source::Text(by(reader)),
            rows @ Source::Rows(..) => rows,
        };
        (self, digest)
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

/// A text of which a digest is taken while it is read.
struct Digested {
    reader: Box<dyn Read + Send>,
    digest: Arc<Mutex<Sha256>>,
}

impl Read for Digested {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        lock(&self.digest).update(&buffer[..read]);
        Ok(read)
    }
}

/// An input whose text is being read.
pub(crate) struct Opened {
    pub(crate) name: String,
    pub(crate) dialect: Dialect,
    /// The first bytes that the reader gives.
    pub(super) head: Vec<u8>,
    pub(super) reader: Box<dyn Read + Send>,
}
