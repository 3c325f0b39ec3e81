//! `crm booking-contacts`.

use clap::Subcommand;
use crm_contacts::RecordChange as _;
use crm_models::{
    BookingContact, BookingId, BookingProviderId, CheckWith, ContactId, ContactType, Tolerance,
    UpdateBookingContactRequest,
};

use super::{
    args::{NewContact, contact_type, narrow},
    delete::{Deletion, Restore},
    list::ListArgs,
    update::{self, Texts},
};
use crate::{error::CliError, session::Session, status::Status};

/// What can be done with the contacts of a booking. Writes go through its booking provider.
#[derive(Debug, Subcommand)]
pub(crate) enum BookingContacts {
    /// List the contacts of one booking
    List {
        /// The booking's id
        booking: BookingId,

        /// Through this booking provider; required if the app is tied to one
        #[arg(long, value_name = "ID")]
        provider: Option<BookingProviderId>,

        #[command(flatten)]
        list: ListArgs,
    },

    /// Show one contact
    Get {
        /// The booking's id
        booking: BookingId,

        /// The contact's id
        contact: ContactId,

        /// The booking provider
        #[arg(long, value_name = "ID")]
        provider: BookingProviderId,
    },

    /// Create a contact
    Create {
        /// The booking's id
        booking: BookingId,

        /// The booking provider
        #[arg(long, value_name = "ID")]
        provider: BookingProviderId,

        #[command(flatten)]
        contact: NewContact,
    },

    /// Change a contact, and show what changed
    Update {
        /// The booking's id
        booking: BookingId,

        /// The contact's id
        contact: ContactId,

        /// The booking provider
        #[arg(long, value_name = "ID")]
        provider: BookingProviderId,

        /// The new kind of contact
        #[arg(long = "type", value_name = "TYPE", ignore_case = true, value_parser = contact_type())]
        contact_type: Option<ContactType>,

        #[command(flatten)]
        texts: Texts,
    },

    /// Delete a contact
    Delete {
        /// The booking's id
        booking: BookingId,

        /// The contact's id
        contact: ContactId,

        /// The booking provider
        #[arg(long, value_name = "ID")]
        provider: BookingProviderId,
    },
}

impl BookingContacts {
    pub(crate) async fn run(self, session: &Session<'_>) -> Result<Status, CliError> {
        let (service, output) = (&session.service, session.output);
        match self {
            Self::List { booking, provider: None, list } => {
                list.show(session, service.booking(booking).list()).await?;
            }
            Self::List { booking, provider: Some(provider), list } => {
                let contacts = service.provider_booking(provider, booking);
                list.show(session, contacts.list()).await?;
            }
            Self::Get { booking, contact, provider } => {
                let records = output.records()?;
                let contacts = service.provider_booking(provider, booking);
                records.one(&contacts.find(contact).await?)?;
            }
            Self::Create { booking, provider, contact } => {
                let records = output.records::<BookingContact>()?;
                let contacts = service.provider_booking(provider, booking);
                records.one(&contacts.create(contact.request()?).await?)?;
            }
            Self::Update { booking, contact, provider, contact_type, texts } => {
                let subject = format!("booking {booking}, contact {contact}");
                let records = output.records::<BookingContact>()?;
                // Whether a value fits the type is known after the read only.
                let update = |value: Option<String>, memo: Option<String>| {
                    narrow!(
                        UpdateBookingContactRequest::new(),
                        contact_type(contact_type.clone()),
                        value(value),
                        memo(memo),
                    )
                };
                let (value, memo) = texts.typed();
                update(value, memo)
                    .check_with(Tolerance::AnyType)
                    .map_err(crm_contacts::ContactsError::from)?;
                let contacts = service.provider_booking(provider, booking);
                let reading = contacts.read(contact).await?;
                let before = &reading.record;
                let kind = contact_type.as_ref().unwrap_or(&before.contact_type);
                let (value, memo) = texts.beside(kind, &before.value, before.memo.as_deref())?;
                let update = update(value, memo);
                let planned = update.would_change(&before.clone().into());
                let updated = contacts.update_from(reading, &update, None);
                update::make(session, records, subject, planned, updated).await?;
            }
            Self::Delete { booking, contact, provider } => {
                let contacts = service.provider_booking(provider, booking);
                service.transport().may_be_confirmed()?;
                let record = contacts.find(contact).await?;
                let create = format!("booking-contacts create {booking} --provider={provider}");
                let deletion = Deletion {
                    subject: format!("booking {booking}, contact {contact}"),
                    record: &record,
                    restore: vec![
                        Restore::with(create)
                            .option("type", Some(&record.contact_type))
                            .option("value", Some(&record.value))
                            .option("memo", record.memo.as_ref()),
                    ],
                };
                deletion.run(session, contacts.delete(contact)).await?;
            }
        }
        Ok(Status::Done)
    }
}
