//! Which wishes are not yet so, and until when they have to be.

use std::collections::{BTreeMap, HashMap};

use crm_bulk::{Target, UNKNOWN_FLAGS};
use crm_mirror::{Happened, Known, Mirror, Observed, clock};
use crm_models::{Contact, ContactMethod, Preference, Timestamp};
use jiff::Timestamp as Moment;
use serde::Serialize;
use strum::{Display, IntoStaticStr};

use crate::{
    clock::{LastDays, Term},
    copies::{Copies, First, Out},
    error::ConsentError,
    lateness::{CopyVerdict, Effect, Fact, judge},
    ledger::Ledger,
    overridden::Overridden,
    policies::Policies,
    policy::Policy,
};

/// What is to be done about a [`Due`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Display, IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum DueKind {
    /// It has to be turned off, and a plan does so.
    Open,
    /// No plan can turn it off.
    CannotBeSet,
    /// Its number may be one that is out: one of the two lacks its area code, or can be read in two
    /// ways. A person has to look; no plan touches it.
    LookAt,
}

/// A contact, or a contact method of a person, that receives something although its number or address
/// is out. Where two wishes count for messages of two kinds, each has its own.
///
/// [`Debug`] output contains a number or an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Due {
    /// What is to be done about it.
    pub kind: DueKind,
    /// The record of the wish: of several that nobody took back in between, the first.
    pub record: u64,
    /// The value as it was given; none where the record does not have it.
    pub value: Option<String>,
    /// The value as the contact has it.
    pub stored: String,
    /// When the wish was received, as it was written; none where nobody knows.
    pub received: Option<String>,
    /// Whose it is.
    #[serde(flatten)]
    pub target: Target,
    /// What it receives, or may receive, that it must not.
    pub receives: Vec<&'static str>,
    /// Whether it is known to receive that.
    pub is_known: bool,
    /// Whether its last day is over: open, overdue, or unknown where nobody can tell what it receives.
    /// What is overdue is late since its deadline.
    pub verdict: CopyVerdict,
    /// Since when it is there, or has the number or address, if that is after the wish: its time counts
    /// from then.
    pub created: Option<String>,
    /// The last day in time: the earlier one of the policy that was in force at the wish and that of
    /// today.
    pub deadline: String,
    /// The last day by the other of these two policies, where that is another one.
    pub other_deadline: Option<String>,
    /// How many days the deadline has passed by; 0 where it has not. What nobody can tell counts.
    pub days_late: u32,
    /// Why it is not known what it receives, or why it cannot be set.
    pub why: Option<String>,
    /// That somebody turned it on against the wish, if that is recorded.
    pub overridden: Option<Overridden>,
    /// The state of the contact by which it is due: when the service had changed it last.
    #[serde(skip)]
    pub modified_on: Option<Timestamp>,
}

const UNREAD: &str = "its preferences take a call, and nobody has read them yet: a plan does";

impl Ledger {
    /// Finds who receives something by a mirror although its number or address is out: contacts of
    /// customers and locations, and contact methods of people, the most urgent first. Numbers that may
    /// be one that is out are there too, as what a person has to look at.
    ///
    /// The deadline counts from the day on which the wish was received, or was brought into the ledger
    /// where nobody knows when that was. For what was created later, or got the number or address later as
    /// updates of the mirror saw it, it counts from that day. What a contact method receives is as it was
    /// last read; the mirror does not tell it.
    ///
    /// # Errors
    ///
    /// Returns errors for files that cannot be read.
    pub fn due(&self, mirror: &Mirror) -> Result<Vec<Due>, ConsentError> {
        mirror.while_still(|| self.due_by(mirror))
    }

    fn due_by(&self, mirror: &Mirror) -> Result<Vec<Due>, ConsentError> {
        let policies = self.policies()?;
        let policy = &policies.today().policy;
        let copies = Copies::of(self, &policies, mirror)?;
        let deadlines = Deadlines { policies: &policies, now: clock::now() };
        let changed = self.values_changed(mirror)?;
        let mut due = Vec::new();
        for (out, copy) in copies.contacts() {
            let (owner, Known { contact, .. }) = mirror.keyed(copy.record)?;
            let target = Target::Contact { owner, contact: Some(contact.id) };
            let created = changed.copy_since(&target, contact.created());
            let created = created.and_then(|at| Moment::from_nanosecond(at.as_nanoseconds()).ok());
            let modified_on = Some(contact.modified_on);
            for receives in Receives::of_contact(out, &contact, policy) {
                let record = (target, contact.value.clone());
                let of = deadlines.due(copy.is_same, record, receives, created);
                due.extend(of.map(|of| Due { modified_on, ..of }));
            }
        }
        for (out, copy) in copies.methods() {
            let method = &copy.record;
            let Some(receives) = Receives::of_method(out, method, mirror)? else { continue };
            let target = Target::Method { person: method.contact_id, method: method.id };
            let created = method.created_on.to_string().parse().ok();
            let value = method.value.clone();
            due.extend(deadlines.due(copy.is_same, (target, value), receives, created));
        }
        let mut overridden = self.overridden_targets()?;
        for due in &mut due {
            let is_of_marketing = due.receives.contains(&Preference::MarketingUpdates.option());
            if is_of_marketing {
                due.overridden = overridden.remove(&due.target.to_string());
            }
        }
        due.sort_by(|a, b| {
            let urgency = |due: &Due| (due.kind == DueKind::LookAt, due.record, due.target);
            a.deadline.cmp(&b.deadline).then_with(|| urgency(a).cmp(&urgency(b)))
        });
        Ok(due)
    }

