//! `crm customers` and `crm locations`: the owners of contacts themselves, which are only read.

use std::fmt::Debug;

use clap::{Args, Subcommand};
use crm_models::{CustomerId, LocationId, OwnerFilter, Whether};

use super::{
    args::{Choice, Order, TypedOwner, narrow},
    export::ExportArgs,
    list::ListArgs,
    times::{Times, between},
};
use crate::{error::CliError, output::Record, session::Session, status::Status};

/// What can be done with owners of one kind.
#[derive(Debug, Subcommand)]
pub(crate) enum Owners<O: Filtered> {
    #[command(about = format!("Show one {}", O::NOUN))]
    Get {
        #[arg(value_name = O::NOUN.to_uppercase(), help = format!("The {}'s id", O::NOUN))]
        id: O,
    },

    #[command(about = format!("List {}, the active ones if nothing else is asked for", O::COLLECTION))]
    List {
        #[command(flatten)]
        filter: Box<Filter<O>>,

        #[command(flatten)]
        list: ListArgs,
    },

    #[command(
        about = format!("Pull all {}, deactivated and merged ones too, and continue where it ended", O::COLLECTION)
    )]
    Export(ExportArgs),
}

/// An owner with a filter that only its kind has.
pub(crate) trait Filtered: TypedOwner<Details: Record> {
    type Own: Args + Debug;

    fn narrow(filter: OwnerFilter<Self>, own: Self::Own) -> OwnerFilter<Self>;
}

/// The filter that only customers have.
#[derive(Debug, Args)]
pub(crate) struct OfCustomers {
    /// With a contact that has this telephone number; how the service compares is not documented
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
}

impl Filtered for CustomerId {
    type Own = OfCustomers;

    fn narrow(filter: OwnerFilter<Self>, own: OfCustomers) -> OwnerFilter<Self> {
        narrow!(filter, phone(own.phone))
    }
}

/// The filter that only locations have.
#[derive(Debug, Args)]
pub(crate) struct OfLocations {
    /// Only of this customer
    #[arg(long, value_name = "ID")]
    customer: Option<CustomerId>,
}

impl Filtered for LocationId {
    type Own = OfLocations;

    fn narrow(filter: OwnerFilter<Self>, own: OfLocations) -> OwnerFilter<Self> {
        narrow!(filter, customer(own.customer))
    }
}

/// Which owners, in which order. Whether a part of a text is enough is not documented.
#[derive(Debug, Args)]
pub(crate) struct Filter<O: Filtered> {
    #[command(flatten)]
    own: O::Own,

    /// Only these
    #[arg(long, value_name = "ID,ID", value_delimiter = ',')]
    ids: Option<Vec<O>>,

    /// With this name; whether a part of it is enough is not documented
    #[arg(long)]
    name: Option<String>,

    /// In this street
    #[arg(long)]
    street: Option<String>,

    /// In this unit of a building
    #[arg(long)]
    unit: Option<String>,

    /// In this city
    #[arg(long)]
    city: Option<String>,

    /// In this state
    #[arg(long)]
    state: Option<String>,

    /// With this postal code
    #[arg(long)]
    zip: Option<String>,

    /// In this country
    #[arg(long)]
    country: Option<String>,

    /// Active, deactivated, or any; without it active
    #[arg(long, value_name = "YES|NO|ANY")]
    active: Option<Choice>,

    #[command(flatten)]
    times: Times,

    #[command(flatten)]
    order: Order,
}

impl<O: Filtered> From<Filter<O>> for OwnerFilter<O> {
    fn from(given: Filter<O>) -> Self {
        let filter = narrow!(
            between!(Self::new(), given.times),
            ids(given.ids),
            name(given.name),
            street(given.street),
            unit(given.unit),
            city(given.city),
            state(given.state),
            zip(given.zip),
            country(given.country),
            active(given.active.map(Whether::from)),
            sort(given.order.of()),
        );
        O::narrow(filter, given.own)
    }
}

impl<O: Filtered> Owners<O> {
    pub(crate) async fn run(self, session: &Session<'_>) -> Result<Status, CliError> {
        let owners = session.service.owners::<O>();
        match self {
            Self::Get { id } => {
                let records = session.output.records()?;
                records.one(&owners.get(id).await?)?;
            }
            Self::List { filter, list } => {
                list.show(session, owners.list((*filter).into())).await?
            }
            Self::Export(export) => {
                return export.run(session, O::COLLECTION, owners.export()).await;
            }
        }
        Ok(Status::Done)
    }
}
