//! The contacts that a feed tells, stored.

use crm_models::{ContactOwner, ExportedContact};
use rusqlite::params;

use super::{
    feed::Feed,
    file::Mirror,
    row::{ContactRow, owner_code},
    stage::Stage,
};
use crate::{error::MirrorError, owner::OwnerId};

impl Mirror {
    /// Stores contacts in place of what they were before, keeps what differs, and says whether
    /// anything is new.
    pub(super) fn store_contacts<O: ContactOwner + Into<OwnerId>>(
        &self,
        contacts: &[ExportedContact<O>],
    ) -> Result<bool, MirrorError> {
        let is_staged = self.is_staged(Stage::Contacts)?;
        let mut is_new = false;
        for ExportedContact { owner, contact, active, .. } in contacts {
            let owner = owner_code((*owner).into());
            let feed = Feed::of_contacts::<O>();
            let row = ContactRow::of(owner, contact, *active, self.reader.get());
            let row = row.map_err(|e| self.unwritable(e))?;
            let was_unreadable = self.forget_unreadable(feed, owner, Some(contact.id.get()))?;
            if is_staged {
                // Repeats are sorted out when all are there.
                row.write(&self.database, None)?;
                is_new = true;
                continue;
            }
            let known = self.database.value(
                "SELECT id FROM contacts WHERE owner = ? AND contact_id = ?",
                params![owner, contact.id.get()],
            )?;
            is_new |= match known {
                // A feed repeats its latest records.
                Some(id) if row.is_at(&self.database, id)? => false,
                known => {
                    // Nobody has created what could not be read before.
                    if known.is_some() || !was_unreadable {
                        let before = self.contacts("WHERE id = ? AND active", [known])?.pop();
                        let before = before.map(|(_, known)| known.contact);
                        let after = active.then_some(contact);
                        self.keep_difference(feed, (owner, contact.id), before.as_ref(), after)?;
                    }
                    row.write(&self.database, known)?;
                    true
                }
            };
        }
        Ok(is_new)
    }

    pub(super) fn unwritable(&self, error: serde_json::Error) -> MirrorError {
        MirrorError::file(self.database.path(), "written", error.into())
    }
}
