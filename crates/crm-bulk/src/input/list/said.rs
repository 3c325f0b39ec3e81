//! What a row says of one of its values: what its person wishes, and since when.

use std::borrow::Cow;

use super::{
    channels::{Channels, named_alone},
    columns::{Cell, Column, Columns},
    dates::Moment,
    returns::says_return,
    roles::{Dating, Plainness, Role},
    status::Status,
    stops,
    vocabulary::spelled,
    wish::Wish,
};

/// What a row says of a value.
pub(super) struct Said {
    pub(super) wish: Wish,
    /// When that was received.
    pub(super) received: Option<Moment>,
    /// What is to be told of how it was read; of what is no wish, why.
    pub(super) note: Option<String>,
}

/// A value of a row: the header of its column, and what reaches it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) column: &'a str,
    pub(super) by: Channels,
}

impl<'a> Target<'a> {
    pub(super) fn of(column: &'a str, is_number: bool) -> Self {
        Self { column, by: Channels::of_value(column, is_number) }
    }
}

/// What the statuses or reasons of a row say of a value.
struct Spoken {
    wish: Wish,
    /// Whether texts and calls differ.
    is_split: bool,
    /// Whether it says in by nothing but a no to opting out.
    is_denial: bool,
    /// Of what is no wish, why.
    why: Cow<'static, str>,
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
    /// It names other channels than another cell of the row does.
    OtherChannel {
        header: String,
        cell: String,
    },
    /// It names a channel, and whether the row is about that alone is not known.
    MayLimit {
        header: String,
        cell: String,
    },
    /// It says the opposite of what the list says of all its rows.
    Opposite {
        header: String,
        cell: String,
    },
    /// It says opted out, and no status of the row does.
    AlsoOut {
        header: String,
        cell: String,
    },
    /// It says that the person of a row that says opted out came back, or may have.
    CameBack {
        header: String,
        cell: String,
    },
    /// It says yes or no, and whether that is opted out or in is not known.
    Unclear {
        header: String,
        cell: String,
    },
    Contradicts,
    /// Two columns that speak of the wish alike and have different dates.
    TwoDates(String, String),
    /// The date of an opt-out, of which the status says nothing.
    OnlyDate(String),
    /// The date of an opt-out that may be later than that of the opt-in.
    LaterOut(String),
    /// It says opted out of what the row has no number and no address for.
    NoValue {
        header: String,
        cell: String,
    },
}

type Row<'a> = [Cell<'a>];

const SPLIT: &str = "of texts and calls one is out, which counts for the number";
const SEVERAL_DATES: &str = "of its dates that of the column which speaks of it most plainly";
const DENIAL: &str = "a no to opting out is dated by that of an opt-in alone";
const OTHER_CHANNEL: &str = "the row is about another channel";
const OTHER_STATUS: &str = "no status of the row is about its channel";
const OTHER_VALUE: &str = "the statuses of the row are about other values of it";
const BLANK: &str = "its status is blank";
const NO_WISH: &str = "its status is no wish, as pending, never subscribed and bounced";
const NO_REASON: &str = "its reason is no wish, as that of an address that does not work";

impl Columns {
    /// What a row says of a value.
    pub(super) fn said(&self, row: &Row<'_>, of: Target<'_>) -> Result<Said, WrongStatus> {
        let nothing = |why: &str| {
            Ok(Said { wish: Wish::Neither, received: None, note: Some(why.to_owned()) })
        };
        let is_meant = is_meant(row, of);
        if let Ok(false) = is_meant {
            return nothing(OTHER_CHANNEL);
        }
        let spoken =
            if self.has_status() { by_statuses(row, of)? } else { self.by_reasons(row, of)? };
        let Spoken { wish, is_split, is_denial, why } = spoken;
        let is_out_elsewhere = wish == Wish::Neither && outs(row).next().is_some();
        if !is_out_elsewhere {
            self.by_others(row, of, wish)?;
        }
        if wish == Wish::Neither {
            return match self.of_one(row, of, Wish::Out).next() {
                Some((header, _)) if self.has_status() && !is_out_elsewhere => {
                    Err(WrongStatus::OnlyDate(header.to_owned()))
                }
                _ => nothing(&why),
            };
        }
        is_meant?;
        refuse_limits(row, of)?;
        let (received, dates) = self.when(row, of, self.meant(wish), is_denial)?;
        let notes: Vec<_> = is_split.then(|| SPLIT.to_owned()).into_iter().chain(dates).collect();
        let note = (!notes.is_empty()).then(|| notes.join("; "));
        Ok(Said { wish, received, note })
    }

