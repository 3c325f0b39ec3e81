//! What a snapshot holds.

use std::collections::BTreeMap;

use rusqlite::params;

use super::file::Snapshot;
use crate::error::MirrorError;

/// The contents of a snapshot, in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coverage {
    /// The number of contacts that exist.
    pub contacts: u64,
    /// The number of contacts that were deleted.
    pub deleted: u64,
    /// The number of customers and locations with at least one contact.
    pub owners: u64,
    /// The number of existing contacts whose preferences are not known.
    pub preferences_unknown: u64,
    /// The number of records that could not be read; see [`Snapshot::unreadable`].
    pub unreadable: u64,
    /// The number of existing contacts of each type.
    pub by_type: Vec<(String, u64)>,
}

impl Snapshot {
    /// Returns what the snapshot holds. The numbers are kept with the contacts, so this takes no
    /// longer for a million of them.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn coverage(&self) -> Result<Coverage, MirrorError> {
        let database = &self.database;
        let count =
            |sql: &str| Ok::<u64, MirrorError>(database.value(sql, [])?.unwrap_or_default());
        Ok(Coverage {
            contacts: count("SELECT ifnull(sum(contacts), 0) FROM counts WHERE active")?,
            deleted: count("SELECT ifnull(sum(contacts), 0) FROM counts WHERE NOT active")?,
            owners: count("SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'owners'")?,
            preferences_unknown: count(
                "SELECT ifnull(sum(contacts), 0) FROM counts WHERE active AND NOT preferences_known",
            )?,
            unreadable: count("SELECT count(*) FROM unreadable")?,
            by_type: database.rows(
                "SELECT type, sum(contacts) AS contacts
                 FROM counts WHERE active GROUP BY type HAVING sum(contacts) > 0
                 ORDER BY contacts DESC",
                [],
                |row| Ok((row.get("type")?, row.get("contacts")?)),
            )?,
        })
    }

    /// Adds what a transaction changes to the numbers that are kept.
    pub(super) fn add_to_counts(&self, changes: Changes) -> Result<(), MirrorError> {
        let Changes { contacts, owners } = changes;
        for (Kind { active, contact_type, preferences_known }, more) in contacts {
            self.database.execute(
                "INSERT INTO counts VALUES (?, ?, ?, ?)
                 ON CONFLICT DO UPDATE SET contacts = contacts + excluded.contacts",
                params![active, contact_type, preferences_known, more],
            )?;
        }
        let sql = "UPDATE meta SET value = value + ? WHERE name = 'owners'";
        self.database.execute(sql, [owners]).map(drop)
    }
}

/// What the contacts of a snapshot are counted by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    pub(super) active: bool,
    pub(super) contact_type: String,
    pub(super) preferences_known: bool,
}

/// How the numbers change with the contacts that one transaction stores. They are added up here,
/// since a trigger that did it row by row would double what storing costs.
#[derive(Debug, Default)]
pub(super) struct Changes {
    contacts: BTreeMap<Kind, i64>,
    owners: i64,
}

impl Changes {
    /// A contact of an owner that has others, or none, becomes another one.
    pub(super) fn replace(&mut self, before: Option<Kind>, after: Kind, has_others: bool) {
        let existed = before.as_ref().is_some_and(|before| before.active);
        if !has_others {
            self.owners += i64::from(after.active) - i64::from(existed);
        }
        if let Some(before) = before {
            *self.contacts.entry(before).or_default() -= 1;
        }
        *self.contacts.entry(after).or_default() += 1;
    }
}
