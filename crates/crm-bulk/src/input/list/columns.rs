//! What each column of a list holds, according to its header, its cells and the user.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{
    dates::{self, Allowed, DateOrder, Moment, Orders},
    options::{ListOptions, MappedRole, is_named},
    roles::Role,
    status::{Channel, Flags, Status},
    wish::{Wish, together},
    words::words,
};

/// What the cells of a list have shown so far, by their headers. It grows with the columns alone: a
/// list may be of any length.
pub(super) struct Survey {
    seen: BTreeMap<String, Seen>,
    pub(super) today: Date,
}

/// What the cells under one header have shown.
struct Seen {
    flags: Flags,
    dates: Allowed,
}

impl Seen {
    /// Nothing yet.
    fn under(header: &str) -> Self {
        Self { flags: Flags::under(header), dates: Allowed::default() }
    }
}

impl Survey {
    pub(super) fn new(today: Date) -> Self {
        Self { seen: BTreeMap::new(), today }
    }

    /// Notes that there is such a column, whether or not a row has a cell of it.
    pub(super) fn note(&mut self, header: &str) {
        self.seen.entry(header.to_owned()).or_insert_with(|| Seen::under(header));
    }

    /// Looks at one more cell.
    pub(super) fn add(&mut self, header: &str, cell: &str) {
        let seen = match self.seen.get_mut(header) {
            Some(seen) => seen,
            None => self.seen.entry(header.to_owned()).or_insert(Seen::under(header)),
        };
        let cell = cell.trim();
        if !cell.is_empty() {
            seen.flags.add(cell);
            seen.dates.add(cell, self.today);
        }
    }

    /// The headers of the cells.
    pub(super) fn headers(&self) -> impl Iterator<Item = &str> {
        self.seen.keys().map(String::as_str)
    }
}

/// The columns of one list.
pub(super) struct Columns {
    roles: BTreeMap<String, Role>,
    orders: Orders,
    today: Date,
    has_status: bool,
}

/// A tool of which lists come, known by its headers.
pub(super) struct Tool {
    pub(super) name: &'static str,
    /// Headers that only this tool's lists have together.
    known_by: &'static [&'static str],
    /// What its columns hold where their headers alone do not say it.
    roles: &'static [(&'static str, Role)],
    /// Whether nobody is in such a list but who opted out.
    pub(super) is_of_opt_outs: bool,
}

const TWILIO: &[(&str, Role)] =
    &[("contact id", Role::Numbers), ("sender id", Role::Ignored), ("source", Role::Place)];

/// Of two numbers, the person's counts: Telnyx sends `from` and `to`. The status of a bounce is an
/// SMTP code, not a consent.
const TOOLS: [Tool; 10] = [
    Tool {
        name: "Telnyx opt-outs",
        known_by: &["from", "to", "keyword"],
        roles: &[
            ("from", Role::Ignored),
            ("to", Role::Numbers),
            ("created at", Role::Received),
            ("keyword", Role::Status(Status::KEYWORD)),
        ],
        is_of_opt_outs: true,
    },
    Tool {
        name: "Twilio Consent API",
        known_by: &["contact id", "date of consent"],
        roles: TWILIO,
        is_of_opt_outs: false,
    },
    Tool {
        name: "Twilio Consent API",
        known_by: &["contact id", "sender id", "status"],
        roles: TWILIO,
        is_of_opt_outs: false,
    },
    Tool {
        name: "SendGrid suppressions",
        known_by: &["email", "created", "reason"],
        roles: &[("created", Role::Received), ("status", Role::Ignored)],
        is_of_opt_outs: false,
    },
    Tool {
        name: "Mailchimp audience export",
        known_by: &["email address", "leid", "euid"],
        roles: &[("unsub campaign title", Role::Place)],
        is_of_opt_outs: false,
    },
    Tool {
        name: "MailUp",
        known_by: &["opt out date", "optout type"],
        // A code for how it came about: 2 for a link that was followed.
        roles: &[("optout type", Role::Reasons)],
        is_of_opt_outs: true,
    },
    Tool {
        name: "Cordial",
        known_by: &["channel email address", "channel email subscribe status"],
        roles: &[],
        is_of_opt_outs: false,
    },
    Tool {
        name: "CallPotential",
        known_by: &["phone", "date excluded", "excluded by"],
        roles: &[("location", Role::Place)],
        is_of_opt_outs: true,
    },
    Tool {
        name: "Club OS",
        known_by: &["opt out type", "opt out date", "opt out by"],
        roles: &[],
        is_of_opt_outs: true,
    },
    Tool {
        name: "e-mail suppression list",
        known_by: &["customer name", "reason", "date added"],
        roles: &[],
        is_of_opt_outs: true,
    },
];

