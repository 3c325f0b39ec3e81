//! Which wishes are not yet so, and until when they have to be.

use crm_mirror::{Mirror, OwnerId};
use jiff::{Timestamp, civil::Date};
use serde::Serialize;

use crate::{
    error::ConsentError,
    ledger::Ledger,
    policy::Policy,
    standing::Heard,
    wish::{Scope, Wish},
};

/// A contact that receives marketing although its number or address is out.
///
/// [`Debug`] output contains a number or an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Due {
    /// The record of the wish.
    pub record: u64,
    /// The value as it was given.
    pub value: String,
    /// When the wish was received, as it was written; none where nobody knows.
    pub received: Option<String>,
    /// `customer` or `location`, and its id.
    pub owner_kind: &'static str,
    /// The id of the owner.
    pub owner_id: i64,
    /// The contact.
    pub contact_id: i64,
    /// Whether the contact is known to receive marketing; if not, the service does not say.
    pub is_known: bool,
    /// From when its time counts, if the contact is younger than the wish.
    pub created: Option<String>,
    /// The last day in time.
    pub deadline: String,
    /// How many days the deadline has passed by; 0 where it has not.
    pub days_late: u32,
}

impl Ledger {
    /// Finds the contacts of a mirror whose numbers and addresses are out by their last wish, and that
    /// are not known to receive no marketing, the most urgent first.
    ///
    /// The deadline counts from the day on which the wish was received, or was brought into the ledger
    /// where nobody knows when that was. For a contact that was created later it counts from that day.
    ///
    /// # Errors
    ///
    /// Returns errors for files that cannot be read.
    pub fn due(&self, mirror: &Mirror) -> Result<Vec<Due>, ConsentError> {
        let policy = self.policy()?;
        let today = day(Timestamp::now(), &policy);
        let mut due = Vec::new();
        for heard in self.standing(Wish::Out, Scope::Marketing)? {
            let Some(value) = &heard.value else { continue };
            for (owner, known) in mirror.with_same_number(value, None)? {
                let contact = &known.contact;
                let flags = contact.preferences.as_ref();
                let is_on = flags.map(|flags| flags.marketing_updates_enabled);
                if is_on == Some(false) {
                    continue;
                }
                let created = contact.created().and_then(|at| at.to_string().parse().ok());
                let copy = (owner, contact.id.get(), is_on.is_some());
                due.extend(of_copy(&heard, value, copy, created, &policy, today));
            }
        }
        due.sort_by(|a, b| {
            (&a.deadline, a.record, a.contact_id).cmp(&(&b.deadline, b.record, b.contact_id))
        });
        Ok(due)
    }
}

fn day(at: Timestamp, policy: &Policy) -> Date {
    policy.zone().to_datetime(at).date()
}

fn of_copy(
    heard: &Heard,
    value: &str,
    (owner, contact_id, is_known): (OwnerId, i64, bool),
    created: Option<Timestamp>,
    policy: &Policy,
    today: Date,
) -> Option<Due> {
    // As early as it can have been: nothing is late then that is said to be in time.
    let recorded = heard.recorded_at.parse().ok();
    let received = heard.facts.period.map(|period| period.earliest).or(recorded)?;
    let created = created.filter(|created| *created > heard.latest());
    let deadline = policy.last_day(day(created.unwrap_or(received), policy))?;
    let late = (today - deadline).get_days().max(0);
    Some(Due {
        record: heard.record,
        value: value.to_owned(),
        received: heard.received.clone(),
        owner_kind: owner.kind(),
        owner_id: owner.get(),
        contact_id,
        is_known,
        created: created.map(|created| created.to_string()),
        deadline: deadline.to_string(),
        days_late: late.unsigned_abs(),
    })
}

#[cfg(test)]
mod tests {
    use crm_mirror::Site;

    use super::*;
    use crate::taking::Said;

    #[test]
    fn a_later_copy_has_a_clock_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let site = Site::new(crm_models::TenantId::new(7).unwrap(), "https://api.example.com");
        let mut ledger = Ledger::open_or_create(folder.path().join("ledger.db"), &site).unwrap();
        ledger.add(&Said::new("818-555-0142", Wish::Out).received("2026-03-02")).unwrap();
        let heard = ledger.standing(Wish::Out, Scope::Marketing).unwrap().remove(0);
        let policy = Policy::default();
        let owner = OwnerId::Customer(crm_models::CustomerId::new(1_001).unwrap());
        let today = "2026-03-20".parse().unwrap();
        let due = |created: Option<&str>| {
            let created = created.map(|created| created.parse().unwrap());
            of_copy(&heard, "818-555-0142", (owner, 4_001, true), created, &policy, today).unwrap()
        };
        let of_old = due(Some("2025-01-01T00:00:00Z"));
        assert_eq!((of_old.deadline.as_str(), of_old.days_late), ("2026-03-16", 4));
        assert_eq!(due(None), of_old);
        let of_new = due(Some("2026-03-09T18:00:00Z"));
        assert_eq!((of_new.deadline.as_str(), of_new.days_late), ("2026-03-23", 0));
        assert!(of_new.created.is_some());
    }
}