    /// Why a wish of the row to be left alone would be lost, which is about none of its values.
    pub(super) fn unheard(&self, row: &Row<'_>, values: &[Target<'_>]) -> Option<WrongStatus> {
        let columns = self.reached();
        let about: Option<Vec<_>> = limits(row).map(|cell| Channels::in_cell(cell.text)).collect();
        let about = about?;
        let is_unheard = |by: Channels, is_of: &dyn Fn(&str) -> bool| {
            let meant =
                by.each().filter(|one| about.iter().chain([&columns]).all(|all| all.meet(*one)));
            let meant: Vec<_> = meant.collect();
            let is_heard = |one: &Channels| {
                values.iter().any(|value| value.by.meet(*one) && is_of(value.column))
            };
            !meant.is_empty() && !meant.iter().any(is_heard)
        };
        let of_list = || {
            let is_out = !self.has_status() && self.meant(Wish::Unsaid) == Wish::Out;
            limits(row).next().filter(|_| is_out && is_unheard(Channels::BUT_FAXES, &|_| true))
        };
        let is_lost = |(status, cell): &(Status, &Cell<'_>)| {
            is_unheard(status.channels, &|column| cell.column.of.includes(column))
        };
        let out = outs(row).find(is_lost).map(|(_, cell)| cell);
        let (header, cell) = out.or_else(of_list)?.told();
        Some(WrongStatus::NoValue { header, cell })
    }

    /// What a wish is where a row without a status means that of the list.
    fn meant(&self, wish: Wish) -> Wish {
        match (wish, self.unsaid) {
            (Wish::Unsaid, Wish::Unsaid) => Wish::Out,
            (Wish::Unsaid, unsaid) => unsaid,
            (said, _) => said,
        }
    }

    /// What the reasons of a row say where no status says anything: `Err` if it is the opposite of
    /// what such rows mean. No reason takes back an opt-out.
    fn by_reasons(&self, row: &Row<'_>, of: Target<'_>) -> Result<Spoken, WrongStatus> {
        let says_in = self.meant(Wish::Unsaid) == Wish::In;
        let has_date = self.of_one(row, of, Wish::Out).next().is_some();
        let mut wish = Wish::Unsaid;
        for cell in row.iter().filter(|cell| cell.column.role == Role::Reasons) {
            match Status::in_reason(cell.text) {
                Some(Wish::Neither) => {
                    let bounces = cell.text.to_lowercase().contains("bounce");
                    if says_in || (bounces && !has_date) {
                        wish = Wish::Neither;
                    }
                }
                Some(wish) if self.unsaid != Wish::Unsaid && wish != self.unsaid => {
                    return Err(WrongStatus::opposite(cell));
                }
                _ => {}
            }
        }
        Ok(Spoken { wish, is_split: false, is_denial: false, why: NO_REASON.into() })
    }

    /// Refuses a row of which another cell than its statuses says otherwise: in a column of remarks, or
    /// in one of which nobody can say what its wish is about. None of these makes a wish.
    fn by_others(&self, row: &Row<'_>, of: Target<'_>, wish: Wish) -> Result<(), WrongStatus> {
        let is_of_list = wish == Wish::Unsaid && self.unsaid != Wish::Unsaid;
        for cell in row.iter().filter(|cell| !cell.text.trim().is_empty()) {
            if self.meant(wish) == Wish::Out && cell.says_return(of.by) {
                let (header, cell) = cell.told();
                return Err(WrongStatus::CameBack { header, cell });
            }
            let is_past = |text: &str| self.moment(text.trim()).is_ok();
            if is_of_list && self.unsaid == Wish::Out && cell.column.returns.end(cell.text, is_past)
            {
                return Err(WrongStatus::opposite(cell));
            }
            let other = self.said_otherwise(cell, of.by, wish)?;
            let is_opposite = match other {
                Some(Wish::Neither) => self.unsaid == Wish::In,
                Some(other) => other != self.unsaid,
                None => false,
            };
            let takes_off = || cell.is_remark() && cell.column.remarks.take_off(cell.text);
            if is_of_list && (is_opposite || takes_off()) {
                return Err(WrongStatus::opposite(cell));
            }
            if let (Wish::In | Wish::Neither, Some(Wish::Out)) | (Wish::In, Some(Wish::Neither)) =
                (wish, other)
            {
                let (header, cell) = cell.told();
                return Err(WrongStatus::AlsoOut { header, cell });
            }
        }
        // Nothing but the date of an opt-in speaks of a wish.
        let is_against = is_of_list
            && self.unsaid == Wish::Out
            && self.of_one(row, of, Wish::Out).next().is_none();
        match self.of_one(row, of, Wish::In).next() {
            Some((header, _)) if is_against => {
                let mut dates = row.iter().filter(|cell| cell.header == header);
                let date = dates.find(|cell| !cell.text.trim().is_empty());
                date.map_or(Ok(()), |cell| Err(WrongStatus::opposite(cell)))
            }
            _ => Ok(()),
        }
    }

    /// What a cell that is not blank and no status says of the wish of a row.
    fn said_otherwise(
        &self,
        cell: &Cell<'_>,
        by: Channels,
        wish: Wish,
    ) -> Result<Option<Wish>, WrongStatus> {
        let (column, text) = (cell.column, cell.text);
        Ok(match column.role {
            // Beside a status that decides, what has no header says nothing.
            Role::Status(status) if status.is_unnamed => {
                if wish == Wish::Unsaid && status.is_open(text) {
                    let (header, cell) = cell.told();
                    return Err(WrongStatus::Unclear { header, cell });
                }
                None
            }
            Role::Status(status) if status.is_vague && status.channels.meet(by) => {
                let may_be_out = match self.meant(wish) {
                    Wish::In => status.is_open(text) || status.may_be_out(text),
                    Wish::Neither => status.may_be_out(text),
                    _ => false,
                };
                if may_be_out {
                    let (header, cell) = cell.told();
                    return Err(WrongStatus::Unclear { header, cell });
                }
                status.read(text).filter(|wish| *wish != Wish::Neither || stops::is_none(text))
            }
            // As `SMS opt-out`.
            Role::Channels => column.remarks.say(text, by).filter(|wish| *wish == Wish::Out),
            Role::Reasons if cell.is_remark() => column.remarks.say_why(text, by),
            Role::Other if cell.is_remark() => column.remarks.say(text, by),
            _ => None,
        })
    }

    /// When the wish of a row was received, by the dates that speak of it most plainly, and what is
    /// to be told of it; `Err` where two of these differ: by the wrong one a wish would be later, or
    /// less late, than it is. What cannot be read is told elsewhere.
    fn when(
        &self,
        row: &Row<'_>,
        of: Target<'_>,
        wish: Wish,
        is_denial: bool,
    ) -> Result<(Option<Moment>, Option<String>), WrongStatus> {
        let mut plainest: Option<(&str, Plainness, Moment)> = None;
        let mut note = None;
        for (header, Dating { plainness, of: one, .. }, moment) in self.moments(row, of, wish) {
            // That a sheet says no to opting out is no wish of the day of the sheet.
            if is_denial && one.is_none() && plainness != Plainness::Said {
                note = Some(DENIAL.to_owned());
                continue;
            }
            let Some((first, of, known)) = plainest else {
                plainest = Some((header, plainness, moment));
                continue;
            };
            match known.with(moment) {
                Some(both) if of == plainness => plainest = Some((first, of, both)),
                None if of == plainness => {
                    return Err(WrongStatus::TwoDates(first.to_owned(), header.to_owned()));
                }
                None => note = Some(SEVERAL_DATES.to_owned()),
                Some(_) => {}
            }
        }
        let received = plainest.map(|(.., moment)| moment);
        match wish {
            Wish::In => {
                for (header, out) in self.of_one(row, of, Wish::Out) {
                    match received {
                        Some(received) if out.is_before(received) => {}
                        _ => return Err(WrongStatus::LaterOut(header.to_owned())),
                    }
                }
            }
            _ => {
                let mut ins = self.of_one(row, of, Wish::In);
                let is_later = |at| received.is_some_and(|received| received.is_before(at));
                let later = ins.find(|(_, at)| is_later(*at));
                let later = later.map(|(header, _)| format!("though `{header}` has a later date"));
                note = later.or(note);
            }
        }
        Ok((received, note))
    }

    /// The dates of a row that are of this wish and of no other.
    fn of_one<'r>(
        &'r self,
        row: &'r Row<'_>,
        of: Target<'r>,
        wish: Wish,
    ) -> impl Iterator<Item = (&'r str, Moment)> {
        let moments = self.moments(row, of, wish);
        let of_one = moments.filter(move |(_, dating, _)| dating.of == Some(wish));
        of_one.map(|(header, _, moment)| (header, moment))
    }

    /// The dates of a row that may be those of a wish, those that speak of it most plainly first.
    fn moments<'r>(
        &'r self,
        row: &'r Row<'_>,
        of: Target<'r>,
        wish: Wish,
    ) -> impl Iterator<Item = (&'r str, Dating, Moment)> {
        let dated = self.dated(wish).filter(move |(_, dating)| dating.channels.meet(of.by));
        dated.filter_map(move |(header, dating)| {
            let is_dated = |cell: &&Cell<'_>| {
                cell.header == header
                    && !cell.text.trim().is_empty()
                    && cell.column.of.includes(of.column)
            };
            let cell = row.iter().find(is_dated)?;
            Some((header, dating, self.moment(cell.text.trim()).ok()?))
        })
    }
}

