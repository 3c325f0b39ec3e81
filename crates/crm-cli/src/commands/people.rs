//! `crm people`: the people of Contacts v2 and their relationships.

use clap::{Args, Subcommand, ValueEnum};
use crm_contacts::RecordChange as _;
use crm_models::{
    Check, CreatePersonRequest, Person, PersonChange, PersonFilter, PersonId, RelatedEntityId,
    RelatedEntityType, RelationshipFilter, ReplacePersonRequest, Timestamp, Whether,
};

use super::{
    args::{Choice, Order, Switch, narrow, text},
    delete::{Deletion, Restore},
    list::ListArgs,
    times::{Times, between, time},
    update,
};
use crate::{error::CliError, output::note, session::Session, status::Status};

/// What can be done with people.
#[derive(Debug, Subcommand)]
pub(crate) enum People {
    /// List people
    List {
        #[command(flatten)]
        filter: Filter,

        #[command(flatten)]
        list: ListArgs,
    },

    /// Show one person
    Get {
        /// The person's id
        person: PersonId,
    },

    /// Create a person
    Create {
        #[command(flatten)]
        members: Members,
    },

    /// Set every member of a person; what is not given is cleared
    Replace {
        /// The person's id
        person: PersonId,

        #[command(flatten)]
        members: Members,

        /// Whether the person is archived
        #[arg(long, value_name = "ON|OFF")]
        archived: Switch,
    },

    /// Change a person, and show what changed
    Update {
        /// The person's id
        person: PersonId,

        #[command(flatten)]
        change: UpdateArgs,
    },

    /// Delete a person
    Delete {
        /// The person's id
        person: PersonId,
    },

    /// List the people related to a customer, a location or a booking with this id
    RelatedTo {
        /// The id of the customer, location or booking
        entity: RelatedEntityId,

        #[command(flatten)]
        filter: Filter,

        #[command(flatten)]
        list: ListArgs,
    },

    /// List what a person is related to
    Relationships {
        /// The person's id
        person: PersonId,

        /// Only to this kind of entity
        #[arg(long, value_name = "KIND")]
        entity_type: Option<Entity>,

        /// Only to this entity
        #[arg(long, value_name = "ID")]
        entity: Option<RelatedEntityId>,

        /// Created at this time or later
        #[arg(long, value_name = "TIME", value_parser = time)]
        created_since: Option<Timestamp>,

        /// Created before this time
        #[arg(long, value_name = "TIME", value_parser = time)]
        created_before: Option<Timestamp>,

        #[command(flatten)]
        order: Order,

        #[command(flatten)]
        list: ListArgs,
    },

    /// Relate a person to a customer, a location or a booking
    Relate(Relation),

    /// End a relationship
    Unrelate(Relation),
}

/// Which people, in which order.
#[derive(Debug, Args)]
pub(crate) struct Filter {
    /// With this name; whether a part of it is enough is not documented
    #[arg(long)]
    name: Option<String>,

    /// With this title
    #[arg(long)]
    title: Option<String>,

    /// With this id of your own
    #[arg(long, value_name = "ID")]
    reference_id: Option<String>,

    /// Archived, not archived, or any
    #[arg(long, value_name = "YES|NO|ANY")]
    archived: Option<Choice>,

    #[command(flatten)]
    times: Times,

    #[command(flatten)]
    order: Order,
}

impl From<Filter> for PersonFilter {
    fn from(given: Filter) -> Self {
        narrow!(
            between!(Self::new(), given.times),
            name(given.name),
            title(given.title),
            reference_id(given.reference_id),
            archived(given.archived.map(Whether::from)),
            sort(given.order.of()),
        )
    }
}

/// The members of a person that can be given.
#[derive(Debug, Args)]
pub(crate) struct Members {
    /// The name
    #[arg(long, allow_hyphen_values = true, value_parser = text)]
    name: Option<String>,

    /// The role, for example Site manager
    #[arg(long, allow_hyphen_values = true, value_parser = text)]
    title: Option<String>,

    /// An id of your own
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    reference_id: Option<String>,
}

/// What to change; whatever is not given stays as it is.
#[derive(Debug, Args)]
pub(crate) struct UpdateArgs {
    #[command(flatten)]
    members: Members,

    /// Remove the name
    #[arg(long, conflicts_with = "name")]
    clear_name: bool,

    /// Remove the title
    #[arg(long, conflicts_with = "title")]
    clear_title: bool,

    /// Remove the reference id
    #[arg(long, conflicts_with = "reference_id")]
    clear_reference_id: bool,

