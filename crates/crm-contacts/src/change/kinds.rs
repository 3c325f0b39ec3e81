//! The members of each kind of record, and what each kind of request asks of them.

use crm_models::{
    Contact, ContactMethod, ContactMethodRequest, ContactType, MethodPreference, Person,
    Preference, ReplacePersonRequest, Timestamp, UpdateBookingContactRequest,
    UpdateContactMethodRequest, UpdateContactRequest, UpdateMethodPreferenceRequest,
    UpdatedBookingContact,
};

use super::record::{Asks, Record};

/// A record of any kind that can be changed, as an [`Echo`](crate::Echo) holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnyRecord {
    /// A contact of a location or a customer.
    Contact(Contact),
    /// A contact of a booking.
    BookingContact(UpdatedBookingContact),
    /// A person.
    Person(Person),
    /// A contact method of a person.
    ContactMethod(ContactMethod),
    /// A preference of a contact method.
    MethodPreference(MethodPreference),
}

impl AnyRecord {
    /// Returns the contact of a location or a customer, if the record is one.
    #[must_use]
    pub fn as_contact(&self) -> Option<&Contact> {
        match self {
            Self::Contact(contact) => Some(contact),
            _ => None,
        }
    }
}

macro_rules! any_record {
    ($($variant:ident($record:ty),)*) => {$(
        impl From<$record> for AnyRecord {
            fn from(record: $record) -> Self {
                Self::$variant(record)
            }
        }
    )*};
}

any_record! {
    Contact(Contact),
    BookingContact(UpdatedBookingContact),
    Person(Person),
    ContactMethod(ContactMethod),
    MethodPreference(MethodPreference),
}

const TYPE: usize = 0;
const VALUE: usize = 1;
const MEMO: usize = 2;
/// The members of a contact: these three, then its preferences.
const CONTACT: [&str; MEMO + 1 + Preference::ALL.len()] = {
    let mut members = [""; MEMO + 1 + Preference::ALL.len()];
    (members[TYPE], members[VALUE], members[MEMO]) = ("type", "value", "memo");
    let mut at = 0;
    while at < Preference::ALL.len() {
        members[MEMO + 1 + at] = Preference::ALL[at].path();
        at += 1;
    }
    members
};

/// Returns the preference that this member of a contact is.
fn preference(member: usize) -> Option<Preference> {
    let place = member.checked_sub(MEMO + 1)?;
    Preference::ALL.get(place).copied()
}

impl Record for Contact {
    const MEMBERS: &'static [&'static str] = &CONTACT;
    const IDENTITY: usize = 2;

    fn text(&self, member: usize) -> Option<&str> {
        match member {
            TYPE => Some(self.contact_type.as_str()),
            VALUE => Some(&self.value),
            MEMO => self.memo.as_deref(),
            _ => Some(truth(self.preferences?.get(preference(member)?))),
        }
    }

    fn contact_type(&self) -> Option<&ContactType> {
        Some(&self.contact_type)
    }

    /// An older service does not answer the flags that came later.
    fn knows(&self, member: usize) -> bool {
        let flag = self.preferences.zip(preference(member));
        flag.is_none_or(|(flags, one)| flags.answered(one).is_some())
    }

    fn modified_on(&self) -> Option<Timestamp> {
        Some(self.modified_on)
    }
}

impl Asks for UpdateContactRequest {
    type Record = Contact;

    fn asks(&self, member: usize) -> Option<&str> {
        match member {
            TYPE => self.get_contact_type().map(ContactType::as_str),
            VALUE => self.get_value(),
            MEMO => self.get_memo(),
            _ => {
                let flags = self.get_preferences()?;
                flags.written(preference(member)?).map(truth)
            }
        }
    }

    /// Only a service that knows a flag can give it a value of its own.
    fn insists_on(&self, member: usize) -> bool {
        let flag = self.get_preferences().zip(preference(member));
        flag.is_some_and(|(flags, one)| !flags.is_implied(one))
    }
}

