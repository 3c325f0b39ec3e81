//! Parameters of paths and queries, and what their texts must look like.

use uuid::{Uuid, fmt::Hyphenated};

use crate::time_text;

/// The name and the type of a parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

impl Parameter {
    pub(crate) const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind }
    }
}

/// The type of a parameter, as the OpenAPI document names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Int32,
    Int64,
    Boolean,
    Text,
    DateTime,
    Guid,
}

/// The value of a parameter.
pub(crate) trait Value: Sized + 'static {
    const KIND: Kind;
    /// What a text is that has a value, for the end of a sentence.
    const WHAT: &'static str;

    fn parse(text: &str) -> Option<Self>;
}

/// A date-time in the form in which the store keeps it.
pub(crate) struct DateTime(pub(crate) String);

macro_rules! values {
    ($( $type:ty: $kind:ident, $what:literal, $parse:expr; )+) => {$(
        impl Value for $type {
            const KIND: Kind = Kind::$kind;
            const WHAT: &'static str = $what;

            fn parse(text: &str) -> Option<Self> {
                let parse: fn(&str) -> Option<Self> = $parse;
                parse(text)
            }
        }
    )+};
}

values! {
    i32: Int32, "an integer", |text| text.parse().ok();
    i64: Int64, "an integer", |text| text.parse().ok();
    bool: Boolean, "true or false", |text| text.to_ascii_lowercase().parse().ok();
    String: Text, "text", |text| Some(text.to_owned());
    DateTime: DateTime, "an RFC 3339 date-time", |text| time_text::from_rfc3339(text).map(Self);
    // The crate also reads GUIDs without hyphens, in braces and as URNs, which the API does not
    // know.
    Uuid: Guid, "a GUID",
        |text| text.parse().ok().filter(|_| text.len() == Hyphenated::LENGTH);
}
