//! The mirror as a file.

use std::{cell::Cell, path::Path, time::Duration};

use crm_models::Timestamp;
use crm_values::PhoneReader;

use super::{feed::Feed, stage::Stage, version_1};
use crate::{
    clock,
    database::{Again, Database, Format, NewDatabase},
    error::MirrorError,
    job::Stop,
    keys::described_region,
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

/// How far the clocks of two machines that share a file may be apart.
const CLOCK_SKEW: Duration = Duration::from_secs(60);

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
    /// Opens the mirror at `path` to update it, or creates an empty one. A snapshot of version 0.1
    /// is written anew as a mirror, which goes on where it stopped.
    ///
    /// # Errors
    ///
    /// [`MirrorError::WrongTenant`] or [`MirrorError::WrongEnvironment`] if the mirror holds other
    /// data; otherwise the same errors as [`open`](Self::open).
    pub fn open_or_create(path: impl AsRef<Path>, site: &Site) -> Result<Self, MirrorError> {
        let path = path.as_ref();
        match Self::create(path, site) {
            Ok(()) | Err(MirrorError::Exists { .. }) => {}
            Err(error) => return Err(error),
        }
        let mirror = match Self::open(path) {
            Err(MirrorError::Older { .. }) => {
                version_1::rewrite(path, site)?;
                Self::open(path)?
            }
            opened => opened?,
        };
        site.admit(&mirror.site, path)?;
        Ok(mirror)
    }

    /// Creates an empty mirror.
    fn create(path: &Path, site: &Site) -> Result<(), MirrorError> {
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
        Self::of(Database::open(path.as_ref(), &FORMAT)?)
    }

    /// Opens a mirror once more, on another thread.
    pub(super) fn again(mirror: &Again, stop: &Stop) -> Result<Self, MirrorError> {
        Self::of(mirror.open(&FORMAT, stop)?)
    }

    pub(super) fn of(database: Database) -> Result<Self, MirrorError> {
        database.make_durable()?;
        let site = database.site()?;
        let region = database.meta("keys")?.and_then(|keys| described_region(&keys));
        let reader = PhoneReader::new(region.unwrap_or_default());
        Ok(Self { database, site, reader: Cell::new(reader) })
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

    /// Returns when the feed of contacts that is further behind was last read to its end; `None`
    /// until both have been.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn known_at(&self) -> Result<Option<Timestamp>, MirrorError> {
        if self.is_staged(Stage::Contacts)? {
            return Ok(None);
        }
        let [customers, locations] = self.read_at()?;
        Ok(customers.zip(locations).map(|(one, other)| one.min(other)))
    }

    /// Returns the same as [`known_at`](Self::known_at), of a mirror that is complete.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Incomplete`] until both feeds have been read to their ends, or a failure to
    /// read.
    pub fn complete_at(&self) -> Result<Timestamp, MirrorError> {
        let known_at = self.known_at()?;
        known_at.ok_or_else(|| MirrorError::Incomplete { path: self.path().to_owned() })
    }

    /// When the contacts of customers and of locations were last read to their ends.
    fn read_at(&self) -> Result<[Option<Timestamp>; 2], MirrorError> {
        let at = |feed| Ok::<_, MirrorError>(self.feed(feed)?.complete_at);
        Ok([at(Feed::CustomerContacts)?, at(Feed::LocationContacts)?])
    }

    /// Returns whether the mirror is complete and no older than `age`. A mirror that is [dated
    /// ahead](Self::is_dated_ahead) is not fresh, since its age is not known.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn is_fresh(&self, age: Duration) -> Result<bool, MirrorError> {
        let is_young = self.known_at()?.is_some_and(|at| at + age >= clock::now());
        Ok(is_young && !self.is_dated_ahead()?)
    }

    /// Returns whether one of the two feeds was read more than a minute in the future, which means
    /// that a clock was wrong, either then or now.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn is_dated_ahead(&self) -> Result<bool, MirrorError> {
        let latest = clock::now() + CLOCK_SKEW;
        Ok(self.read_at()?.into_iter().flatten().any(|at| at > latest))
    }
}
