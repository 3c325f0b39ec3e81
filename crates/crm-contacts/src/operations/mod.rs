//! The 38 contacts operations of CRM v2, one struct each, grouped by the contract's tags.
//!
//! Location and customer contacts have the same five operations with the same schemas; they
//! are written once in [`owner`] and named twice, in [`locations`] and [`customers`].

use crate::{operation::Operation, spec::Spec};

/// One operation: its documentation, name and answer, its place in the contract, what it takes,
/// by where in the request it goes, and how an answer is known to be about the same record.
macro_rules! operation {
    (
        $(#[$doc:meta])*
        $name:ident: $answer:ty = $effect:ident($id:expr, $path:expr, $scope:expr $(,)?);
        $(path { $($(#[$p_doc:meta])* $p:ident: $p_type:ty,)+ })?
        $(query { $($(#[$q_doc:meta])* $q:ident: $q_type:ty,)+ })?
        $(body { $(#[$b_doc:meta])* $b:ident: $b_type:ty, })?
        $(answered |$this:ident, $found:ident| $is_answer:expr;)?
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name {
            $($($(#[$p_doc])* pub $p: $p_type,)+)?
            $($($(#[$q_doc])* pub $q: $q_type,)+)?
            $($(#[$b_doc])* pub $b: $b_type,)?
        }

        impl $crate::operation::Operation for $name {
            type Answer = $answer;
            const SPEC: $crate::spec::Spec = $crate::spec::Spec::$effect($id, $path, $scope);

            fn request(
                &self,
                tenant: crm_models::TenantId,
            ) -> Result<crm_transport::Request, $crate::error::ContactsError> {
                $($(crm_models::Check::check(&self.$q)?;)+)?
                $(crm_models::Check::check(&self.$b)?;)?
                let draft = Self::SPEC.draft(tenant, [$($(&self.$p),+)?]);
                $($(let draft = draft.query(&self.$q)?;)+)?
                operation!(@send draft $(&self.$b)?)
            }

            $(
                fn is_answered_by(&self, $found: &Self::Answer) -> bool {
                    let $this = self;
                    $is_answer
                }
            )?
        }
    };
    (@send $draft:ident) => { $draft.empty() };
    (@send $draft:ident $body:expr) => { $draft.json($body) };
}

pub mod bookings;
pub mod contact_methods;
pub mod customers;
pub mod locations;
pub mod owner;
pub mod people;
pub mod relationships;

/// Every operation, in the order of the published contract's tags.
///
/// ```
/// use crm_contacts::operations;
///
/// assert_eq!(operations::all().len(), 38);
/// assert!(operations::all().iter().any(|spec| spec.id == "Locations_UpdateContact"));
/// ```
#[must_use]
pub fn all() -> Vec<Spec> {
    vec![
        locations::GetContactList::SPEC,
        locations::CreateContact::SPEC,
        locations::UpdateContact::SPEC,
        locations::DeleteContact::SPEC,
        locations::GetLocationsContactsList::SPEC,
        customers::GetContactList::SPEC,
        customers::CreateContact::SPEC,
        customers::UpdateContact::SPEC,
        customers::DeleteContact::SPEC,
        customers::GetModifiedContactsList::SPEC,
        people::GetList::SPEC,
        people::Create::SPEC,
        people::Get::SPEC,
        people::Replace::SPEC,
        people::Update::SPEC,
        people::DeleteContact::SPEC,
        people::GetByRelationshipId::SPEC,
        relationships::GetContactRelationshipList::SPEC,
        relationships::CreateContactRelationship::SPEC,
        relationships::DeleteContactRelationship::SPEC,
        contact_methods::GetPreferenceMetadataList::SPEC,
        contact_methods::SearchContactMethods::SPEC,
        contact_methods::GetContactMethods::SPEC,
        contact_methods::CreateContactMethod::SPEC,
        contact_methods::GetContactMethod::SPEC,
        contact_methods::UpsertContactMethod::SPEC,
        contact_methods::UpdateContactMethod::SPEC,
        contact_methods::DeleteContactMethod::SPEC,
        contact_methods::GetContactMethodPreferences::SPEC,
        contact_methods::GetContactMethodPreference::SPEC,
        contact_methods::UpdateContactMethodPreference::SPEC,
        bookings::GetContactList::SPEC,
        bookings::GetContactList2::SPEC,
        bookings::CreateContact::SPEC,
        bookings::UpdateBookingContact::SPEC,
        bookings::DeleteContact::SPEC,
        customers::ExportContacts::SPEC,
        locations::ExportContacts::SPEC,
    ]
}
