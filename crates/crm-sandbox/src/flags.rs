//! What a contact receives: the one table of its flags. Storage, answers, requests and their
//! schemas all walk it.

use std::borrow::Cow;

use rusqlite::Row;
use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use crate::settings::{PreferenceConflict, PreferenceMembers, Settings};

/// A flag is one entry: what it says, its column in the tables of contacts, which is its field in
/// [`StoredPreferences`] too, and its member in the API.
// The member is a `tt`: the derived schemas do not see through a `literal`.
macro_rules! flags {
    (
        from the start { $( $(#[$first_doc:meta])+ $first:ident: $first_member:tt, )+ }
        since May 2026 { $( $(#[$new_doc:meta])+ $new:ident: $new_member:tt, )+ }
    ) => {
        /// The kinds of messages that a contact receives.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct StoredPreferences {
            $( $(#[$first_doc])+ pub $first: bool, )+
            $( $(#[$new_doc])+ pub $new: bool, )+
        }

        impl StoredPreferences {
            /// The columns of the flags.
            pub(crate) const COLUMNS: &[&str] =
                &[$( stringify!($first), )+ $( stringify!($new), )+];

            /// Returns the flags in the order of the columns.
            pub(crate) fn values(self) -> [bool; Self::COLUMNS.len()] {
                [$( self.$first, )+ $( self.$new, )+]
            }

            fn new([$( $first, )+ $( $new, )+]: [bool; Self::COLUMNS.len()]) -> Self {
                Self { $( $first, )+ $( $new, )+ }
            }
        }

        /// All flags, as requests set them and answers show them.
        #[derive(Serialize, Deserialize, ToSchema)]
        #[schema(as = ContactPreferencesRequest)]
        pub(crate) struct AllFlags {
            $( #[serde(rename = $first_member)] $first: bool, )+
            #[serde(rename = "invoiceStatementNotification")]
            combined: bool,
            $( #[serde(rename = $new_member)] $new: bool, )+
        }

        impl AllFlags {
            fn of(flags: StoredPreferences) -> Self {
                let StoredPreferences { $( $first, )+ $( $new, )+ } = flags;
                Self { $( $first, )+ combined: flags.combined(), $( $new, )+ }
            }

            /// Returns the flags as the store keeps them.
            pub(crate) fn stored(self, settings: &Settings) -> StoredPreferences {
                let Self { $( $first, )+ combined, $( $new, )+ } = self;
                let flags = StoredPreferences { $( $first, )+ $( $new, )+ };
                match settings.preference_conflict {
                    PreferenceConflict::Combined => flags.combining(combined),
                    PreferenceConflict::Specific => flags,
                }
            }
        }

        /// The flags of a server of the first generation.
        #[derive(Serialize, Deserialize)]
        pub(crate) struct FirstFlags {
            $( #[serde(rename = $first_member)] $first: bool, )+
            #[serde(rename = "invoiceStatementNotification")]
            combined: bool,
        }

        impl FirstFlags {
            fn of(flags: StoredPreferences) -> Self {
                Self { $( $first: flags.$first, )+ combined: flags.combined() }
            }

            /// Returns the flags as the store keeps them: those that the server does not know are
            /// off, unless the combined flag stands for them.
            pub(crate) fn stored(self, _: &Settings) -> StoredPreferences {
                let flags = StoredPreferences { $( $first: self.$first, )+ $( $new: false, )+ };
                flags.combining(self.combined)
            }
        }
    };
}

flags! {
    from the start {
        /// Whether it receives reminders of jobs.
        job_reminders: "jobRemindersEnabled",
        /// Whether it receives marketing.
        marketing_updates: "marketingUpdatesEnabled",
    }
    since May 2026 {
        /// Whether it receives invoices.
        invoices: "invoiceNotification",
        /// Whether it receives statements.
        statements: "statementNotification",
    }
}

impl StoredPreferences {
    /// Returns flags that are all on or all off.
    #[must_use]
    pub fn all(on: bool) -> Self {
        Self::new([on; Self::COLUMNS.len()])
    }

    /// Returns the older flag, which stands for invoices and statements together.
    fn combined(self) -> bool {
        self.invoices && self.statements
    }

    /// Returns these flags with both invoices and statements as the combined flag says, unless they
    /// say so already.
    fn combining(self, combined: bool) -> Self {
        if combined == self.combined() {
            self
        } else {
            Self { invoices: combined, statements: combined, ..self }
        }
    }

    /// Reads the flags from the columns that begin with this one. They are unknown if all of them
    /// are null. One null among others is a flag that was added after the contact, and is off.
    pub(crate) fn read(row: &Row<'_>, start: usize) -> rusqlite::Result<Option<Self>> {
        let mut flags = [None; Self::COLUMNS.len()];
        for (flag, column) in flags.iter_mut().zip(start..) {
            *flag = row.get(column)?;
        }
        let known = flags.iter().any(Option::is_some);
        Ok(known.then(|| Self::new(flags.map(Option::unwrap_or_default))))
    }
}

/// What a contact receives, with the members that the server knows.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum AnsweredFlags {
    All(AllFlags),
    First(FirstFlags),
}

impl AnsweredFlags {
    pub(crate) fn new(flags: StoredPreferences, settings: &Settings) -> Self {
        match settings.preference_members {
            PreferenceMembers::Five => Self::All(AllFlags::of(flags)),
            PreferenceMembers::Three => Self::First(FirstFlags::of(flags)),
        }
    }
}

impl ToSchema for AnsweredFlags {
    fn name() -> Cow<'static, str> {
        "ContactPreferencesResponse".into()
    }
}

impl PartialSchema for AnsweredFlags {
    fn schema() -> RefOr<Schema> {
        AllFlags::schema()
    }
}
