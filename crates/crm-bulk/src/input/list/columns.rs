//! What each column of a list holds, according to its header, its cells and the user.

use std::collections::BTreeMap;

use jiff::civil::DateTime;

use super::{
    dates::{self, Allowed, DateOrder, Moment, Orders},
    options::{ListOptions, MappedRole, is_named},
    roles::{Dating, Plainness, Role},
    status::{Channel, Flags, Status},
    wish::Wish,
    words::words,
};

/// What the cells of a list have shown so far, by their headers. It grows with the columns alone: a
/// list may be of any length.
pub(super) struct Survey {
    seen: BTreeMap<String, Seen>,
    now: DateTime,
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
    pub(super) fn new(now: DateTime) -> Self {
        Self { seen: BTreeMap::new(), now }
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
            seen.dates.add(cell, self.now);
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
    now: DateTime,
    has_status: bool,
    /// The columns with dates, those that speak of wishes most plainly first.
    dated: Vec<(String, Dating)>,
    /// What a row means without a status, if that is known.
    pub(super) unsaid: Wish,
}

/// A tool of which lists come, known by its headers.
pub(super) struct Tool {
    pub(super) name: &'static str,
    /// Headers that only this tool's lists have together: all that are documented and on which the
    /// reading depends.
    known_by: &'static [&'static str],
    /// Whether its lists have no other columns.
    has_no_other: bool,
    /// What its columns hold where their headers alone do not say it.
    roles: &'static [(&'static str, Role)],
    pub(super) lists: Lists,
}

/// Who is in the lists of a tool that have no status.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lists {
    Anybody,
    /// Nobody but who opted out.
    OptOuts,
    /// Those who opted out where the name of the file begins so, which nothing else says.
    OptOutsIfNamed(&'static str),
}

