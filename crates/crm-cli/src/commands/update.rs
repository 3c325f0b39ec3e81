//! Updates of records whose answers the library does not compare: what is so already is not
//! sent, and the answer is compared with what was asked.

use std::io;

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

    /// Refuses an answer that is not what was asked for. The update was carried out.
    pub(super) fn verify(&self, subject: &str, answer: &impl Serialize) -> Result<(), CliError> {
        let differences = self.unmet(&json(answer)?);
        match differences.is_empty() {
            true => Ok(()),
            false => Err(CliError::EchoDiffers {
                subject: subject.to_owned(),
                differences,
            }),
        }
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
}
