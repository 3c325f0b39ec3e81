//! Bringing a snapshot up to date by the export feeds.

use crm_contacts::{ContactsService, Owner};
use crm_models::{
    ContactOwner, ContinuationToken, CustomerId, ExportBatch, ExportFrom, ExportedContact,
    LocationId,
};
use crm_transport::Transport;
use futures_util::TryStreamExt;
use rusqlite::params;
use tokio::sync::mpsc;

use super::{
    coverage::{Changes, Coverage, Kind},
    file::Snapshot,
};
use crate::{
    clock,
    error::MirrorError,
    job::{alongside, with_service},
    keys::Keys,
    site::Site,
};

impl Snapshot {
    /// Reads both feeds from where the last update stopped to their current ends, and calls
    /// `progress` with the number of records read so far.
    ///
    /// Each batch is stored in one transaction together with the token that follows it, so an
    /// update can be interrupted at any time and called again. Records that cannot be read are set
    /// aside; [`Coverage::unreadable`] counts them. The answers are read and stored on a thread of its
    /// own, with a connection of its own to the file.
    ///
    /// # Errors
    ///
    /// [`MirrorError::WrongTenant`] and [`MirrorError::WrongEnvironment`] before anything is read, a
    /// failure of the feed, or a failure to write. What was stored before is kept.
    pub async fn update<T: Transport>(
        &mut self,
        service: &ContactsService<T>,
        site: &Site,
        mut progress: impl FnMut(u64),
    ) -> Result<Coverage, MirrorError> {
        site.admit_service(service, self.database.path())?;
        site.admit(&self.site, self.database.path())?;
        let (again, reader) = (self.database.again(), self.reader.get());
        let (tell, mut told) = mpsc::channel(1);
        let work = with_service(service, self.database.path(), move |caller, _, stop| {
            let mut snapshot = Self::again(&again, stop)?;
            snapshot.reader.set(reader);
            caller.wait_for(snapshot.read_feeds(&caller.service, &tell))
        });
        let report = async {
            while let Some(read) = told.recv().await {
                progress(read);
            }
        };
        alongside(work, report).await
    }

    /// Reads both feeds in this thread.
    pub(super) async fn read_feeds<T: Transport>(
        &mut self,
        service: &ContactsService<T>,
        progress: &mpsc::Sender<u64>,
    ) -> Result<Coverage, MirrorError> {
        self.read_by(self.reader.get().region())?;
        let mut read = 0;
        self.follow::<T, CustomerId>(service, &mut read, progress).await?;
        self.follow::<T, LocationId>(service, &mut read, progress).await?;
        self.coverage()
    }

    async fn follow<T: Transport, O: Owner>(
        &mut self,
        service: &ContactsService<T>,
        read: &mut u64,
        progress: &mpsc::Sender<u64>,
    ) -> Result<(), MirrorError> {
        let started = clock::now();
        let mut export = service.export::<O>().include_recent_changes();
        if let Some(token) = self.database.meta(&token_name::<O>())? {
            export = export.from(ExportFrom::Token(ContinuationToken::new(token)));
        }
        let mut batches = export.set_aside().batches();
        while let Some(batch) = batches.try_next().await? {
            self.store(&batch)?;
            *read += (batch.data.len() + batch.unreadable.len()) as u64;
            // Nobody may be listening any longer.
            let _ = progress.send(*read).await;
        }
        self.database.set_meta(&format!("{}_complete_at", O::NOUN), &started.to_string())
    }

    fn store<O: ContactOwner>(
        &mut self,
        batch: &ExportBatch<ExportedContact<O>>,
    ) -> Result<(), MirrorError> {
        let database = &self.database;
        let transaction = database.begin_to_write()?;
        let mut changes = Changes::default();
        for exported in &batch.data {
            self.store_contact(exported, &mut changes)?;
        }
        self.add_to_counts(changes)?;
        for record in &batch.unreadable {
            self.keep_unreadable::<O>(record)?;
        }
        if let Some(token) = &batch.continue_from {
            database.set_meta(&token_name::<O>(), token.as_str())?;
        }
        database.check(transaction.commit())
    }

    fn store_contact<O: ContactOwner>(
        &self,
        exported: &ExportedContact<O>,
        changes: &mut Changes,
    ) -> Result<(), MirrorError> {
        let database = &self.database;
        let ExportedContact { owner, contact, active, .. } = exported;
        let json = serde_json::to_string(contact)
            .map_err(|e| MirrorError::file(database.path(), "written", e.into()))?;
        let (owner, id) = (owner.get(), contact.id.get());
        let name = params![O::NOUN, owner, id];
        self.forget_unreadable(O::NOUN, owner, id)?;
        let known = database.row(
            "SELECT id, active, contact ->> '$.type' AS type,
                 contact ->> '$.preferences' IS NOT NULL AS preferences_known,
                 contact = ?4 AS is_same
             FROM contacts WHERE owner_kind = ?1 AND owner_id = ?2 AND contact_id = ?3",
            params![O::NOUN, owner, id, json],
            |row| {
                let kind = Kind {
                    active: row.get("active")?,
                    contact_type: row.get("type")?,
                    preferences_known: row.get("preferences_known")?,
                };
                Ok((row.get::<_, i64>("id")?, row.get::<_, bool>("is_same")?, kind))
            },
        )?;
        let after = Kind {
            active: *active,
            contact_type: contact.contact_type.as_str().to_owned(),
            preferences_known: contact.preferences.is_some(),
        };
        let keys = Keys::of(&contact.value, self.reader.get());
        let before = match known {
            // A feed repeats its latest records.
            Some((_, true, before)) if before.active == *active => return Ok(()),
            Some((row, _, before)) => {
                let sql = "UPDATE contacts
                    SET key = ?, otherwise = ?, active = ?, contact = ? WHERE id = ?";
                let values = params![keys.key, keys.otherwise, active, json, row];
                database.execute(sql, values)?;
                Some(before)
            }
            None => {
                database.execute(
                    "INSERT INTO contacts
                         (owner_kind, owner_id, contact_id, key, otherwise, active, contact)
                     VALUES (?, ?, ?, ?, ?, ?, ?)",
                    params![O::NOUN, owner, id, keys.key, keys.otherwise, active, json],
                )?;
                None
            }
        };
        let another = "SELECT 1 FROM contacts
            WHERE owner_kind = ? AND owner_id = ? AND contact_id <> ? AND active";
        let has_others = database.value::<i64>(another, name)?.is_some();
        changes.replace(before, after, has_others);
        Ok(())
    }
}

fn token_name<O: ContactOwner>() -> String {
    format!("{}_token", O::NOUN)
}