/// Of two numbers, the person's counts: Telnyx sends `from` and `to`. The status of a bounce is an
/// SMTP code, not a consent.
const TOOLS: [Tool; 9] = [
    Tool {
        name: "Telnyx opt-outs",
        known_by: &["created at", "from", "to", "keyword", "messaging profile id"],
        has_no_other: false,
        roles: &[
            ("from", Role::Ignored),
            ("to", Role::Numbers),
            ("created at", Role::Received),
            ("keyword", Role::Status(Status::KEYWORD)),
        ],
        lists: Lists::OptOuts,
    },
    Tool {
        name: "Twilio Consent API",
        known_by: &["contact id", "sender id", "status"],
        has_no_other: false,
        roles: &[
            ("contact id", Role::Numbers),
            ("sender id", Role::Ignored),
            ("source", Role::Place),
        ],
        lists: Lists::Anybody,
    },
    Tool {
        name: "SendGrid suppressions",
        known_by: &["email", "created", "reason"],
        has_no_other: false,
        roles: &[("created", Role::Received), ("status", Role::Ignored)],
        lists: Lists::Anybody,
    },
    Tool {
        name: "SendGrid suppressions",
        known_by: &["email", "created"],
        has_no_other: true,
        roles: &[("created", Role::Received)],
        lists: Lists::Anybody,
    },
    Tool {
        name: "Mailchimp audience export",
        known_by: &["email address", "leid", "euid"],
        has_no_other: false,
        roles: &[("unsub campaign title", Role::Place)],
        lists: Lists::OptOutsIfNamed("unsubscribed_"),
    },
    Tool {
        name: "MailUp",
        known_by: &["phone", "opt out date", "optout type"],
        has_no_other: false,
        // A code for how it came about: 2 for a link that was followed.
        roles: &[("optout type", Role::Reasons)],
        lists: Lists::OptOuts,
    },
    Tool {
        name: "Cordial",
        known_by: &["channel email address", "channel email subscribe status"],
        has_no_other: false,
        roles: &[],
        lists: Lists::Anybody,
    },
    Tool {
        name: "CallPotential",
        known_by: &["phone", "date excluded", "location", "excluded by"],
        has_no_other: false,
        roles: &[("location", Role::Place)],
        lists: Lists::OptOuts,
    },
    Tool {
        name: "Club OS",
        known_by: &["opt out type", "email", "mobile phone", "opt out date", "opt out by"],
        has_no_other: false,
        roles: &[],
        lists: Lists::OptOuts,
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
                let may_be_status = matches!(role, Role::Other | Role::Ignored);
                let is_open = !is_said && (may_be_status || (role.is_value() && has_flags));
                let shown = Status::shown(header, flags).filter(|_| is_open);
                let role = match shown {
                    Some(status) => Role::Status(status),
                    // `Has Mobile` and the like, whatever their names are.
                    None if is_open && role != Role::Ignored => Role::Other,
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
        let dated = roles.iter().filter(|(_, role)| **role == Role::Received);
        let mut dated: Vec<_> =
            dated.map(|(header, _)| (header.clone(), options.dating(header))).collect();
        dated.sort_by_key(|(_, dating)| dating.plainness);
        Self { roles, orders, now: survey.now, has_status, dated, unsaid: Wish::Unsaid }
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

    /// The headers of the columns with dates, those that speak of wishes most plainly first.
    pub(super) fn received(&self) -> impl Iterator<Item = &str> {
        self.dated.iter().map(|(header, _)| header.as_str())
    }

    pub(super) fn moment(&self, cell: &str) -> Result<Moment, &'static str> {
        dates::read_in(cell, self.orders, self.now)
    }

    /// When the wish of a row about a channel was received, by the dates that speak of it most
    /// plainly; `Err` where two of these differ: by the wrong one a wish would be later, or less
    /// late, than it is. What cannot be read is told elsewhere.
    pub(super) fn when(
        &self,
        row: &[(&str, &str)],
        channel: Channel,
    ) -> Result<Option<Moment>, TwoDates> {
        let dated = self.dated.iter().filter(|(_, dating)| dating.channel.covers(channel));
        let read = dated.filter_map(|(header, dating)| {
            let is_dated = |(of, cell): &&(&str, &str)| of == header && !cell.trim().is_empty();
            let (_, cell) = row.iter().find(is_dated)?;
            Some((header, dating.plainness, self.moment(cell.trim()).ok()?))
        });
        let mut plainest: Option<(&String, Plainness, Moment)> = None;
        for (header, plainness, moment) in read {
            let Some((first, of, known)) = plainest else {
                plainest = Some((header, plainness, moment));
                continue;
            };
            if of != plainness {
                break;
            }
            let both = known.with(moment);
            let both = both.ok_or_else(|| TwoDates(first.clone(), header.clone()))?;
            plainest = Some((first, of, both));
        }
        Ok(plainest.map(|(.., moment)| moment))
    }

    /// What the reasons of a row say where no status says anything: `Err` if it is the opposite of
    /// what such rows mean.
    fn by_reasons(&self, row: &[(&str, &str)]) -> Result<Wish, WrongStatus> {
        let reasons = row.iter().filter(|(header, _)| self.role(header) == Role::Reasons);
        for (header, cell) in reasons {
            match Status::in_reason(cell) {
                Some(Wish::Neither) => return Ok(Wish::Neither),
                Some(wish) if self.unsaid != Wish::Unsaid && wish != self.unsaid => {
                    let (header, cell) = ((*header).to_owned(), (*cell).to_owned());
                    return Err(WrongStatus::Opposite { header, cell });
                }
                _ => {}
            }
        }
        Ok(Wish::Unsaid)
    }

    /// What the row says of its values of a channel, with what is to be told of it; the faulty cell, if
    /// one is not known, or the cells that contradict each other.
    pub(super) fn wish(
        &self,
        row: &[(&str, &str)],
        channel: Channel,
    ) -> Result<(Wish, Option<&'static str>), WrongStatus> {
        for (header, cell) in row.iter().filter(|(header, _)| self.role(header) == Role::Channels) {
            let meant = Channel::named_in(cell).ok_or_else(|| WrongStatus::NoChannel {
                header: (*header).to_owned(),
                cell: (*cell).to_owned(),
            })?;
            if !meant.is_empty() && !meant.contains(&channel) {
                return Ok((Wish::Neither, None));
            }
        }
        if !self.has_status {
            return Ok((self.by_reasons(row)?, None));
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
                wishes.push((status, wish));
            }
        }
        let (wish, is_split) = Status::together(&wishes).ok_or(WrongStatus::Contradicts)?;
        let note = "of texts and calls one is out, which counts for the number";
        Ok((wish, is_split.then_some(note)))
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
    TOOLS.iter().filter(move |tool| {
        let is_whole = !tool.has_no_other || names.len() == tool.known_by.len();
        is_whole && tool.known_by.iter().all(has)
    })
}

/// Two columns that speak of the wish of a row alike and have different dates.
pub(super) struct TwoDates(pub(super) String, pub(super) String);

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
    /// Its reason says the opposite of what the list says of all its rows.
    Opposite {
        header: String,
        cell: String,
    },
    Contradicts,
}

impl ListOptions {
    /// Of what a column with dates speaks.
    fn dating(&self, header: &str) -> Dating {
        let of_header = Dating::of(header);
        let unknown = Dating { plainness: Plainness::Wish, channel: Channel::All };
        let dating = of_header.unwrap_or(unknown);
        match self.role(header) {
            Some(_) => Dating { plainness: Plainness::Said, ..dating },
            None => dating,
        }
    }

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
