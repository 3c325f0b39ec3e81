//! The data with which a new sandbox starts.

use std::{fmt, str::FromStr};

use rusqlite::Connection;

use crate::settings::Settings;

/// The data with which a new database starts. The same seed always gives the same data; the data
/// file of an earlier sandbox keeps its own data.
///
/// As text it is `demo`, `untidy`, `empty` or a number.
///
/// ```
/// use crm_sandbox::Seed;
/// assert_eq!(Seed::Count(40_000).to_string(), "40000");
/// assert_eq!("demo".parse(), Ok(Seed::Demo));
/// assert_eq!("40000".parse(), Ok(Seed::Count(40_000)));
/// assert!("many".parse::<Seed>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Seed {
    /// A few dozen contacts with every edge case; the README lists the ids.
    #[default]
    Demo,
    /// The demo data, and contacts at customer 1010 and location 2012 as years of typing leave them:
    /// numbers in many spellings, an address with a telephone's type, duplicates.
    Untidy,
    /// No records, apart from the kinds of preferences.
    Empty,
    /// That many location contacts, four to a location: location 1 has the contacts 1 to 4,
    /// location 2 has 5 to 8. Each location belongs to the customer of the same id; every tenth
    /// contact also exists on the customer.
    Count(u32),
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Demo => f.write_str("demo"),
            Self::Untidy => f.write_str("untidy"),
            Self::Empty => f.write_str("empty"),
            Self::Count(contacts) => contacts.fmt(f),
        }
    }
}

/// The error of a text that does not name a seed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a seed is `demo`, `untidy`, `empty` or a number of contacts, not {0:?}")]
pub struct InvalidSeed(String);

impl FromStr for Seed {
    type Err = InvalidSeed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "demo" => Ok(Self::Demo),
            "untidy" => Ok(Self::Untidy),
            "empty" => Ok(Self::Empty),
            number => match number.parse() {
                Ok(contacts) => Ok(Self::Count(contacts)),
                Err(_) => Err(InvalidSeed(number.to_owned())),
            },
        }
    }
}

impl Seed {
    /// Fills empty tables with the data.
    pub(crate) fn fill(self, db: &Connection, settings: &Settings) -> rusqlite::Result<()> {
        db.execute_batch(include_str!("preference_types.sql"))?;
        match self {
            Self::Empty => {}
            Self::Demo => db.execute_batch(include_str!("demo.sql"))?,
            Self::Untidy => {
                db.execute_batch(include_str!("demo.sql"))?;
                db.execute_batch(include_str!("untidy.sql"))?;
            }
            Self::Count(contacts) => count(db, contacts)?,
        }
        if settings.seed_unknown_type {
            db.execute_batch(include_str!("unknown_type.sql"))?;
        }
        Ok(())
    }
}

fn count(db: &Connection, contacts: u32) -> rusqlite::Result<()> {
    db.execute_batch("CREATE TEMP TABLE seed_size (contacts INTEGER)")?;
    db.execute("INSERT INTO seed_size VALUES (?)", [contacts])?;
    db.execute_batch(include_str!("count.sql"))
}
