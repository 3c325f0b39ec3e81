//! The audit itself: two passes over a mirror.

use std::time::Duration;

use crm_mirror::{MirrorError, OwnerId, Snapshot, keys::Keys};
use crm_models::{Contact, Timestamp};
use crm_values::PhoneReader;

use crate::{
    across::Across,
    fault::Fault,
    finding::{Examined, Finding},
    flags, memo,
    owners::Owners,
    record::Record,
    repeats,
    rule::{Rule, Rules},
    summary::Summary,
    thresholds::Thresholds,
    value,
    words::Words,
};

/// Looks for what is wrong in a mirror.
///
/// It reads the mirror twice: once for who else has a value, keeping 16 to 32 bytes a contact, and
/// once owner by owner, keeping one owner. It changes nothing, in the mirror neither.
///
/// ```no_run
/// use crm_audit::{Audit, Rule, Rules};
/// use crm_mirror::{MirrorError, Snapshot};
///
/// # fn main() -> Result<(), MirrorError> {
/// let snapshot = Snapshot::open("contacts.snapshot")?;
/// let audit = Audit::new().rules(Rules::ALL.without(Rule::Stale));
/// let summary = audit.run(&snapshot, |examined| {
///     for finding in &examined.findings {
///         println!("{} contact {}: {}", examined.owner, finding.contact, finding.rule.title());
///     }
///     Ok::<(), MirrorError>(())
/// })?;
/// println!("{} findings in {} contacts", summary.findings(), summary.contacts);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Audit {
    rules: Rules,
    thresholds: Thresholds,
    owners: Owners,
}

impl Audit {
    /// Creates an audit by all rules.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the rules.
    pub fn rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// Sets from when on something is told, and what the lists have beside their own.
    pub fn thresholds(mut self, thresholds: Thresholds) -> Self {
        self.thresholds = thresholds;
        self
    }

    /// Sets what is known of customers and locations. Without it the rules that [need
    /// it](Rule::needs_owners) find nothing.
    pub fn owners(mut self, owners: Owners) -> Self {
        self.owners = owners;
        self
    }

    /// Audits a mirror: hands each owner at which something was found to `each`, in the order of
    /// customers and locations and their ids, and ends with its first error.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Incomplete`] for a mirror whose feeds were not read to their ends, that of
    /// `each`, or a failure to read.
    pub fn run<E: From<MirrorError>>(
        &self,
        snapshot: &Snapshot,
        mut each: impl FnMut(Examined) -> Result<(), E>,
    ) -> Result<Summary, E> {
        let known_at = snapshot.complete_at()?;
        // Both passes are to see the same contacts.
        snapshot.hold_still()?;
        let across = self.across(snapshot)?;
        let stale_after = Duration::from_secs(u64::from(self.thresholds.stale_after_days) * 86_400);
        let examiner = Examiner {
            audit: self,
            words: Words::new(&self.thresholds),
            across,
            reader: PhoneReader::new(snapshot.region()),
            known_at,
            stale_after,
        };
        let mut summary = Summary::new(self.rules, known_at);
        snapshot.for_each_owner(|owner, contacts| {
            summary.contacts += contacts.len() as u64;
            summary.owners += 1;
            let mut examined = examiner.examine(owner, contacts);
            if examined.findings.is_empty() {
                return Ok(());
            }
            // Of these alone: most owners have nothing wrong, and each takes a look-up.
            examined.details = snapshot.owner(owner)?;
            summary.add(&examined);
            each(examined)
        })?;
        Ok(summary)
    }

    fn across(&self, snapshot: &Snapshot) -> Result<Across, MirrorError> {
        let across = [Rule::Shared, Rule::LocationOnly, Rule::CustomerOnly];
        if across.iter().any(|rule| self.rules.contains(*rule)) {
            Across::of(snapshot, &self.owners, self.thresholds.shared_by)
        } else {
            Ok(Across::default())
        }
    }
}

/// What one owner after the other is examined with.
struct Examiner<'a> {
    audit: &'a Audit,
    words: Words,
    across: Across,
    reader: PhoneReader,
    known_at: Timestamp,
    stale_after: Duration,
}

impl Examiner<'_> {
    fn examine(&self, owner: OwnerId, contacts: Vec<(Contact, Keys)>) -> Examined {
        let record = |(contact, keys)| Record::new(contact, keys, &self.words);
        let records: Vec<_> = contacts.into_iter().map(record).collect();
        let inactive = self.audit.owners.inactive(owner);
        let mut findings = Vec::new();
        let mut found = |mut finding: Finding| {
            if self.audit.rules.contains(finding.rule) {
                if inactive.is_some() {
                    finding.proposals.clear();
                }
                findings.push(finding);
            }
        };
        for record in &records {
            let mut fault = |fault: Fault| found(fault.at(record.contact.id));
            self.examine_contact(owner, record, &mut fault);
            if let Some(why) = &inactive {
                fault(Fault::tells(Rule::InactiveOwner, why.as_str()));
            }
        }
        if records.len() > 1 {
            repeats::examine(&records, self.reader, &mut found);
        }
        findings.sort_by_key(|finding| (finding.contact, finding.rule));
        let contacts = records.into_iter().map(|record| record.contact).collect();
        Examined { owner, details: None, contacts, findings }
    }

    /// What is wrong with one contact of an owner.
    fn examine_contact(&self, owner: OwnerId, record: &Record, fault: &mut impl FnMut(Fault)) {
        let contact = &record.contact;
        value::examine(record, self.reader, &self.words, &mut *fault);
        flags::examine(contact, &mut *fault);
        if let Some(memo) = contact.memo.as_deref() {
            memo::examine(memo, self.reader, &self.words, &mut *fault);
        }
        let modified = contact.modified_on;
        if modified + self.stale_after < self.known_at && !modified.is_unknown() {
            let detail = format!("last changed {modified}");
            fault(Fault::tells(Rule::Stale, detail));
        }
        if let Some(key) = record.comparable() {
            self.compare_across(owner, contact, key, fault);
        }
    }

    /// Who else has the value of a contact.
    fn compare_across(
        &self,
        owner: OwnerId,
        contact: &Contact,
        key: &str,
        fault: &mut impl FnMut(Fault),
    ) {
        let value = &contact.value;
        if let Some(customers) = self.across.shared_by(key) {
            let detail = format!("{value}: {customers} customers have it");
            fault(Fault::tells(Rule::Shared, detail));
        }
        let owners = &self.audit.owners;
        let Some(customer) = owners.customer_of(owner).filter(|_| !owners.is_empty()) else {
            return;
        };
        match owner {
            OwnerId::Location(_) if self.across.customer_lacks(customer.get(), key) => {
                let detail = format!("{value}: customer {customer} does not have it");
                fault(Fault::tells(Rule::LocationOnly, detail));
            }
            OwnerId::Customer(_) if self.across.locations_lack(customer.get(), key) => {
                fault(Fault::tells(Rule::CustomerOnly, value.as_str()));
            }
            _ => {}
        }
    }
}
