//! How a list is to be read, where it does not say so itself.

use crm_values::PhoneReader;

use super::{dates::DateOrder, roles::Role};

/// What a column of a list can be declared to contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MappedRole {
    /// Telephone numbers.
    Phone,
    /// E-mail addresses.
    Email,
    /// What people wish: opted out, subscribed and the like.
    Status,
    /// The date on which the wish was received.
    Received,
    /// The reason for the wish; it is carried along, even if it contains a number.
    Reason,
    /// About what channels a row is: SMS, e-mail and the like.
    Channel,
}

/// How a list is read.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct ListOptions {
    pub(crate) reader: PhoneReader,
    /// Columns that the user names, with what they contain.
    pub(crate) map: Vec<(MappedRole, String)>,
    /// Which number of a date is the month; otherwise its column must show it.
    pub(crate) dates: Option<DateOrder>,
}

impl ListOptions {
    /// Creates the usual way: columns by their headers, numbers of the United States.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how telephone numbers are read.
    pub fn numbers(mut self, reader: PhoneReader) -> Self {
        self.reader = reader;
        self
    }

    /// Declares what columns contain when their headers do not show it.
    pub fn map(mut self, columns: impl IntoIterator<Item = (MappedRole, String)>) -> Self {
        self.map.extend(columns);
        self
    }

    /// Sets which number of a date such as `11/03/2026` is the month. Without this, the other dates
    /// of the column must show it.
    pub fn dates(mut self, order: DateOrder) -> Self {
        self.dates = Some(order);
        self
    }
}

impl MappedRole {
    /// What such a column holds, for people.
    fn holds(self) -> &'static str {
        match self {
            Self::Phone => "numbers",
            Self::Email => "addresses",
            Self::Status => "the status",
            Self::Received => "when it was received",
            Self::Reason => "the reason",
            Self::Channel => "about what channels a row is",
        }
    }
}

impl ListOptions {
    /// A column with numbers or addresses by its header that the user says holds something else.
    pub(super) fn taken<'h>(&self, headers: &[&'h str]) -> Option<(&'h str, &'static str)> {
        self.map.iter().find_map(|(role, column)| {
            let mut headers = headers.iter().filter(|header| is_named(header, column));
            let header = headers.find(|header| Role::of(header).is_value())?;
            Some((*header, role.holds()))
        })
    }
}

/// Whether a header is that of the column that somebody names.
pub(super) fn is_named(header: &str, column: &str) -> bool {
    header.trim().eq_ignore_ascii_case(column.trim())
}
