//! What the published contract says of an operation.

use crm_transport::Effect;
use http::Method;

/// The entry of an operation in the published contract.
///
/// ```
/// use crm_contacts::{Operation, operations::locations::UpdateContact};
///
/// let spec = UpdateContact::SPEC;
/// assert_eq!(spec.id, "Locations_UpdateContact");
/// assert_eq!(spec.method, "PATCH");
/// assert_eq!(spec.path, "/locations/{id}/contacts/{contactId}");
/// assert_eq!(spec.scope, "tn.crm.locations:w");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Spec {
    /// The contract's `operationId`.
    pub id: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path below `/crm/v2/tenant/{tenant}`, its parameters in braces.
    pub path: &'static str,
    /// The OAuth 2.0 scope that the token needs.
    pub scope: &'static str,
    /// What a repeat of the call does.
    pub effect: Effect,
}

impl Spec {
    /// Describes a `GET`, which changes nothing and may be repeated at will.
    #[must_use]
    pub const fn read(id: &'static str, path: &'static str, scope: &'static str) -> Self {
        Self::new(id, Method::GET, path, scope, Effect::Read)
    }

    /// Describes a `POST`, of which every repeat creates one more.
    #[must_use]
    pub const fn create(id: &'static str, path: &'static str, scope: &'static str) -> Self {
        Self::new(id, Method::POST, path, scope, Effect::Creates)
    }

    /// Describes a `PUT`, of which a repeat has the same result.
    #[must_use]
    pub const fn replace(id: &'static str, path: &'static str, scope: &'static str) -> Self {
        Self::new(id, Method::PUT, path, scope, Effect::Idempotent)
    }

    /// Describes a `PATCH`, of which a repeat has the same result.
    #[must_use]
    pub const fn update(id: &'static str, path: &'static str, scope: &'static str) -> Self {
        Self::new(id, Method::PATCH, path, scope, Effect::Idempotent)
    }

    /// Describes a `DELETE`, of which a repeat has the same result.
    #[must_use]
    pub const fn delete(id: &'static str, path: &'static str, scope: &'static str) -> Self {
        Self::new(id, Method::DELETE, path, scope, Effect::Idempotent)
    }

    const fn new(
        id: &'static str,
        method: Method,
        path: &'static str,
        scope: &'static str,
        effect: Effect,
    ) -> Self {
        Self { id, method, path, scope, effect }
    }
}
