//! What an update found to be other than the one before.

use std::{borrow::Cow, path::Path};

use crm_contacts::{Difference, Record};
use crm_models::{Contact, ContactId, Timestamp};
use rusqlite::{Params, Row, params};

use super::{
    feed::Feed,
    file::{FORMAT, Mirror},
    row::{owner_code, owner_of, ticks, time_of},
};
use crate::{clock, database::NewDatabase, error::MirrorError, owner::OwnerId};

columns! {
    /// The columns of a difference.
    struct DifferenceColumns { owner, contact_id, since, until, kind, members }
}

/// What happened to a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Happened {
    /// It was not there before.
    Created,
    /// It is another one than before.
    Changed,
    /// It is gone.
    Deleted,
}

impl Happened {
    const ALL: [Self; 3] = [Self::Created, Self::Changed, Self::Deleted];
}

/// A contact that an update found to be other than the one before: what happened to it, whoever did
/// it, between two moments.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Observed {
    /// Whose contact it is.
    pub owner: OwnerId,
    /// The contact.
    pub contact: ContactId,
    /// When it was last seen as it was before.
    pub since: Timestamp,
    /// When it was first seen as it was then.
    pub until: Timestamp,
    /// What happened.
    pub happened: Happened,
    /// The members that differ, by the API's names; all that it had where it came or went.
    pub members: Vec<Difference>,
}

/// The member that is no [`Record`]'s: nobody but the service's own screens changes it.
const DO_NOT_TEXT: &str = "phoneSettings.doNotText";

/// What differs between two states; nothing where a flag alone was told for the first time, which
/// nobody has changed.
fn members(before: &Contact, after: &Contact) -> Vec<Difference> {
    let mut members = before.differences_to(after);
    members.retain(|member| {
        let is_flag = !matches!(&*member.field, "type" | "value" | "memo");
        !is_flag || member.before.is_some() && member.after.is_some()
    });
    members.extend(texting(Some(before), Some(after)));
    members
}

fn texting(before: Option<&Contact>, after: Option<&Contact>) -> Option<Difference> {
    let told = |contact: Option<&Contact>| {
        let not = contact?.phone_settings.as_ref()?.do_not_text?;
        Some(if not { "true" } else { "false" })
    };
    let (before, after) = (told(before), told(after));
    // Where one of the two is not known nobody has changed it.
    (before != after && before.is_some() == after.is_some())
        .then(|| Difference::new(DO_NOT_TEXT, before, after))
}

/// All that a contact has.
fn whole(contact: &Contact) -> impl Iterator<Item = Difference> {
    let names = Contact::MEMBERS.iter().enumerate();
    let texts = names.filter_map(|(at, name)| Some((*name, contact.text(at)?)));
    texts.map(|(name, text)| Difference::new(name, None, Some(text)))
}

impl Mirror {
    /// Keeps what a contact became, if that is another thing than it was: `None` where it does not
    /// exist. Not while the first load goes on, which sees everything for the first time.
    pub(super) fn keep_difference(
        &self,
        feed: Feed,
        (owner, contact): (i64, ContactId),
        before: Option<&Contact>,
        after: Option<&Contact>,
    ) -> Result<(), MirrorError> {
        let (happened, members) = match (before, after) {
            (None, None) => return Ok(()),
            (None, Some(after)) => (Happened::Created, whole(after).collect()),
            (Some(before), None) => {
                (Happened::Deleted, whole(before).map(Difference::reversed).collect())
            }
            (Some(before), Some(after)) => (Happened::Changed, members(before, after)),
        };
        let Some(since) = self.feed(feed)?.complete_at.filter(|_| !members.is_empty()) else {
            return Ok(());
        };
        let owner = owner_of(owner).ok_or_else(|| self.damaged("no such owner"))?;
        let until = clock::now();
        self.put_difference(&Observed { owner, contact, since, until, happened, members })
    }

    fn put_difference(&self, observed: &Observed) -> Result<(), MirrorError> {
        let Observed { owner, contact, since, until, happened, members } = observed;
        let members: Vec<_> = members.iter().map(|it| (&it.field, &it.before, &it.after)).collect();
        let members = serde_json::to_string(&members).map_err(|e| self.unwritable(e))?;
        let kind = Happened::ALL.iter().position(|one| one == happened);
        let sql = "INSERT INTO differences (owner, contact_id, since, until, kind, members)
            VALUES (?, ?, ?, ?, ?, ?)";
        let values =
            params![owner_code(*owner), contact.get(), ticks(*since), ticks(*until), kind, members];
        self.database.execute(sql, values).map(drop)
    }

    /// Hands all differences that updates found to `each`, the earliest first, and ends with its
    /// first error. The first load finds none.
    ///
    /// # Errors
    ///
    /// That of `each`, or a failure to read.
    pub fn for_each_difference<E: From<MirrorError>>(
        &self,
        each: impl FnMut(Observed) -> Result<(), E>,
    ) -> Result<(), E> {
        self.differences_where("true", [], each)
    }

