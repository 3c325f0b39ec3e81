//! `crm contact-methods`: telephone numbers and addresses of people.

use clap::{Args, Subcommand};
use crm_contacts::RecordChange as _;
use crm_models::{
    ContactMethod, ContactMethodFilter, ContactMethodRequest, ContactType, PersonId,
    UpdateContactMethodRequest,
};
use crm_values::Region;

use super::{
    args::{MethodArgs, NewContact, Order, contact_type, narrow},
    delete::{Deletion, Restore},
    ledger::{self, OverrideArgs, note_created},
    list::ListArgs,
    times::{Times, between},
    update::{self, Texts},
};
use crate::{error::CliError, session::Session, status::Status};

/// What can be done with contact methods.
#[derive(Debug, Subcommand)]
pub(crate) enum ContactMethods {
    /// List the contact methods of one person
    List {
        /// The person's id
        person: PersonId,

        #[command(flatten)]
        filter: Filter,

        #[command(flatten)]
        list: ListArgs,
    },

    /// Find contact methods of all people; --fields contactId,id,value shows whose they are
    Search {
        #[command(flatten)]
        filter: Filter,

        #[command(flatten)]
        list: ListArgs,
    },

    /// Show one contact method
    Get {
        #[command(flatten)]
        of: MethodArgs,
    },

    /// Create a contact method
    Create {
        /// The person's id
        person: PersonId,

        #[command(flatten)]
        members: Members,
    },

    /// Replace a contact method, or create it under this id
    Upsert {
        #[command(flatten)]
        of: MethodArgs,

        #[command(flatten)]
        members: Members,

        #[command(flatten)]
        consent: OverrideArgs,
    },

    /// Change value or memo, and show what changed; changing the type takes an upsert
    Update {
        #[command(flatten)]
        of: MethodArgs,

        #[command(flatten)]
        texts: Texts,

        #[command(flatten)]
        consent: OverrideArgs,
    },

    /// Delete a contact method
    Delete {
        #[command(flatten)]
        of: MethodArgs,
    },
}

/// Which contact methods, in which order.
#[derive(Debug, Args)]
pub(crate) struct Filter {
    /// Of this kind
    #[arg(long = "type", value_name = "TYPE", ignore_case = true, value_parser = contact_type())]
    contact_type: Option<ContactType>,

    /// With this telephone number or address
    #[arg(long, allow_hyphen_values = true)]
    value: Option<String>,

    /// With this id of your own
    #[arg(long, value_name = "ID")]
    reference_id: Option<String>,

    #[command(flatten)]
    times: Times,

    #[command(flatten)]
    order: Order,
}

impl From<Filter> for ContactMethodFilter {
    fn from(given: Filter) -> Self {
        narrow!(
            between!(Self::new(), given.times),
            contact_type(given.contact_type),
            value(given.value),
            reference_id(given.reference_id),
            sort(given.order.of()),
        )
    }
}

/// All members of a contact method.
#[derive(Debug, Args)]
pub(crate) struct Members {
    #[command(flatten)]
    contact: NewContact,

    /// An id of your own
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    reference_id: Option<String>,
}

impl Members {
    fn request(self, desk: Region) -> Result<ContactMethodRequest, CliError> {
        let (value, memo) = self.contact.read(desk)?;
        let request = ContactMethodRequest::new(self.contact.contact_type, value);
        Ok(narrow!(request, memo(memo), reference_id(self.reference_id)))
    }
}

impl ContactMethods {
    pub(crate) async fn run(self, session: &Session<'_>) -> Result<Status, CliError> {
        let (service, output) = (&session.service, session.output);
        match self {
            Self::List { person, filter, list } => {
                let methods = service.person(person).methods(filter.into());
                list.show(session, methods).await?;
            }
            Self::Search { filter, list } => {
                let methods = service.people().contact_methods(filter.into());
                list.show(session, methods).await?;
            }
            Self::Get { of } => {
                let records = output.records()?;
                records.one(&of.handle(service).get().await?)?;
            }
            Self::Create { person, members } => {
                let records = output.records::<ContactMethod>()?;
                let (person, request) =
                    (service.person(person), members.request(session.region()?)?);
                note_created(session, request.get_value())?;
                records.one(&person.create_method(request).await?)?;
            }
            Self::Upsert { of, members, consent } => {
                let records = output.records::<ContactMethod>()?;
                let request = members.request(session.region()?)?;
                admit_upsert(session, &of, request.get_value(), &consent).await?;
                records.one(&of.handle(service).upsert(request).await?)?;
            }
            Self::Update { of, texts, consent } => {
                let update = |value: Option<String>, memo: Option<String>| {
                    narrow!(UpdateContactMethodRequest::new(), value(value), memo(memo))
                };
                let (value, memo) = texts.typed();
                update::check_typed(&update(value, memo))?;
                let method = of.handle(service);
                let records = output.records::<ContactMethod>()?;
                let reading = method.read().await?;
                let before = &reading.record;
                let (kind, memo) = (&before.contact_type, before.memo.as_deref());
                let (value, memo) = texts.beside(session.region()?, kind, &before.value, memo)?;
                if let Some(value) = &value {
                    consent.of_method(session, &of, &before.value, value).await?;
                }
                let update = update(value, memo);
                let planned = update.would_change(before);
                let updated = method.update_from(reading, &update, None);
                update::make(session, records, of.to_string(), planned, updated).await?;
            }
            Self::Delete { of } => {
                service.transport().may_be_confirmed()?;
                let handle = of.handle(service);
                let record = handle.get().await?;
                let deletion = Deletion {
                    subject: of.to_string(),
                    record: &record,
                    restore: vec![
                        Restore::with(format!(
                            "contact-methods upsert {} {}",
                            of.person, of.method
                        ))
                        .option("type", Some(&record.contact_type))
                        .option("value", Some(&record.value))
                        .option("memo", record.memo.as_ref())
                        .option("reference-id", record.reference_id.as_ref()),
                    ],
                };
                deletion.run(session, handle.delete()).await?;
            }
        }
        Ok(Status::Done)
    }
}

/// Asks the consent ledger about a method that is replaced, or created under its id.
async fn admit_upsert(
    session: &Session<'_>,
    of: &MethodArgs,
    value: &str,
    consent: &OverrideArgs,
) -> Result<(), CliError> {
    // Without a ledger there is nothing to be read for.
    if !ledger::is_there(session)? {
        return Ok(());
    }
    match of.handle(&session.service).get().await {
        Ok(before) => consent.of_method(session, of, &before.value, value).await,
        Err(error) if error.is_not_found() => note_created(session, value),
        Err(error) => Err(error.into()),
    }
}
