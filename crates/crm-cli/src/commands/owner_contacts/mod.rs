//! `crm location-contacts` and `crm customer-contacts`: the same commands on both.

mod update;

use clap::Subcommand;
use crm_contacts::Creation;
use crm_models::{Contact, ContactFilter, ContactId, OwnedContact, Preference};

use super::{
    args::{NewContact, Times, TypedOwner, narrow},
    delete::{Deletion, Restore},
    list::ListArgs,
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
        #[arg(value_name = O::NOUN.to_uppercase(), help = format!("The {}'s id", O::NOUN))]
        owner: O,

        /// The contact's id
        contact: ContactId,
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
        #[arg(value_name = O::NOUN.to_uppercase(), help = format!("The {}'s id", O::NOUN))]
        owner: O,

        /// The contact's id
        contact: ContactId,
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
            Self::Get { owner, contact } => {
                let records = output.records()?;
                records.one(&service.owner(owner).find(contact).await?)?;
            }
            Self::Create { owner, contact, unless_present } => {
                let records = output.records::<Contact>()?;
                let contacts = service.owner(owner);
                let request = contact.request()?;
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
            Self::Delete { owner, contact } => {
                service.transport().may_be_confirmed()?;
                let contacts = service.owner(owner);
                let record = contacts.find(contact).await?;
                let deletion = Deletion {
                    subject: format!("{} {owner}, contact {contact}", O::NOUN),
                    record: &record,
                    restore: restore(owner, &record),
                };
                deletion.run(session, contacts.delete(contact)).await?;
            }
            Self::Changed { times, ids, list } => {
                let filter = narrow!(
                    ContactFilter::<O>::new(),
                    owners(ids),
                    modified_on_or_after(times.modified_since),
                    modified_before(times.modified_before),
                    created_on_or_after(times.created_since),
                    created_before(times.created_before),
                );
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
