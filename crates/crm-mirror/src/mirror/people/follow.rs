//! What has changed of people, and their numbers and addresses, since the last update; the first
//! time all of them.

use std::time::Duration;

use crm_contacts::ContactsService;
use crm_models::{ContactMethod, Page, Person};
use crm_transport::Transport;

use super::{
    listed::{Listed, Order},
    walk::{Position, before, walk},
};
use crate::{
    clock,
    error::MirrorError,
    mirror::{file::Mirror, stage::Stage, told::Told},
};

/// How far before the last change that was seen an update begins: a change shows up to a quarter of
/// an hour after the time that it bears. What comes again is the same, and written once.
const OVERLAP: Duration = Duration::from_secs(15 * 60);

impl Mirror {
    /// Reads what has changed, and sweeps what has not been swept for a day, or all if that is
    /// asked for.
    pub(in crate::mirror) async fn read_people<T: Transport>(
        &self,
        service: &ContactsService<T>,
        sweep: bool,
        told: &mut Told<'_>,
    ) -> Result<(), MirrorError> {
        self.read_list::<T, Person>(service, told).await?;
        self.read_list::<T, ContactMethod>(service, told).await?;
        let is_complete = |feed| Ok::<_, MirrorError>(self.feed(feed)?.complete_at.is_some());
        if !is_complete(Person::FEED)? || !is_complete(ContactMethod::FEED)? {
            return Ok(());
        }
        self.index(Stage::People)?;
        self.sweep_list::<T, Person>(service, sweep, told).await?;
        self.sweep_list::<T, ContactMethod>(service, sweep, told).await
    }

    async fn read_list<T: Transport, L: Listed>(
        &self,
        service: &ContactsService<T>,
        told: &mut Told<'_>,
    ) -> Result<(), MirrorError> {
        let started = clock::now();
        let is_first = self.feed(L::FEED)?.complete_at.is_none();
        let at = self.position::<L>()?;
        let mut newest = at.from;
        let store = async |page: Page<L>, next| {
            newest = newest.max(page.data.iter().map(L::modified_on).max());
            let transaction = self.begin_to_store()?;
            self.store_page(&page)?;
            self.set_position::<L>(next)?;
            self.database.check(transaction.commit())?;
            told.advance(page.data.len() + page.unreadable.len()).await;
            Ok(())
        };
        let is_exact = match walk(service, Order::Changed, at, store).await {
            Err(MirrorError::Contacts(error)) if error.is_not_given() => {
                return self.set_refused(L::FEED, &error.to_string());
            }
            walked => walked?,
        };
        // A record from the future does not hide those of tomorrow.
        let newest = newest.map(|newest| newest.min(started));
        let from = newest.map(|newest| before(newest, OVERLAP));
        let transaction = self.database.begin_to_write()?;
        self.set_position::<L>(Position::at(from))?;
        self.set_complete_at(L::FEED, &started.to_string())?;
        if is_first && is_exact {
            self.set_swept_at(L::FEED, &started.to_string())?;
        }
        self.database.check(transaction.commit())
    }

    fn position<L: Listed>(&self) -> Result<Position, MirrorError> {
        let kept = self.token(L::FEED)?.and_then(|json| serde_json::from_str(&json).ok());
        Ok(kept.unwrap_or(Position::at(None)))
    }

    fn set_position<L: Listed>(&self, position: Position) -> Result<(), MirrorError> {
        let json = serde_json::to_string(&position).map_err(|e| self.unwritable(e))?;
        self.set_token(L::FEED, &json)
    }
}
