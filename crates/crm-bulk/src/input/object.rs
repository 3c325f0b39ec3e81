//! JSON objects as they were written.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
    ser::SerializeMap,
};
use serde_json::{Value, value::RawValue};

use super::{
    broken::{NOT_UTF_8, still_broken},
    columns::is_ours,
    spelling::folded,
};

/// The member that holds the flags of a contact.
const PREFERENCES: &str = "preferences";

/// A JSON object as it was written: members in order, values untouched.
#[derive(Default)]
pub(crate) struct Object(Vec<Member>);

/// Name and value.
pub(super) type Member = (String, Box<RawValue>);

impl Object {
    /// The members in order, with their texts; lists and objects as they were written.
    fn texts(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().map(|(name, value)| {
            let text = match serde_json::from_str(value.get()) {
                Ok(Value::String(text)) => text,
                Ok(Value::Number(number)) => number.to_string(),
                Ok(Value::Bool(on)) => on.to_string(),
                Ok(Value::Array(_) | Value::Object(_)) => value.get().to_owned(),
                Ok(Value::Null) | Err(_) => String::new(),
            };
            (name.as_str(), text)
        })
    }

    /// The members with their texts, as the cells of a row.
    pub(super) fn cells(&self) -> Vec<(String, String)> {
        let texts = self.texts();
        texts.map(|(name, text)| (name.to_owned(), text)).collect()
    }

    /// The members, with those of `preferences` in its place under their dotted names, as the API
    /// nests them.
    pub(super) fn flat(&self) -> Result<Vec<Member>, String> {
        let mut flat = Vec::with_capacity(self.0.len());
        for (name, value) in &self.0 {
            if folded(name) != PREFERENCES || value.get() == "null" {
                flat.push((name.clone(), value.clone()));
                continue;
            }
            let Ok(nested) = serde_json::from_str::<Self>(value.get()) else {
                return Err(format!("`{name}` is not an object"));
            };
            let nested = nested.0.into_iter();
            flat.extend(nested.map(|(member, value)| (format!("{name}.{member}"), value)));
        }
        Ok(flat)
    }

    /// Removes the members that this crate added when it gave the row back; an error if one of them
    /// says that the row is broken.
    fn take_off_ours(&mut self) -> Result<(), String> {
        let mut added = self.0.iter().filter(|(name, _)| is_ours(name));
        let told = added.find_map(|(name, value)| {
            let text: String = serde_json::from_str(value.get()).ok()?;
            still_broken(name, &text)
        });
        self.0.retain(|(name, _)| !is_ours(name));
        told.map_or(Ok(()), Err)
    }

    /// Reads one line; `None` if it is empty.
    pub(super) fn read(text: &[u8]) -> Result<Option<Self>, String> {
        let text = std::str::from_utf8(text).map_err(|_| format!("it {NOT_UTF_8}"))?;
        let mut object: Self = serde_json::from_str(text).map_err(|e| match e.classify() {
            serde_json::error::Category::Data => "it is not a JSON object".to_owned(),
            _ => format!("it is not JSON, at column {}", e.column()),
        })?;
        object.take_off_ours()?;
        let is_blank = object.texts().all(|(_, text)| text.trim().is_empty());
        Ok((!is_blank).then_some(object))
    }

    /// Adds a member.
    pub(super) fn put(&mut self, name: &str, value: impl Into<Value>) {
        // Every value is JSON.
        if let Ok(value) = serde_json::value::to_raw_value(&value.into()) {
            self.0.push((name.to_owned(), value));
        }
    }

    /// Adds a member with a text, or replaces it.
    pub(crate) fn set(&mut self, name: &str, text: &str) -> serde_json::Result<()> {
        let value = serde_json::value::to_raw_value(text)?;
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, current)) => *current = value,
            None => self.0.push((name.to_owned(), value)),
        }
        Ok(())
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Object(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}
