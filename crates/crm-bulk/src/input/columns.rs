//! The columns that have a meaning.

use crm_models::Preference;

use super::spelling::folded;

/// A column that rows of changes may have, as listed in [`Input::COLUMNS`](super::Input::COLUMNS).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct InputColumn {
    /// The column's name.
    pub name: &'static str,
    /// The API's names for the column, as lists and exports have them.
    pub also: &'static [&'static str],
    /// What the column's cells mean, in words for people.
    pub meaning: &'static str,
    /// Whether the API computes the column, so that no row needs to have it.
    pub computed: bool,
}

macro_rules! columns {
    ($($variant:ident = $name:literal, $also:expr, $meaning:literal;)*) => {
        /// A column that has a meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Column {
            $($variant,)*
            /// A preference of the contact.
            Flag(Preference),
        }

        /// The columns that are not preferences, as places in [`ENTRIES`].
        enum Place { $($variant,)* }

        const OWN: &[(Column, InputColumn)] = &[$(
            (Column::$variant, InputColumn {
                name: $name,
                also: &$also,
                meaning: $meaning,
                computed: false,
            }),
        )*];

        impl Column {
            /// Its place in [`ENTRIES`].
            pub(super) const fn place(self) -> usize {
                match self {
                    $(Self::$variant => Place::$variant as usize,)*
                    Self::Flag(preference) => OWN.len() + preference as usize,
                }
            }
        }
    };
}

columns! {
    Action = "action", [],
        "update (also when empty), rewrite, which changes a value also where it is the same number or \
         address written otherwise, create or delete";
    Select = "select", [],
        "contact (also when empty): the one that the ids name; value: every contact whose present \
         number or address is the row's value, on all customers and locations, or on the one that \
         the row names";
    LocationId = "location_id", ["locationId"],
        "the location whose contact it is";
    CustomerId = "customer_id", ["customerId"],
        "the customer whose contact it is; a row has one of the two";
    ContactId = "contact_id", ["contactId", "id"],
        "the contact; empty in a row that creates one or selects by value";
    Type = "type", [],
        "Phone, MobilePhone, Email or Fax";
    Value = "value", [],
        "the number or address; in a row that selects by value, the one to look for";
    NewValue = "new_value", [],
        "the number or address to set in a row that selects by value";
    Memo = "memo", [],
        "the memo; (clear) removes it";
    SameAs = "same_as", ["sameAs"],
        "in a row that deletes: the contact_id of another contact of the owner that is the same and \
         stays; the row is held unless that one is there and has all that this one has";
    Why = "why", [],
        "why, for whoever looks at the plan; it changes nothing";
}

/// How to ask for a change of all contacts with a value.
pub(super) const SAY_BY_VALUE: &str =
    "write `value` into a column `select`, or give --select-by-value";

/// How many columns there are.
pub(super) const COUNT: usize = OWN.len() + Preference::ALL.len();

/// All columns, each at its place.
const ENTRIES: [(Column, InputColumn); COUNT] = {
    let mut entries = [OWN[0]; COUNT];
    let mut at = 0;
    while at < COUNT {
        entries[at] = if at < OWN.len() { OWN[at] } else { flag(Preference::ALL[at - OWN.len()]) };
        at += 1;
    }
    entries
};

const fn flag(preference: Preference) -> (Column, InputColumn) {
    let meaning = match preference {
        // The first preference.
        preference if preference as usize == 0 => {
            "on or off, also yes or no, true or false, 1 or 0"
        }
        preference if preference.is_combined() => {
            "what the API computes of invoices and statements; it cannot be changed alone"
        }
        _ => "on or off",
    };
    let column = InputColumn {
        name: preference.column(),
        also: preference.api_names(),
        meaning,
        computed: preference.is_combined(),
    };
    (Column::Flag(preference), column)
}

/// What is said of each column, at its place.
pub(super) const TABLE: &[InputColumn] = {
    const TABLE: [InputColumn; COUNT] = {
        let mut table = [ENTRIES[0].1; COUNT];
        let mut at = 0;
        while at < COUNT {
            table[at] = ENTRIES[at].1;
            at += 1;
        }
        table
    };
    &TABLE
};

/// Columns that the API returns and does not accept: lists and exports have them, and no row
/// changes them.
const READ_ONLY: [&str; 7] = [
    "active",
    "createdOn",
    "modifiedOn",
    "phoneSettings.phoneNumber",
    "phoneSettings.doNotText",
    "phoneSettings",
    "doNotText",
];

/// The columns that this crate adds to rows that it gives back.
pub(crate) const OUTCOME_COLUMNS: [&str; 15] = [
    "crm_outcome",
    "crm_message",
    "crm_field_errors",
    "crm_trace_id",
    "crm_time",
    "crm_owner_kind",
    "crm_owner_id",
    "crm_contact_id",
    "crm_owner_name",
    "crm_owner_town",
    "crm_value",
    "crm_undone_by",
    "crm_stored_as",
    "crm_restored_contact_id",
    "crm_restored_value",
];
/// The columns that this crate adds to rows that have to be corrected.
pub(crate) const MEND_COLUMNS: [&str; 2] = ["crm_line", "crm_problem"];

/// Whether a file that begins so is one of rows to mend, by the columns that were added to them.
pub(crate) fn is_to_mend(beginning: &[u8]) -> bool {
    let beginning = String::from_utf8_lossy(beginning);
    MEND_COLUMNS.iter().all(|column| beginning.contains(column))
}

/// The added columns that say why a row is wrong.
pub(crate) const REASON_COLUMNS: [&str; 2] = ["crm_problem", "crm_message"];

