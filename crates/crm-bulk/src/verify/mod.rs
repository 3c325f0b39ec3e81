//! Reading back what a set has done.

mod compare;
mod kept;

use std::{collections::BTreeSet, time::Duration};

use crm_contacts::{ContactsService, Difference};
use crm_models::Timestamp;
use crm_transport::Transport;
use serde::{Deserialize, Serialize};

use self::kept::Findings;
pub(crate) use self::kept::KeptFinding;
use crate::{
    clock,
    current::{self, OWNERS_PER_CALL},
    error::BulkError,
    set::{Change, ChangeSet, Site, Target},
};

/// What became of a change that was done, judged by its record as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found {
    /// The record is still as the change made it. Members that the change did not name may differ.
    AsDone,
    /// Members are no longer as the change made them; each has its present value (`before`) and the
    /// value that the change gave it (`after`).
    Differs(Vec<Difference>),
    /// The contact or the contact method is no longer there.
    Gone,
    /// A deleted contact is there again.
    Back,
    /// The record cannot be read, for this reason.
    Unread(String),
}

impl Found {
    /// Returns `as-done`, `differs`, `gone`, `back` or `unread`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::AsDone => "as-done",
            Self::Differs(_) => "differs",
            Self::Gone => "gone",
            Self::Back => "back",
            Self::Unread(_) => "unread",
        }
    }

    /// Returns what has changed since, in one sentence for people, with the values; empty if
    /// everything is as it was done.
    #[must_use]
    pub fn difference(&self) -> String {
        match self {
            Self::AsDone => String::new(),
            Self::Differs(members) => {
                let shown = |value: &Option<String>| match value.as_deref().unwrap_or_default() {
                    "" => "(none)".to_owned(),
                    value => value.to_owned(),
                };
                let member = |member: &Difference| {
                    let (now, made) = (shown(&member.before), shown(&member.after));
                    format!("{} is {now}, was made {made}", member.field)
                };
                let members: Vec<_> = members.iter().map(member).collect();
                members.join("; ")
            }
            Self::Gone => "is no longer there".to_owned(),
            Self::Back => "was deleted and is there again".to_owned(),
            Self::Unread(why) => why.clone(),
        }
    }
}

/// A change that was done, and its record as it is now.
///
/// [`Debug`] output contains numbers, addresses and memos.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// The change.
    pub change: Change,
    /// When the record was read.
    pub at: Timestamp,
    /// What the record was found to be.
    pub found: Found,
}

/// The result of reading back a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Verification {
    /// When the reading began.
    pub at: Timestamp,
    /// The number of changes whose records are still as they made them.
    pub as_done: u64,
    /// The number of changes with members that are no longer as they made them.
    pub differs: u64,
    /// The number of changes whose contact or contact method is no longer there.
    pub gone: u64,
    /// The number of deletions whose contact is there again.
    pub back: u64,
    /// The number of changes whose record could not be read.
    pub unread: u64,
}

impl Verification {
    fn beginning() -> Self {
        Self { at: clock::now(), as_done: 0, differs: 0, gone: 0, back: 0, unread: 0 }
    }

    fn count(&mut self, found: &Found) {
        *match found {
            Found::AsDone => &mut self.as_done,
            Found::Differs(_) => &mut self.differs,
            Found::Gone => &mut self.gone,
            Found::Back => &mut self.back,
            Found::Unread(_) => &mut self.unread,
        } += 1;
    }

    /// Returns the number of changes that are no longer as they were done.
    #[must_use]
    pub fn no_longer_so(&self) -> u64 {
        self.differs + self.gone + self.back
    }

    /// Returns the number of all changes that were looked at.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.as_done + self.no_longer_so() + self.unread
    }
}

/// How many changes are in memory at a time.
const CHANGES_PER_BLOCK: usize = 500;

/// When to look again at what was changed only now: lists of the service may lag.
const LOOK_AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// For how long a change counts as one of just now.
const JUST_NOW: Duration = Duration::from_secs(60);

