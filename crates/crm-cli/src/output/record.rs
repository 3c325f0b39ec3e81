//! What the members of each kind of record are, in the API's words.

use crm_models::{
    BookingContact, Contact, ContactMethod, ContactOwner, ContactRelationship, ExportedContact,
    MethodPreference, OwnedContact, Person, PreferenceType, Raw,
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

/// The members of a contact, after those that are given.
macro_rules! contact_members {
    ($($before:expr),*; $($after:expr),*) => {
        &[
            $($before,)*
            "id",
            "type",
            "value",
            "memo",
            "phoneSettings.phoneNumber",
            "phoneSettings.doNotText",
            "preferences.jobRemindersEnabled",
            "preferences.marketingUpdatesEnabled",
            "preferences.invoiceStatementNotification",
            "preferences.invoiceNotification",
            "preferences.statementNotification",
            "createdOn",
            "modifiedOn",
            $($after,)*
        ]
    };
}

macro_rules! contact_table {
    ($($before:expr),*) => {
        &[
            $($before,)*
            ("id", "ID"),
            ("type", "TYPE"),
            ("value", "VALUE"),
            ("memo", "MEMO"),
            ("preferences.jobRemindersEnabled", "JOB"),
            ("preferences.marketingUpdatesEnabled", "MKT"),
            ("preferences.invoiceNotification", "INV"),
            ("preferences.statementNotification", "STM"),
            ("modifiedOn", "MODIFIED"),
        ]
    };
}

impl Record for Contact {
    const MEMBERS: &'static [&'static str] = contact_members!(;);
    const TABLE: &'static [(&'static str, &'static str)] = contact_table!();
}

impl<O: ContactOwner> Record for OwnedContact<O> {
    const MEMBERS: &'static [&'static str] = contact_members!(O::MEMBER;);
    const TABLE: &'static [(&'static str, &'static str)] = contact_table!((O::MEMBER, "OF"));
}

impl<O: ContactOwner> Record for ExportedContact<O> {
    const MEMBERS: &'static [&'static str] = contact_members!(O::MEMBER; "active");
    const TABLE: &'static [(&'static str, &'static str)] = contact_table!((O::MEMBER, "OF"));
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