impl Cell<'_> {
    /// Whether it says something of which nobody said what it is.
    fn is_remark(&self) -> bool {
        matches!(self.column.role, Role::Other | Role::Reasons) && !self.column.is_said
    }

    /// Whether it says that the person came back, of a value that is reached by `of`: by its header, or in
    /// a remark.
    fn says_return(&self, of: Channels) -> bool {
        let Column { role, is_said, returns, remarks, .. } = self.column;
        let may_say = match role {
            Role::Status(status) => status.is_vague,
            Role::Received | Role::Reasons | Role::Other => !is_said,
            _ => false,
        };
        let by_header =
            || returns.say(self.text) && Channels::of_words(&spelled(self.header)).meet(of);
        let in_remark = || says_return(self.text) || remarks.answer_in(self.text);
        may_say && (by_header() || (self.is_remark() && in_remark()))
    }

    /// Its header and its text, for people.
    fn told(&self) -> (String, String) {
        (self.header.to_owned(), self.text.to_owned())
    }
}

/// The cells of a row that say about what channels it is.
fn limits<'r, 'a>(row: &'r Row<'a>) -> impl Iterator<Item = &'r Cell<'a>> {
    row.iter().filter(|cell| cell.column.role == Role::Channels)
}

/// The statuses of a row that say opted out, of whatever channel.
fn outs<'r, 'a>(row: &'r Row<'a>) -> impl Iterator<Item = (Status, &'r Cell<'a>)> {
    row.iter().filter_map(|cell| match cell.column.role {
        Role::Status(status) if !status.is_vague => {
            (status.read(cell.text) == Some(Wish::Out)).then_some((status, cell))
        }
        _ => None,
    })
}

