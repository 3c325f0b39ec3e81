//! What the members of each kind of record are, in the API's words.

use crm_models::{
    BookingContact, Contact, ContactMethod, ContactOwner, ContactRelationship, ExportedContact,
    MethodPreference, OwnedContact, Person, Preference, PreferenceType, Raw,
};
use crm_sandbox::Setting;
use serde::Serialize;

/// A record that can be written as a row. Members are dotted paths into its JSON form.
pub(crate) trait Record: Serialize {
    /// Every member, in the order of CSV columns.
    const MEMBERS: &'static [&'static str];

    /// The members that a table shows, each with the column's title.
    const TABLE: &'static [(&'static str, &'static str)];
}

/// The same record as the service wrote it.
impl<R: Record> Record for Raw<R> {
    const MEMBERS: &'static [&'static str] = R::MEMBERS;
    const TABLE: &'static [(&'static str, &'static str)] = R::TABLE;
}

/// How many members contacts have, and how many a table shows.
const OF_CONTACT: usize = 8 + Preference::ALL.len();
const SHOWN: usize = 5 + Preference::SETTABLE.len();

/// The members of a contact, between those that are given.
const fn contact_members<const N: usize>(
    before: &[&'static str],
    after: &[&'static str],
) -> [&'static str; N] {
    let mut flags = [""; Preference::ALL.len()];
    let mut at = 0;
    while at < flags.len() {
        flags[at] = Preference::ALL[at].path();
        at += 1;
    }
    let settings = ["phoneSettings.phoneNumber", "phoneSettings.doNotText"];
    joined([
        before,
        &["id", "type", "value", "memo"],
        &settings,
        &flags,
        &["createdOn", "modifiedOn"],
        after,
    ])
}

type Shown = (&'static str, &'static str);

/// What a table shows of a contact, after what is given.
const fn contact_table<const N: usize>(before: &[Shown]) -> [Shown; N] {
    let mut flags = [("", ""); Preference::SETTABLE.len()];
    let mut at = 0;
    while at < flags.len() {
        let flag = Preference::SETTABLE[at];
        flags[at] = (flag.path(), flag.heading());
        at += 1;
    }
    let members = [("id", "ID"), ("type", "TYPE"), ("value", "VALUE"), ("memo", "MEMO")];
    joined([before, &members, &flags, &[("modifiedOn", "MODIFIED")]])
}

/// The parts one after another, which make `N` items.
const fn joined<T: Copy, const N: usize, const PARTS: usize>(parts: [&[T]; PARTS]) -> [T; N] {
    let mut whole = [parts[1][0]; N];
    let (mut part, mut length) = (0, 0);
    while part < PARTS {
        let mut at = 0;
        while at < parts[part].len() {
            whole[length] = parts[part][at];
            length += 1;
            at += 1;
        }
        part += 1;
    }
    assert!(length == N, "as many as the parts have");
    whole
}

impl Record for Contact {
    const MEMBERS: &'static [&'static str] = &contact_members::<OF_CONTACT>(&[], &[]);
    const TABLE: &'static [Shown] = &contact_table::<SHOWN>(&[]);
}

impl<O: ContactOwner> Record for OwnedContact<O> {
    const MEMBERS: &'static [&'static str] =
        &contact_members::<{ OF_CONTACT + 1 }>(&[O::MEMBER], &[]);
    const TABLE: &'static [Shown] = &contact_table::<{ SHOWN + 1 }>(&[(O::MEMBER, "OF")]);
}

impl<O: ContactOwner> Record for ExportedContact<O> {
    const MEMBERS: &'static [&'static str] =
        &contact_members::<{ OF_CONTACT + 2 }>(&[O::MEMBER], &["active"]);
    const TABLE: &'static [Shown] = &contact_table::<{ SHOWN + 1 }>(&[(O::MEMBER, "OF")]);
}

/// Kinds whose table shows less than all members: `member => "TITLE"` where it does.
macro_rules! records {
    ($($record:ty { $($member:literal $(=> $title:literal)?,)* })*) => {$(
        impl Record for $record {
            const MEMBERS: &'static [&'static str] = &[$($member),*];
            const TABLE: &'static [(&'static str, &'static str)] =
                &[$($(($member, $title),)?)*];
        }
    )*};
}

records! {
    BookingContact {
        "id" => "ID", "type" => "TYPE", "value" => "VALUE", "memo" => "MEMO",
        "modifiedOn" => "MODIFIED",
    }
    Person {
        "id" => "ID", "name" => "NAME", "title" => "TITLE", "referenceId" => "REFERENCE",
        "isArchived" => "ARCHIVED", "createdOn", "createdBy", "modifiedOn", "modifiedBy",
    }
    ContactMethod {
        "id" => "ID", "contactId", "referenceId", "type" => "TYPE", "value" => "VALUE",
        "memo" => "MEMO", "createdOn", "createdBy", "modifiedOn", "modifiedBy",
    }
    ContactRelationship {
        "id" => "ID", "typeSlug" => "TYPE", "typeName", "relatedEntityId" => "RELATED TO",
        "createdOn" => "CREATED", "createdBy",
    }
    PreferenceType {
        "name" => "NAME", "dataType" => "DATA TYPE", "description" => "DESCRIPTION", "id",
    }
    MethodPreference {
        "name" => "NAME", "dataType" => "DATA TYPE", "value" => "VALUE",
    }
    Setting {
        "name" => "NAME", "value", "kind" => "TAKES", "default" => "DEFAULT",
        "description" => "WHAT IT DOES",
    }
}