impl ChangeSet {
    /// Reads back every change that is done, 50 owners per call and each contact method in two
    /// calls, and reports to `each` what each record is now. It sends nothing that changes a
    /// record.
    ///
    /// Only what the change asked for counts: a contact of which somebody has since changed another
    /// member is as done. A created contact has to be there, and a deleted one has to be gone.
    ///
    /// The result is stored in the set in place of an earlier one, so that a [report](Self::report)
    /// includes it, unless the set is read-only.
    ///
    /// ```no_run
    /// # use crm_bulk::{BulkError, ChangeSet, Site};
    /// # use crm_contacts::ContactsService;
    /// # use crm_transport::Transport;
    /// # async fn example<T: Transport>(contacts: ContactsService<T>, site: Site) -> Result<(), BulkError> {
    /// let mut set = ChangeSet::open("opt-outs.crm")?;
    /// let verified = set.verify(&contacts, &site, |finding| {
    ///     println!("{}: {}", finding.change.target, finding.found.difference());
    ///     Ok(())
    /// });
    /// println!("{} are no longer so", verified.await?.no_longer_so());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`BulkError::WrongTenant`], [`BulkError::WrongEnvironment`], [`BulkError::Altered`] and
    /// [`BulkError::NotAdopted`] before anything is read; a failure of the API; a failure to read
    /// or write the set; any error that `each` returns. The former result is kept in all of these
    /// cases.
    pub async fn verify<T: Transport>(
        &mut self,
        service: &ContactsService<T>,
        site: &Site,
        mut each: impl FnMut(&Finding) -> Result<(), BulkError>,
    ) -> Result<Verification, BulkError> {
        site.admit_service(service, self.path())?;
        site.admit(&self.info()?.site, self.path())?;
        self.digest()?;
        let mut verification = Verification::beginning();
        let mut findings = Findings::new(self.path())?;
        let mut last = None;
        loop {
            let mut block = self.done_after(last.as_ref())?;
            first_owners(&mut block, OWNERS_PER_CALL);
            let Some(end) = block.last() else {
                break;
            };
            last = Some(Place::of(end));
            for finding in look(service, block).await? {
                verification.count(&finding.found);
                findings.add(&finding)?;
                each(&finding)?;
            }
        }
        self.keep(&verification, &findings)?;
        Ok(verification)
    }
}

/// Where in the order of owners a change stands.
struct Place {
    target: Target,
    change: i64,
}

impl Place {
    fn of(change: &Change) -> Self {
        Self { target: change.target, change: change.id.0 }
    }
}

/// Leaves the changes of this many owners.
fn first_owners(block: &mut Vec<Change>, most: usize) {
    let mut owners = BTreeSet::new();
    let full = block.iter().position(|change| {
        owners.insert((change.target.kind(), change.target.owner_text()));
        owners.len() > most
    });
    block.truncate(full.unwrap_or(block.len()));
}

/// Looks at the records of some changes; once more at those that were changed only now and do not
/// show it.
async fn look<T: Transport>(
    service: &ContactsService<T>,
    block: Vec<Change>,
) -> Result<Vec<Finding>, BulkError> {
    let mut findings = look_once(service, &block).await?;
    for pause in LOOK_AGAIN {
        let now = clock::now();
        let is_new = |change: &Change| change.outcome.at.is_some_and(|at| at + JUST_NOW > now);
        let may_lag =
            |finding: &&mut Finding| finding.found != Found::AsDone && is_new(&finding.change);
        let lagging: Vec<_> = findings.iter_mut().filter(may_lag).collect();
        if lagging.is_empty() {
            break;
        }
        tokio::time::sleep(pause).await;
        let changes: Vec<_> = lagging.iter().map(|finding| finding.change.clone()).collect();
        for (finding, again) in lagging.into_iter().zip(look_once(service, &changes).await?) {
            *finding = again;
        }
    }
    Ok(findings)
}

async fn look_once<T: Transport>(
    service: &ContactsService<T>,
    block: &[Change],
) -> Result<Vec<Finding>, BulkError> {
    let mut owners: Vec<_> = block.iter().filter_map(|change| change.target.owner()).collect();
    owners.dedup();
    let present = current::contacts(service, &owners, Duration::MAX).await?;
    let at = clock::now();
    let mut findings = Vec::with_capacity(block.len());
    for change in block {
        let change = change.clone();
        let (at, found) = match change.target {
            Target::Contact { owner, contact } => match present.of(owner) {
                Ok(contacts) => (at, compare::contact(&change, contact, contacts)),
                Err(error) => (at, Found::Unread(current::why_unread(error))),
            },
            Target::Method { person, method } => {
                let found = match current::whole_method(service, person, method).await {
                    Ok((image, _)) => compare::members(&change, image.into()),
                    Err(error) if error.is_not_found() => Found::Gone,
                    Err(error) if current::may_be_of_one(&error) => {
                        Found::Unread(format!("cannot be read: {error}"))
                    }
                    Err(error) => return Err(error.into()),
                };
                (clock::now(), found)
            }
        };
        findings.push(Finding { change, at, found });
    }
    Ok(findings)
}
