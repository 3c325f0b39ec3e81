//! How lists come in.

use std::{borrow::Cow, path::Path};

use crm_bulk::{InvalidRows, List, ListRow, ListedValue, MendFile, Wish as Listed, excerpt};
use crm_mirror::keys::Keys;
use jiff::Timestamp;
use serde::Serialize;
use strum::Display;

use crate::{
    error::ConsentError,
    hash::Sha,
    ledger::{Adding, Ledger},
    policy::Policy,
    record::{AgainFacts, ImportFacts, Kind, Personal, WishFacts},
    taking::counts,
    wish::{Period, Scope, Wish},
};

/// How a list is brought into the ledger.
#[derive(Debug, Clone)]
#[must_use]
pub struct Import {
    says: Option<Wish>,
    scope: Scope,
    mend: Option<MendFile>,
    taken_by: Option<String>,
}

impl Default for Import {
    fn default() -> Self {
        Self::new()
    }
}

impl Import {
    /// Creates the import of a list whose rows say what they mean, about marketing.
    pub fn new() -> Self {
        Self { says: None, scope: Scope::Marketing, mend: None, taken_by: None }
    }

    /// Sets what rows mean where no column says it.
    pub fn says(mut self, wish: Wish) -> Self {
        self.says = Some(wish);
        self
    }

    /// Sets for what its wishes count.
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Writes the rows that cannot be read to this file, to be corrected and brought in. One that has
    /// something else in it is refused.
    pub fn mend_file(mut self, file: impl Into<MendFile>) -> Self {
        self.mend = Some(file.into());
        self
    }

    /// Sets who took the wishes of which the list does not say it.
    pub fn taken_by(mut self, who: impl Into<String>) -> Self {
        self.taken_by = Some(who.into());
        self
    }
}

/// What a row of a list says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
#[non_exhaustive]
pub enum Verdict {
    /// To be left alone.
    Out,
    /// To be written to.
    In,
    /// Neither, so nothing is taken.
    Neither,
    /// It cannot be read.
    Unreadable,
}

/// What became of a value of a row, or of a row that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Judged {
    /// The line of the list.
    pub row: u64,
    /// The column of the value.
    pub column: Option<String>,
    /// What it says.
    pub verdict: Verdict,
    /// Why, and what became of it.
    pub reason: Cow<'static, str>,
    /// Its record.
    pub record: Option<u64>,
}

/// What became of a list.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Imported {
    /// The record of the import; where this very file came in before, that one.
    pub import: u64,
    /// Whether this very file came in before, so that nothing was added.
    pub is_known: bool,
    /// How many wishes are new.
    pub new: u64,
    /// How many were there already.
    pub known: u64,
    /// Each value and each row that cannot be read, in the order of the list.
    pub rows: Vec<Judged>,
    /// What is wrong with the rows that cannot be read.
    pub invalid: Option<InvalidRows>,
}

impl Ledger {
    /// Takes all wishes of a list, or none of them. One that is there already is not taken again.
    ///
    /// # Errors
    ///
    /// Returns [`ConsentError::Unsaid`] where nothing says who opted out or in, and errors for files
    /// that cannot be read or written. Then nothing was taken.
    pub fn import(&mut self, list: &mut List, how: &Import) -> Result<Imported, ConsentError> {
        let policy = self.policy()?;
        let (says, by) = says(list, how)?;
        if let Some(wish) = says {
            list.unsaid_means(listed(wish));
        }
        let mend = how.mend.as_ref();
        let (now, mut unreadable) = (Timestamp::now(), Vec::new());
        // What is wrong is found, and written to be mended, before anybody else has to wait.
        let invalid = list.each_row(mend, |line, row| {
            if let Err(reason) = read(row, &policy, now) {
                unreadable.push((line, reason));
            }
            Ok::<_, ConsentError>(())
        })?;
        let facts = ImportFacts {
            file: file_name(list.name()),
            sha256: Sha(list.sha256()).to_string(),
            tool: list.tool().map(str::to_owned),
            scope: how.scope,
            says,
            time_zone: policy.time_zone().to_owned(),
            rows: list.rows(),
            unreadable: unreadable.len() as u64,
        };
        self.adding(|adding| {
            let known = adding.ledger.import_of(&facts)?;
            let is_known = known.is_some();
            let mut taking = Taking {
                import: match known {
                    Some(import) => import,
                    None => adding.add(Kind::Import, None, &facts)?,
                },
                adding,
                is_known,
                how,
                says,
                by,
                imported: Vec::new(),
                new: 0,
                known: 0,
            };
            list.each_row(None, |line, row| match read(row, &policy, now) {
                Ok((row, periods)) => taking.row(line, row, periods),
                Err(reason) => {
                    taking.judged(line, None, Verdict::Unreadable, reason.into(), None);
                    Ok(())
                }
            })?;
            let Taking { import, imported: rows, new, known, .. } = taking;
            Ok(Imported { import, is_known, new, known, rows, invalid })
        })
    }

