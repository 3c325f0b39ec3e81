//! `crm location-contacts` and `crm customer-contacts`: the same commands on both.

mod update;

use clap::Subcommand;
use crm_contacts::Creation;
use crm_models::{Contact, ContactFilter, OwnedContact, Preference};

use super::{
    args::{ContactArgs, NewContact, TypedOwner, narrow},
    delete::{Deletion, Restore},
    ledger::note_created,
    list::ListArgs,
    times::{Times, between},
};
use crate::{error::CliError, globals::Format, output::note, session::Session, status::Status};

/// What can be done with the contacts of a kind of owner.
#[derive(Debug, Subcommand)]
pub(crate) enum OwnerContacts<O: TypedOwner> {
    #[command(about = format!("List the contacts of one {}", O::NOUN))]
    List {
        #[arg(value_name = O::NOUN.to_uppercase(), help = format!("The {}'s id", O::NOUN))]
        owner: O,

        #[command(flatten)]
        list: ListArgs,
    },

    /// Show one contact
    Get {
        #[command(flatten)]
        of: ContactArgs<O>,
    },

    /// Create a contact
    Create {
        #[arg(value_name = O::NOUN.to_uppercase(), help = format!("The {}'s id", O::NOUN))]
        owner: O,

        #[command(flatten)]
        contact: NewContact,

        /// Create nothing if the owner already has a contact with this value
        #[arg(long)]
        unless_present: bool,
    },

    /// Change a contact, and show what changed
    Update(update::Update<O>),

    /// Delete a contact
    Delete {
        #[command(flatten)]
        of: ContactArgs<O>,
    },

    #[command(about = format!("List contacts over all {}, by time or by ids", O::COLLECTION))]
    Changed {
        #[command(flatten)]
        times: Times,

        /// Only of these owners
        #[arg(long, value_name = "ID,ID", value_delimiter = ',')]
        ids: Option<Vec<O>>,

        #[command(flatten)]
        list: ListArgs,
    },
}

impl<O: TypedOwner> OwnerContacts<O> {
    pub(crate) async fn run(self, session: &Session<'_>) -> Result<Status, CliError> {
        let (service, output) = (&session.service, session.output);
        match self {
            Self::List { owner, list } => {
                let contacts = service.owner(owner).list();
                match output.format() {
                    // Rows go on to other programs and come back: each says whose contact it is.
                    Format::Csv | Format::Ndjson => {
                        let owned = |contact| OwnedContact::new(owner, contact);
                        list.show_as(session, contacts, owned).await?;
                    }
                    Format::Table | Format::Json => list.show(session, contacts).await?,
                }
            }
            Self::Get { of } => {
                let records = output.records()?;
                records.one(&service.owner(of.owner).find(of.contact).await?)?;
            }
            Self::Create { owner, contact, unless_present } => {
                let records = output.records::<Contact>()?;
                let contacts = service.owner(owner);
                let request = contact.request(session.region()?)?;
                note_created(session, request.get_value())?;
                let created = if unless_present {
                    contacts.create_unless_present(request).await?
                } else {
                    Creation::Created(contacts.create(request).await?)
                };
                if let Creation::Present(present) = &created {
                    note(format!("there already as contact {}; nothing was sent", present.id));
                }
                records.one(&created.into_contact())?;
            }
            Self::Update(update) => update.run(session).await?,
            Self::Delete { of } => {
                service.transport().may_be_confirmed()?;
                let contacts = service.owner(of.owner);
                let record = contacts.find(of.contact).await?;
                let deletion = Deletion {
                    subject: of.to_string(),
                    record: &record,
                    restore: restore(of.owner, &record),
                };
                deletion.run(session, contacts.delete(of.contact)).await?;
            }
            Self::Changed { times, ids, list } => {
                let filter = narrow!(between!(ContactFilter::<O>::new(), times), owners(ids));
                list.show(session, service.changed(filter)).await?;
            }
        }
        Ok(Status::Done)
    }
}

/// What creates the contact again, with what it receives.
fn restore<O: TypedOwner>(owner: O, contact: &Contact) -> Vec<Restore> {
    let of = format!("{}-contacts", O::NOUN);
    let create = Restore::with(format!("{of} create {owner}"))
        .option("type", Some(&contact.contact_type))
        .option("value", Some(&contact.value))
        .option("memo", contact.memo.as_ref());
    let flags = contact.preferences.as_ref().map(|flags| {
        let update = Restore::with(format!("{of} update {owner} NEW_ID"));
        let settable = Preference::SETTABLE.into_iter();
        settable.fold(update, |update, flag| update.switch(flag.option(), flags.get(flag)))
    });
    [create].into_iter().chain(flags).collect()
}