    /// Whether the person is archived
    #[arg(long, value_name = "ON|OFF")]
    archived: Option<Switch>,
}

impl From<UpdateArgs> for PersonChange {
    fn from(given: UpdateArgs) -> Self {
        let mut change = narrow!(
            Self::new(),
            name(given.members.name),
            title(given.members.title),
            reference_id(given.members.reference_id),
            archived(given.archived.map(bool::from)),
        );
        if given.clear_name {
            change = change.clear_name();
        }
        if given.clear_title {
            change = change.clear_title();
        }
        if given.clear_reference_id {
            change = change.clear_reference_id();
        }
        change
    }
}

/// One relationship.
#[derive(Debug, Args)]
pub(crate) struct Relation {
    /// The person's id
    person: PersonId,

    /// What the person is related to
    #[arg(value_name = "KIND")]
    entity_type: Entity,

    /// The id of the customer, location or booking
    entity: RelatedEntityId,
}

/// The kinds of entities that people are related to.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Entity {
    Customer,
    Location,
    Booking,
}

impl From<Entity> for RelatedEntityType {
    fn from(entity: Entity) -> Self {
        match entity {
            Entity::Customer => Self::Customer,
            Entity::Location => Self::Location,
            Entity::Booking => Self::Booking,
        }
    }
}

impl People {
    pub(crate) async fn run(self, session: &Session<'_>) -> Result<Status, CliError> {
        let (service, output) = (&session.service, session.output);
        match self {
            Self::List { filter, list } => {
                list.show(session, service.people().list(filter.into())).await?;
            }
            Self::Get { person } => {
                let records = output.records()?;
                records.one(&service.person(person).get().await?)?;
            }
            Self::Create { members } => {
                let records = output.records::<Person>()?;
                let request = narrow!(
                    CreatePersonRequest::new(),
                    name(members.name),
                    title(members.title),
                    reference_id(members.reference_id),
                );
                records.one(&service.people().create(request).await?)?;
            }
            Self::Replace { person, members, archived } => {
                let records = output.records::<Person>()?;
                let request = narrow!(
                    ReplacePersonRequest::new(archived.into()),
                    name(members.name),
                    title(members.title),
                    reference_id(members.reference_id),
                );
                records.one(&service.person(person).replace(request).await?)?;
            }
            Self::Update { person, change } => update(session, person, change.into()).await?,
            Self::Delete { person } => {
                service.transport().may_be_confirmed()?;
                let handle = service.person(person);
                let record = handle.get().await?;
                note(
                    "the contact methods and relationships are deleted too, and no command restores them",
                );
                let deletion = Deletion {
                    subject: format!("person {person}"),
                    record: &record,
                    restore: vec![
                        Restore::with("people create")
                            .option("name", record.name.as_ref())
                            .option("title", record.title.as_ref())
                            .option("reference-id", record.reference_id.as_ref()),
                    ],
                };
                deletion.run(session, handle.delete()).await?;
            }
            Self::RelatedTo { entity, filter, list } => {
                let people = service.people().related_to(entity, filter.into());
                list.show(session, people).await?;
            }
            Self::Relationships {
                person,
                entity_type,
                entity,
                created_since,
                created_before,
                order,
                list,
            } => {
                let entity_type = entity_type.map(RelatedEntityType::from);
                let filter = narrow!(
                    RelationshipFilter::new(),
                    entity_type(entity_type),
                    related_entity_id(entity),
                    created_on_or_after(created_since),
                    created_before(created_before),
                    sort(order.of()),
                );
                list.show(session, service.person(person).relationships(filter)).await?;
            }
            Self::Relate(relation) => {
                let person = service.person(relation.person);
                person.relate(relation.entity_type.into(), relation.entity).await?;
                output.done("related", &relation.to_string())?;
            }
            Self::Unrelate(relation) => {
                let person = service.person(relation.person);
                person.unrelate(relation.entity_type.into(), relation.entity).await?;
                output.done("ended", &relation.to_string())?;
            }
        }
        Ok(Status::Done)
    }
}

async fn update(session: &Session<'_>, id: PersonId, change: PersonChange) -> Result<(), CliError> {
    change.check().map_err(crm_contacts::ContactsError::from)?;
    let records = session.output.records::<Person>()?;
    let person = session.service.person(id);
    let reading = person.read().await?;
    let planned = change.would_change(&reading.record);
    let updated = person.update_from(reading, &change, None);
    update::make(session, records, format!("person {id}"), planned, updated).await
}

impl std::fmt::Display for Relation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = RelatedEntityType::from(self.entity_type);
        write!(f, "person {}, {kind} {}", self.person, self.entity)
    }
}
