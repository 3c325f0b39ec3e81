//! Updates of records whose answers the library does not compare: what is so already is not
//! sent, and an answer that is not as asked is judged after a look at the record.

use std::{io, time::Duration};

use crm_contacts::ContactsError;
use crm_models::{Check, ContactType, CreateContactRequest};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    error::CliError,
    output::{Change, text_of},
};

/// What an update asks for: its members in the API's words.
pub(super) struct Asked(Map<String, Value>);

impl Asked {
    /// The members that the body of the update holds.
    pub(super) fn by(update: &impl Serialize) -> Result<Self, CliError> {
        match json(update)? {
            Value::Object(members) => Ok(Self(members)),
            _ => Ok(Self(Map::new())),
        }
    }

    pub(super) fn has(&self, member: &str) -> bool {
        self.0.contains_key(member)
    }

    /// Whether the record is so already.
    pub(super) fn is_met_by(&self, record: &impl Serialize) -> Result<bool, CliError> {
        Ok(self.unmet(&json(record)?).is_empty())
    }

    /// The record after an update: as the answer shows it, if that is as asked. Otherwise the answer
    /// is not believed before the record is read back, since a cache or a mixed-up answer would be.
    pub(super) async fn settle<R: Serialize, A: Serialize>(
        &self,
        subject: &str,
        before: &R,
        answer: A,
        look: impl AsyncFn() -> Result<R, ContactsError>,
    ) -> Result<After<A, R>, CliError> {
        if self.is_met_by(&answer)? {
            return Ok(After::Answered(answer));
        }
        let (mut found, mut pauses) = (look().await, LAG.into_iter());
        let found = loop {
            match found {
                Ok(found) if self.is_met_by(&found)? => return Ok(After::Found(found)),
                found => match pauses.next() {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => break found,
                },
            }
            found = look().await;
        };
        let subject = subject.to_owned();
        let found = found.map_err(|source| CliError::NotReadBack {
            subject: subject.clone(),
            source,
        })?;
        let found = json(&found)?;
        let differences = self.unmet(&found);
        Err(match self.unmet(&json(before)?) == differences {
            true => CliError::NotChanged {
                subject,
                differences,
            },
            false => CliError::EchoDiffers {
                subject,
                differences,
            },
        })
    }

    /// The members in which the record differs: what was asked as `before`, what it has as
    /// `after`.
    fn unmet(&self, record: &Value) -> Vec<Change> {
        let contact_type = self.0.get("type").unwrap_or(&record["type"]);
        let differing = self.0.iter().filter(|(member, asked)| {
            let has = &record[member.as_str()];
            !is_same(member, contact_type, asked, has)
        });
        differing
            .map(|(member, asked)| Change {
                field: member.clone(),
                before: text_of(asked),
                after: text_of(&record[member.as_str()]),
            })
            .collect()
    }
}

/// Lists may lag behind a write: how long to wait before each further look.
const LAG: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// A record after an update.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum After<A, R> {
    /// As the answer to the update shows it.
    Answered(A),
    /// As it was read back.
    Found(R),
}

/// Numbers and addresses may be written otherwise; an empty text and none are the same.
fn is_same(member: &str, contact_type: &Value, asked: &Value, has: &Value) -> bool {
    let is_none = |value: &Value| value.is_null() || value == "";
    match (member, contact_type.as_str(), asked.as_str(), has.as_str()) {
        ("value", Some(of), Some(asked), Some(has)) => ContactType::from(of).same_value(asked, has),
        _ => asked == has || is_none(asked) && is_none(has),
    }
}

/// Refuses a value that does not fit the type that the record will have; a type that the
/// contract does not know takes any.
pub(super) fn check_fits(contact_type: &ContactType, value: &str) -> Result<(), CliError> {
    let outcome = CreateContactRequest::new(contact_type.clone(), value).allow_unknown_type();
    Ok(outcome.check().map_err(ContactsError::from)?)
}

pub(super) fn json(record: &impl Serialize) -> Result<Value, CliError> {
    Ok(serde_json::to_value(record).map_err(io::Error::from)?)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_was_asked_for_is_compared() {
        let asked = Asked::by(&json!({"value": "(818) 555-0142", "memo": "", "isArchived": false}));
        let asked = asked.unwrap();
        let unmet = |record: Value| asked.unmet(&record);
        assert_eq!(
            unmet(json!({"type": "Phone", "value": "8185550142", "isArchived": false, "id": 1})),
            []
        );
        let differing = unmet(json!({"type": "Phone", "value": "8185550143", "memo": null}));
        let fields: Vec<_> = differing.iter().map(|change| &*change.field).collect();
        assert_eq!(fields, ["isArchived", "value"]);
        assert_eq!(differing[1].before.as_deref(), Some("(818) 555-0142"));
        assert_eq!(differing[1].after.as_deref(), Some("8185550143"));
    }

    /// Settles an answer, the record being so at each further look.
    async fn settled<const N: usize>(answer: Value, looks: [Value; N]) -> Result<Value, CliError> {
        let asked = Asked::by(&json!({"memo": "new"}))?;
        let (before, looked) = (json!({"memo": "old"}), Cell::new(0));
        let look = async || {
            let found = looks[looked.get().min(N - 1)].clone();
            looked.set(looked.get() + 1);
            Ok(found)
        };
        let after = asked.settle("person 1", &before, answer, look).await?;
        json(&after)
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_as_asked_is_judged_by_a_look_at_the_record() {
        let (old, new, other) = (
            json!({"memo": "old"}),
            json!({"memo": "new"}),
            json!({"memo": "x"}),
        );
        assert_eq!(settled::<0>(new.clone(), []).await.unwrap(), new);
        // A stale or mixed-up answer, and a list that lags behind the write.
        for answer in [&old, &other] {
            assert_eq!(settled(answer.clone(), [new.clone()]).await.unwrap(), new);
            let lagging = [old.clone(), old.clone(), new.clone()];
            assert_eq!(settled(answer.clone(), lagging).await.unwrap(), new);
            let same = settled(answer.clone(), [old.clone()]).await.unwrap_err();
            assert!(matches!(same, CliError::NotChanged { .. }), "{same}");
            let differs = settled(answer.clone(), [other.clone()]).await.unwrap_err();
            assert!(matches!(differs, CliError::EchoDiffers { .. }), "{differs}");
        }
    }
}
