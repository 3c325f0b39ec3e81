//! What a row says of one of its values: what its person wishes, and since when.

use super::{
    channels::Channels,
    columns::Columns,
    dates::Moment,
    roles::{Dating, Plainness, Role},
    status::Status,
    stops,
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

/// What the statuses or reasons of a row say of a value.
struct Spoken {
    wish: Wish,
    /// Whether texts and calls differ.
    is_split: bool,
    /// Whether it says in by nothing but a no to opting out.
    is_denial: bool,
    /// Of what is no wish, why.
    why: &'static str,
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

type Row<'a> = [(&'a str, &'a str)];

const SPLIT: &str = "of texts and calls one is out, which counts for the number";
const SEVERAL_DATES: &str = "of its dates that of the column which speaks of it most plainly";
const DENIAL: &str = "a no to opting out is dated by that of an opt-in alone";
const OTHER_CHANNEL: &str = "the row is about another channel";
const OTHER_STATUS: &str = "no status of the row is about its channel";
const BLANK: &str = "its status is blank";
const NO_WISH: &str = "its status is no wish, as pending, never subscribed and bounced";
const NO_REASON: &str = "its reason is no wish, as that of an address that does not work";

impl Columns {
    /// What a row says of the value in this column.
    pub(super) fn said(
        &self,
        row: &Row<'_>,
        column: &str,
        is_number: bool,
    ) -> Result<Said, WrongStatus> {
        let of = Channels::of_value(column, is_number);
        let nothing = |why: &str| {
            Ok(Said { wish: Wish::Neither, received: None, note: Some(why.to_owned()) })
        };
        let is_meant = self.is_meant(row, column, of);
        if let Ok(false) = is_meant {
            return nothing(OTHER_CHANNEL);
        }
        let spoken =
            if self.has_status() { self.by_statuses(row, of)? } else { self.by_reasons(row, of)? };
        let Spoken { wish, is_split, is_denial, why } = spoken;
        let is_out_elsewhere = wish == Wish::Neither && self.outs(row).next().is_some();
        if !is_out_elsewhere {
            self.by_others(row, of, wish)?;
        }
        if wish == Wish::Neither {
            return match self.of_one(row, of, Wish::Out).next() {
                Some((header, _)) if self.has_status() && !is_out_elsewhere => {
                    Err(WrongStatus::OnlyDate(header.to_owned()))
                }
                _ => nothing(why),
            };
        }
        is_meant?;
        let (received, dates) = self.when(row, of, self.meant(wish), is_denial)?;
        let notes: Vec<_> = is_split.then(|| SPLIT.to_owned()).into_iter().chain(dates).collect();
        let note = (!notes.is_empty()).then(|| notes.join("; "));
        Ok(Said { wish, received, note })
    }

    /// Why a wish of the row to be left alone would be lost, which is about none of its values: these
    /// are reached by `reached`.
    pub(super) fn unheard(&self, row: &Row<'_>, reached: &[Channels]) -> Option<WrongStatus> {
        let columns = self.reached();
        let about: Option<Vec<_>> = row
            .iter()
            .filter(|(header, _)| self.role(header) == Role::Channels)
            .map(|(_, cell)| Channels::in_cell(cell))
            .collect();
        let about = about?;
        let is_unheard = |of: Channels| {
            let mut meant =
                of.each().filter(|one| about.iter().chain([&columns]).all(|all| all.meet(*one)));
            let first = meant.next();
            first.is_some()
                && !first.into_iter().chain(meant).any(|one| reached.iter().any(|of| of.meet(one)))
        };
        let of_list = || {
            let mut channels = row.iter().filter(|(header, _)| self.role(header) == Role::Channels);
            let is_out = !self.has_status() && self.meant(Wish::Unsaid) == Wish::Out;
            channels.next().filter(|_| is_out && is_unheard(Channels::BUT_FAXES))
        };
        let out = self.outs(row).find(|(status, ..)| is_unheard(status.channels));
        let (header, cell) =
            out.map(|(_, header, cell)| (header, cell)).or_else(|| of_list().copied())?;
        Some(WrongStatus::NoValue { header: header.to_owned(), cell: cell.to_owned() })
    }

    /// The statuses of a row that say opted out, of whatever channel.
    fn outs<'r>(&self, row: &'r Row<'_>) -> impl Iterator<Item = (Status, &'r str, &'r str)> {
        row.iter().filter_map(|(header, cell)| match self.role(header) {
            Role::Status(status) if !status.is_vague => {
                (status.read(cell) == Some(Wish::Out)).then_some((status, *header, *cell))
            }
            _ => None,
        })
    }

    /// What a wish is where a row without a status means that of the list.
    fn meant(&self, wish: Wish) -> Wish {
        match (wish, self.unsaid) {
            (Wish::Unsaid, Wish::Unsaid) => Wish::Out,
            (Wish::Unsaid, unsaid) => unsaid,
            (said, _) => said,
        }
    }

    /// Whether the row is about the channel of a value.
    fn is_meant(&self, row: &Row<'_>, column: &str, of: Channels) -> Result<bool, WrongStatus> {
        // A number of which no header says more may be that of a fax.
        let is_bare = ["value", "number"].contains(&&*column.trim().to_lowercase());
        let may_be_fax = is_bare && of == Channels::NUMBERS;
        let mut all: Option<Channels> = None;
        let mut meets_all = true;
        for (header, cell) in row.iter().filter(|(header, _)| self.role(header) == Role::Channels) {
            let named = Channels::in_cell(cell).ok_or_else(|| WrongStatus::NoChannel {
                header: (*header).to_owned(),
                cell: (*cell).to_owned(),
            })?;
            let both = all.map_or(named, |all| all.and(named));
            if both.is_none() {
                let (header, cell) = ((*header).to_owned(), (*cell).to_owned());
                return Err(WrongStatus::OtherChannel { header, cell });
            }
            all = Some(both);
            meets_all &= named.meet(of) || (may_be_fax && named.meet(Channels::FAXES));
        }
        Ok(meets_all)
    }

    /// What the statuses of a row say.
    fn by_statuses(&self, row: &Row<'_>, of: Channels) -> Result<Spoken, WrongStatus> {
        let mut said = Vec::new();
        for (header, cell) in row {
            let Role::Status(status) = self.role(header) else {
                continue;
            };
            if status.channels.meet(of) && !status.is_vague {
                let wish = status.read(cell).ok_or_else(|| WrongStatus::Unknown {
                    header: (*header).to_owned(),
                    cell: (*cell).to_owned(),
                })?;
                said.push((status, wish, *cell));
            }
        }
        let is_word = |(_, wish, cell): &(Status, Wish, &str)| {
            *wish == Wish::Neither && cell.chars().any(char::is_alphanumeric)
        };
        let is_denial = |(status, wish, cell): &(Status, Wish, &str)| {
            let by_no = status.read("no") == Some(Wish::In);
            *wish == Wish::In && by_no && Status::KEYWORD.read(cell).is_none()
        };
        let has_word = said.iter().any(is_word);
        let has_status = !said.is_empty();
        // Whoever never subscribed has not opted out, and is not subscribed for that.
        said.retain(|said| !has_word || !is_denial(said));
        let wishes: Vec<_> = said.iter().map(|(status, wish, _)| (*status, *wish)).collect();
        let (wish, is_split) = Status::together(&wishes, of).ok_or(WrongStatus::Contradicts)?;
        let mut ins = said.iter().filter(|(_, wish, _)| *wish == Wish::In);
        let is_denial = wish == Wish::In && ins.all(is_denial);
        let why = match (has_word, has_status) {
            (true, _) => NO_WISH,
            (false, true) => BLANK,
            (false, false) => OTHER_STATUS,
        };
        Ok(Spoken { wish, is_split, is_denial, why })
    }

    /// What the reasons of a row say where no status says anything: `Err` if it is the opposite of
    /// what such rows mean. No reason takes back an opt-out.
    fn by_reasons(&self, row: &Row<'_>, of: Channels) -> Result<Spoken, WrongStatus> {
        let says_in = self.meant(Wish::Unsaid) == Wish::In;
        let has_date = self.of_one(row, of, Wish::Out).next().is_some();
        let mut wish = Wish::Unsaid;
        for (header, cell) in row.iter().filter(|(header, _)| self.role(header) == Role::Reasons) {
            match Status::in_reason(cell) {
                Some(Wish::Neither) => {
                    let bounces = cell.to_lowercase().contains("bounce");
                    if says_in || (bounces && !has_date) {
                        wish = Wish::Neither;
                    }
                }
                Some(wish) if self.unsaid != Wish::Unsaid && wish != self.unsaid => {
                    return Err(WrongStatus::opposite(header, cell));
                }
                _ => {}
            }
        }
        Ok(Spoken { wish, is_split: false, is_denial: false, why: NO_REASON })
    }

    /// Refuses a row of which another cell than its statuses says otherwise: in a column of remarks, or
    /// in one of which nobody can say what its wish is about. None of these makes a wish.
    fn by_others(&self, row: &Row<'_>, of: Channels, wish: Wish) -> Result<(), WrongStatus> {
        let is_of_list = wish == Wish::Unsaid && self.unsaid != Wish::Unsaid;
        for (header, cell) in row {
            let role = self.role(header);
            let is_remark = matches!(role, Role::Other | Role::Reasons) && !self.is_said(header);
            let other = match role {
                Role::Status(status)
                    if status.is_vague
                        && status.channels.meet(of)
                        && status.is_open(cell)
                        && self.meant(wish) == Wish::In =>
                {
                    let (header, cell) = ((*header).to_owned(), (*cell).to_owned());
                    return Err(WrongStatus::Unclear { header, cell });
                }
                Role::Status(status) if status.is_vague && status.channels.meet(of) => {
                    status.read(cell).filter(|wish| *wish != Wish::Neither || stops::is_none(cell))
                }
                Role::Reasons if is_remark => stops::in_reason(header, cell, of),
                Role::Other if is_remark => stops::in_remark(header, cell, of),
                _ => None,
            };
            if is_of_list && is_remark && stops::takes_off(header, cell) {
                return Err(WrongStatus::opposite(header, cell));
            }
            match (wish, other) {
                (Wish::Unsaid, Some(Wish::Out | Wish::In))
                    if is_of_list && other != Some(self.unsaid) =>
                {
                    return Err(WrongStatus::opposite(header, cell));
                }
                (Wish::Unsaid, Some(Wish::Neither)) if is_of_list && self.unsaid == Wish::In => {
                    return Err(WrongStatus::opposite(header, cell));
                }
                (Wish::In | Wish::Neither, Some(Wish::Out)) | (Wish::In, Some(Wish::Neither)) => {
                    let (header, cell) = ((*header).to_owned(), (*cell).to_owned());
                    return Err(WrongStatus::AlsoOut { header, cell });
                }
                _ => {}
            }
        }
        // Nothing but the date of an opt-in speaks of a wish.
        let is_against = is_of_list
            && self.unsaid == Wish::Out
            && self.of_one(row, of, Wish::Out).next().is_none();
        match self.of_one(row, of, Wish::In).next() {
            Some((header, _)) if is_against => {
                let cell = row.iter().find(|(of, cell)| *of == header && !cell.trim().is_empty());
                Err(WrongStatus::opposite(header, cell.map_or("", |(_, cell)| cell)))
            }
            _ => Ok(()),
        }
    }

    /// When the wish of a row was received, by the dates that speak of it most plainly, and what is
    /// to be told of it; `Err` where two of these differ: by the wrong one a wish would be later, or
    /// less late, than it is. What cannot be read is told elsewhere.
    fn when(
        &self,
        row: &Row<'_>,
        of: Channels,
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
        of: Channels,
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
        of: Channels,
        wish: Wish,
    ) -> impl Iterator<Item = (&'r str, Dating, Moment)> {
        let dated = self.dated(wish).filter(move |(_, dating)| dating.channels.meet(of));
        dated.filter_map(|(header, dating)| {
            let is_dated = |(of, cell): &&(&str, &str)| *of == header && !cell.trim().is_empty();
            let (_, cell) = row.iter().find(is_dated)?;
            Some((header, dating, self.moment(cell.trim()).ok()?))
        })
    }
}

impl WrongStatus {
    fn opposite(header: &str, cell: &str) -> Self {
        Self::Opposite { header: header.to_owned(), cell: cell.to_owned() }
    }
}
