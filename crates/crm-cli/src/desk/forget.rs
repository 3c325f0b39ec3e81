//! One number or address, forgotten as far as a desk may.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crm_bulk::{BulkError, Change, ChangeSet, Image, ResultRows, Selection};
use crm_mirror::{Mirror, Observed, keys::Keys};
use crm_values::{InvalidValue, Needle, PhoneReader, Readings};
use serde::Serialize;

use super::{
    error::DeskError,
    folder::Desk,
    standing::{SetEntry, Standing, remove_database},
    updates::Entry,
};

/// A number or an address that is looked for in texts.
#[derive(Clone)]
pub(crate) struct Sought {
    needle: Needle,
}

/// What is put in the place of a text that has it.
const FORGOTTEN: &str = "(forgotten)";

/// What became of it.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Forgotten {
    /// Whether there was a mirror, which is emptied.
    pub(crate) mirror: bool,
    /// Recorded updates that had it.
    pub(crate) updates: u64,
    /// Sets that are removed.
    pub(crate) sets: Vec<String>,
    /// Sets that still have it, and why.
    pub(crate) kept: Vec<Kept>,
    /// Files of evidence that are removed.
    pub(crate) evidence: Vec<PathBuf>,
    /// Files of evidence that still have it, or cannot be read.
    pub(crate) kept_evidence: Vec<PathBuf>,
}

/// A set that still has it.
#[derive(Debug, Serialize)]
pub(crate) struct Kept {
    pub(crate) set: String,
    pub(crate) because: &'static str,
}

impl Sought {
    /// Reads what is looked for, as it is read everywhere.
    pub(crate) fn read(text: &str, reader: PhoneReader) -> Result<Self, InvalidValue> {
        Ok(Self::of_key(Readings::typed(text, reader)?.key()))
    }

    /// What has this key.
    pub(super) fn of_key(key: &str) -> Self {
        Self { needle: Needle::of(key) }
    }

    /// The whole number or address.
    pub(crate) fn written(&self) -> String {
        let key = self.needle.key();
        if key.contains('@') { key.to_owned() } else { format!("+{key}") }
    }

    /// Whether what an update of the mirror found has it.
    pub(super) fn is_in_observed(&self, observed: &Observed) -> bool {
        let texts = observed.members.iter().flat_map(|member| [&member.before, &member.after]);
        texts.flatten().any(|text| self.is_in(text))
    }

    /// Whether these are the keys of it.
    pub(super) fn has_keys(&self, keys: &Keys) -> bool {
        keys.key == self.needle.key()
    }

    /// Whether a text has it, however it is written.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.needle.is_in(text)
    }

    fn is_in_some(&self, text: Option<&String>) -> bool {
        text.is_some_and(|text| self.is_in(text))
    }

    /// Whether a recorded update has it.
    pub(crate) fn is_in_update(&self, entry: &Entry) -> bool {
        let in_member = |text: &Option<String>| self.is_in_some(text.as_ref());
        entry.changes.iter().any(|member| in_member(&member.before) || in_member(&member.after))
            || self.is_in(&entry.path)
            || in_member(&entry.outcome.message)
    }

    fn is_in_image(&self, image: Option<&Image>) -> bool {
        let memo = image.and_then(Image::as_contact).and_then(|contact| contact.memo.as_ref());
        image.is_some_and(|image| self.is_in(image.value())) || self.is_in_some(memo)
    }

    /// Whether a change has it: in its record, or in what it makes of that.
    pub(crate) fn is_in_change(&self, change: &Change) -> bool {
        let (before, after) = (change.before.as_ref(), change.after.as_ref());
        let members = change.members();
        let mut wanted = members.iter().map(|member| member.after.as_ref());
        wanted.any(|text| self.is_in_some(text))
            || self.is_in_image(before)
            || self.is_in_image(after)
    }

    /// Whether a set has it: in its changes or in its rows.
    pub(super) fn is_in_set(&self, set: &ChangeSet) -> Result<bool, BulkError> {
        for change in set.changes(&Selection::all()) {
            if self.is_in_change(&change?) {
                return Ok(true);
            }
        }
        let mut rows = Vec::new();
        set.results(ResultRows::All, &mut rows)?;
        Ok(self.is_in_cells(&rows))
    }

    /// Whether a page or a list has it.
    pub(super) fn is_in_page(&self, file: &Path) -> io::Result<bool> {
        Ok(self.is_in_cells(&fs::read(file)?))
    }

    /// Cell by cell: digits of two cells are no number.
    fn is_in_cells(&self, text: &[u8]) -> bool {
        let text = String::from_utf8_lossy(text);
        text.split([',', ';', '\t', '"', '\n', '<', '>']).any(|cell| self.is_in(cell))
    }
}