/// Whether this crate added the column when it gave the rows back: such a column is dropped
/// when the rows are fed in again.
pub(crate) fn is_ours(header: &str) -> bool {
    OUTCOME_COLUMNS.contains(&header) || MEND_COLUMNS.contains(&header)
}

impl Column {
    /// All columns, each at its place.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        ENTRIES.iter().map(|(column, _)| *column)
    }

    fn entry(self) -> &'static InputColumn {
        &TABLE[self.place()]
    }

    pub(crate) fn name(self) -> &'static str {
        self.entry().name
    }

    /// The column that this header names, however it is spelled.
    pub(crate) fn named(header: &str) -> Option<Self> {
        let header = folded(header);
        let has = |column: &Self| column.names().any(|name| folded(name) == header);
        Self::all().find(has)
    }

    /// The column's own name and the API's names for it.
    fn names(self) -> impl Iterator<Item = &'static str> {
        let InputColumn { name, also, .. } = self.entry();
        std::iter::once(*name).chain(also.iter().copied())
    }

    /// Whether the column says whose contact a row is about.
    pub(super) fn is_owner(self) -> bool {
        matches!(self, Self::LocationId | Self::CustomerId)
    }

    /// Whether the column's cells are personal data.
    pub(crate) fn is_personal(self) -> bool {
        matches!(self, Self::Value | Self::NewValue | Self::Memo)
    }
}

/// Whether the API returns what is in this column but never accepts it.
pub(super) fn is_read_only(header: &str) -> bool {
    let header = folded(header);
    READ_ONLY.iter().any(|name| folded(name) == header)
}

/// The known name that this header probably misspells: one that is one letter apart and has six or
/// more letters. Too many words are one letter apart from shorter names.
pub(super) fn misspelled(header: &str) -> Option<&'static str> {
    let header = folded(header);
    let names = Column::all().flat_map(Column::names);
    let mut names = names.chain(READ_ONLY);
    names.find(|name| {
        let name = folded(name);
        let lengths = name.len().abs_diff(header.len());
        let may_be = name.chars().count() >= 6 && lengths <= 4;
        // The distance takes as long as the product of both lengths.
        may_be && strsim::damerau_levenshtein(&name, &header) == 1
    })
}

/// The column that this header may be meant for: the only one whose name begins with it or is its
/// beginning. A word of fewer than four letters is the beginning of too many.
pub(super) fn resembled(header: &str) -> Option<&'static str> {
    let header = folded(header);
    let is_like = |name: &str| name.starts_with(&header) || header.starts_with(name);
    let like = Column::all().filter(|column| {
        let mut names = column.names().map(folded).filter(|name| name.chars().count() >= 4);
        header.chars().count() >= 4 && names.any(|name| is_like(&name))
    });
    match like.collect::<Vec<_>>()[..] {
        [one] => Some(one.name()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_known_by_the_names_of_the_api_and_by_ours_however_they_are_spelled() {
        for (column, headers) in [
            (
                Column::LocationId,
                "location_id|locationId|Location ID|LOCATION-ID|location\u{200b}_id|\
                 \u{ff2c}ocationId|\u{feff}location_id",
            ),
            (Column::ContactId, "contact_id|contactId|id|ID|Contact Id"),
            (
                Column::Flag(Preference::MarketingUpdates),
                "marketing_updates|preferences.marketingUpdatesEnabled|\
                 preferences_marketingUpdatesEnabled|MarketingUpdatesEnabled",
            ),
            (Column::Flag(Preference::Invoices), "invoices|preferences.invoiceNotification"),
            (
                Column::Flag(Preference::InvoicesAndStatements),
                "preferences.invoiceStatementNotification",
            ),
        ] {
            for header in headers.split('|') {
                assert_eq!(Column::named(header), Some(column), "{header}");
            }
        }
        for header in ["Location", "Contact", "Time", "active", "values", "", "#"] {
            assert_eq!(Column::named(header), None, "{header}");
        }
    }

    #[test]
    fn a_header_that_begins_like_one_column_alone_may_be_meant_for_it() {
        for (header, name) in [
            ("Marketing", Some("marketing_updates")),
            ("memos", Some("memo")),
            ("Value (new)", Some("value")),
            ("statement", Some("statements")),
            ("Location", Some("location_id")),
            ("invoice notifications", Some("invoices")),
            ("branch", None),
            ("act", None),
            ("", None),
        ] {
            assert_eq!(resembled(header), name, "{header}");
        }
    }

    #[test]
    fn no_name_means_two_columns() {
        for column in Column::all() {
            for name in column.names() {
                assert_eq!(Column::named(name), Some(column), "{name}");
                assert!(!is_read_only(name) && !is_ours(name), "{name}");
            }
        }
    }

    #[test]
    fn a_header_one_letter_from_a_long_name_is_taken_for_a_slip_and_a_word_is_not() {
        for (header, name) in [
            ("locationd", "location_id"),
            ("Locaiton ID", "location_id"),
            ("contact_ids", "contact_id"),
            ("CustomerlD", "customer_id"),
            ("invoice", "invoices"),
            ("marketing_update", "marketing_updates"),
            ("acton", "action"),
            ("modifedOn", "modifiedOn"),
        ] {
            assert_eq!(misspelled(header), Some(name), "{header}");
        }
        for header in
            ["Location", "Contact", "Time", "Customer", "memos", "values", "types", "ids", "notes"]
        {
            assert_eq!(misspelled(header), None, "{header}");
        }
    }
}
