//! Snapshots of version 0.1, written anew as mirrors.

use std::path::Path;

use crm_models::Contact;
use rusqlite::{Row, types::Type};

use super::{
    feed::Feed,
    file::{FORMAT, Mirror},
    row::{ContactRow, owner_code},
    stage::Stage,
};
use crate::{
    database::{Database, Format, NewDatabase},
    error::MirrorError,
    owner::OwnerId,
    site::Site,
};

const SNAPSHOT: Format = Format { migrations: &[""], oldest: 1, ..FORMAT };

/// How many contacts are moved with one transaction.
const BLOCK: usize = 10_000;

/// Puts a mirror with all that a snapshot holds in its place: it is complete before it gets the name,
/// so that whatever ends this leaves the snapshot as it was. Each feed goes on where it stopped.
pub(super) fn rewrite(path: &Path, site: &Site) -> Result<(), MirrorError> {
    let old = Database::open(path, &SNAPSHOT)?;
    site.admit(&old.site()?, path)?;
    // Nobody else may write to it meanwhile, and the new file must not find its journal.
    let alone = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE";
    old.check(old.connection.execute_batch(alone))?;

    let new = NewDatabase::create_anew(path, &FORMAT)?;
    new.database().set_site(site)?;
    let (database, file) = new.into_parts();
    let new = Mirror::of(database)?;
    for (feed, kind) in [(Feed::CustomerContacts, "customer"), (Feed::LocationContacts, "location")]
    {
        if let Some(token) = old.meta(&format!("{kind}_token"))? {
            new.set_token(feed, &token)?;
        }
        if let Some(at) = old.meta(&format!("{kind}_complete_at"))? {
            new.set_complete_at(feed, &at)?;
        }
    }
    new.read_by(new.reader.get().region())?;
    let mut last = 0;
    loop {
        let block = block_behind(&old, last)?;
        let Some(newest) = block.last() else {
            break;
        };
        last = newest.id;
        let transaction = new.database.begin_to_write()?;
        for Old { owner, active, contact, .. } in &block {
            let row = ContactRow::of(owner_code(*owner), contact, *active, new.reader.get());
            row.map_err(|e| new.unwritable(e))?.write(&new.database, None)?;
        }
        new.database.check(transaction.commit())?;
    }
    let feeds = [new.feed(Feed::CustomerContacts)?, new.feed(Feed::LocationContacts)?];
    if feeds.iter().all(|feed| feed.complete_at.is_some()) {
        new.index(Stage::Contacts)?;
    }
    // Closed before the new one has its name.
    drop(old);
    NewDatabase::of(new.database, file).replace()
}

/// A contact of a snapshot.
struct Old {
    id: i64,
    owner: OwnerId,
    active: bool,
    contact: Contact,
}

fn block_behind(old: &Database, last: i64) -> Result<Vec<Old>, MirrorError> {
    let sql = "SELECT id, owner_kind, owner_id, active, contact FROM contacts
        WHERE id > ? ORDER BY id LIMIT ?";
    let unread = |what: &str| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, what.into());
    old.rows(sql, (last, BLOCK), |row: &Row<'_>| {
        let (kind, owner): (String, i64) = (row.get("owner_kind")?, row.get("owner_id")?);
        let contact: String = row.get("contact")?;
        Ok(Old {
            id: row.get("id")?,
            owner: OwnerId::new(&kind, owner).ok_or_else(|| unread("no such owner"))?,
            active: row.get("active")?,
            contact: serde_json::from_str(&contact).map_err(|e| unread(&e.to_string()))?,
        })
    })
}
