//! The changes of a set that have a text in which something is looked for.

use std::collections::BTreeSet;

use rusqlite::types::ValueRef;
use serde_json::Value;

use super::change_set::ChangeSet;
use crate::{error::BulkError, set::Change};

/// Where a change has texts: a table, the number of the change in it, its columns of text, and those of
/// JSON.
const TEXTS: [(&str, &str, &[&str], &[&str]); 2] = [
    ("planned", "id", &["value", "memo", "wanted_value", "wanted_memo"], &["wanted_more", "extra"]),
    ("progress", "change", &[], &["found", "after"]),
];

impl ChangeSet {
    /// Returns the changes with a value or a memo of which `has` holds, whether it was found, is to
    /// become so or became so: in the order of the input, without those that repeat another. Only
    /// these are read as a whole and compared with what was planned, so that it takes a fraction of
    /// the time for [all changes](Self::changes).
    ///
    /// `has` is also asked about whole records in JSON, whose other members may have it: whoever wants
    /// to know looks at the change.
    ///
    /// ```no_run
    /// use crm_bulk::{BulkError, ChangeSet};
    ///
    /// # fn example() -> Result<(), BulkError> {
    /// let set = ChangeSet::open("june.crm")?;
    /// for change in set.changes_with_text(|text| text.contains("@site.example"))? {
    ///     println!("{}", change.target);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`BulkError::Altered`] if one of these changes is not what was planned, or a failure to read.
    pub fn changes_with_text(
        &self,
        mut has: impl FnMut(&str) -> bool,
    ) -> Result<Vec<Change>, BulkError> {
        let mut numbers = BTreeSet::new();
        let mut query = |(table, number, texts, json): (&str, &str, &[&str], &[&str])| {
            let columns = [&[number], texts, json].concat().join(", ");
            let sql = format!("SELECT {columns} FROM {table}");
            let mut query = self.database.connection.prepare(&sql)?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                let mut is_found = false;
                for column in 1..=texts.len() + json.len() {
                    let ValueRef::Text(text) = row.get_ref(column)? else { continue };
                    is_found |= match str::from_utf8(text) {
                        Ok(json) if column > texts.len() => is_in_json(json, &mut has),
                        Ok(text) => has(text),
                        // Damaged: whoever reads the change is told.
                        Err(_) => true,
                    };
                }
                if is_found {
                    numbers.insert(row.get(0)?);
                }
            }
            Ok(())
        };
        self.database.check(TEXTS.into_iter().try_for_each(&mut query))?;
        self.changes_numbered(&numbers)
    }
}

/// Whether it holds of JSON as it is written, or where that writes a text in another way than it is,
/// of one of its texts.
fn is_in_json(json: &str, has: &mut impl FnMut(&str) -> bool) -> bool {
    if json.contains('\\') {
        serde_json::from_str(json).is_ok_and(|value| is_in_value(&value, has))
    } else {
        has(json)
    }
}

fn is_in_value(value: &Value, has: &mut impl FnMut(&str) -> bool) -> bool {
    match value {
        Value::String(text) => has(text),
        Value::Array(values) => values.iter().any(|value| is_in_value(value, has)),
        Value::Object(members) => members.values().any(|value| is_in_value(value, has)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crm_models::{Contact, ContactChange};
    use serde_json::json;

    use super::*;
    use crate::{
        set::{Action, Image, Outcome, State, Wanted},
        store::file::{
            draft::Planned,
            test_sets::{contact, draft},
        },
    };

    #[test]
    fn a_text_is_found_wherever_a_change_has_it_and_a_damaged_one_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.crm");
        let draft = draft(&path);
        let memo = |memo: &str| Action::Update(Wanted::of(ContactChange::new().memo(memo)));
        let value = |value: &str| Action::Update(Wanted::of(ContactChange::new().value(value)));
        for (id, action, was) in [
            (1, memo("front desk"), ["8185550142", "none"]),
            (2, memo("front desk"), ["8185550143", "ring 8185550142"]),
            (3, memo("not 8185550142"), ["8185550143", "none"]),
            (4, value("8185550142"), ["8185550143", "none"]),
            (5, Action::Delete(None), ["8185550143", "none"]),
        ] {
            let before: Contact = serde_json::from_value(json!({
                "id": id, "type": "Phone", "value": was[0], "memo": was[1],
                "modifiedOn": "2026-05-27T16:04:11Z",
            }))
            .unwrap();
            let (target, outcome) = (contact(5, Some(id)), Outcome::new(State::Planned));
            let before = Some(Image::from(before));
            let change = Planned { row: None, target, action: &action, before, outcome };
            draft.add_change(&change).unwrap();
        }
        draft.finish().unwrap();
        let set = ChangeSet::open(&path).unwrap();
        let found = |text: &str| {
            let changes = set.changes_with_text(|it| it.contains(text))?;
            Ok::<_, BulkError>(changes.into_iter().map(|change| change.id.0).collect::<Vec<_>>())
        };
        assert_eq!(found("8185550142").unwrap(), [1, 2, 3, 4]);
        assert_eq!(found("8185550143").unwrap(), [2, 3, 4, 5]);
        assert!(found("8185550144").unwrap().is_empty());

        let damage = "UPDATE planned SET memo = memo || '!' WHERE id = 2";
        set.database.connection.execute_batch(damage).unwrap();
        assert_eq!(found("not ").unwrap(), [3]);
        assert!(matches!(found("8185550142"), Err(BulkError::Altered { .. })));
    }

    #[test]
    fn json_is_read_only_where_it_hides_a_text() {
        let mut asked = Vec::new();
        let mut has = |text: &str| {
            asked.push(text.to_owned());
            text.contains("x\"142")
        };
        assert!(!is_in_json(r#"{"memo":"142"}"#, &mut has));
        assert!(is_in_json(r#"{"memo":["a",{"b":"x\"142"}]}"#, &mut has));
        assert_eq!(asked, [r#"{"memo":"142"}"#, "a", "x\"142"]);
    }
}
