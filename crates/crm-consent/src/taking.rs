//! How single wishes come in, and how what came in is taken back.

use crm_mirror::keys::Keys;
use jiff::Timestamp;

use crate::{
    error::ConsentError,
    ledger::{Adding, Ledger},
    record::{Kind, NoFacts, Personal, WishFacts},
    wish::{Period, Scope, Wish},
};

/// A wish that somebody has said.
///
/// [`Debug`] output contains a number or an address.
#[derive(Debug, Clone)]
#[must_use]
pub struct Said {
    value: String,
    wish: Wish,
    scope: Scope,
    words: Option<String>,
    received: Option<String>,
    place: Option<String>,
    taken_by: Option<String>,
}

impl Said {
    /// Creates the wish of whoever has this number or address, for marketing.
    pub fn new(value: impl Into<String>, wish: Wish) -> Self {
        Self {
            value: value.into(),
            wish,
            scope: Scope::Marketing,
            words: None,
            received: None,
            place: None,
            taken_by: None,
        }
    }

    /// Sets for what it counts.
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Sets the words in which it was said.
    pub fn words(mut self, words: impl Into<String>) -> Self {
        self.words = Some(words.into());
        self
    }

    /// Sets when it was received: ISO 8601, a day at least. Without an offset the time is that of the
    /// policy's zone.
    pub fn received(mut self, at: impl Into<String>) -> Self {
        self.received = Some(at.into());
        self
    }

    /// Sets where it was said, as in `telephone`.
    pub fn place(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Sets who took it.
    pub fn taken_by(mut self, who: impl Into<String>) -> Self {
        self.taken_by = Some(who.into());
        self
    }
}

/// What became of a wish that was brought into the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Taken {
    /// Its record.
    pub record: u64,
    /// Whether it is new; if not, the record was there before.
    pub is_new: bool,
    /// Whether it counts. A wish to be written to does only with its time and its words.
    pub honoured: bool,
}

impl Ledger {
    /// Takes a single wish. One that is there already is not taken again.
    ///
    /// # Errors
    ///
    /// Returns [`ConsentError::Value`] and [`ConsentError::Moment`] for what cannot be read, and errors
    /// for a file that cannot be written. Then nothing was taken.
    pub fn add(&mut self, said: &Said) -> Result<Taken, ConsentError> {
        let keys = Keys::listed(&said.value, self.reader)?;
        let policy = self.policy()?;
        let period = match said.received.as_deref() {
            Some(text) => Some(Period::read(text, policy.zone())?.past(text, Timestamp::now())?),
            None => None,
        };
        let words = said.words.as_deref().map(str::trim).filter(|words| !words.is_empty());
        let facts = WishFacts {
            wish: said.wish,
            scope: said.scope,
            received: said.received.clone(),
            period,
            honoured: counts(said.wish, period, words),
            row: None,
        };
        let personal = Personal {
            words: words.map(str::to_owned),
            place: said.place.clone(),
            taken_by: said.taken_by.clone(),
            ..Personal::of(&said.value, keys)
        };
        let honoured = facts.honoured;
        self.adding(|adding| {
            if let Some((record, _)) = adding.same(&personal.key, &facts)? {
                return Ok(Taken { record, is_new: false, honoured });
            }
            let record = adding.wish(None, &facts, &personal)?;
            Ok(Taken { record, is_new: true, honoured })
        })
    }

    /// Takes back an import with all that came with it, or a wish that came alone, and returns the
    /// number of the record that says so. A wish that came in again with another import stands.
    ///
    /// # Errors
    ///
    /// Returns [`ConsentError::NotTaken`], [`ConsentError::OfImport`] and [`ConsentError::Retracted`]
    /// for what cannot be taken back.
    pub fn retract(&mut self, record: u64, reason: &str) -> Result<u64, ConsentError> {
        self.adding(|adding| {
            let sql = "SELECT kind, subject FROM records WHERE number = ?";
            let found = adding.ledger.database.row(sql, [record], |row| {
                Ok((row.get::<_, String>("kind")?, row.get::<_, Option<u64>>("subject")?))
            })?;
            match found.as_ref().map(|(kind, subject)| (kind.as_str(), *subject)) {
                Some(("import", _) | ("wish", None)) => {}
                Some(("wish", Some(import))) => {
                    return Err(ConsentError::OfImport { record, import });
                }
                _ => return Err(ConsentError::NotTaken(record)),
            }
            if let Some(by) = adding.ledger.retraction(record)? {
                return Err(ConsentError::Retracted { record, by });
            }
            adding.add_with_reason(Kind::Retraction, Some(record), &NoFacts {}, reason)
        })
    }
}

/// Whether a wish counts: one to be written to only where it can be shown when it was said and how.
pub(crate) fn counts(wish: Wish, period: Option<Period>, words: Option<&str>) -> bool {
    wish == Wish::Out || (period.is_some() && words.is_some())
}

impl Adding<'_> {
    /// Adds a wish, and returns its record.
    pub(crate) fn wish(
        &mut self,
        import: Option<u64>,
        facts: &WishFacts,
        personal: &Personal,
    ) -> Result<u64, ConsentError> {
        self.add_of_value(Kind::Wish, import, facts, personal)
    }

    /// The wish of the value with this key that says the same and stands, and its import.
    pub(crate) fn same(
        &self,
        key: &str,
        facts: &WishFacts,
    ) -> Result<Option<(u64, Option<u64>)>, ConsentError> {
        let heard = self.ledger.of_key(key)?;
        let same = heard.iter().find(|heard| !heard.retracted && heard.facts.is_same(facts));
        Ok(same.map(|heard| (heard.record, heard.import)))
    }
}
