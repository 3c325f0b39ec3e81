//! `crm booking-contacts`.

use std::fmt;

use clap::{Args, Subcommand};
use crm_contacts::RecordChange as _;
use crm_models::{
    BookingContact, BookingId, BookingProviderId, ContactId, ContactType,
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
        #[command(flatten)]
        of: Place,
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
        #[command(flatten)]
        of: Place,

        /// The new kind of contact
        #[arg(long = "type", value_name = "TYPE", ignore_case = true, value_parser = contact_type())]
        contact_type: Option<ContactType>,

        #[command(flatten)]
        texts: Texts,
    },

    /// Delete a contact
    Delete {
        #[command(flatten)]
        of: Place,
    },
}

/// A contact of a booking.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The booking's id
    booking: BookingId,

    /// The contact's id
    contact: ContactId,

    /// The booking provider
    #[arg(long, value_name = "ID")]
    provider: BookingProviderId,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "booking {}, contact {}", self.booking, self.contact)
    }
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
            Self::Get { of } => {
                let records = output.records()?;
                let contacts = service.provider_booking(of.provider, of.booking);
                records.one(&contacts.find(of.contact).await?)?;
            }
            Self::Create { booking, provider, contact } => {
                let records = output.records::<BookingContact>()?;
                let contacts = service.provider_booking(provider, booking);
                records.one(&contacts.create(contact.request(session.region()?)?).await?)?;
            }
            Self::Update { of, contact_type, texts } => {
                let records = output.records::<BookingContact>()?;
                let update = |value: Option<String>, memo: Option<String>| {
                    narrow!(
                        UpdateBookingContactRequest::new(),
                        contact_type(contact_type.clone()),
                        value(value),
                        memo(memo),
                    )
                };
                let (value, memo) = texts.typed();
                update::check_typed(&update(value, memo))?;
                let contacts = service.provider_booking(of.provider, of.booking);
                let reading = contacts.read(of.contact).await?;
                let before = &reading.record;
                let kind = contact_type.as_ref().unwrap_or(&before.contact_type);
                let (value, memo) =
                    texts.beside(session.region()?, kind, &before.value, before.memo.as_deref())?;
                let update = update(value, memo);
                let planned = update.would_change(&before.clone().into());
                let updated = contacts.update_from(reading, &update, None);
                update::make(session, records, of.to_string(), planned, updated).await?;
            }
            Self::Delete { of } => {
                let contacts = service.provider_booking(of.provider, of.booking);
                service.transport().may_be_confirmed()?;
                let record = contacts.find(of.contact).await?;
                let Place { booking, provider, .. } = &of;
                let deletion = Deletion {
                    subject: of.to_string(),
                    record: &record,
                    restore: vec![
                        Restore::with(format!(
                            "booking-contacts create {booking} --provider={provider}"
                        ))
                        .option("type", Some(&record.contact_type))
                        .option("value", Some(&record.value))
                        .option("memo", record.memo.as_ref()),
                    ],
                };
                deletion.run(session, contacts.delete(of.contact)).await?;
            }
        }
        Ok(Status::Done)
    }
}
