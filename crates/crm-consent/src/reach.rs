//! The set of all that is not yet so.

use std::{collections::BTreeMap, path::Path};

use crm_bulk::{
    Action, ChangeSet, Copies as Row, Selection, State, Take, Target, TurnOff, speaks_of_marketing,
};
use crm_contacts::ContactsService;
use crm_mirror::{Known, Mirror, job::Stop};
use crm_models::PreferenceChange;
use crm_transport::Transport;
use jiff::civil::Date;

use crate::{
    clock::LastDay,
    copies::{Copies, First, Out},
    error::ConsentError,
    ledger::Ledger,
    overridden::Overridden,
    policies::Policies,
};

/// What a set says that it comes of: see [`SetInfo::source`](crm_bulk::SetInfo::source).
pub const SOURCE: &str = "consent ledger";

/// The column of such a set that has the number of a wish's record: see
/// [`ChangeSet::rows_with`](crm_bulk::ChangeSet::rows_with) and
/// [`ChangeSet::cell`](crm_bulk::ChangeSet::cell).
pub const RECORD: &str = "record";

const RECEIVED: &str = "received";

const COLUMNS: [&str; 4] = [RECORD, "value", RECEIVED, "deadline"];

/// A plan of all that is not yet so: every contact of a customer or a location and every contact method
/// of a person whose number or address is out, and that still receives what its wish is about.
///
/// The rows of its set are the wishes, each with the number of its record, and the changes of a row are
/// the copies. What is off already is not in it, and where all is, there is no set. Numbers that only
/// may be one that is out are never in it: [`Ledger::due`] tells them.
///
/// Wishes are found again at each plan, so a contact that was created since the last one is in the
/// next. A wish for all kinds of messages turns off what the [`Policy`](crate::Policy) names. Of contact
/// methods it is marketing alone: what their other preferences mean is not documented.
///
/// ```no_run
/// use crm_consent::{ConsentError, Ledger, Reach};
/// use crm_contacts::ContactsService;
/// use crm_mirror::Mirror;
/// use crm_transport::Transport;
///
/// # async fn example<T: Transport>(contacts: ContactsService<T>, ledger: Ledger, mirror: Mirror) -> Result<(), ConsentError> {
/// // Bring the mirror up to date first.
/// let reached = Reach::new(ledger, mirror).plan(&contacts, "tonight.crm").await?;
/// println!("{} changes", reached.changes);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Reach {
    ledger: Ledger,
    mirror: Mirror,
    unknown_flags: Option<bool>,
    people: bool,
}

/// What came of a plan.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Reached {
    /// How many changes there are; none for no set.
    pub changes: u64,
    /// What cannot be set, and why.
    pub cannot: Vec<(Target, String)>,
    /// What the set turns off although somebody had it turned on against the wish.
    pub overridden: Vec<(Target, Overridden)>,
    /// What there is to say to people, one sentence each.
    pub notes: Vec<String>,
}

impl Reach {
    /// Creates the plan of a ledger, by a mirror of the same account.
    pub fn new(ledger: Ledger, mirror: Mirror) -> Self {
        Self { ledger, mirror, unknown_flags: None, people: true }
    }

    /// Sets the value of the other flags for contacts whose flags the service does not report, because
    /// flags are sent all or none. Without this, such a contact cannot be set.
    pub fn unknown_flags(mut self, on: bool) -> Self {
        self.unknown_flags = Some(on);
        self
    }

    /// Leaves out the contact methods of people, for an app without the scope for them. The notes say
    /// so.
    pub fn without_people(mut self) -> Self {
        self.people = false;
        self
    }