    /// Hands the differences of one owner's contacts, or of one of them, to `each`, as
    /// [`for_each_difference`](Self::for_each_difference) does with all. An index finds them.
    ///
    /// # Errors
    ///
    /// That of `each`, or a failure to read.
    pub fn for_each_difference_of<E: From<MirrorError>>(
        &self,
        owner: OwnerId,
        contact: Option<ContactId>,
        each: impl FnMut(Observed) -> Result<(), E>,
    ) -> Result<(), E> {
        let contact = contact.map(ContactId::get);
        let condition = match contact {
            Some(_) => "owner = ?1 AND contact_id = ?2",
            None => "owner = ?1 AND ?2 IS NULL",
        };
        self.differences_where(condition, params![owner_code(owner), contact], each)
    }

    fn differences_where<E: From<MirrorError>>(
        &self,
        condition: &str,
        values: impl Params,
        mut each: impl FnMut(Observed) -> Result<(), E>,
    ) -> Result<(), E> {
        let names = DifferenceColumns::NAMES;
        let sql = format!("SELECT {names} FROM differences WHERE {condition} ORDER BY id");
        let mut query = self.database.check(self.database.connection.prepare_cached(&sql))?;
        let at = const { DifferenceColumns::in_order(0) };
        let mut rows = self.database.check(query.query(values))?;
        while let Some(row) = self.database.check(rows.next())? {
            let observed = self.database.check(at.read(row))?;
            each(observed.ok_or_else(|| self.damaged("a difference cannot be read"))?)?;
        }
        Ok(())
    }

    /// Returns since when updates look for differences: when the first load was complete, or was
    /// when the mirror was last [emptied](Self::empty); `None` until then.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn differences_since(&self) -> Result<Option<Timestamp>, MirrorError> {
        Ok(self.database.meta("differences_since")?.and_then(|at| at.parse().ok()))
    }

    /// Makes the index of differences in a mirror that was begun without it.
    pub(super) fn index_differences(&self) -> Result<(), MirrorError> {
        let sql = "CREATE INDEX IF NOT EXISTS differences_by_contact
            ON differences (owner, contact_id)";
        self.database.execute(sql, []).map(drop)
    }

    pub(super) fn begin_differences(&self) -> Result<(), MirrorError> {
        self.database.set_meta("differences_since", &clock::now().to_string())
    }

    /// Removes the differences that were found before this moment. Nothing else does: one that
    /// changed takes some 100 bytes, one that came or went 400.
    ///
    /// # Errors
    ///
    /// A failure to write.
    pub fn remove_differences_before(&self, moment: Timestamp) -> Result<u64, MirrorError> {
        // They are in the order in which they were found, so that the first one that stays ends the
        // search, and an update with nothing old takes no time.
        let sql = "DELETE FROM differences WHERE id < coalesce(
                (SELECT id FROM differences WHERE until >= ?1 ORDER BY id LIMIT 1),
                (SELECT max(id) + 1 FROM differences))";
        // However precise it is: a moment that is none would remove all.
        let ticks = i64::try_from(moment.as_nanoseconds() / 100).unwrap_or(i64::MIN);
        Ok(self.database.execute(sql, [ticks])? as u64)
    }

    /// Empties a mirror of all but the differences that `keep` wants, and says how many these are.
    /// Nothing of its pages stays in the file, and the next update reads everything anew.
    ///
    /// # Errors
    ///
    /// A failure to read or to write. The mirror is as it was then.
    pub fn empty(self, mut keep: impl FnMut(&Observed) -> bool) -> Result<u64, MirrorError> {
        // Nobody else may write to it meanwhile, and the new file must not find its journal.
        let alone =
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE";
        self.database.check(self.database.connection.execute_batch(alone))?;
        let path: &Path = self.path();
        let new = NewDatabase::create_anew(path, &FORMAT)?;
        new.database().set_site(&self.site)?;
        let (database, file) = new.into_parts();
        let new = Self::of(database)?;
        if let Some(since) = self.database.meta("differences_since")? {
            new.database.set_meta("differences_since", &since)?;
        }
        let transaction = new.database.begin_to_write()?;
        let mut kept = 0;
        self.for_each_difference(|observed| {
            if keep(&observed) {
                kept += 1;
                new.put_difference(&observed)?;
            }
            Ok::<_, MirrorError>(())
        })?;
        new.database.check(transaction.commit())?;
        // Closed before the new one has its name.
        drop(self);
        NewDatabase::of(new.database, file).replace()?;
        Ok(kept)
    }
}

impl DifferenceColumns {
    /// Reads a difference; `None` if the row says none.
    fn read(&self, row: &Row<'_>) -> rusqlite::Result<Option<Observed>> {
        type Member<'a> = (Cow<'a, str>, Option<Cow<'a, str>>, Option<Cow<'a, str>>);
        let owner = owner_of(row.get(self.owner)?);
        let contact = ContactId::new(row.get(self.contact_id)?).ok();
        let (since, until) = (time_of(row.get(self.since)?), time_of(row.get(self.until)?));
        let happened = Happened::ALL.get(row.get::<_, usize>(self.kind)?).copied();
        let members: String = row.get(self.members)?;
        let members = serde_json::from_str::<Vec<Member<'_>>>(&members).ok();
        let read = || {
            let members = members?.into_iter().map(|(field, before, after)| {
                Difference::new(field.into_owned(), before.as_deref(), after.as_deref())
            });
            Some(Observed {
                owner: owner?,
                contact: contact?,
                since: since?,
                until: until?,
                happened: happened?,
                members: members.collect(),
            })
        };
        Ok(read())
    }
}
