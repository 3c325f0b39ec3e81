//! The mirror as a file.

use std::{cell::Cell, path::Path};

use crm_values::PhoneReader;

use crate::{
    database::{Again, Database, Format, NewDatabase},
    error::MirrorError,
    job::Stop,
    site::Site,
};

pub(super) const FORMAT: Format = Format {
    noun: "mirror",
    application_id: 0x4352_4D46,
    // Version 1, a snapshot, is written anew as a whole.
    oldest: 2,
    migrations: &["", include_str!("schema.sql")],
    convert: |_, _| Ok(()),
    keeps_journal: |_| false,
};

/// How much of the file is kept in memory to look things up, in KiB: the inner pages of all indexes
/// of a million contacts.
const CACHE_KIB: i64 = 12 * 1024;

/// The contacts of all customers and locations of one tenant and these owners themselves, as the
/// export feeds tell them, in an SQLite file.
///
/// The first [`update`](Self::update) reads everything, later ones only what has changed since. An
/// update that was interrupted continues where it stopped. Deleted contacts and deactivated owners
/// are kept and marked as such.
///
/// ```no_run
/// # use crm_mirror::{Mirror, MirrorError, Site};
/// # use crm_contacts::ContactsService;
/// # use crm_transport::{Environment, Transport};
/// # async fn example<T: Transport>(contacts: ContactsService<T>, environment: Environment) -> Result<(), MirrorError> {
/// let site = Site::of(&contacts, environment.api_url());
/// let mut mirror = Mirror::open_or_create("mirror.db", &site)?;
/// mirror.update(&contacts, &site, |read| eprintln!("{read} records")).await?;
/// let coverage = mirror.coverage()?;
/// println!("{} contacts of {} owners", coverage.contacts, coverage.owners);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Mirror {
    pub(super) database: Database,
    pub(super) site: Site,
    /// The reader with which the keys were made.
    pub(super) reader: Cell<PhoneReader>,
}

impl Mirror {
    /// Creates an empty mirror.
    pub(super) fn create(path: &Path, site: &Site) -> Result<(), MirrorError> {
        let new = NewDatabase::create(path, &FORMAT)?;
        new.database().set_site(site)?;
        // Here, where nobody else has it open: SQLite does not wait for others to do so.
        new.database().make_durable()?;
        new.finish()
    }

    /// Opens an existing mirror. That changes nothing of it.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Older`] for a snapshot of version 0.1, [`MirrorError::Foreign`],
    /// [`MirrorError::Newer`], [`MirrorError::Damaged`], or a failure to read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, MirrorError> {
        let mirror = Self::of(Database::open(path.as_ref(), &FORMAT)?)?;
        mirror.database.keep_in_memory(CACHE_KIB)?;
        Ok(mirror)
    }

    /// Opens a mirror once more, on another thread.
    pub(super) fn again(mirror: &Again, stop: &Stop) -> Result<Self, MirrorError> {
        Self::of(mirror.open(&FORMAT, stop)?)
    }

    pub(super) fn of(database: Database) -> Result<Self, MirrorError> {
        database.make_durable()?;
        let site = database.site()?;
        let mirror = Self { database, site, reader: Cell::default() };
        mirror.read_as_keyed()?;
        Ok(mirror)
    }

    /// Returns the path of the mirror's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.database.path()
    }

    /// Returns the site whose contacts the mirror holds.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.site
    }
}