impl Record for UpdatedBookingContact {
    const MEMBERS: &'static [&'static str] = &["type", "value", "memo"];
    const IDENTITY: usize = 2;

    fn text(&self, member: usize) -> Option<&str> {
        match member {
            TYPE => self.contact_type.as_ref().map(ContactType::as_str),
            VALUE => self.value.as_deref(),
            _ => self.memo.as_deref(),
        }
    }

    fn contact_type(&self) -> Option<&ContactType> {
        self.contact_type.as_ref()
    }

    fn modified_on(&self) -> Option<Timestamp> {
        self.modified_on
    }

    /// The contract documents the answer in the form of the request, without the other members.
    fn complete(&mut self, before: &Self, is_asked: impl Fn(usize) -> bool) {
        self.id = self.id.or(before.id);
        if !is_asked(TYPE) && self.contact_type.is_none() {
            self.contact_type.clone_from(&before.contact_type);
        }
        if !is_asked(VALUE) && self.value.is_none() {
            self.value.clone_from(&before.value);
        }
        if !is_asked(MEMO) && self.memo.is_none() {
            self.memo.clone_from(&before.memo);
        }
    }
}

impl Asks for UpdateBookingContactRequest {
    type Record = UpdatedBookingContact;

    fn asks(&self, member: usize) -> Option<&str> {
        match member {
            TYPE => self.get_contact_type().map(ContactType::as_str),
            VALUE => self.get_value(),
            _ => self.get_memo(),
        }
    }
}

impl Record for Person {
    const MEMBERS: &'static [&'static str] = &["name", "title", "referenceId", "isArchived"];
    /// None: a request names every member of a person.
    const IDENTITY: usize = 0;

    fn text(&self, member: usize) -> Option<&str> {
        match member {
            0 => self.name.as_deref(),
            1 => self.title.as_deref(),
            2 => self.reference_id.as_deref(),
            _ => Some(truth(self.is_archived)),
        }
    }

    fn modified_on(&self) -> Option<Timestamp> {
        Some(self.modified_on)
    }
}

impl Asks for ReplacePersonRequest {
    type Record = Person;

    fn asks(&self, member: usize) -> Option<&str> {
        Some(match member {
            0 => self.get_name().unwrap_or_default(),
            1 => self.get_title().unwrap_or_default(),
            2 => self.get_reference_id().unwrap_or_default(),
            _ => truth(self.get_is_archived()),
        })
    }
}

impl Record for ContactMethod {
    const MEMBERS: &'static [&'static str] = &["type", "value", "memo", "referenceId"];
    const IDENTITY: usize = 2;

    fn text(&self, member: usize) -> Option<&str> {
        match member {
            TYPE => Some(self.contact_type.as_str()),
            VALUE => Some(&self.value),
            MEMO => self.memo.as_deref(),
            _ => self.reference_id.as_deref(),
        }
    }

    fn contact_type(&self) -> Option<&ContactType> {
        Some(&self.contact_type)
    }

    fn modified_on(&self) -> Option<Timestamp> {
        Some(self.modified_on)
    }
}

impl Asks for UpdateContactMethodRequest {
    type Record = ContactMethod;

    fn asks(&self, member: usize) -> Option<&str> {
        match member {
            VALUE => self.get_value(),
            MEMO => self.get_memo(),
            _ => None,
        }
    }
}

impl Asks for ContactMethodRequest {
    type Record = ContactMethod;

    fn asks(&self, member: usize) -> Option<&str> {
        Some(match member {
            TYPE => self.get_contact_type().as_str(),
            VALUE => self.get_value(),
            MEMO => self.get_memo().unwrap_or_default(),
            _ => self.get_reference_id().unwrap_or_default(),
        })
    }
}

impl Record for MethodPreference {
    const MEMBERS: &'static [&'static str] = &["value"];
    const IDENTITY: usize = 0;

    fn text(&self, _: usize) -> Option<&str> {
        self.value.as_deref()
    }

    /// Compares without regard to case, since the values are truth values as text.
    fn has(&self, _: usize, asked: &str) -> bool {
        let value = self.value.as_deref().unwrap_or_default();
        asked.trim().eq_ignore_ascii_case(value.trim())
    }

    /// The API has no such member here.
    fn modified_on(&self) -> Option<Timestamp> {
        None
    }
}

impl Asks for UpdateMethodPreferenceRequest {
    type Record = MethodPreference;

    fn asks(&self, _: usize) -> Option<&str> {
        Some(self.get_value())
    }
}

fn truth(on: bool) -> &'static str {
    if on { "true" } else { "false" }
}
