//! What a mirror holds.

use std::collections::{BTreeMap, HashMap};

use crm_models::ContactType;
use serde::{Deserialize, Serialize};

use super::{file::Mirror, row::ReadKind, stage::Stage};
use crate::error::MirrorError;

/// The contents of a mirror, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Coverage {
    /// The number of contacts that exist.
    pub contacts: u64,
    /// The number of contacts that were deleted.
    pub deleted: u64,
    /// The number of customers and locations with at least one contact.
    pub owners: u64,
    /// The number of existing contacts whose preferences are not known.
    pub preferences_unknown: u64,
    /// The number of existing contacts whose owner was deactivated or merged.
    pub of_inactive_owners: u64,
    /// The number of records that could not be read; see [`Mirror::unreadable`].
    pub unreadable: u64,
    /// The number of existing contacts of each type, the largest first.
    pub by_type: Vec<(String, u64)>,
    /// How customers can be reached.
    pub customers: Reach,
    /// People of Contacts v2, and how they can be reached.
    pub people: PeopleReach,
}

/// How active customers can be reached: by what they have themselves, and by what only their
/// locations have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Reach {
    /// The number of active customers that are known: 0 if their feed was not given.
    pub known: u64,
    /// The number with a telephone number of their own.
    pub with_phone: u64,
    /// The number with an e-mail address of their own.
    pub with_email: u64,
    /// The number with both of their own.
    pub with_both: u64,
    /// The number with contacts on a location alone.
    pub only_on_location: u64,
}

/// How many people there are, and how those that are not archived can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PeopleReach {
    /// The number of people that are known.
    pub known: u64,
    /// The number of those that are archived.
    pub archived: u64,
    /// The number of their numbers and addresses, those of archived people too.
    pub methods: u64,
    /// The number of people with a telephone number.
    pub with_phone: u64,
    /// The number of people with an e-mail address.
    pub with_email: u64,
    /// The number of people with both.
    pub with_both: u64,
}

columns! {
    /// What is counted of a contact.
    struct CountedColumns { owner, active, kind, is_unknown }
}

const PHONE: u8 = 1;
const EMAIL: u8 = 2;
const OF_CUSTOMER: u8 = 4;
const OF_LOCATION: u8 = 8;