/// Whether channels are those of a value.
fn is_of(channels: Channels, of: Target<'_>) -> bool {
    // A number of which no header says more may be that of a fax.
    let is_bare = ["value", "number"].contains(&&*of.column.trim().to_lowercase());
    let may_be_fax = is_bare && of.by == Channels::NUMBERS;
    channels.meet(of.by) || (may_be_fax && channels.meet(Channels::FAXES))
}

/// Whether the row is about the channel of a value.
fn is_meant(row: &Row<'_>, of: Target<'_>) -> Result<bool, WrongStatus> {
    let mut all: Option<Channels> = None;
    let mut meets_all = true;
    for cell in limits(row) {
        let named = Channels::in_cell(cell.text).ok_or_else(|| {
            let (header, cell) = cell.told();
            WrongStatus::NoChannel { header, cell }
        })?;
        let both = all.map_or(named, |all| all.and(named));
        if both.is_none() {
            let (header, cell) = cell.told();
            return Err(WrongStatus::OtherChannel { header, cell });
        }
        all = Some(both);
        meets_all &= is_of(named, of);
    }
    Ok(meets_all)
}

/// Refuses a row with a wish that may be about another channel than that of a value.
fn refuse_limits(row: &Row<'_>, of: Target<'_>) -> Result<(), WrongStatus> {
    let is_other = |cell: &&Cell<'_>| {
        let named = || named_alone(cell.text).is_some_and(|named| !is_of(named, of));
        cell.column.may_limit && named()
    };
    row.iter().find(is_other).map_or(Ok(()), |cell| {
        let (header, cell) = cell.told();
        Err(WrongStatus::MayLimit { header, cell })
    })
}

