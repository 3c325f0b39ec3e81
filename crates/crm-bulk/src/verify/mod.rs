//! Reading back what a set has done.

mod compare;
mod finding;
mod kept;

use std::{collections::BTreeSet, io, time::Duration};

use crm_contacts::ContactsService;
use crm_mirror::{
    Site,
    job::{alongside, with_service},
};
use crm_transport::Transport;
use tokio::sync::{mpsc, oneshot};

use self::kept::{Findings, Place};
pub use self::{
    finding::{Finding, Found, Verification},
    kept::KeptFinding,
};
use crate::{
    clock,
    current::{self, OWNERS_PER_CALL},
    error::BulkError,
    set::{Change, Target},
    store::ChangeSet,
    undone::UndoneChanges,
};

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
    /// member is as done. A created contact has to be there, and a deleted one has to be gone. What the
    /// sets have undone that [`reversed_by`](Self::reversed_by) named is counted by itself.
    ///
    /// The result is stored in the set in place of an earlier one, so that a [report](Self::report)
    /// includes it, unless the set is read-only. All work but that of `each` is done on a thread of
    /// its own, with a connection of its own to the set.
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
    /// [`MirrorError::WrongTenant`](crate::MirrorError::WrongTenant), [`MirrorError::WrongEnvironment`](crate::MirrorError::WrongEnvironment), [`BulkError::Altered`] and
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
        let (set, reverses) = (self.database.again(), self.reverses.clone());
        let (tell, mut told) = mpsc::channel::<Told>(1);
        let work = with_service(service, self.path(), move |caller, _, stop| {
            let set = Self::again(&set, stop)?.reversed_by(reverses);
            caller.wait_for(set.read_back(&caller.service, &tell))
        });
        let report = async {
            while let Some(Told { findings, answer }) = told.recv().await {
                // Nobody waits for it once the work has failed.
                let _ = answer.send(findings.iter().try_for_each(&mut each));
            }
        };
        alongside(work, report).await
    }

    /// Looks at all changes that are done, and keeps what it finds.
    async fn read_back<T: Transport>(
        &self,
        service: &ContactsService<T>,
        tell: &mpsc::Sender<Told>,
    ) -> Result<Verification, BulkError> {
        self.digest()?;
        let (mut verification, undone) = (Verification::beginning(), self.undone_changes()?);
        let mut kept = Findings::new(self.path())?;
        let mut last = None;
        loop {
            let mut block = self.done_after(last.as_ref())?;
            first_owners(&mut block, OWNERS_PER_CALL);
            let Some(end) = block.last() else {
                break;
            };
            last = Some(Place::of(end));
            let findings = look(service, block, &undone).await?;
            for finding in &findings {
                verification.count(finding);
                kept.add(finding)?;
            }
            let (answer, answered) = oneshot::channel();
            let told = tell.send(Told { findings, answer }).await;
            // Whoever would be told is gone, and so is whoever would see this error.
            let gone =
                || BulkError::file(self.path(), "read back", io::ErrorKind::Interrupted.into());
            told.map_err(|_| gone())?;
            answered.await.map_err(|_| gone())??;
        }
        self.keep(&verification, &kept)?;
        Ok(verification)
    }
}

/// What was found of some changes, and where the answer of whoever was told goes.
struct Told {
    findings: Vec<Finding>,
    answer: oneshot::Sender<Result<(), BulkError>>,
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
    undone: &UndoneChanges,
) -> Result<Vec<Finding>, BulkError> {
    let mut findings = look_once(service, &block).await?;
    for finding in &mut findings {
        finding.undone = undone.by(finding.change.id).is_some();
    }
    for pause in LOOK_AGAIN {
        let now = clock::now();
        let is_new = |change: &Change| change.outcome.at.is_some_and(|at| at + JUST_NOW > now);
        let may_lag =
            |it: &&mut Finding| !it.undone && it.found != Found::AsDone && is_new(&it.change);
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
    let current = current::contacts(service, &owners, Duration::MAX).await?;
    let at = clock::now();
    let mut findings = Vec::with_capacity(block.len());
    for change in block {
        let change = change.clone();
        let (at, found) = match change.target {
            Target::Contact { owner, contact } => match current.of(owner) {
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
        findings.push(Finding { change, at, found, undone: false });
    }
    Ok(findings)
}