    /// Finds all and writes the set, on a thread of its own. The preferences of the contact methods
    /// that have a number or an address that is out are read, one call each, and are noted in the
    /// mirror.
    ///
    /// # Errors
    ///
    /// Returns errors for a mirror that is not complete or of another account, and for failures to
    /// read or write. Then there is no set, nor when the future is dropped.
    pub async fn plan<T: Transport>(
        self,
        service: &ContactsService<T>,
        out: impl AsRef<Path>,
    ) -> Result<Reached, ConsentError> {
        let Self { ledger, mut mirror, unknown_flags, people } = self;
        let site = mirror.site().clone();
        let left_out = (!people).then(|| "without the contact methods of people".to_owned());
        let mut plan = TurnOff::new(site, SOURCE, COLUMNS).received(RECEIVED).options(left_out);
        if let Some(on) = unknown_flags {
            plan = plan.unknown_flags(on);
        }
        let find = move |stop: &Stop, take: &mut Take<'_>| {
            mirror.end_with(stop)?;
            let known_at = mirror.complete_at()?;
            let are_people_known = people && mirror.people_known_at()?.is_some();
            mirror.while_still(|| find(&ledger, &mirror, are_people_known, take))?;
            let overridden = ledger.overridden_targets()?;
            Ok::<_, ConsentError>(((mirror, are_people_known, overridden), known_at))
        };
        let out = out.as_ref();
        let (told, found) = plan.plan(service, find, out).await?;
        let (mirror, are_people_known, mut overridden) = found;
        let overridden = if told.changes > 0 && !overridden.is_empty() {
            let set = ChangeSet::open(out)?;
            let targets = set.changes(&Selection::all()).map(|change| Ok(change?.target));
            let targets = targets.collect::<Result<Vec<_>, ConsentError>>()?.into_iter();
            let of = |target: Target| Some((target, overridden.remove(&target.to_string())?));
            targets.filter_map(of).collect()
        } else {
            Vec::new()
        };
        let readings = told.methods.iter().map(|read| (read.method, read.receives, read.at));
        mirror.note_marketing(readings)?;
        let mut notes = told.notes;
        if !people {
            notes.push("The contact methods of people were left out.".to_owned());
        } else if !are_people_known {
            notes.push(
                "The contact methods of people are not covered: the service did not give them."
                    .to_owned(),
            );
        }
        notes.extend(told.unreadable.iter().map(|record| format!("Cannot be read: {record}.")));
        Ok(Reached { changes: told.changes, cannot: told.cannot, overridden, notes })
    }
}

/// Notes in a mirror which contact methods of people receive marketing by what a set has done: no list
/// tells it, and [`Ledger::due`] asks for it.
///
/// # Errors
///
/// Returns errors for files that cannot be read or written.
pub fn note_applied(set: &ChangeSet, mirror: &Mirror) -> Result<(), ConsentError> {
    let methods = Action::MethodPreferences(BTreeMap::new());
    let done = Selection::states([State::Done, State::Already]).actions([methods.name()]);
    let (planned_at, mut told) = (set.info()?.created_at, Vec::new());
    for change in set.changes(&done) {
        let change = change?;
        // What was so already was read for the plan.
        let at = change.outcome.at.or(planned_at);
        let (Target::Method { method, .. }, Action::MethodPreferences(wanted), Some(at)) =
            (change.target, &change.action, at)
        else {
            continue;
        };
        let mut marketing = wanted.iter().filter(|(name, _)| speaks_of_marketing(name)).peekable();
        if marketing.peek().is_some() {
            told.push((method, marketing.any(|(_, on)| *on), at));
        }
    }
    Ok(mirror.note_marketing(told)?)
}

/// Hands each wish with its copies to `take`, in the order of the ledger.
fn find(
    ledger: &Ledger,
    mirror: &Mirror,
    people: bool,
    take: &mut Take<'_>,
) -> Result<(), ConsentError> {
    let policies = ledger.policies()?;
    let copies = Copies::of(ledger, &policies, mirror)?;
    let mut contacts = copies.contacts().filter(|(_, copy)| copy.is_same).peekable();
    let methods = copies.methods().filter(|(out, copy)| copy.is_same && out.is_of_marketing());
    let mut methods = methods.filter(|_| people).peekable();
    loop {
        let next = contacts.peek().map(|(out, _)| *out);
        let other = methods.peek().map(|(out, _)| *out);
        let Some(out) = next.into_iter().chain(other).min_by_key(|out| out.record()) else {
            return Ok(());
        };
        let mut row = row(out, &policies);
        while let Some((_, copy)) = contacts.next_if(|(of, _)| of.record() == out.record()) {
            let (owner, Known { contact, .. }) = mirror.keyed(copy.record)?;
            row = row.contact(owner, contact);
        }
        while let Some((_, copy)) = methods.next_if(|(of, _)| of.record() == out.record()) {
            // What was read before may be otherwise by now, so all are read anew.
            row = row.method(copy.record.clone());
        }
        take(row)?;
    }
}

fn row(out: &Out, policies: &Policies) -> Row {
    let off = out.turns_off(&policies.today().policy).into_iter().map(|(flag, _)| (flag, false));
    let day = |first: &First| Some(first.running.last_days(policies, None)?.decides.1);
    // Of two wishes for messages of two kinds, the one that is to be heeded first.
    let days = out.wishes().filter_map(|first| Some((day(first)?, first)));
    let first = days.min_by_key(|(day, first)| (day.last, first.record));
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let (days, first) = first.unzip();
    let day = |of: fn(LastDay) -> Date| days.map(|day| of(day).to_string()).unwrap_or_default();
    Row::new([
        first.map_or(out.record(), |first| first.record).to_string(),
        text(first.and_then(|first| first.value.as_deref())),
        // The clock of a wish whose day nobody knows runs since it was taken in.
        first
            .and_then(|first| first.received.as_ref())
            .map(|_| day(|day| day.from))
            .unwrap_or_default(),
        day(|day| day.last),
    ])
    .flags(off.collect::<PreferenceChange>())
}
