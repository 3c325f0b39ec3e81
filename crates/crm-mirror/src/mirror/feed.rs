//! The feeds that a mirror follows, and how far it is in each.

use crm_models::{ContactOwner, ContinuationToken, CustomerId, ExportFrom, Timestamp};
use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};

use super::file::Mirror;
use crate::error::MirrorError;

/// What a mirror follows: an export feed, or a list in the place of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Feed {
    /// The contacts of customers.
    CustomerContacts,
    /// The contacts of locations.
    LocationContacts,
    /// The customers themselves: their names and addresses.
    Customers,
    /// The locations themselves.
    Locations,
    /// The people of Contacts v2. No feed tells them: a list is followed.
    People,
    /// Their numbers and addresses, by a list too.
    ContactMethods,
}

impl Feed {
    /// All feeds, in the order in which they are read.
    pub const ALL: [Self; 6] = [
        Self::CustomerContacts,
        Self::LocationContacts,
        Self::Customers,
        Self::Locations,
        Self::People,
        Self::ContactMethods,
    ];

    /// Returns its name: `customer-contacts`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CustomerContacts => "customer-contacts",
            Self::LocationContacts => "location-contacts",
            Self::Customers => "customers",
            Self::Locations => "locations",
            Self::People => "people",
            Self::ContactMethods => "contact-methods",
        }
    }

    pub(super) fn of_contacts<O: ContactOwner>() -> Self {
        if O::NOUN == CustomerId::NOUN { Self::CustomerContacts } else { Self::LocationContacts }
    }

    pub(super) fn of_owners<O: ContactOwner>() -> Self {
        if O::NOUN == CustomerId::NOUN { Self::Customers } else { Self::Locations }
    }
}

/// How far a mirror is in a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FeedState {
    /// The feed.
    pub feed: Feed,
    /// When it was last read to its end; `None` until it has been.
    pub complete_at: Option<Timestamp>,
    /// Of people and their contact methods, when all were last seen, and those that were gone
    /// removed; `None` of the others, whose feeds tell what was deleted.
    pub swept_at: Option<Timestamp>,
    /// Why the service did not give it the last time, for example for want of a scope.
    pub refused: Option<String>,
}

impl Mirror {
    /// Returns how far the mirror is in each feed.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn feeds(&self) -> Result<Vec<FeedState>, MirrorError> {
        Feed::ALL.into_iter().map(|feed| self.feed(feed)).collect()
    }

    pub(super) fn feed(&self, feed: Feed) -> Result<FeedState, MirrorError> {
        let sql = "SELECT complete_at, swept_at, refused FROM feeds WHERE feed = ?";
        let read = |row: &Row<'_>| {
            let at = |column| {
                let at: Option<String> = row.get(column)?;
                Ok::<_, rusqlite::Error>(at.and_then(|at| at.parse().ok()))
            };
            Ok((at("complete_at")?, at("swept_at")?, row.get("refused")?))
        };
        let (complete_at, swept_at, refused) =
            self.database.row(sql, [feed.name()], read)?.unwrap_or_default();
        Ok(FeedState { feed, complete_at, swept_at, refused })
    }

    /// Where a feed goes on.
    pub(super) fn goes_on(&self, feed: Feed) -> Result<ExportFrom, MirrorError> {
        Ok(match self.token(feed)? {
            Some(token) => ExportFrom::Token(ContinuationToken::new(token)),
            None => ExportFrom::Beginning,
        })
    }

    pub(super) fn token(&self, feed: Feed) -> Result<Option<String>, MirrorError> {
        let sql = "SELECT token FROM feeds WHERE feed = ?";
        let token: Option<Option<String>> = self.database.value(sql, [feed.name()])?;
        Ok(token.flatten())
    }

    pub(super) fn set_token(&self, feed: Feed, token: &str) -> Result<(), MirrorError> {
        self.set_feed(feed, "token", Some(token))
    }

    pub(super) fn set_complete_at(&self, feed: Feed, at: &str) -> Result<(), MirrorError> {
        self.set_feed(feed, "refused", None)?;
        self.set_feed(feed, "complete_at", Some(at))
    }

    pub(super) fn set_swept_at(&self, feed: Feed, at: &str) -> Result<(), MirrorError> {
        self.set_feed(feed, "swept_at", Some(at))
    }

    pub(super) fn set_refused(&self, feed: Feed, why: &str) -> Result<(), MirrorError> {
        self.set_feed(feed, "refused", Some(why))
    }

    fn set_feed(&self, feed: Feed, column: &str, value: Option<&str>) -> Result<(), MirrorError> {
        let sql = format!(
            "INSERT INTO feeds (feed, {column}) VALUES (?, ?)
             ON CONFLICT DO UPDATE SET {column} = excluded.{column}"
        );
        self.database.execute(&sql, params![feed.name(), value]).map(drop)
    }
}