impl Mirror {
    /// Returns what the mirror holds. It is counted once after each update that brought something
    /// new, which takes half a second for a million contacts.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn coverage(&self) -> Result<Coverage, MirrorError> {
        if let Some(counted) = self.counted()? {
            return Ok(counted);
        }
        if !self.database.may_be_written()? {
            return self.count();
        }
        // Nobody can store a contact between the counting and the keeping of it.
        let transaction = self.database.begin_to_write()?;
        if let Some(counted) = self.counted()? {
            return Ok(counted);
        }
        let coverage = self.count()?;
        let json = serde_json::to_string(&coverage).map_err(|e| self.unwritable(e))?;
        self.database.set_meta("coverage", &json)?;
        self.database.check(transaction.commit())?;
        Ok(coverage)
    }

    fn counted(&self) -> Result<Option<Coverage>, MirrorError> {
        let kept = self.database.meta("coverage")?;
        Ok(kept.and_then(|json| serde_json::from_str(&json).ok()))
    }

    /// Says that something was stored since it was counted.
    pub(super) fn forget_coverage(&self) -> Result<(), MirrorError> {
        self.database.execute("DELETE FROM meta WHERE name = 'coverage'", []).map(drop)
    }

    fn count(&self) -> Result<Coverage, MirrorError> {
        let mut counts = Counts::default();
        // An index holds all of it, in this order.
        let sql = "SELECT owner, active, kind, flags IS NULL AS is_unknown FROM contacts
            ORDER BY owner, contact_id";
        let database = &self.database;
        let mut query = database.check(database.connection.prepare(sql))?;
        let at = database.check(CountedColumns::of(&query))?;
        let mut rows = database.check(query.query([]))?;
        while let Some(row) = database.check(rows.next())? {
            let read = || {
                let ReadKind(kind) = row.get(at.kind)?;
                Ok((row.get(at.owner)?, row.get(at.active)?, kind, row.get(at.is_unknown)?))
            };
            let (owner, active, kind, is_unknown) = database.check(read())?;
            if counts.owner != owner {
                self.end_owner(&mut counts)?;
                counts.owner = owner;
            }
            counts.add(active, kind, is_unknown);
        }
        self.end_owner(&mut counts)?;
        self.end(counts)
    }

    /// Takes what one owner has to the numbers of all.
    fn end_owner(&self, counts: &mut Counts) -> Result<(), MirrorError> {
        let (contacts, has) =
            (std::mem::take(&mut counts.contacts), std::mem::take(&mut counts.has));
        if contacts == 0 {
            return Ok(());
        }
        counts.coverage.contacts += contacts;
        counts.coverage.owners += 1;
        let sql = "SELECT active, customer FROM owners WHERE owner = ?";
        let known: Option<(bool, i64)> = self
            .database
            .row(sql, [counts.owner], |row| Ok((row.get("active")?, row.get("customer")?)))?;
        // Of one that is not known it is not known either.
        let Some((is_active, customer)) = known else {
            return Ok(());
        };
        if !is_active {
            counts.coverage.of_inactive_owners += contacts;
        } else {
            let has = if counts.owner < 0 { OF_LOCATION } else { has | OF_CUSTOMER };
            *counts.customers.entry(customer).or_default() |= has;
        }
        Ok(())
    }

    fn end(&self, counts: Counts) -> Result<Coverage, MirrorError> {
        let Counts { mut coverage, by_type, customers, .. } = counts;
        let count = |sql: &str| Ok::<u64, MirrorError>(self.database.value(sql, [])?.unwrap_or(0));
        coverage.unreadable = count("SELECT count(*) FROM unreadable")?;
        coverage.by_type =
            by_type.into_iter().map(|(kind, n)| (kind.as_str().to_owned(), n)).collect();
        coverage.by_type.sort_by_key(|(_, contacts)| std::cmp::Reverse(*contacts));
        let reached = |which: &dyn Fn(u8) -> bool| {
            customers.values().filter(|has| which(**has)).count() as u64
        };
        coverage.customers = Reach {
            known: count("SELECT count(*) FROM owners WHERE owner > 0 AND active")?,
            with_phone: reached(&|has| has & PHONE != 0),
            with_email: reached(&|has| has & EMAIL != 0),
            with_both: reached(&|has| has & PHONE != 0 && has & EMAIL != 0),
            only_on_location: reached(&|has| has == OF_LOCATION),
        };
        coverage.people = self.count_people()?;
        Ok(coverage)
    }

    fn count_people(&self) -> Result<PeopleReach, MirrorError> {
        if self.is_staged(Stage::People)? {
            return Ok(PeopleReach::default());
        }
        // Kinds 1 and 2 are telephones, 3 is e-mail.
        let sql = "WITH reached AS (
                SELECT person, max(kind IN (1, 2)) AS phone, max(kind = 3) AS email
                FROM methods GROUP BY person
            ), active AS (
                SELECT phone, email FROM reached JOIN people ON guid = person WHERE NOT archived
            )
            SELECT (SELECT count(*) FROM people) AS known,
                (SELECT count(*) FROM people WHERE archived) AS archived,
                (SELECT count(*) FROM methods) AS methods,
                ifnull(sum(phone), 0) AS with_phone, ifnull(sum(email), 0) AS with_email,
                ifnull(sum(phone AND email), 0) AS with_both
            FROM active";
        let counted = self.database.row(sql, [], |row| {
            Ok(PeopleReach {
                known: row.get("known")?,
                archived: row.get("archived")?,
                methods: row.get("methods")?,
                with_phone: row.get("with_phone")?,
                with_email: row.get("with_email")?,
                with_both: row.get("with_both")?,
            })
        })?;
        Ok(counted.unwrap_or_default())
    }
}

/// What was counted so far.
#[derive(Default)]
struct Counts {
    coverage: Coverage,
    by_type: BTreeMap<ContactType, u64>,
    /// What each customer has, by its id.
    customers: HashMap<i64, u8>,
    /// The owner that is being counted, and what it has.
    owner: i64,
    contacts: u64,
    has: u8,
}

impl Counts {
    fn add(&mut self, active: bool, kind: ContactType, is_unknown: bool) {
        if !active {
            self.coverage.deleted += 1;
            return;
        }
        self.contacts += 1;
        self.coverage.preferences_unknown += u64::from(is_unknown);
        self.has |= match &kind {
            ContactType::Phone | ContactType::MobilePhone => PHONE,
            ContactType::Email => EMAIL,
            _ => 0,
        };
        *self.by_type.entry(kind).or_default() += 1;
    }
}
