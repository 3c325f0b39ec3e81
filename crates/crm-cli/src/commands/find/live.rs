//! What the service says of a number or an address.

use crm_contacts::{Holder, Holders, PersonHolder, Unseen};
use crm_models::{ContactOwner, ContactRelationship, OwnerDetails, RelatedEntityType};
use crm_values::{InvalidValue, PhoneReader, Readings, Region, without_scheme};

use super::row::Row;
use crate::{commands::related::Related, error::CliError, session::Session};

/// A number or an address to ask for.
pub(super) struct Sought {
    /// The ways in which the service may store it.
    forms: Vec<String>,
    readings: Readings,
    reader: PhoneReader,
}

/// What is not asked for.
#[derive(Debug, thiserror::Error)]
#[error("--live takes a whole number or e-mail address: {0}")]
pub(super) struct NotWhole(InvalidValue);

impl Sought {
    pub(super) fn read(text: &str, region: Region) -> Result<Self, NotWhole> {
        let reader = PhoneReader::new(region);
        let readings = Readings::typed(text, reader).map_err(NotWhole)?;
        let mut forms = vec![without_scheme(text).trim().to_owned()];
        if readings.key().contains('@') {
            forms.push(readings.key().to_owned());
        } else {
            forms.extend(reader.phone(text).map(|phone| phone.stored().to_owned()));
            forms.push(format!("+{}", readings.key()));
        }
        forms.sort();
        forms.dedup();
        Ok(Self { forms, readings, reader })
    }

    /// Whether a value is the one that is meant, by any of the readings of both.
    fn is(&self, stored: &str) -> bool {
        let keys = |readings: &Readings| {
            [Some(readings.key()), readings.otherwise()].map(|key| key.map(str::to_owned))
        };
        Readings::of(stored, self.reader).is_ok_and(|stored| {
            let ours = keys(&self.readings);
            keys(&stored).iter().flatten().any(|key| ours.iter().flatten().any(|our| our == key))
        })
    }
}

/// What came of it.
pub(super) struct Answer {
    pub(super) rows: Vec<Row>,
    pub(super) more: bool,
    pub(super) unseen: Vec<Unseen>,
}

/// Asks the service.
pub(super) async fn ask(
    session: &Session<'_>,
    text: &str,
    sought: &Sought,
    limit: usize,
) -> Result<Answer, CliError> {
    let same = |stored: &str| sought.is(stored);
    let found = session.service.who_has(&sought.forms, limit, same).await?;
    // Of people each is shown: as in the mirror, only contacts count as those of other owners.
    let all = contacts(&found.customers) + contacts(&found.locations);
    let mut rows = Vec::new();
    rows_of(&mut rows, text, &found.customers, all, &found.unseen);
    rows_of(&mut rows, text, &found.locations, all, &found.unseen);
    for PersonHolder { person, methods, related, .. } in &found.people {
        let related: Vec<_> = related.iter().map(|one| place(one, &found)).collect();
        let methods = methods.iter().cloned();
        rows.extend(
            methods.map(|method| {
                Row::told_person(text, person, method, related.clone(), &found.unseen)
            }),
        );
    }
    Ok(Answer { rows, more: found.more, unseen: found.unseen })
}

/// What a person is related to, with its name and town if it was found too.
fn place(relation: &ContactRelationship, found: &Holders) -> Related {
    let (kind, id) = (relation.entity_type(), relation.related_entity_id.get());
    let named = match kind {
        RelatedEntityType::Customer => named(&found.customers, id),
        RelatedEntityType::Location => named(&found.locations, id),
        _ => None,
    };
    Related::new(kind.slug(), id, named)
}

fn named<D: OwnerDetails>(holders: &[Holder<D>], id: i64) -> Option<(String, &str)>
where
    D::Id: ContactOwner,
{
    let found = holders.iter().find(|holder| holder.details.id().get() == id)?;
    Some((found.details.display_name().into_owned(), &found.details.address().city))
}

fn contacts<D>(holders: &[Holder<D>]) -> usize {
    holders.iter().map(|holder| holder.contacts.len()).sum()
}

fn rows_of<D: OwnerDetails>(
    rows: &mut Vec<Row>,
    text: &str,
    holders: &[Holder<D>],
    all: usize,
    unseen: &[Unseen],
) where
    D::Id: ContactOwner,
{
    for holder in holders {
        let shared = (all - holder.contacts.len()) as u64;
        let row = |contact| Row::told(text, &holder.details, contact, shared, unseen);
        if holder.contacts.is_empty() {
            rows.push(row(None));
        }
        rows.extend(holder.contacts.iter().map(|contact| row(Some(contact.clone()))));
    }
}
