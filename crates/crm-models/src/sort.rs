//! The order of the lists of Contacts v2.

use serde::{Serialize, Serializer};

/// A field to sort by, upwards or downwards. It is written `+Field` or `-Field`.
///
/// ```
/// use crm_models::{PersonSort, Sort};
///
/// let newest_first = Sort::descending(PersonSort::ModifiedOn);
/// assert_eq!(serde_json::to_string(&newest_first)?, r#""-ModifiedOn""#);
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
    )*};
}

sort_fields! {
    /// A field by which people can be sorted.
    PersonSort { Id = "Id" }
    /// A field by which contact methods can be sorted.
    ContactMethodSort { Id = "Id" }
    /// A field by which relationships can be sorted. Their id is spelled differently.
    RelationshipSort { Id = "ID" }
}
