//! What people recognize by whose record a change is about.

use std::fmt;

use super::named_owner::NamedOwner;

/// By what people recognize whose record it is, as a set keeps it: see
/// [`ChangeSet::named`](crate::ChangeSet::named).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Named {
    /// A customer or a location.
    Owner(NamedOwner),
    /// The name of a person.
    Person(String),
}

impl Named {
    /// Returns the name alone.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Owner(owner) => &owner.name,
            Self::Person(name) => name,
        }
    }

    /// Returns the town; empty where none is known, and for a person.
    #[must_use]
    pub fn town(&self) -> &str {
        match self {
            Self::Owner(owner) => &owner.town,
            Self::Person(_) => "",
        }
    }
}

/// An owner as [`NamedOwner`] writes it, a person by the name.
impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner(owner) => owner.fmt(f),
            Self::Person(name) => f.write_str(name),
        }
    }
}
