//! Bringing a mirror up to date by the export feeds, and the lists of people.

use crm_contacts::{ContactsService, Export, FeedOperation, Owner};
use crm_models::{ContactOwner, CustomerId, ExportBatch, LocationId, OwnerDetails};
use crm_transport::Transport;
use futures_util::TryStreamExt;
use tokio::sync::mpsc;

use super::{feed::Feed, file::Mirror, row::owner_code, stage::Stage, told::Told};
use crate::{
    clock,
    error::MirrorError,
    job::{alongside, with_service},
    owner::OwnerId,
    site::Site,
};

/// What an update reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Everything,
    /// With a sweep of people whenever the last one was.
    EverythingSwept,
    Contacts,
}

impl Mirror {
    /// Reads all feeds from where the last update stopped to their current ends, and calls
    /// `progress` with the number of records read so far.
    ///
    /// Each batch is stored in one transaction together with the token that follows it, so an
    /// update can be interrupted at any time and called again. Records that cannot be read are set
    /// aside; [`Coverage::unreadable`](crate::Coverage::unreadable) counts them. Where the service
    /// does not give the owners themselves, for want of a scope or since it is older, the mirror has
    /// no names, and where it does not give people, none of these: [`feeds`](Self::feeds) says why.
    /// People have no feed that tells who is gone; all of them are looked at again once a day.
    /// The answers are read and stored on a thread of its
    /// own, with a connection of its own to the file, and no transaction is open while one is
    /// waited for.
    ///
    /// # Errors
    ///
    /// [`MirrorError::WrongTenant`] and [`MirrorError::WrongEnvironment`] before anything is read, a
    /// failure of a feed, or a failure to write. What was stored before is kept.
    pub async fn update<T: Transport>(
        &mut self,
        service: &ContactsService<T>,
        site: &Site,
        progress: impl FnMut(u64),
    ) -> Result<(), MirrorError> {
        self.read(service, site, What::Everything, progress).await
    }

    /// Does the same, and removes the people and contact methods that are gone, which
    /// [`update`](Self::update) does once a day: it takes a call for every 5,000 of all of them.
    ///
    /// # Errors
    ///
    /// The same errors as [`update`](Self::update).
    pub async fn update_and_sweep<T: Transport>(
        &mut self,
        service: &ContactsService<T>,
        site: &Site,
        progress: impl FnMut(u64),
    ) -> Result<(), MirrorError> {
        self.read(service, site, What::EverythingSwept, progress).await
    }

    /// Does the same as [`update`](Self::update) with the feeds of contacts alone, for a mirror in which nobody looks for names.
    ///
    /// # Errors
    ///
    /// The same errors as [`update`](Self::update).
    pub async fn update_contacts<T: Transport>(
        &mut self,
        service: &ContactsService<T>,
        site: &Site,
        progress: impl FnMut(u64),
    ) -> Result<(), MirrorError> {
        self.read(service, site, What::Contacts, progress).await
    }

    async fn read<T: Transport>(
        &mut self,
        service: &ContactsService<T>,
        site: &Site,
        what: What,
        mut progress: impl FnMut(u64),
    ) -> Result<(), MirrorError> {
        site.admit_service(service, self.database.path())?;
        site.admit(&self.site, self.database.path())?;
        let again = self.database.again();
        let (tell, mut told) = mpsc::channel(1);
        let work = with_service(service, self.database.path(), move |caller, _, stop| {
            let mut mirror = Self::again(&again, stop)?;
            caller.wait_for(mirror.read_feeds(&caller.service, what, &tell))
        });
        let report = async {
            while let Some(read) = told.recv().await {
                progress(read);
            }
        };
        alongside(work, report).await?;
        self.read_as_keyed()
    }

    /// Reads the feeds in this thread.
    pub(super) async fn read_feeds<T: Transport>(
        &mut self,
        service: &ContactsService<T>,
        what: What,
        progress: &mpsc::Sender<u64>,
    ) -> Result<(), MirrorError> {
        self.read_by_these_data()?;
        self.index_differences()?;
        let mut reading = Reading { mirror: self, told: Told::new(progress) };
        reading.contacts::<T, CustomerId>(service).await?;
        reading.contacts::<T, LocationId>(service).await?;
        self.index(Stage::Contacts)?;
        if what == What::Contacts {
            return Ok(());
        }
        reading.owners::<T, CustomerId>(service).await?;
        reading.owners::<T, LocationId>(service).await?;
        self.index(Stage::Owners)?;
        self.read_people(service, what == What::EverythingSwept, &mut reading.told).await
    }
}

/// An update that goes on.
struct Reading<'a> {
    mirror: &'a Mirror,
    told: Told<'a>,
}

impl Reading<'_> {
    async fn contacts<T: Transport, O: Owner + Into<OwnerId>>(
        &mut self,
        service: &ContactsService<T>,
    ) -> Result<(), MirrorError> {
        let (feed, ids) = (Feed::of_contacts::<O>(), [O::MEMBER, "id"]);
        self.follow::<T, O, _>(service.export::<O>(), feed, ids, Mirror::store_contacts).await
    }

    async fn owners<T: Transport, O: Owner + Into<OwnerId>>(
        &mut self,
        service: &ContactsService<T>,
    ) -> Result<(), MirrorError>
    where
        O::Details: OwnerDetails<Id = O>,
    {
        let (feed, ids) = (Feed::of_owners::<O>(), ["id", ""]);
        let export = service.owners::<O>().export();
        let store = |mirror: &Mirror, owners: &[O::Details]| {
            let mut is_new = false;
            for details in owners {
                mirror.forget_unreadable(feed, owner_code(details.id().into()), None)?;
                is_new |= mirror.store_owner::<O>(details)?;
            }
            Ok(is_new)
        };
        match self.follow::<T, O, _>(export, feed, ids, store).await {
            Err(MirrorError::Contacts(error)) if error.is_not_given() => {
                self.mirror.set_refused(feed, &error.to_string())
            }
            done => done,
        }
    }

    /// Follows a feed to its end. Its records have their owner's id and their own in members of
    /// these names.
    async fn follow<T: Transport, O: ContactOwner + Into<OwnerId>, F: FeedOperation>(
        &mut self,
        export: Export<T, F>,
        feed: Feed,
        ids: [&str; 2],
        store: impl Fn(&Mirror, &[F::Record]) -> Result<bool, MirrorError>,
    ) -> Result<(), MirrorError> {
        let started = clock::now();
        let mirror = self.mirror;
        let export = export.include_recent_changes().from(mirror.goes_on(feed)?);
        let mut batches = export.set_aside().batches();
        while let Some(batch) = batches.try_next().await? {
            let ExportBatch { data, unreadable, continue_from, .. } = &batch;
            let transaction = mirror.begin_to_store()?;
            let mut is_new = store(mirror, data)?;
            for record in unreadable {
                mirror.keep_unreadable::<O>(feed, ids, record)?;
                is_new = true;
            }
            if is_new {
                mirror.forget_coverage()?;
            }
            if let Some(token) = continue_from {
                mirror.set_token(feed, token.as_str())?;
            }
            mirror.database.check(transaction.commit())?;
            self.told.advance(data.len() + unreadable.len()).await;
        }
        mirror.set_complete_at(feed, &started.to_string())
    }
}
