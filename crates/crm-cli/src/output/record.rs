//! What the members of each kind of record are, in the API's words.

use crm_contacts::Difference;
use crm_models::{
    BookingContact, Contact, ContactMethod, ContactOwner, ContactRelationship, Customer,
    ExportedContact, Location, MethodPreference, OwnedContact, Person, Preference, PreferenceType,
    Raw,
};
use crm_sandbox::Setting;
use serde::Serialize;
use serde_json::value::RawValue;

/// A record that can be written as a row. Members are dotted paths into its JSON form.
pub(crate) trait Record: Serialize {
    /// Every member, in the order of CSV columns.
    fn members() -> Vec<&'static str>;

    /// The members that a table shows, each with the column's title.
    fn table() -> Vec<(&'static str, &'static str)>;

    /// What people read in place of a row of a table, unless they choose members.
    const LINES: Option<fn(&Self) -> Vec<String>> = None;
}

/// The same record as the service wrote it.
impl<R: Record> Record for Raw<R> {
    fn members() -> Vec<&'static str> {
        R::members()
    }

    fn table() -> Vec<(&'static str, &'static str)> {
        R::table()
    }
}

impl Record for Contact {
    fn members() -> Vec<&'static str> {
        let settings = ["phoneSettings.phoneNumber", "phoneSettings.doNotText"];
        let mut members = [&["id", "type", "value", "memo"], &settings[..]].concat();
        members.extend(Preference::ALL.map(Preference::path));
        members.extend(["createdOn", "modifiedOn"]);
        members
    }

    fn table() -> Vec<(&'static str, &'static str)> {
        let mut shown = vec![("id", "ID"), ("type", "TYPE"), ("value", "VALUE"), ("memo", "MEMO")];
        shown.extend(Preference::SETTABLE.map(|flag| (flag.path(), flag.heading())));
        shown.push(("modifiedOn", "MODIFIED"));
        shown
    }
}

impl<O: ContactOwner> Record for OwnedContact<O> {
    fn members() -> Vec<&'static str> {
        [vec![O::MEMBER], Contact::members()].concat()
    }

    fn table() -> Vec<(&'static str, &'static str)> {
        [vec![(O::MEMBER, "OF")], Contact::table()].concat()
    }
}

impl<O: ContactOwner> Record for ExportedContact<O> {
    fn members() -> Vec<&'static str> {
        [OwnedContact::<O>::members(), vec!["active"]].concat()
    }

    fn table() -> Vec<(&'static str, &'static str)> {
        OwnedContact::<O>::table()
    }
}

/// Records by their members: `member => "TITLE"` where a table shows it. A table shows the members
/// in the same order, unless they are named once more after `table:`; `lines:` gives it lines instead.
macro_rules! records {
    ($($record:ty {
        $($member:literal $(=> $title:literal)?),* $(,)?
        $(; table: $($shown:literal => $heading:literal),* $(,)?)?
        $(; lines: $lines:expr)?
    })*) => {$(
        impl $crate::output::Record for $record {
            fn members() -> Vec<&'static str> {
                vec![$($member),*]
            }

            fn table() -> Vec<(&'static str, &'static str)> {
                vec![$($(($member, $title),)?)* $($(($shown, $heading)),*)?]
            }

            $(const LINES: Option<fn(&Self) -> Vec<String>> = Some($lines);)?
        }
    )*};
}
pub(crate) use records;

records! {
    // What has no members that are known is written as it is.
    Box<RawValue> {}
    Difference { "field", "before", "after" }
    BookingContact {
        "id" => "ID", "type" => "TYPE", "value" => "VALUE", "memo" => "MEMO",
        "modifiedOn" => "MODIFIED",
    }
    Customer {
        "id" => "ID", "name" => "NAME", "type", "address.street" => "STREET", "address.unit",
        "address.city" => "CITY", "address.state" => "STATE", "address.zip", "address.country",
        "address.latitude", "address.longitude", "doNotMail", "doNotService",
        "active" => "ACTIVE", "mergedToId" => "MERGED TO", "createdOn", "modifiedOn",
    }
    Location {
        "id" => "ID", "customerId" => "OF", "name" => "NAME", "address.street" => "STREET",
        "address.unit", "address.city" => "CITY", "address.state" => "STATE", "address.zip",
        "address.country", "address.latitude", "address.longitude", "active" => "ACTIVE",
        "mergedToId" => "MERGED TO", "createdOn", "modifiedOn",
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
