//! What each column of a list holds, according to its header, its cells and the user.

use std::{borrow::Cow, collections::BTreeMap};

use crm_values::digits;
use jiff::civil::DateTime;

use super::{
    channels::{Channels, Named},
    dates::{self, Allowed, DateOrder, Moment, Orders},
    labels::{Of, Values},
    limits::Limits,
    options::{ListOptions, MappedRole, is_named},
    polarity::Polarity,
    returns::{Returns, says_return},
    roles::{Dating, Plainness, Role},
    status::{Flags, Status},
    stops::Remarks,
    vocabulary::{Way, spelled, way},
    wish::Wish,
    words::words,
};

/// What the cells of a list have shown so far, by their headers. It grows with the columns alone: a
/// list may be of any length.
pub(super) struct Survey {
    seen: BTreeMap<String, Seen>,
    /// The first row that has the word of a wish and nothing else, with its line.
    heading: Option<(u64, String)>,
    now: DateTime,
}

/// What the cells under one header have shown.
struct Seen {
    flags: Flags,
    dates: Allowed,
    /// Of a column that may name channels.
    channels: Option<Named>,
    has_at: bool,
    /// Whether its header names telephones, as `SMS`, and all cells so far are numbers.
    may_be_numbers: bool,
}

impl Seen {
    /// Nothing yet.
    fn under(header: &str) -> Self {
        let limits = Limits::of(header);
        let may_name = limits != Limits::Never && Role::of(header) == Role::Other;
        Self {
            flags: Flags::under(header),
            dates: Allowed::default(),
            channels: may_name.then(|| Named::new(limits)),
            has_at: false,
            may_be_numbers: Role::of(header) == Role::Other && names_telephones(header),
        }
    }
}

impl Survey {
    pub(super) fn new(now: DateTime) -> Self {
        Self { seen: BTreeMap::new(), heading: None, now }
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
            seen.channels.iter_mut().for_each(|named| named.add(cell));
            seen.has_at = seen.has_at || cell.contains('@');
            seen.may_be_numbers = seen.may_be_numbers && is_whole_number(cell);
        }
    }

    /// Looks at a row without a number or an address: `OPTED IN` and nothing else may be about all rows
    /// below it.
    pub(super) fn look_for_heading(&mut self, line: u64, cells: &[Cow<'_, str>]) {
        let mut filled = cells.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty());
        let (Some(sole), None) = (filled.next(), filled.next()) else { return };
        if self.heading.is_none() && speaks_of_wish(sole) {
            self.heading = Some((line, sole.to_owned()));
        }
    }

    /// The line and the text of such a row.
    pub(super) fn heading(&self) -> Option<(u64, &str)> {
        self.heading.as_ref().map(|(line, text)| (*line, text.as_str()))
    }

    /// The headers of the cells.
    pub(super) fn headers(&self) -> impl Iterator<Item = &str> {
        self.seen.keys().map(String::as_str)
    }
}

/// Whether a text without digits is about a wish and nothing else.
fn speaks_of_wish(text: &str) -> bool {
    let Polarity { sure, is_unclear, names_wish, .. } = Polarity::of(text);
    let is_word = Status::KEYWORD.read(text).is_some_and(|wish| wish != Wish::Neither);
    let is_known = is_word || sure.is_some() || (names_wish && is_unclear) || says_return(text);
    is_known && !text.contains(|c: char| c.is_ascii_digit())
}

/// What is known of a column.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) role: Role,
    /// Whether the user says so.
    pub(super) is_said: bool,
    /// Whether its cells may say about what channels their rows are, and nobody knows.
    pub(super) may_limit: bool,
    /// Of which values of a row it speaks.
    pub(super) of: Of,
    /// Whether it has wishes about a channel that reaches no number and no address of the list.
    pub(super) is_elsewhere: bool,
    /// What its header says of remarks below it.
    pub(super) remarks: Remarks,
    /// What its header says of those who came back.
    pub(super) returns: Returns,
}

/// A cell of a row with its column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell<'a> {
    pub(super) column: &'a Column,
    pub(super) header: &'a str,
    pub(super) text: &'a str,
}

