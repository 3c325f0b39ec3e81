//! The names of the owners of a set, read from wherever they are known.

use crm_contacts::{ContactsError, ContactsService, Owner, RefusalKind};
use crm_mirror::{
    Mirror, OwnerId, Site,
    job::{Caller, Stop, with_service},
};
use crm_transport::Transport;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    current::OWNERS_PER_CALL,
    error::BulkError,
    set::NamedOwner,
    store::{ChangeSet, file::Nameless},
};

/// How many calls are on their way at once; the transport keeps the rate.
const CALLS_AT_ONCE: usize = 8;
/// How many owners are in memory at a time, and kept together.
const OWNERS: usize = OWNERS_PER_CALL * CALLS_AT_ONCE * 4;

/// What became of reading the names of a set's owners.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Naming {
    /// How many owners and people got a name.
    pub named: u64,
    /// How many owners and people have no name where it was looked for.
    pub unknown: u64,
    /// What may not be read, for want of a scope: `customer`, `location`, `person`. Those have their
    /// ids alone.
    pub refused: Vec<&'static str>,
    /// How many people were not asked for: the service tells one a call, a mirror knows all.
    pub people_left: u64,
}

/// How many people are asked for, one a call.
const PEOPLE: usize = 100;
/// What people are called where a kind of owner is named.
const PERSON: &str = "person";

/// The names of some owners; `None` of a kind that may not be read.
type Names = Option<Vec<NamedOwner>>;

/// The names of these owners of one kind, as many as one call reads, without those that nobody has.
async fn names<T: Transport>(
    service: &ContactsService<T>,
    owners: Vec<OwnerId>,
) -> Result<Names, BulkError> {
    let customers: Vec<_> = owners.iter().filter_map(|owner| owner.customer()).collect();
    if customers.is_empty() {
        let locations = owners.iter().filter_map(|owner| owner.location());
        return listed(service, locations.collect()).await;
    }
    listed(service, customers).await
}

