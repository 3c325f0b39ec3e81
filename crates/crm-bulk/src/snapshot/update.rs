//! Bringing a snapshot up to date by the export feeds.

use crm_contacts::{ContactsService, Owner};
use crm_models::{
    ContactOwner, ContinuationToken, CustomerId, ExportBatch, ExportFrom, ExportedContact,
    LocationId,
};
use crm_transport::Transport;
use futures_util::TryStreamExt;
use rusqlite::params;

use super::{coverage::Coverage, file::Snapshot};
use crate::{clock, error::BulkError, keys::Keys, set::Site};

impl Snapshot {
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
            let (owner, id) = (exported.owner.get(), contact.id.get());
            database.execute(
                "INSERT INTO contacts
                     (owner_kind, owner_id, contact_id, key, otherwise, active, contact)
                 VALUES (?, ?, ?, ?, ?, ?, ?)
                 ON CONFLICT (owner_kind, owner_id, contact_id) DO UPDATE SET
                     key = excluded.key, otherwise = excluded.otherwise,
                     active = excluded.active, contact = excluded.contact",
                params![O::NOUN, owner, id, keys.key, keys.otherwise, exported.active, json],
            )?;
            self.forget_unreadable(O::NOUN, owner, id)?;
        }
        for record in &batch.unreadable {
            self.keep_unreadable::<O>(record)?;
        }
        if let Some(token) = &batch.continue_from {
            database.set_meta(&token_name::<O>(), token.as_str())?;
        }
        database.check(transaction.commit())
    }
}

fn token_name<O: ContactOwner>() -> String {
    format!("{}_token", O::NOUN)
}
