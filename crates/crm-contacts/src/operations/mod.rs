//! The contacts operations of CRM v2 and those that read customers and locations, one struct each,
//! grouped by the contract's tags.
//!
//! Location and customer contacts have the same five operations with the same schemas; they
//! are written once in [`owner`] and named twice, in [`locations`] and [`customers`]. So are the
//! operations on locations and customers themselves, in [`owners`].

use crm_models::{CustomerId, LocationId};

use self::owner::Owner;
use crate::spec::Spec;

/// One operation: its documentation, name and answer, its place in the contract, what it takes by
/// where in the request it goes, and how an answer is known to be about the same record. A body `with
/// tolerance` holds a number or an address. An operation of both kinds of owner has their type as its
/// parameter.
macro_rules! operation {
    (
        $(#[$doc:meta])*
        $name:ident $(<$o:ident>)?: $answer:ty = $spec:expr => {
            $(path { $($(#[$p_doc:meta])* $p:ident: $p_type:ty,)+ })?
            $(query { $($(#[$q_doc:meta])* $q:ident: $q_type:ty,)+ })?
            $(pages of $item:ty $(where |$list:ident, $one:ident| $has:expr)?;)?
            $(body $(with $tolerance:ident)? { $(#[$b_doc:meta])* $b:ident: $b_type:ty, })?
            $(answered |$this:ident, $found:ident| $is_answer:expr;)?
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name $(<$o>)? {
            $($($(#[$p_doc])* pub $p: $p_type,)+)?
            $($($(#[$q_doc])* pub $q: $q_type,)+)?
            $(
                #[doc = concat!("The page to ask for, of items of the type `", stringify!($item), "`.")]
                pub page: crm_models::PageQuery,
            )?
            $($(#[$b_doc])* pub $b: $b_type,)?
        }

        impl $(<$o: $crate::operations::owner::Owner>)? $crate::operation::Operation
            for $name $(<$o>)?
        {
            type Answer = $answer;
            const SPEC: $crate::spec::Spec = $spec;

            fn request(
                &self,
                tenant: crm_models::TenantId,
            ) -> Result<crm_transport::Request, $crate::error::ContactsError> {
                self.request_tolerating(tenant, crm_models::Tolerance::Nothing)
            }

            fn request_tolerating(
                &self,
                tenant: crm_models::TenantId,
                _tolerance: crm_models::Tolerance,
            ) -> Result<crm_transport::Request, $crate::error::ContactsError> {
                $($(crm_models::Check::check(&self.$q)?;)+)?
                $(operation!(@of $item, crm_models::Check::check(&self.page)?);)?
                $(operation!(@check &self.$b $(, $tolerance _tolerance)?);)?
                let draft = Self::SPEC.draft(tenant, [$($(&self.$p),+)?]);
                $($(let draft = draft.query(&self.$q)?;)+)?
                $(let draft = operation!(@of $item, draft.query(&self.page)?);)?
                operation!(@send draft $(&self.$b)?)
            }

            $(
                fn is_answered_by(&self, answer: &Self::Answer) -> bool {
                    let has = <Self as $crate::paged::PagedOperation>::has;
                    answer.data.iter().all(|item: &$item| has(self, item))
                }
            )?

            $(
                fn is_answered_by(&self, $found: &Self::Answer) -> bool {
                    let $this = self;
                    $is_answer
                }
            )?
        }

        $($crate::paged::paged!($name, $item $(, |$list, $one| $has)?);)?
    };
    (@of $item:ty, $then:expr) => { $then };
    (@check $body:expr) => { crm_models::Check::check($body)? };
    (@check $body:expr, tolerance $given:ident) => {
        crm_models::CheckWith::check_with($body, $given)?
    };
    (@send $draft:ident) => { $draft.empty() };
    (@send $draft:ident $body:expr) => { $draft.json($body) };
}

/// The operation that returns one batch of an export feed of a kind of owner: its documentation, name
/// and record, its place in the contract, and a number that distinguishes a record from others.
macro_rules! export {
    (
        $(#[$doc:meta])*
        $name:ident<$o:ident>: $record:ty = $spec:expr => |$one:ident| $key:expr
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name<$o> {
            /// Says where to continue, and whether changes of the last minutes are wanted.
            pub query: crm_models::ExportQuery,
            /// The kind of owner whose feed it is.
            pub owner: std::marker::PhantomData<$o>,
        }

        impl<$o: $crate::operations::owner::Owner> $crate::operation::Operation for $name<$o> {
            type Answer = crm_models::ExportBatch<$record>;
            const SPEC: $crate::spec::Spec = $spec;

            fn request(
                &self,
                tenant: crm_models::TenantId,
            ) -> Result<crm_transport::Request, $crate::error::ContactsError> {
                crm_models::Check::check(&self.query)?;
                Self::SPEC.draft(tenant, []).query(&self.query)?.empty()
            }
        }

        impl<$o: $crate::operations::owner::Owner> $crate::feed::FeedOperation for $name<$o> {
            type Record = $record;

            fn query_mut(&mut self) -> &mut crm_models::ExportQuery {
                &mut self.query
            }

            fn key($one: &$record) -> u64 {
                $key
            }
        }
    };
}

/// A table of operations, each as in `operation!`, behind the name that their scopes begin with.
/// Operations of another form are written by hand and named in brackets, so that [`all`] has them.
macro_rules! operations {
    (
        $scopes:literal [$($by_hand:ident),*]
        $(
            $(#[$doc:meta])*
            $name:ident: $answer:ty = $effect:ident($id:literal, $path:expr) $parts:tt
        )*
    ) => {
        /// What the contract says of each.
        pub(super) const SPECS: &[$crate::spec::Spec] = &[
            $(<$by_hand as $crate::operation::Operation>::SPEC,)*
            $(<$name as $crate::operation::Operation>::SPEC,)*
        ];

        $(operation! {
            $(#[$doc])*
            $name: $answer = $crate::spec::Spec::$effect(
                $id,
                $path,
                operations!(@scope $effect $scopes),
            ) => $parts
        })*
    };
    (@scope read $scopes:literal) => { concat!($scopes, ":r") };
    (@scope $writes:ident $scopes:literal) => { concat!($scopes, ":w") };
}

pub mod bookings;
pub mod contact_methods;
pub mod customers;
pub mod locations;
pub mod owner;
pub mod owners;
pub mod people;
pub mod relationships;

/// Every operation: those on contacts in the order of the published contract's tags, then those on
/// locations and customers themselves.
///
/// ```
/// use crm_contacts::operations;
///
/// assert!(operations::all().iter().any(|spec| spec.id == "Locations_UpdateContact"));
/// ```
#[must_use]
pub fn all() -> Vec<Spec> {
    [
        &owner::specs::<LocationId>(),
        &owner::specs::<CustomerId>(),
        people::SPECS,
        relationships::SPECS,
        contact_methods::SPECS,
        bookings::SPECS,
        &[CustomerId::EXPORT, LocationId::EXPORT],
        &owners::specs::<LocationId>(),
        &owners::specs::<CustomerId>(),
    ]
    .concat()
}