impl Desk {
    /// Forgets a number or an address as far as it may: see what is kept.
    ///
    /// With `with_sets`, sets that are over go as a whole where they have it; otherwise they stay,
    /// since what was there before is what undoes them. The same holds for pages and lists of
    /// evidence.
    pub(crate) fn forget(&self, sought: &Sought, with_sets: bool) -> Result<Forgotten, DeskError> {
        self.take_alone()?;
        let mut forgotten =
            Forgotten { mirror: self.forget_mirror(sought)?, ..Forgotten::default() };
        let updates = self.updates()?;
        for (id, mut entry) in updates.all()? {
            if sought.is_in_update(&entry) {
                forget_in(sought, &mut entry);
                updates.rewrite(id, &entry)?;
                forgotten.updates += 1;
            }
        }
        updates.compact()?;
        for entry in self.entries()? {
            let has_it = ChangeSet::open(&entry.file).and_then(|set| sought.is_in_set(&set));
            let why = match has_it {
                Ok(false) => continue,
                Ok(true) if entry.is_over() && with_sets => {
                    entry.remove()?;
                    forgotten.sets.push(entry.name);
                    continue;
                }
                Ok(true) => kept_since(&entry),
                Err(_) => "it cannot be read, so nobody knows what it has",
            };
            forgotten.kept.push(Kept { set: entry.name, because: why });
        }
        for file in self.evidence()? {
            match sought.is_in_page(&file) {
                Ok(false) => {}
                Ok(true) if with_sets => {
                    let failed = |source| DeskError::io(&file, "removed", source);
                    fs::remove_file(&file).map_err(failed)?;
                    forgotten.evidence.push(file);
                }
                // What cannot be read may have it.
                _ => forgotten.kept_evidence.push(file),
            }
        }
        Ok(forgotten)
    }

    /// Empties the mirror, whatever it has: the value may be in notes and names as well. The next
    /// update reads it anew from the service, without what the service has forgotten; nothing of its
    /// pages stays behind. What updates have found that others changed stays where it has not the
    /// value.
    fn forget_mirror(&self, sought: &Sought) -> Result<bool, DeskError> {
        let file = self.mirror();
        if !file.exists() {
            return Ok(false);
        }
        let kept = match Mirror::open(&file) {
            Ok(mirror) => mirror.empty(|observed| !sought.is_in_observed(observed)),
            // Nobody can tell what it has.
            Err(_) => Ok(0),
        };
        let failed = |source| DeskError::Mirror { source: Box::new(source) };
        if kept.map_err(failed)? == 0 {
            remove_database(&file)?;
        }
        Ok(true)
    }
}

fn kept_since(entry: &SetEntry) -> &'static str {
    match entry.state {
        _ if entry.is_over() => {
            "it is what undoes the set: --with-sets removes the set, which then cannot be undone"
        }
        Standing::Interrupted => "the set has to be brought to its end first",
        Standing::Moved => "the set goes on where it was moved: remove it here if it is over there",
        _ => "the set still has to run: apply it or remove it first",
    }
}

/// Takes it out of the texts of a recorded update.
fn forget_in(sought: &Sought, entry: &mut Entry) {
    let Entry { changes, path, outcome, .. } = entry;
    let texts = changes.iter_mut().flat_map(|member| [&mut member.before, &mut member.after]);
    for text in texts.chain([&mut outcome.message]).flatten() {
        if sought.is_in(text) {
            FORGOTTEN.clone_into(text);
        }
    }
    if sought.is_in(path) {
        FORGOTTEN.clone_into(path);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::updates::Member, *};

    #[test]
    fn a_recorded_update_keeps_what_else_it_says() {
        let sought = Sought::read("+1 818 555 0142", PhoneReader::default()).unwrap();
        let member = |field: &str, before: &str, after: &str| Member {
            field: field.to_owned(),
            before: Some(before.to_owned()),
            after: Some(after.to_owned()),
        };
        let mut entry = Entry {
            path: "/locations/2001/contacts/3001".to_owned(),
            changes: vec![
                member("value", "(818) 555-0142", "818-555-0143"),
                member("memo", "call 8185550142 first", "none"),
            ],
            ..Entry::default()
        };
        assert!(sought.is_in_update(&entry));
        forget_in(&sought, &mut entry);
        assert!(!sought.is_in_update(&entry));
        let texts: Vec<_> =
            entry.changes.iter().map(|m| (m.before.as_deref(), m.after.as_deref())).collect();
        assert_eq!(
            texts,
            [(Some(FORGOTTEN), Some("818-555-0143")), (Some(FORGOTTEN), Some("none")),]
        );
        assert_eq!(entry.path, "/locations/2001/contacts/3001");
    }
}
