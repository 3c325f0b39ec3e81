//! Relationships of people to customers, locations and bookings.

use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationErrors};

use crate::{
    ids::{RelatedEntityId, RelationshipId, UserId},
    members::setters,
    sort::{RelationshipSort, Sort},
    text::wire_text,
    timestamp::Timestamp,
    validation::Rules,
};

/// `ContactRelationshipResponse`, by which a person belongs to a customer, a location or a booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ContactRelationship {
    /// The relationship's GUID.
    pub id: RelationshipId,
    /// The customer, location or booking.
    pub related_entity_id: RelatedEntityId,
    /// The name of the kind of entity: `Customer`, `Location` or `Booking`.
    pub type_name: String,
    /// The kind of entity in paths: `customer`, `location` or `booking`.
    pub type_slug: String,
    /// The time of creation.
    pub created_on: Timestamp,
    /// The user who created it.
    pub created_by: UserId,
}

impl ContactRelationship {
    /// Creates a relationship to an entity of this kind, for tests.
    #[must_use]
    pub fn new(
        id: RelationshipId,
        related_entity_id: RelatedEntityId,
        entity_type: &RelatedEntityType,
        created_on: Timestamp,
        created_by: UserId,
    ) -> Self {
        Self {
            id,
            related_entity_id,
            type_name: entity_type.name().to_owned(),
            type_slug: entity_type.slug().to_owned(),
            created_on,
            created_by,
        }
    }

    /// Returns the kind of entity.
    #[must_use]
    pub fn entity_type(&self) -> RelatedEntityType {
        RelatedEntityType::from(self.type_slug.as_str())
    }
}

/// The kind of entity to which a person can be related. As JSON it is its slug.
///
/// ```
/// use crm_models::RelatedEntityType;
///
/// assert_eq!(RelatedEntityType::from("location"), RelatedEntityType::Location);
/// assert_eq!(RelatedEntityType::Location.slug(), "location");
/// assert_eq!(RelatedEntityType::Location.name(), "Location");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RelatedEntityType {
    /// A customer.
    Customer,
    /// A location.
    Location,
    /// A booking.
    Booking,
    /// A kind that this version does not know, by its slug.
    Other(String),
}

impl RelatedEntityType {
    /// Returns the kind in paths and filters: `customer`.
    #[must_use]
    pub fn slug(&self) -> &str {
        match self {
            Self::Customer => "customer",
            Self::Location => "location",
            Self::Booking => "booking",
            Self::Other(slug) => slug,
        }
    }

    /// Returns the name of the kind: `Customer`. A kind that is not known has its slug for a name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Customer => "Customer",
            Self::Location => "Location",
            Self::Booking => "Booking",
            Self::Other(slug) => slug,
        }
    }
}

impl From<&str> for RelatedEntityType {
    /// Reads a slug or a name, in letters of any case.
    fn from(slug: &str) -> Self {
        [Self::Customer, Self::Location, Self::Booking]
            .into_iter()
            .find(|known| known.slug().eq_ignore_ascii_case(slug))
            .unwrap_or_else(|| Self::Other(slug.to_owned()))
    }
}

wire_text!(RelatedEntityType, "a kind of entity", slug);

/// The filter and the order of a list of relationships, the query of
/// `Contacts_GetContactRelationshipList`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[must_use]
pub struct RelationshipFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    related_entity_id: Option<RelatedEntityId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    type_slug: Option<RelatedEntityType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    type_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_before: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_on_or_after: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sort: Option<Sort<RelationshipSort>>,
}

impl RelationshipFilter {
    /// Selects all relationships.
    pub fn new() -> Self {
        Self::default()
    }

    /// Selects only those to entities of this kind.
    pub fn entity_type(mut self, entity_type: RelatedEntityType) -> Self {
        self.type_slug = Some(entity_type);
        self
    }

    setters! {
        /// Selects only those to this entity.
        related_entity_id: RelatedEntityId;
        /// Selects only those to entities whose kind has this name.
        type_name: impl Into<String>;
        /// Selects only what was created before this time.
        created_before: Timestamp;
        /// Selects only what was created at this time or later.
        created_on_or_after: Timestamp;
        /// Sets the order.
        sort: Sort<RelationshipSort>;
    }
}

impl Validate for RelationshipFilter {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut rules = Rules::default();
        rules.selection("typeSlug", self.type_slug.as_ref().map(RelatedEntityType::slug));
        rules.selection("typeName", self.type_name.as_deref());
        rules.finish()
    }
}
