//! The columns that mean something.

use std::borrow::Cow;

macro_rules! columns {
    ($($variant:ident = $name:literal,)*) => {
        /// A column that means something.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Column { $($variant,)* }

        impl Column {
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)*];

            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

columns! {
    Action = "action",
    LocationId = "location_id",
    CustomerId = "customer_id",
    ContactId = "contact_id",
    Type = "type",
    Value = "value",
    NewValue = "new_value",
    Memo = "memo",
    JobReminders = "job_reminders",
    MarketingUpdates = "marketing_updates",
    Invoices = "invoices",
    Statements = "statements",
}

impl Column {
    /// The column of this header, in any case, with spaces or hyphens for underscores.
    pub(crate) fn named(header: &str) -> Option<Self> {
        let header = header.trim().to_ascii_lowercase().replace([' ', '-'], "_");
        Self::ALL
            .iter()
            .copied()
            .find(|column| column.name() == header)
    }

    /// Whether its cells are personal data.
    pub(crate) fn is_personal(self) -> bool {
        matches!(self, Self::Value | Self::NewValue | Self::Memo)
    }
}

/// What this crate adds to rows that it gives back.
pub(crate) const OUTCOME_COLUMNS: [&str; 5] = [
    "crm_outcome",
    "crm_message",
    "crm_field_errors",
    "crm_trace_id",
    "crm_time",
];
/// What this crate adds to rows that have to be mended.
pub(crate) const MEND_COLUMNS: [&str; 2] = ["crm_line", "crm_problem"];

/// Those of them that say why a row is wrong.
pub(crate) const REASON_COLUMNS: [&str; 2] = ["crm_problem", "crm_message"];

/// Whether this crate added the column when it gave the rows back: such a column is dropped
/// when the rows are fed in again.
pub(crate) fn is_ours(header: &str) -> bool {
    OUTCOME_COLUMNS.contains(&header) || MEND_COLUMNS.contains(&header)
}

/// The cells of one row that mean something, trimmed; an empty one is `None`.
#[derive(Default)]
pub(crate) struct Cells<'a>([Option<Cow<'a, str>>; Column::ALL.len()]);

impl<'a> Cells<'a> {
    pub(crate) fn set(&mut self, column: Column, text: impl Into<Cow<'a, str>>) {
        let text = match text.into() {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        };
        self.0[column as usize] = (!text.is_empty()).then_some(text);
    }

    pub(crate) fn get(&self, column: Column) -> Option<&str> {
        self.0[column as usize].as_deref()
    }
}