/// What the statuses of a row say.
fn by_statuses(row: &Row<'_>, of: Target<'_>) -> Result<Spoken, WrongStatus> {
    let (mut said, mut is_of_others, mut elsewhere) = (Vec::new(), false, None);
    for cell in row {
        let Role::Status(status) = cell.column.role else {
            continue;
        };
        if status.is_vague {
            continue;
        }
        if !status.channels.meet(of.by) {
            elsewhere = elsewhere.or(Some((status, cell)));
            continue;
        }
        if !cell.column.of.includes(of.column) {
            is_of_others = true;
            continue;
        }
        let wish = status.stated(cell.text).ok_or_else(|| {
            let (header, cell) = cell.told();
            WrongStatus::Unknown { header, cell }
        })?;
        said.push((status, wish, cell));
    }
    refuse_repeated(row, &said, of)?;
    let is_word = |(_, wish, cell): &(Status, Wish, &Cell<'_>)| {
        *wish == Wish::Neither && cell.text.chars().any(char::is_alphanumeric)
    };
    let is_denial = |(status, wish, cell): &(Status, Wish, &Cell<'_>)| {
        let by_no = status.read("no") == Some(Wish::In);
        *wish == Wish::In && by_no && Status::KEYWORD.read(cell.text).is_none()
    };
    let has_word = said.iter().any(is_word);
    let why = match (has_word, said.is_empty(), is_of_others, elsewhere) {
        (true, ..) => NO_WISH.into(),
        (false, false, ..) => BLANK.into(),
        (false, true, true, _) => OTHER_VALUE.into(),
        (false, true, false, None) => OTHER_STATUS.into(),
        (false, true, false, Some((status, cell))) => format!(
            "{OTHER_STATUS}: `{}` is about {}, and this is {}",
            cell.header,
            status.channels.in_words(),
            of.by.of_one()
        )
        .into(),
    };
    // Whoever never subscribed has not opted out, and is not subscribed for that.
    said.retain(|said| !has_word || !is_denial(said));
    let wishes: Vec<_> = said.iter().map(|(status, wish, _)| (*status, *wish)).collect();
    let (wish, is_split) = Status::together(&wishes, of.by).ok_or(WrongStatus::Contradicts)?;
    let mut ins = said.iter().filter(|(_, wish, _)| *wish == Wish::In);
    let is_denial = wish == Wish::In && ins.all(is_denial);
    Ok(Spoken { wish, is_split, is_denial, why })
}

/// Refuses a row in which two columns have one name and their statuses differ, where that of the value
/// stands there twice too: nobody can say which is of which.
fn refuse_repeated(
    row: &Row<'_>,
    said: &[(Status, Wish, &Cell<'_>)],
    of: Target<'_>,
) -> Result<(), WrongStatus> {
    let differs = |(_, wish, cell): &(Status, Wish, &Cell<'_>)| {
        said.iter().any(|(_, other, of)| of.header == cell.header && other != wish)
    };
    let is_repeated = || row.iter().filter(|cell| cell.header == of.column).count() > 1;
    let refused = said.len() > 1 && said.iter().any(differs) && is_repeated();
    if refused { Err(WrongStatus::Contradicts) } else { Ok(()) }
}

impl WrongStatus {
    fn opposite(cell: &Cell<'_>) -> Self {
        let (header, cell) = cell.told();
        Self::Opposite { header, cell }
    }
}
