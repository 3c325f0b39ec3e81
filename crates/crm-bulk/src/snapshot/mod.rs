//! A file of all contacts of a tenant, to select from and to compare with.

mod keys;
mod look_up;
mod unreadable;

use std::{cell::Cell, path::Path, time::Duration};

use crm_contacts::{ContactsService, Owner};
use crm_models::{
    ContactOwner, ContinuationToken, CustomerId, ExportBatch, ExportFrom, ExportedContact,
    LocationId, Timestamp,
};
use crm_transport::Transport;
use crm_values::PhoneReader;
use futures_util::TryStreamExt;
use rusqlite::params;

pub(crate) use self::{keys::Keyed, look_up::Known};
use crate::{
    clock,
    database::{Database, Format, NewDatabase},
    error::BulkError,
    keys::Keys,
    set::Site,
};

const FORMAT: Format = Format {
    noun: "snapshot",
    application_id: 0x4352_4D46,
    migrations: &[include_str!("schema.sql"), include_str!("v2.sql")],
    prepare: |_| Ok(()),
};

/// How far the clocks of two machines that share a file may be apart.
const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// Every contact of every customer and location of one tenant, as reported by the export feeds, in
/// an SQLite file.
///
/// The first [`update`](Self::update) reads everything, later ones only what has changed since. An
/// update that was interrupted continues where it stopped. Deleted contacts are kept and marked as
/// such.
///
/// ```no_run
/// # use crm_bulk::{BulkError, Site, Snapshot};
/// # use crm_contacts::ContactsService;
/// # use crm_transport::{Environment, Transport};
/// # async fn example<T: Transport>(contacts: ContactsService<T>, environment: Environment) -> Result<(), BulkError> {
/// let site = Site::of(&contacts, environment.api_url());
/// let mut snapshot = Snapshot::open_or_create("contacts.snapshot", &site)?;
/// let coverage = snapshot.update(&contacts, &site, |read| eprintln!("{read} contacts")).await?;
/// println!("{} contacts of {} owners", coverage.contacts, coverage.owners);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Snapshot {
    database: Database,
    site: Site,
    /// The reader with which the keys were made.
    reader: Cell<PhoneReader>,
}

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
    /// Opens the snapshot at `path`, or creates an empty one.
    ///
    /// # Errors
    ///
    /// [`BulkError::WrongTenant`] or [`BulkError::WrongEnvironment`] if the snapshot holds other
    /// data; otherwise the same errors as [`open`](Self::open).
    pub fn open_or_create(path: impl AsRef<Path>, site: &Site) -> Result<Self, BulkError> {
        let path = path.as_ref();
        match Self::create(path, site) {
            Ok(()) | Err(BulkError::Exists { .. }) => {}
            Err(error) => return Err(error),
        }
        let snapshot = Self::open(path)?;
        site.admit(&snapshot.site, path)?;
        Ok(snapshot)
    }

    /// Creates an empty snapshot.
    fn create(path: &Path, site: &Site) -> Result<(), BulkError> {
        let new = NewDatabase::create(path, &FORMAT)?;
        new.database().set_site(site)?;
        // Here, where nobody else has it open: SQLite does not wait for others to do so.
        new.database().make_durable()?;
        new.finish()
    }

    /// Opens an existing snapshot.
    ///
    /// # Errors
    ///
    /// [`BulkError::Foreign`], [`BulkError::Newer`], [`BulkError::Damaged`], or a failure to
    /// read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, BulkError> {
        let database = Database::open(path.as_ref(), &FORMAT)?;
        database.make_durable()?;
        let site = database.site()?;
        Ok(Self { database, site, reader: Cell::default() })
    }

    /// Returns the path of the snapshot's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.database.path()
    }

    /// Returns the site whose contacts the snapshot holds.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Returns when the feed that is further behind was last read to its end; `None` until both
    /// have been.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn known_at(&self) -> Result<Option<Timestamp>, BulkError> {
        let [customers, locations] = self.read_at()?;
        Ok(customers.zip(locations).map(|(one, other)| one.min(other)))
    }

    /// Returns when the feeds of customers and of locations were last read to their ends.
    fn read_at(&self) -> Result<[Option<Timestamp>; 2], BulkError> {
        let at = |kind: &str| {
            let at = self.database.meta(&format!("{kind}_complete_at"))?;
            Ok::<Option<Timestamp>, BulkError>(at.and_then(|text| text.parse().ok()))
        };
        Ok([at(CustomerId::NOUN)?, at(LocationId::NOUN)?])
    }

    /// Whether the snapshot is complete and no older than `age`. A snapshot that is [dated
    /// ahead](Self::is_dated_ahead) is not fresh, since its age is not known.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn is_fresh(&self, age: Duration) -> Result<bool, BulkError> {
        let is_young = self.known_at()?.is_some_and(|at| at + age >= clock::now());
        Ok(is_young && !self.is_dated_ahead()?)
    }

    /// Whether one of the two feeds was read more than a minute in the future, which means that a
    /// clock was wrong, either then or now.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn is_dated_ahead(&self) -> Result<bool, BulkError> {
        let latest = clock::now() + CLOCK_SKEW;
        Ok(self.read_at()?.into_iter().flatten().any(|at| at > latest))
    }

    /// Reads both feeds from where the last update stopped to their current ends, and calls
    /// `progress` with the number of records read so far.
    ///
    /// Each batch is stored in one transaction together with the token that follows it, so an
    /// update can be interrupted at any time and called again. Records that cannot be read are set
    /// aside; [`Coverage::unreadable`] counts them.
    ///
    /// # Errors
    ///
    /// [`BulkError::WrongTenant`] and [`BulkError::WrongEnvironment`] before anything is read, a
    /// failure of the feed, or a failure to write. What was stored before is kept.
    pub async fn update<T: Transport>(
        &mut self,
        service: &ContactsService<T>,
        site: &Site,
        mut progress: impl FnMut(u64),
    ) -> Result<Coverage, BulkError> {
        site.admit_service(service, self.database.path())?;
        site.admit(&self.site, self.database.path())?;
        self.read_by(self.reader.get().region())?;
        let mut read = 0;
        self.follow::<T, CustomerId>(service, &mut read, &mut progress).await?;
        self.follow::<T, LocationId>(service, &mut read, &mut progress).await?;
        self.coverage()
    }

    async fn follow<T: Transport, O: Owner>(
        &mut self,
        service: &ContactsService<T>,
        read: &mut u64,
        progress: &mut impl FnMut(u64),
    ) -> Result<(), BulkError> {
        let started = clock::now();
        let mut export = service.export::<O>().include_recent_changes();
        if let Some(token) = self.database.meta(&token_name::<O>())? {
            export = export.from(ExportFrom::Token(ContinuationToken::new(token)));
        }
        let mut batches = export.set_aside().batches();
        while let Some(batch) = batches.try_next().await? {
            self.store(&batch)?;
            *read += (batch.data.len() + batch.unreadable.len()) as u64;
            progress(*read);
        }
        self.database.set_meta(&format!("{}_complete_at", O::NOUN), &started.to_string())
    }

    fn store<O: ContactOwner>(
        &mut self,
        batch: &ExportBatch<ExportedContact<O>>,
    ) -> Result<(), BulkError> {
        let database = &self.database;
        let transaction = database.check(database.connection.unchecked_transaction())?;
        for exported in &batch.data {
            let contact = &exported.contact;
            let json = serde_json::to_string(contact)
                .map_err(|e| BulkError::file(database.path(), "written", e.into()))?;
            let keys = Keys::of(&contact.value, self.reader.get());
            let stored = transaction
                .prepare_cached(
                    "INSERT INTO contacts
                         (owner_kind, owner_id, contact_id, key, otherwise, active, contact)
                     VALUES (?, ?, ?, ?, ?, ?, ?)
                     ON CONFLICT (owner_kind, owner_id, contact_id) DO UPDATE SET
                         key = excluded.key, otherwise = excluded.otherwise, active = excluded.active, contact = excluded.contact",
                )
                .and_then(|mut statement| {
                    statement.execute(params![
                        O::NOUN,
                        exported.owner.get(),
                        contact.id.get(),
                        keys.key,
                        keys.otherwise,
                        exported.active,
                        json,
                    ])
                });
            database.check(stored)?;
            self.forget_unreadable(O::NOUN, exported.owner.get(), contact.id.get())?;
        }
        for record in &batch.unreadable {
            self.keep_unreadable::<O>(record)?;
        }
        if let Some(token) = &batch.continue_from {
            database.set_meta(&token_name::<O>(), token.as_str())?;
        }
        database.check(transaction.commit())
    }

    /// Counts what the snapshot holds.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn coverage(&self) -> Result<Coverage, BulkError> {
        let connection = &self.database.connection;
        let count = |sql: &str| {
            let count = connection.query_row(sql, [], |row| row.get::<_, u64>(0));
            self.database.check(count)
        };
        let by_type = || {
            connection
                .prepare(
                    "SELECT json_extract(contact, '$.type'), count(*) FROM contacts
                     WHERE active GROUP BY 1 ORDER BY 2 DESC",
                )?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        };
        Ok(Coverage {
            contacts: count("SELECT count(*) FROM contacts WHERE active")?,
            deleted: count("SELECT count(*) FROM contacts WHERE NOT active")?,
            owners: count(
                "SELECT count(*) FROM
                 (SELECT DISTINCT owner_kind, owner_id FROM contacts WHERE active)",
            )?,
            preferences_unknown: count(
                "SELECT count(*) FROM contacts
                 WHERE active AND json_extract(contact, '$.preferences') IS NULL",
            )?,
            unreadable: count("SELECT count(*) FROM unreadable")?,
            by_type: self.database.check(by_type())?,
        })
    }
}

fn token_name<O: ContactOwner>() -> String {
    format!("{}_token", O::NOUN)
}
