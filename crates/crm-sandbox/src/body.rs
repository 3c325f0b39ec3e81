//! Request bodies: JSON objects, read strictly and refused by the member.

use std::{fmt, marker::PhantomData};

use http::{HeaderMap, header};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::{
    problem::Problem,
    settings::{NullMembers, Settings, Unknown},
};

/// Reads a JSON object.
///
/// A body is refused for its media type, then for its JSON syntax, then for its members: their
/// types, required ones, unknown ones.
pub(crate) fn read<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: &[u8],
    settings: &Settings,
) -> Result<T, Problem> {
    if !is_of_type(headers, "application/json") {
        return Err(Problem::bad_request("The body must be sent as application/json"));
    }
    let mut unknown = Vec::new();
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = serde_ignored::deserialize(&mut json, |path| unknown.push(plain(&path)))
        .and_then(|Object(value)| json.end().map(|()| value));
    match read {
        Err(_) => Err(refusal::<T>(body)),
        Ok(_) if settings.unknown_members == Unknown::Refuse && !unknown.is_empty() => {
            let problem = Problem::bad_request("The body has unknown members");
            Err(unknown.into_iter().fold(problem, |problem, path| {
                problem.with_error(&path, "there is no such member")
            }))
        }
        Ok(value) => Ok(value),
    }
}

/// Returns the members along the path, without the marks for optional ones.
fn plain(path: &serde_ignored::Path<'_>) -> String {
    path.to_string().replace(".?", "")
}

/// Returns why a body cannot be read. This is a second reading that keeps track of the position, so
/// that the first one need not.
fn refusal<T: DeserializeOwned>(body: &[u8]) -> Problem {
    if let Err(syntax) = serde_json::from_slice::<IgnoredAny>(body) {
        return Problem::bad_request(format!("The body is not valid JSON: {syntax}"));
    }
    let json = &mut serde_json::Deserializer::from_slice(body);
    let Err(error) = serde_path_to_error::deserialize::<_, Object<T>>(json) else {
        return Problem::bad_request("The body was refused");
    };
    let parents = error.path().to_string();
    let reason = error.into_inner().to_string();
    match member(&parents, &reason) {
        Some(member) => {
            Problem::bad_request(format!("The body was refused at '{member}': {reason}"))
                .with_error(&member, reason)
        }
        None => Problem::bad_request(format!("The body was refused: {reason}")),
    }
}

/// Returns the member that a refusal is about; `None` if the whole body is refused.
///
/// The path ends at the object that lacks a member or has it twice: in that case only serde's text
/// names the member itself.
fn member(parents: &str, reason: &str) -> Option<String> {
    // At the root, the path is just this dot.
    let parents = Some(parents).filter(|path| *path != ".");
    let named = ["missing field `", "duplicate field `"]
        .into_iter()
        .find_map(|start| reason.strip_prefix(start)?.split('`').next());
    let path: Vec<&str> = parents.into_iter().chain(named).collect();
    (!path.is_empty()).then(|| path.join("."))
}

/// Says whether a body has this media type, whatever its parameters are.
pub(crate) fn is_of_type(headers: &HeaderMap, media_type: &str) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|text| text.split(';').next()).unwrap_or("").trim();
    essence.eq_ignore_ascii_case(media_type)
}

/// A value that must be a JSON object: serde alone also reads an array of the members in order.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

/// A member of an update: absent, null or a value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Member<T> {
    #[default]
    Absent,
    Null,
    Value(T),
}

impl<T> Member<T> {
    /// Returns the value of a member that must not be null, if it was sent.
    pub(crate) fn not_null(self, name: &str, settings: &Settings) -> Result<Option<T>, Problem> {
        match self {
            Self::Value(value) => Ok(Some(value)),
            Self::Null if settings.null_members == NullMembers::Refuse => {
                Err(Problem::field(name, "it must not be null"))
            }
            Self::Absent | Self::Null => Ok(None),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Member<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Value))
    }
}
