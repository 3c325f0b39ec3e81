//! The order of lists.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text;

/// A field to sort by, upwards or downwards. It is written `+Field` or `-Field`.
///
/// ```
/// use crm_models::{PersonSort, Sort};
///
/// let newest_first = Sort::descending(PersonSort::ModifiedOn);
/// assert_eq!(serde_json::to_string(&newest_first)?, r#""-ModifiedOn""#);
/// assert_eq!(serde_json::from_str::<Sort<PersonSort>>(r#""-ModifiedOn""#)?, newest_first);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sort<F> {
    field: F,
    descending: bool,
}

impl<F> Sort<F> {
    /// Sorts the smallest or oldest first.
    pub const fn ascending(field: F) -> Self {
        Self { field, descending: false }
    }

    /// Sorts the largest or newest first.
    pub const fn descending(field: F) -> Self {
        Self { field, descending: true }
    }
}

impl<F: AsRef<str>> Serialize for Sort<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sign = if self.descending { '-' } else { '+' };
        serializer.collect_str(&format_args!("{sign}{}", self.field.as_ref()))
    }
}

/// Reads what is written of a field and its direction.
fn parse<F: AsRef<str> + Copy>(text: &str, fields: [F; 3]) -> Result<Sort<F>, &'static str> {
    let (name, descending) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(name), _) => (name, false),
        (_, Some(name)) => (name, true),
        _ => return Err("an order begins with + or -"),
    };
    match fields.into_iter().find(|field| field.as_ref() == name) {
        Some(field) => Ok(Sort { field, descending }),
        None => Err("the list cannot be sorted by this field"),
    }
}

macro_rules! sort_fields {
    ($($(#[$doc:meta])* $name:ident { Id = $id:literal })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            /// Sorts by the id.
            Id,
            /// Sorts by the time of the last change.
            ModifiedOn,
            /// Sorts by the time of creation.
            CreatedOn,
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                match self {
                    Self::Id => $id,
                    Self::ModifiedOn => "ModifiedOn",
                    Self::CreatedOn => "CreatedOn",
                }
            }
        }

        impl<'de> Deserialize<'de> for Sort<$name> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                text::read(deserializer, "a field to sort by", |text| {
                    parse(text, [$name::Id, $name::ModifiedOn, $name::CreatedOn])
                })
            }
        }
    )*};
}

sort_fields! {
    /// A field by which people can be sorted.
    PersonSort { Id = "Id" }
    /// A field by which contact methods can be sorted.
    ContactMethodSort { Id = "Id" }
    /// A field by which relationships can be sorted. Their id is spelled differently.
    RelationshipSort { Id = "ID" }
    /// A field by which customers and locations can be sorted.
    OwnerSort { Id = "Id" }
}
