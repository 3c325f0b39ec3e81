//! The order of the lists of Contacts v2.

use serde::{Serialize, Serializer};

/// A field to sort by, upwards or downwards; written `+Field` or `-Field`.
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
    /// Smallest, oldest first.
    pub const fn ascending(field: F) -> Self {
        Self { field, descending: false }
    }

    /// Largest, newest first.
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
            /// The id.
            Id,
            /// The last change.
            ModifiedOn,
            /// The creation.
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
    /// What people can be sorted by.
    PersonSort { Id = "Id" }
    /// What contact methods can be sorted by.
    ContactMethodSort { Id = "Id" }
    /// What relationships can be sorted by. Their id is spelt otherwise.
    RelationshipSort { Id = "ID" }
}