/// The columns of one list.
pub(super) struct Columns {
    columns: BTreeMap<String, Column>,
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
        roles: &[("unsub campaign title", Role::Place), ("optin time", Role::Ignored)],
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
        let by_cells = |(role, seen): (Role, &Seen)| {
            let are_numbers = role == Role::Other && seen.may_be_numbers && !seen.flags.are_blank();
            if are_numbers { Role::Numbers } else { role }
        };
        let of_headers = roles(&headers, options).into_iter().zip(survey.seen.values());
        let of_headers: Vec<_> = of_headers.map(by_cells).collect();
        let is_value = |role: &Role| matches!(role, Role::Numbers | Role::Addresses);
        let has_values = of_headers.iter().any(is_value);
        let has_faxes = headers.iter().zip(&of_headers).any(|(header, role)| {
            *role == Role::Numbers && Channels::of_value(header, true) == Channels::FAXES
        });
        let reached = if has_faxes { Channels::ALL } else { Channels::BUT_FAXES };
        let mut columns: BTreeMap<_, _> = of_headers
            .into_iter()
            .zip(&survey.seen)
            .map(|(role, (header, seen))| {
                let is_said = options.role(header).is_some();
                (header.clone(), seen.column(header, role, is_said, has_values, reached))
            })
            .collect();
        find_values(&mut columns);
        find_elsewhere(&mut columns);
        let role = |header: &String| columns[header].role;
        let received = survey.seen.iter().filter(|(header, _)| role(header) == Role::Received);
        let orders = match options.dates {
            Some(order) => Orders::One(order),
            None => received.fold(Allowed::default(), |all, (_, of)| all.and(of.dates)).orders(),
        };
        let has_status = columns.values().any(Column::says_wish);
        let dated = columns.keys().filter(|header| role(header) == Role::Received);
        let mut dated: Vec<_> =
            dated.map(|header| (header.clone(), options.dating(header))).collect();
        dated.sort_by_key(|(_, dating)| dating.plainness);
        Self { columns, orders, now: survey.now, has_status, dated, unsaid: Wish::Unsaid }
    }

    /// The cells of a row with their columns.
    pub(super) fn row<'a>(
        &'a self,
        cells: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Vec<Cell<'a>> {
        let with_column = |(header, text)| {
            let column = self.columns.get(header).unwrap_or(&UNKNOWN);
            Cell { column, header, text }
        };
        cells.map(with_column).collect()
    }

    /// Whether a column says what people wish, or of what channel: a row without it is cut short.
    pub(super) fn must_have(&self, header: &str) -> bool {
        let column = self.columns.get(header);
        column.is_some_and(|column| column.says_wish() || column.role == Role::Channels)
    }

    /// The words of a row by which it says what its person wishes, and why; each with its header.
    pub(super) fn words(&self, row: &[Cell<'_>]) -> Option<String> {
        let says = |cell: &&Cell<'_>| {
            let Column { role, .. } = cell.column;
            let is_told = matches!(role, Role::Reasons | Role::Channels);
            let is_said = is_told || cell.column.says_wish() || cell.column.has_words();
            !cell.text.trim().is_empty() && is_said
        };
        let said = row.iter().filter(says);
        let said: Vec<_> =
            said.map(|cell| format!("{}: {}", cell.header, cell.text.trim())).collect();
        (!said.is_empty()).then(|| said.join("; "))
    }

    /// The tool of which the list comes, if its headers tell.
    pub(super) fn tool(&self) -> Option<&'static Tool> {
        let names: Vec<_> = self.columns.keys().map(|header| words(header).join(" ")).collect();
        tools(&names).next()
    }

    /// The columns that are read, each with what it holds.
    pub(super) fn read(&self) -> impl Iterator<Item = (&str, &'static str)> {
        let columns = self.columns.iter().filter(|(_, column)| !column.is_elsewhere);
        columns.filter_map(|(header, column)| Some((header.as_str(), column.holds()?)))
    }

    /// The columns that are not read, those of wishes about other channels or the others.
    pub(super) fn unread(&self, elsewhere: bool) -> impl Iterator<Item = &str> {
        let unread = self.columns.iter().filter(move |(_, column)| {
            let is_elsewhere = column.is_elsewhere;
            is_elsewhere == elsewhere && (is_elsewhere || column.holds().is_none())
        });
        unread.map(|(header, _)| header.as_str())
    }

    /// By what somebody is reached at the values of the list; faxes aside.
    pub(super) fn reached(&self) -> Channels {
        let has = |role| self.columns.values().any(|column| column.role == role);
        match (has(Role::Numbers), has(Role::Addresses) || has(Role::AddressesOrStreets)) {
            (true, true) => Channels::BUT_FAXES,
            (true, false) => Channels::NUMBERS,
            _ => Channels::ADDRESSES,
        }
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

    /// The columns with dates of a wish, those that speak of it most plainly first.
    pub(super) fn dated(&self, wish: Wish) -> impl Iterator<Item = (&str, Dating)> {
        let dated = self.dated.iter().filter(move |(_, dating)| dating.may_be_of(wish));
        dated.map(|(header, dating)| (header.as_str(), *dating))
    }

    pub(super) fn moment(&self, cell: &str) -> Result<Moment, &'static str> {
        dates::read_in(cell, self.orders, self.now)
    }
}

impl Column {
    /// Whether it says what people wish.
    pub(super) fn says_wish(&self) -> bool {
        matches!(self.role, Role::Status(status) if !status.is_vague)
    }

    /// Whether it has what somebody sent, as `Reply`, which is kept beside what other columns say of the
    /// wish.
    fn has_words(&self) -> bool {
        self.role == Role::Other && self.remarks.are_sent
    }

    /// What it holds that is read, for people.
    fn holds(&self) -> Option<&'static str> {
        self.role.holds().or(self.has_words().then_some("what was said"))
    }
}