    /// Returns which contacts got the number or address that they have in place of another one, as far as
    /// updates of a mirror saw it.
    ///
    /// # Errors
    ///
    /// Returns errors for a mirror that cannot be read.
    pub fn values_changed(&self, mirror: &Mirror) -> Result<ValuesChanged, ConsentError> {
        let mut since_when = HashMap::new();
        mirror.for_each_difference(
            |Observed { owner, contact, since, happened, members, .. }| {
                let value = members.iter().find(|member| member.field == "value");
                let texts = value.and_then(|it| it.before.as_deref().zip(it.after.as_deref()));
                let is_other = texts.is_some_and(|(a, b)| self.keys(a).key != self.keys(b).key);
                if happened == Happened::Changed && is_other {
                    since_when.insert(Target::Contact { owner, contact: Some(contact) }, since);
                }
                Ok::<_, ConsentError>(())
            },
        )?;
        Ok(ValuesChanged { since_when })
    }
}

/// Since when contacts have the number or address that they have, of those that had another one before, and
/// since when contact methods are there; returned by [`Ledger::values_changed`].
#[derive(Debug)]
pub struct ValuesChanged {
    since_when: HashMap<Target, Timestamp>,
}

impl ValuesChanged {
    /// Adds since when contact methods of people are there, which no change of a set tells.
    ///
    /// # Errors
    ///
    /// Returns errors for a mirror that cannot be read.
    pub fn with_methods(mut self, mirror: &Mirror) -> Result<Self, ConsentError> {
        mirror.for_each_method(|method, _| {
            let target = Target::Method { person: method.contact_id, method: method.id };
            let created = Some(method.created_on).filter(|at| !at.is_unknown());
            self.since_when.extend(created.map(|created| (target, created)));
            Ok::<_, ConsentError>(())
        })?;
        Ok(self)
    }

    /// Returns since when a record is a copy of its number or address, as early as that can have been: it
    /// was created then, or got the value after it.
    #[must_use]
    pub fn copy_since(&self, record: &Target, created: Option<Timestamp>) -> Option<Timestamp> {
        created.max(self.since_when.get(record).copied())
    }
}

/// What a record receives, or may, that it must not by one wish.
struct Receives<'o> {
    first: &'o First,
    what: Vec<Preference>,
    is_known: bool,
    /// Whether a plan can turn it off.
    can_be_set: bool,
    why: Option<&'static str>,
}

impl<'o> Receives<'o> {
    /// By each of the wishes that count.
    fn of_contact(out: &'o Out, contact: &Contact, policy: &Policy) -> Vec<Self> {
        let flags = contact.preferences.as_ref();
        let is_known = flags.is_some();
        let why = if is_known { None } else { Some(UNKNOWN_FLAGS) };
        let mut by_wish: BTreeMap<u64, Self> = BTreeMap::new();
        for (flag, first) in out.turns_off(policy) {
            if flags.is_some_and(|flags| !flags.get(flag)) {
                continue;
            }
            let receives = || Self { first, what: Vec::new(), is_known, can_be_set: is_known, why };
            by_wish.entry(first.record).or_insert_with(receives).what.push(flag);
        }
        by_wish.into_values().collect()
    }

    fn of_method(
        out: &'o Out,
        method: &ContactMethod,
        mirror: &Mirror,
    ) -> Result<Option<Self>, ConsentError> {
        let Some(first) = out.wishes().next().filter(|_| out.is_of_marketing()) else {
            return Ok(None);
        };
        let what = vec![Preference::MarketingUpdates];
        let on = |is_known, why| Some(Self { first, what, is_known, can_be_set: true, why });
        Ok(match mirror.marketing_of(method)? {
            Some((false, _)) => None,
            Some((true, _)) => on(true, None),
            None => on(false, Some(UNREAD)),
        })
    }
}

/// What deadlines are computed by.
struct Deadlines<'p> {
    policies: &'p Policies,
    now: Timestamp,
}

impl Deadlines<'_> {
    fn due(
        &self,
        is_same: bool,
        (target, stored): (Target, String),
        receives: Receives<'_>,
        created: Option<Moment>,
    ) -> Option<Due> {
        let first = receives.first;
        let LastDays { decides, other, created } =
            first.running.last_days(self.policies, created)?;
        let effect = if receives.is_known { Effect::On } else { Effect::Unknown };
        let facts = [Fact { at: self.now, effect, is_exact: false }];
        let judged = judge(&facts, &Term::of(decides, true), None, self.now);
        let kind = match (is_same, receives.can_be_set) {
            (false, _) => DueKind::LookAt,
            (true, true) => DueKind::Open,
            (true, false) => DueKind::CannotBeSet,
        };
        Some(Due {
            kind,
            record: first.record,
            value: first.value.as_deref().map(str::to_owned),
            stored,
            received: first.received.as_deref().map(str::to_owned),
            target,
            receives: receives.what.into_iter().map(Preference::option).collect(),
            is_known: receives.is_known,
            verdict: judged.verdict,
            created: created.map(|created| created.to_string()),
            deadline: decides.1.last.to_string(),
            other_deadline: other.map(|(_, day)| day.last.to_string()),
            days_late: judged.days_late,
            why: receives.why.map(str::to_owned),
            overridden: None,
            modified_on: None,
        })
    }
}