impl Columns {
    pub(super) fn of(survey: &Survey, options: &ListOptions) -> Self {
        let headers: Vec<_> = survey.headers().collect();
        let of_headers = roles(&headers, options).into_iter();
        let roles: BTreeMap<_, _> = of_headers
            .zip(&survey.seen)
            .map(|(role, (header, Seen { flags, .. }))| {
                let is_said = options.role(header).is_some();
                let has_flags = flags.are_all();
                let is_open = !is_said && (role == Role::Other || (role.is_value() && has_flags));
                let shown = Status::shown(header, flags).filter(|_| is_open);
                let role = match shown {
                    Some(status) => Role::Status(status),
                    // `Has Mobile` and the like, whatever their names are.
                    None if is_open => Role::Other,
                    None => role,
                };
                (header.clone(), role)
            })
            .collect();
        let received = survey.seen.iter().filter(|(header, _)| roles[*header] == Role::Received);
        let orders = match options.dates {
            Some(order) => Orders::One(order),
            None => received.fold(Allowed::default(), |all, (_, of)| all.and(of.dates)).orders(),
        };
        let has_status = roles.values().any(|role| matches!(role, Role::Status(_)));
        Self { roles, orders, today: survey.today, has_status }
    }

    pub(super) fn role(&self, header: &str) -> Role {
        self.roles.get(header).copied().unwrap_or(Role::Other)
    }

    /// What the first filled cell of a row holds whose column has this role.
    pub(super) fn first(&self, row: &[(&str, &str)], role: Role) -> Option<String> {
        let mut cells = row.iter().filter(|(header, _)| self.role(header) == role);
        let cell = cells.find_map(|(_, cell)| Some(cell.trim()).filter(|cell| !cell.is_empty()));
        cell.map(str::to_owned)
    }

    /// The words of a row by which it says what its person wishes, and why; each with its header.
    pub(super) fn words(&self, row: &[(&str, &str)]) -> Option<String> {
        let says =
            |header| matches!(self.role(header), Role::Status(_) | Role::Reasons | Role::Channels);
        let said = row.iter().filter(|(header, cell)| !cell.trim().is_empty() && says(header));
        let said: Vec<_> =
            said.map(|(header, cell)| format!("{header}: {}", cell.trim())).collect();
        (!said.is_empty()).then(|| said.join("; "))
    }

    /// The tool of which the list comes, if its headers tell.
    pub(super) fn tool(&self) -> Option<&'static Tool> {
        let names: Vec<_> = self.roles.keys().map(|header| words(header).join(" ")).collect();
        tools(&names).next()
    }

    /// The columns that are read, each with what it holds.
    pub(super) fn read(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.roles.iter().filter_map(|(header, role)| Some((header.as_str(), role.holds()?)))
    }

    /// The columns that are not read.
    pub(super) fn unread(&self) -> impl Iterator<Item = &str> {
        let unread = self.roles.iter().filter(|(_, role)| role.holds().is_none());
        unread.map(|(header, _)| header.as_str())
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
    pub(super) fn wish(&self, row: &[(&str, &str)], channel: Channel) -> Result<Wish, WrongStatus> {
        for (header, cell) in row.iter().filter(|(header, _)| self.role(header) == Role::Channels) {
            let meant = Channel::named_in(cell).ok_or_else(|| WrongStatus::NoChannel {
                header: (*header).to_owned(),
                cell: (*cell).to_owned(),
            })?;
            if !meant.is_empty() && !meant.contains(&channel) {
                return Ok(Wish::Neither);
            }
        }
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
                    header: (*header).to_owned(),
                    cell: (*cell).to_owned(),
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
    let of_tools: Vec<_> = tools(&names).flat_map(|tool| tool.roles).collect();
    let role = |header: &&str| {
        let name = name(header);
        let of_tool = of_tools.iter().find(|(known, _)| *known == name);
        let of_tool = of_tool.map(|(_, role)| *role);
        options.role(header).or(of_tool).unwrap_or_else(|| Role::of(header))
    };
    headers.iter().map(role).collect()
}

/// The tools whose lists have columns of these names.
fn tools(names: &[String]) -> impl Iterator<Item = &'static Tool> {
    let has = |name: &&str| names.iter().any(|found| found == name);
    TOOLS.iter().filter(move |tool| tool.known_by.iter().all(has))
}

/// Why a row does not say what its person wishes.
pub(super) enum WrongStatus {
    Unknown {
        header: String,
        cell: String,
    },
    /// It names nothing by which somebody is reached.
    NoChannel {
        header: String,
        cell: String,
    },
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
