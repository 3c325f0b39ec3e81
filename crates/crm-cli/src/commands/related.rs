//! What a person who was found is related to: read live, since no list tells it of all people.

use crm_contacts::{ContactsError, RefusalKind};
use crm_mirror::{Mirror, OwnerId};
use crm_models::{PersonId, RelationshipFilter};
use serde::Serialize;

use crate::{error::CliError, session::Session};

/// A customer, a location or a booking that a person belongs to.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Related {
    kind: String,
    id: i64,
    name: Option<String>,
    town: Option<String>,
}

/// What the person is related to, in one call, with the names that the mirror knows; nothing if they
/// are gone.
pub(super) async fn related(
    session: &Session<'_>,
    mirror: &Mirror,
    person: PersonId,
) -> Result<Vec<Related>, CliError> {
    let person = session.service.person(person);
    let list = person.relationships(RelationshipFilter::new()).page_size(500);
    let relationships = match list.collect().await {
        Ok(relationships) => relationships,
        Err(error) if is_gone(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let related = relationships.into_iter().map(|relationship| {
        let (kind, id) = (relationship.type_slug, relationship.related_entity_id.get());
        let owner = OwnerId::new(&kind, id).map(|owner| mirror.owner(owner)).transpose()?.flatten();
        let named = owner.as_ref().map(|owner| (owner.display_name(), owner.town()));
        Ok(Related::new(&kind, id, named))
    });
    related.collect()
}

/// A person who does not exist is a conflict in operations on relationships.
fn is_gone(error: &ContactsError) -> bool {
    error.is_not_found() || error.refusal_kind() == Some(RefusalKind::Conflict)
}

impl Related {
    /// An owner, with its name and its town if it is known.
    pub(super) fn new(kind: &str, id: i64, named: Option<(String, &str)>) -> Self {
        let (name, town) = named.unzip();
        let town = town.filter(|town| !town.is_empty()).map(str::to_owned);
        Self { kind: kind.to_owned(), id, name, town }
    }

    /// As people read it.
    pub(super) fn words(&self) -> String {
        let entity = format!("{} {}", self.kind, self.id);
        let place = [&self.name, &self.town];
        let place: Vec<_> = place.into_iter().flatten().map(String::as_str).collect();
        if place.is_empty() { entity } else { format!("{} ({entity})", place.join(", ")) }
    }
}