async fn listed<T: Transport, O: Owner + Into<OwnerId>>(
    service: &ContactsService<T>,
    owners: Vec<O>,
) -> Result<Names, BulkError> {
    match service.owners::<O>().with_ids(owners).collect().await {
        Ok(details) => Ok(Some(details.iter().map(named::<O>).collect())),
        Err(error) if may_not(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn named<O: Owner + Into<OwnerId>>(details: &O::Details) -> NamedOwner {
    NamedOwner::of(details)
}

fn may_not(error: &ContactsError) -> bool {
    error.refusal_kind() == Some(RefusalKind::Forbidden)
}

/// A person's name, if it is one.
fn told(name: Option<String>) -> Option<String> {
    name.filter(|name| !name.trim().is_empty())
}

impl ChangeSet {
    /// Takes the names and towns of all owners of the set out of a mirror, and the names of its people,
    /// without a call. Called before [`name_owners`](Self::name_owners), that reads only what the mirror
    /// does not have.
    ///
    /// ```no_run
    /// # use crm_bulk::{BulkError, ChangeSet, Input, Plan, Site, Snapshot};
    /// # async fn example(site: Site, input: Input) -> Result<(), BulkError> {
    /// let plan = Plan::new(site).snapshot(Snapshot::open("mirror.db")?);
    /// plan.from_snapshot(input, "changes.crm").await?;
    /// let naming = ChangeSet::open("changes.crm")?.name_owners_from(&Snapshot::open("mirror.db")?)?;
    /// println!("{} have names, {} ids alone", naming.named, naming.unknown);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`MirrorError::WrongTenant`](crate::MirrorError::WrongTenant) and
    /// [`MirrorError::WrongEnvironment`](crate::MirrorError::WrongEnvironment), or a failure to read
    /// or write. The names up to then are kept.
    pub fn name_owners_from(&self, mirror: &Mirror) -> Result<Naming, BulkError> {
        self.info()?.site.admit(mirror.site(), mirror.path())?;
        let mut naming = Naming::default();
        let mut last = None;
        loop {
            let owners = self.unnamed_after(last, OWNERS, Nameless::All)?;
            let Some(end) = owners.last() else {
                break;
            };
            last = Some(*end);
            let known = owners.iter().filter_map(|owner| mirror.owner(*owner).transpose());
            let names = known.map(|owner| Ok(NamedOwner::known(&owner?)));
            let names = names.collect::<Result<Vec<_>, BulkError>>()?;
            naming.named += names.len() as u64;
            naming.unknown += owners.len().saturating_sub(names.len()) as u64;
            self.keep_names(&names)?;
        }
        let mut people = Vec::new();
        for id in self.unnamed_people(Nameless::All)? {
            let name = mirror.person(id)?.and_then(|person| told(person.name));
            people.extend(name.map(|name| (id, name)));
        }
        self.keep_people(&people)?;
        naming.named += people.len() as u64;
        Ok(naming)
    }

    /// Reads the names and towns of the owners of the set, 50 a call, and keeps them beside what was
    /// planned, so that people recognize the records: of owners with a change that is not so already,
    /// and that have no name yet; and the names of such people, one a call, of a hundred at most. The digest stays what it is, and so do the calls of a run.
    ///
    /// An app that may not read customers, locations or people has their ids alone, which is no error: see
    /// [`Naming::refused`]. `each` is told how many owners were dealt with.
    ///
    /// ```no_run
    /// # use crm_bulk::{BulkError, ChangeSet, Input, Plan, Selection, Site};
    /// # use crm_contacts::ContactsService;
    /// # use crm_transport::Transport;
    /// # async fn example<T: Transport>(contacts: ContactsService<T>, site: Site, input: Input) -> Result<(), BulkError> {
    /// Plan::new(site.clone()).from_api(&contacts, input, "changes.crm").await?;
    /// let set = ChangeSet::open("changes.crm")?;
    /// set.name_owners(&contacts, &site, |_| {}).await?;
    /// for change in set.changes(&Selection::all()) {
    ///     let change = change?;
    ///     let owner = change.target.owner().map(|owner| set.named_owner(owner)).transpose()?;
    ///     if let Some(owner) = owner.flatten() {
    ///         println!("{owner}: {:?}", change.members());
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`MirrorError::WrongTenant`](crate::MirrorError::WrongTenant) and
    /// [`MirrorError::WrongEnvironment`](crate::MirrorError::WrongEnvironment), a failure of the API,
    /// or a failure to read or write. The names up to then are kept.
    pub async fn name_owners<T: Transport>(
        &self,
        service: &ContactsService<T>,
        site: &Site,
        each: impl Fn(u64) + Send + 'static,
    ) -> Result<Naming, BulkError> {
        site.admit_service(service, self.path())?;
        site.admit(&self.info()?.site, self.path())?;
        let set = self.database.again();
        let name = move |caller: &Caller, _: &std::path::Path, stop: &Stop| {
            let set = Self::again(&set, stop)?;
            caller.wait_for(set.take_names(&caller.service, each))
        };
        with_service(service, self.path(), name).await
    }

    async fn take_names<T: Transport>(
        &self,
        service: &ContactsService<T>,
        each: impl Fn(u64),
    ) -> Result<Naming, BulkError> {
        let mut naming = Naming::default();
        let mut last = None;
        loop {
            let mut owners = self.unnamed_after(last, OWNERS, Nameless::ToDo)?;
            let Some(end) = owners.last() else {
                self.take_people(service, &mut naming).await?;
                return Ok(naming);
            };
            last = Some(*end);
            let all = owners.len();
            owners.retain(|owner| !naming.refused.contains(&owner.kind()));
            let blocks = owners
                .chunk_by(|one, other| one.kind() == other.kind())
                .flat_map(|kind| kind.chunks(OWNERS_PER_CALL).map(<[_]>::to_vec));
            let read = async |block: Vec<OwnerId>| {
                let (kind, asked) = (block.first().map(|owner| owner.kind()), block.len());
                Ok::<_, BulkError>((kind, asked, names(service, block).await?))
            };
            let mut read =
                stream::iter(blocks.collect::<Vec<_>>()).map(read).buffer_unordered(CALLS_AT_ONCE);
            let mut names = Vec::with_capacity(owners.len());
            while let Some((kind, asked, found)) = read.try_next().await? {
                match (found, kind) {
                    (Some(found), _) => {
                        naming.named += found.len() as u64;
                        naming.unknown += asked.saturating_sub(found.len()) as u64;
                        names.extend(found);
                    }
                    (None, Some(kind)) if !naming.refused.contains(&kind) => {
                        naming.refused.push(kind);
                    }
                    (None, _) => {}
                }
            }
            drop(read);
            // In the order of the table, which so fills its pages.
            names.sort_unstable_by_key(|named| named.owner);
            self.keep_names(&names)?;
            each(all as u64);
        }
    }

    /// Reads the names of people, of each with a call, as far as these are few.
    async fn take_people<T: Transport>(
        &self,
        service: &ContactsService<T>,
        naming: &mut Naming,
    ) -> Result<(), BulkError> {
        let mut people = self.unnamed_people(Nameless::ToDo)?;
        naming.people_left = people.len().saturating_sub(PEOPLE) as u64;
        people.truncate(PEOPLE);
        let read = async |id| (id, service.person(id).get().await);
        let mut read = stream::iter(people).map(read).buffer_unordered(CALLS_AT_ONCE);
        let mut names = Vec::new();
        while let Some((id, person)) = read.next().await {
            match person {
                Ok(person) => match told(person.name) {
                    Some(name) => names.push((id, name)),
                    None => naming.unknown += 1,
                },
                Err(error) if error.is_not_found() => naming.unknown += 1,
                Err(error) if may_not(&error) => {
                    naming.refused.push(PERSON);
                    break;
                }
                Err(error) => return Err(error.into()),
            }
        }
        drop(read);
        self.keep_people(&names)?;
        naming.named += names.len() as u64;
        Ok(())
    }
}
