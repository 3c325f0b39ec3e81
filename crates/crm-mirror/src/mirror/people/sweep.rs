//! Finding out who is gone: no list tells what was deleted, so all that is there is read.

use std::{collections::HashSet, time::Duration};

use crm_contacts::ContactsService;
use crm_models::{Page, Timestamp};
use crm_transport::Transport;
use futures_util::{StreamExt, TryStreamExt, stream};
use rusqlite::Row;
use uuid::Uuid;

use super::{
    columns::guid,
    listed::{Listed, Order},
    rows::{guid_of, halves},
    walk::{Position, walk},
};
use crate::{
    clock,
    error::MirrorError,
    mirror::{file::Mirror, told::Told},
};

/// How long what is gone may still be in a mirror.
const PERIOD: Duration = Duration::from_secs(24 * 60 * 60);
/// How many records are asked for at once; the transport keeps the rate.
const CALLS_AT_ONCE: usize = 8;

/// A record that was not seen.
struct Unseen {
    row: i64,
    id: Uuid,
    person: Uuid,
}

impl Mirror {
    /// Reads all records of a list if that is asked for or due, and removes those that are gone.
    /// Broken off, it removes nothing, and begins anew the next time.
    pub(super) async fn sweep_list<T: Transport, L: Listed>(
        &self,
        service: &ContactsService<T>,
        is_asked_for: bool,
        told: &mut Told<'_>,
    ) -> Result<(), MirrorError> {
        let started = clock::now();
        let last = self.feed(L::FEED)?.swept_at;
        if !is_asked_for && last.is_some_and(|at| !is_due(at, started)) {
            return Ok(());
        }
        let newest = format!("SELECT ifnull(max(id), 0) FROM {}", L::TABLE);
        let newest: usize = self.database.value(&newest, [])?.unwrap_or(0);
        // Those that come meanwhile get rows behind these.
        let mut seen = vec![false; newest + 1];
        let mut unreadable = HashSet::new();
        let see = async |page: Page<L>, _| {
            let transaction = self.begin_to_store()?;
            self.store_page(&page)?;
            self.database.check(transaction.commit())?;
            let ids = page.unreadable.iter().filter_map(guid_of);
            for id in page.data.iter().map(L::id).chain(ids) {
                let row = self.row_of::<L>(id)?.and_then(|row| usize::try_from(row).ok());
                if let Some(seen) = row.and_then(|row| seen.get_mut(row)) {
                    *seen = true;
                }
            }
            unreadable.extend(page.unreadable.iter().filter_map(guid_of).map(halves));
            told.advance(page.data.len() + page.unreadable.len()).await;
            Ok(())
        };
        let is_exact = match walk(service, Order::Created, Position::at(None), see).await {
            Err(MirrorError::Contacts(error)) if error.is_not_given() => {
                return self.set_refused(L::FEED, &error.to_string());
            }
            walked => walked? && seen.contains(&true),
        };
        let mut gone = self.unseen::<L>(&seen)?;
        if !is_exact {
            gone = really_gone::<T, L>(service, gone).await?;
        }
        let transaction = self.database.begin_to_write()?;
        let remove = format!("DELETE FROM {} WHERE id = ?", L::TABLE);
        for Unseen { row, .. } in &gone {
            self.database.execute(&remove, [row])?;
        }
        self.keep_unreadable_only::<L>(&unreadable)?;
        self.set_swept_at(L::FEED, &started.to_string())?;
        self.forget_coverage()?;
        self.database.check(transaction.commit())
    }

    /// The records that were there and were not seen.
    fn unseen<L: Listed>(&self, seen: &[bool]) -> Result<Vec<Unseen>, MirrorError> {
        // A person is its own.
        let person = if L::COLUMNS.contains("person") { "person" } else { "guid" };
        let sql = format!("SELECT id, guid, {person} FROM {} WHERE id < ?", L::TABLE);
        let read = |row: &Row<'_>| {
            let at: i64 = row.get("id")?;
            let is_seen = usize::try_from(at).is_ok_and(|at| seen[at]);
            let ids = (guid(row, 1)?, guid(row, 2)?);
            Ok((!is_seen).then_some(Unseen { row: at, id: ids.0, person: ids.1 }))
        };
        let rows = self.database.rows(&sql, [seen.len()], read)?;
        Ok(rows.into_iter().flatten().collect())
    }

    /// Forgets the records of a list that could not be read and are no longer in it.
    fn keep_unreadable_only<L: Listed>(
        &self,
        seen: &HashSet<(i64, i64)>,
    ) -> Result<(), MirrorError> {
        let sql = "SELECT owner, contact_id FROM unreadable
            WHERE feed = ? AND owner IS NOT NULL";
        let read = |row: &Row<'_>| Ok((row.get("owner")?, row.get("contact_id")?));
        for ids in self.database.rows(sql, [L::FEED.name()], read)? {
            if !seen.contains(&ids) {
                self.forget_unreadable(L::FEED, ids.0, Some(ids.1))?;
            }
        }
        Ok(())
    }
}

/// Whether a sweep was so long ago that the next one is due, or at a time that nobody can have seen.
fn is_due(swept_at: Timestamp, now: Timestamp) -> bool {
    swept_at + PERIOD <= now || swept_at > now
}

/// Those that the service no longer has by their ids. Where pages were counted, or a list was empty,
/// not to be seen does not mean to be gone.
async fn really_gone<T: Transport, L: Listed>(
    service: &ContactsService<T>,
    unseen: Vec<Unseen>,
) -> Result<Vec<Unseen>, MirrorError> {
    let ask = async |unseen: Unseen| {
        let is_there = L::is_there(service, unseen.id, unseen.person).await?;
        Ok::<_, MirrorError>((!is_there).then_some(unseen))
    };
    let asked = stream::iter(unseen).map(ask).buffer_unordered(CALLS_AT_ONCE);
    asked.try_filter_map(async |gone| Ok(gone)).try_collect().await
}