    /// The import of the very same file in the same meaning, unless it was taken back.
    fn import_of(&self, facts: &ImportFacts) -> Result<Option<u64>, ConsentError> {
        let sql = "SELECT number, facts FROM records WHERE kind = 'import' ORDER BY number";
        let all = self.database.rows(sql, [], |row| {
            Ok((row.get::<_, u64>("number")?, row.get::<_, String>("facts")?))
        })?;
        for (number, json) in all {
            let known: ImportFacts = self.facts(number, &json)?;
            // Under another name it is the same.
            let same = ImportFacts { file: known.file.clone(), ..facts.clone() };
            if known == same && self.retraction(number)?.is_none() {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }
}

/// What the rows of a list mean that do not say it, none where each of them does; and by whose word.
fn says(list: &mut List, how: &Import) -> Result<(Option<Wish>, Cow<'static, str>), ConsentError> {
    let of_rows = (None, Cow::Borrowed(""));
    if list.rows() == 0 {
        // A tool may have nothing to tell today, but then its list has a header.
        let (name, reason) = (list.name().to_owned(), "the list is empty".to_owned());
        let has_header = !list.columns().is_empty();
        return if has_header { Ok(of_rows) } else { Err(ConsentError::NoRow { name, reason }) };
    }
    match how.says {
        _ if list.has_status() => return Ok(of_rows),
        Some(says) => {
            let by = format!("as --says {says} says of all its rows");
            return Ok((Some(says), by.into()));
        }
        None => {}
    }
    match list.of_opt_outs() {
        Some(by) => Ok((Some(Wish::Out), format!("as all rows of the list: {by}").into())),
        None => {
            let name = list.name().to_owned();
            if let Some(reason) = why_unread(list)? {
                return Err(ConsentError::NoRow { name, reason });
            }
            let columns = list.columns().into_iter();
            let columns: Vec<_> =
                columns.map(|(name, holds)| format!("{}: {holds}", excerpt(&name))).collect();
            Err(ConsentError::Unsaid { name, columns: columns.join(", ") })
        }
    }
}

/// Why no row can be read, if that is so.
fn why_unread(list: &mut List) -> Result<Option<String>, ConsentError> {
    let (mut is_read, mut why) = (false, None);
    list.each_row(None, |_, row| {
        match row {
            Ok(_) => is_read = true,
            Err(reason) => why = why.take().or(Some(reason)),
        }
        Ok::<_, ConsentError>(())
    })?;
    Ok((!is_read).then(|| why.unwrap_or_else(|| "there is none".to_owned())))
}

/// The same wish in the words of lists.
fn listed(wish: Wish) -> Listed {
    match wish {
        Wish::Out => Listed::Out,
        Wish::In => Listed::In,
    }
}

/// A row that can be read, with the moments at which the wishes of its values were received.
fn read(
    row: Result<ListRow, String>,
    policy: &Policy,
    now: Timestamp,
) -> Result<(ListRow, Vec<Option<Period>>), String> {
    let row = row?;
    let period = |text: &str| {
        // By its day alone it may be tomorrow already, somewhere to the east.
        Period::read(text, policy.zone())
            .map(|period| Period { earliest: period.earliest.min(now), latest: period.latest })
    };
    let periods = row.values.iter().map(|value| value.received.as_deref().map(period).transpose());
    let periods = periods.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    Ok((row, periods))
}

/// The name of a file without its folders.
fn file_name(name: &str) -> String {
    let file = Path::new(name).file_name();
    file.map_or_else(|| name.to_owned(), |file| file.to_string_lossy().into_owned())
}

/// An import that is going on.
struct Taking<'a, 'l> {
    adding: &'a mut Adding<'l>,
    import: u64,
    is_known: bool,
    how: &'a Import,
    says: Option<Wish>,
    /// By whose word, for people.
    by: Cow<'static, str>,
    imported: Vec<Judged>,
    new: u64,
    known: u64,
}

impl Taking<'_, '_> {
    fn row(
        &mut self,
        line: u64,
        row: ListRow,
        periods: Vec<Option<Period>>,
    ) -> Result<(), ConsentError> {
        let ListRow { values, words, place, taken_by, .. } = row;
        let taken_by = taken_by.or_else(|| self.how.taken_by.clone());
        for (value, period) in values.into_iter().zip(periods) {
            let wish = match (value.wish, self.says) {
                (Listed::Out, _) | (Listed::Unsaid, Some(Wish::Out)) => Wish::Out,
                (Listed::In, _) | (Listed::Unsaid, Some(Wish::In)) => Wish::In,
                _ => {
                    let why = value.note.unwrap_or_else(|| "the row says nothing of it".to_owned());
                    self.judged(line, Some(value.column), Verdict::Neither, why.into(), None);
                    continue;
                }
            };
            let facts = WishFacts {
                wish,
                scope: self.how.scope,
                received: value.received,
                period,
                honoured: counts(wish, period, words.as_deref()),
                row: Some(line),
            };
            let mut said = match value.wish {
                Listed::Unsaid => self.by.clone(),
                _ => Cow::Borrowed("by its status"),
            };
            if let Some(note) = value.note {
                said = format!("{said}: {note}").into();
            }
            let ListedValue { column, given, key, otherwise, .. } = value;
            let personal = Personal {
                words: words.clone(),
                place: place.clone(),
                taken_by: taken_by.clone(),
                ..Personal::of(&given, Keys { key, otherwise })
            };
            self.value(line, column, &facts, &personal, said)?;
        }
        Ok(())
    }

    fn value(
        &mut self,
        line: u64,
        column: String,
        facts: &WishFacts,
        personal: &Personal,
        said: Cow<'static, str>,
    ) -> Result<(), ConsentError> {
        let verdict = match facts.wish {
            Wish::Out => Verdict::Out,
            Wish::In => Verdict::In,
        };
        let (record, already) = match self.adding.same(&personal.key, facts)? {
            Some((record, import)) => {
                self.known += 1;
                let is_of_another = import.is_some_and(|import| import != self.import);
                if is_of_another && !self.is_known {
                    let again = AgainFacts { import: self.import, row: line };
                    self.adding.add(Kind::Again, Some(record), &again)?;
                }
                (record, "; it was in the ledger already")
            }
            None => {
                self.new += 1;
                (self.adding.wish(Some(self.import), facts, personal)?, "")
            }
        };
        let lacks = "; recorded, not honoured: it lacks the time or the words";
        let lacks = if facts.honoured { "" } else { lacks };
        let reason = match (already, lacks) {
            ("", "") => said,
            _ => Cow::Owned(format!("{said}{already}{lacks}")),
        };
        self.judged(line, Some(column), verdict, reason, Some(record));
        Ok(())
    }

    fn judged(
        &mut self,
        row: u64,
        column: Option<String>,
        verdict: Verdict,
        reason: Cow<'static, str>,
        record: Option<u64>,
    ) {
        self.imported.push(Judged { row, column, verdict, reason, record });
    }
}