impl Seen {
    /// What such a column is that has this role by its header.
    fn column(
        &self,
        header: &str,
        role: Role,
        is_said: bool,
        has_values: bool,
        reached: Channels,
    ) -> Column {
        let Self { flags, channels, has_at, .. } = self;
        let may_be_status = !role.is_value() && role.holds().is_none();
        let is_open = !is_said && (may_be_status || (role.is_value() && flags.are_all()));
        let is_closed = !is_open || (role == Role::Ignored && flags.are_blank());
        let shown = Status::shown(header, flags).filter(|_| !is_closed);
        let named = channels.as_ref().filter(|_| may_be_status && !is_said);
        let role = match shown {
            Some(status) => Role::Status(status),
            None if named.is_some_and(Named::are_channels) => Role::Channels,
            // `Has Mobile` and the like, whatever their names are.
            None if is_open && role != Role::Ignored => Role::Other,
            // Where people live.
            None if role == Role::AddressesOrStreets && has_values && !has_at => Role::Other,
            None => role,
        };
        let role = match role {
            Role::Status(status) if !status.channels.meet(reached) => Role::Elsewhere,
            role => role,
        };
        let may_limit = role == Role::Other && named.is_some_and(Named::may_be);
        let (remarks, returns) = (Remarks::below(header), Returns::below(header));
        let is_elsewhere = false;
        Column { role, is_said, may_limit, of: Of::Any, is_elsewhere, remarks, returns }
    }
}

/// Whether a header names nothing but telephones, or messages to them.
fn names_telephones(header: &str) -> bool {
    let words = spelled(header);
    let is_one = |word: &String| matches!(way(word), Some(Way::Texts | Way::Calls | Way::Numbers));
    !words.is_empty() && words.iter().all(is_one)
}

/// Whether a cell is a telephone number as a whole, with its area code.
fn is_whole_number(cell: &str) -> bool {
    const LEAST: usize = 10;
    const MOST: usize = 15;
    let of_number = |c: char| c.is_ascii_digit() || " +-./()".contains(c);
    (LEAST..=MOST).contains(&digits(cell).len()) && cell.chars().all(of_number)
}

/// A column of which nothing was seen.
static UNKNOWN: Column = Column {
    role: Role::Other,
    is_said: false,
    may_limit: false,
    of: Of::Any,
    is_elsewhere: false,
    remarks: Remarks::NONE,
    returns: Returns::NONE,
};

/// Finds of which values the statuses and the dates of a list speak. What speaks of one that nobody can
/// name makes no wish, and dates none.
fn find_values(columns: &mut BTreeMap<String, Column>) {
    let of_value = |(header, column): (&String, &Column)| {
        let channels = Channels::of_value(header, column.role == Role::Numbers);
        column.role.is_value().then(|| (header.clone(), channels))
    };
    let values = Values::of(columns.iter().filter_map(of_value).collect());
    let of_status = |(header, column): (&String, &Column)| match column.role {
        Role::Status(status) if !column.is_said => Some((header.clone(), status.channels)),
        _ => None,
    };
    let of_date = |(header, column): (&String, &Column)| {
        let dating = Dating::of(header).filter(|_| column.role == Role::Received);
        dating.filter(|_| !column.is_said).map(|dating| (header.clone(), dating.channels))
    };
    let statuses = values.meant(columns.iter().filter_map(of_status).collect());
    let dates = values.meant(columns.iter().filter_map(of_date).collect());
    for (header, of) in statuses.into_iter().chain(dates) {
        let Some(column) = columns.get_mut(&header) else { continue };
        match (of, column.role) {
            (Of::Unknown, Role::Status(status)) => column.role = Role::Status(status.vague()),
            (Of::Unknown, _) => column.role = Role::Other,
            (of, _) => column.of = of,
        }
    }
}

/// Finds the columns with wishes about a channel that reaches no value of a list.
fn find_elsewhere(columns: &mut BTreeMap<String, Column>) {
    let values = columns.iter().filter(|(_, column)| column.role.is_value());
    let reached: Vec<_> = values
        .map(|(header, column)| Channels::of_value(header, column.role == Role::Numbers))
        .collect();
    for column in columns.values_mut() {
        column.is_elsewhere = match column.role {
            Role::Elsewhere => true,
            // Without a header nobody knows what the values are.
            Role::Status(status) if !status.is_vague && !reached.is_empty() => {
                !reached.iter().any(|by| by.meet(status.channels))
            }
            _ => false,
        };
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

impl ListOptions {
    /// Of what a column with dates speaks.
    fn dating(&self, header: &str) -> Dating {
        let of_header = Dating::of(header);
        let unknown = Dating { plainness: Plainness::Wish, channels: Channels::ALL, of: None };
        let dating = of_header.unwrap_or(unknown);
        match self.role(header) {
            Some(_) => Dating { plainness: Plainness::Said, of: None, ..dating },
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
            MappedRole::Channel => Role::Channels,
        })
    }
}
