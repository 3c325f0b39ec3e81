//! What each column of a list holds, according to its header, its cells and the user.

use std::collections::HashMap;

use jiff::civil::Date;

use super::{
    dates::{self, DateOrder, Moment, Orders},
    options::{ListOptions, MappedRole, is_named},
    roles::Role,
    status::{Channel, Status, is_flag},
    wish::{Wish, together},
    words::words,
};

/// The columns of one list.
pub(super) struct Columns {
    roles: HashMap<String, Role>,
    orders: Orders,
    today: Date,
    has_status: bool,
}

/// A tool whose headers alone do not say what its columns hold.
struct Tool {
    /// The headers by which it is known.
    known_by: &'static [&'static str],
    roles: &'static [(&'static str, Role)],
}

/// Of two numbers, the person's counts: Telnyx sends `from` and `to`. The status of a bounce is an
/// SMTP code, not a consent.
const TOOLS: [Tool; 4] = [
    Tool {
        known_by: &["from", "to", "keyword"],
        roles: &[
            ("from", Role::Ignored),
            ("to", Role::Numbers),
            ("created at", Role::Received),
            ("keyword", Role::Status(Status::KEYWORD)),
        ],
    },
    Tool {
        known_by: &["contact id", "date of consent"],
        roles: &[("contact id", Role::Numbers), ("sender id", Role::Ignored)],
    },
    Tool {
        known_by: &["contact id", "sender id", "status"],
        roles: &[("contact id", Role::Numbers), ("sender id", Role::Ignored)],
    },
    Tool {
        known_by: &["email", "created", "reason"],
        roles: &[("created", Role::Received), ("status", Role::Ignored)],
    },
];

impl Columns {
    /// Examines all rows, each a list of headers with their cells.
    pub(super) fn of<'a>(
        rows: impl Iterator<Item = &'a [(String, String)]>,
        options: &ListOptions,
        today: Date,
    ) -> Self {
        let mut cells = HashMap::<&str, Vec<&str>>::new();
        for (header, cell) in rows.flatten() {
            let of_column = cells.entry(header).or_default();
            of_column.extend(Some(cell.trim()).filter(|cell| !cell.is_empty()));
        }
        let headers: Vec<_> = cells.keys().copied().collect();
        let roles: HashMap<_, _> = roles(&headers, options)
            .into_iter()
            .zip(&headers)
            .map(|(role, header)| {
                let of_column = &cells[header];
                let is_said = options.role(header).is_some();
                let has_flags = !of_column.is_empty() && of_column.iter().all(|c| is_flag(c));
                let is_open = !is_said && (role == Role::Other || (role.is_value() && has_flags));
                let shown = Status::shown(header, of_column).filter(|_| is_open);
                let role = match shown {
                    Some(status) => Role::Status(status),
                    // `Has Mobile` and the like, whatever their names are.
                    None if is_open => Role::Other,
                    None => role,
                };
                ((*header).to_owned(), role)
            })
            .collect();
        let received = cells
            .iter()
            .filter(|(header, _)| roles.get(**header) == Some(&Role::Received))
            .flat_map(|(_, cells)| cells.iter().copied());
        let orders = match options.dates {
            Some(order) => Orders::One(order),
            None => Orders::of(received, today),
        };
        let has_status = roles.values().any(|role| matches!(role, Role::Status(_)));
        Self { roles, orders, today, has_status }
    }

    pub(super) fn role(&self, header: &str) -> Role {
        self.roles.get(header).copied().unwrap_or(Role::Other)
    }

    pub(super) fn has_status(&self) -> bool {
        self.has_status
    }

    /// The order in which the dates are read; either one where it makes no difference.
    pub(super) fn order(&self) -> DateOrder {
        match self.orders {
            Orders::One(order) => order,
            Orders::Both => DateOrder::Mdy,
        }
    }

    /// The headers of the columns with dates.
    pub(super) fn received(&self) -> Vec<&str> {
        let received = self.roles.iter().filter(|(_, role)| **role == Role::Received);
        received.map(|(header, _)| header.as_str()).collect()
    }

    pub(super) fn moment(&self, cell: &str) -> Result<Moment, &'static str> {
        let day = dates::read_in(cell, self.orders, self.today)?;
        Ok(Moment::new(day, cell))
    }

    /// What the row says of its values of a channel; the faulty cell, if one is not known, or the
    /// cells that contradict each other.
    pub(super) fn wish(
        &self,
        row: &[(String, String)],
        channel: Channel,
    ) -> Result<Wish, WrongStatus> {
        if !self.has_status {
            return Ok(Wish::Unsaid);
        }
        let mut wishes = Vec::new();
        for (header, cell) in row {
            let Role::Status(status) = self.role(header) else {
                continue;
            };
            if status.speaks_of(channel) {
                let wish = status.read(cell).ok_or_else(|| WrongStatus::Unknown {
                    header: header.clone(),
                    cell: cell.clone(),
                })?;
                wishes.push(wish);
            }
        }
        together(wishes).ok_or(WrongStatus::Contradicts)
    }
}

/// What columns with these headers hold.
pub(super) fn roles(headers: &[&str], options: &ListOptions) -> Vec<Role> {
    let name = |header: &str| words(header).join(" ");
    let names: Vec<_> = headers.iter().map(|header| name(header)).collect();
    let has = |name: &&str| names.iter().any(|found| found == name);
    let tools = TOOLS.iter().filter(|tool| tool.known_by.iter().all(has));
    let of_tools: Vec<_> = tools.flat_map(|tool| tool.roles).collect();
    let role = |header: &&str| {
        let name = name(header);
        let of_tool = of_tools.iter().find(|(known, _)| *known == name);
        let of_tool = of_tool.map(|(_, role)| *role);
        options.role(header).or(of_tool).unwrap_or_else(|| Role::of(header))
    };
    headers.iter().map(role).collect()
}

/// Why a row does not say what its person wishes.
pub(super) enum WrongStatus {
    Unknown { header: String, cell: String },
    Contradicts,
}

impl ListOptions {
    /// The role that the user gave a column.
    fn role(&self, header: &str) -> Option<Role> {
        let is_header = |(_, column): &&(MappedRole, String)| is_named(header, column);
        let (role, _) = self.map.iter().find(is_header)?;
        Some(match role {
            MappedRole::Phone => Role::Numbers,
            MappedRole::Email => Role::Addresses,
            MappedRole::Status => Role::Status(Status::said(header)),
            MappedRole::Received => Role::Received,
            MappedRole::Reason => Role::Reasons,
        })
    }
}
