//! What a row says of one of its values: what its person wishes, and since when.

use super::{
    channels::Channels,
    columns::Columns,
    dates::Moment,
    roles::{Dating, Plainness, Role},
    status::Status,
    wish::Wish,
};

/// What a row says of a value.
pub(super) struct Said {
    pub(super) wish: Wish,
    /// When that was received.
    pub(super) received: Option<Moment>,
    /// What is to be told of how it was read.
    pub(super) note: Option<String>,
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
}

type Row<'a> = [(&'a str, &'a str)];

const SPLIT: &str = "of texts and calls one is out, which counts for the number";
const SEVERAL_DATES: &str = "of its dates that of the column which speaks of it most plainly";
const OUT_DATE: &str = "the date of an opt-out is not that of the opt-in";
const LATER_IN: &str = "though the date of an opt-in is later";

impl Columns {
    /// What a row says of the value in this column.
    pub(super) fn said(
        &self,
        row: &Row<'_>,
        column: &str,
        is_number: bool,
    ) -> Result<Said, WrongStatus> {
        let of = Channels::of_value(column, is_number);
        let nothing = Said { wish: Wish::Neither, received: None, note: None };
        let is_meant = self.is_meant(row, column, of);
        if let Ok(false) = is_meant {
            return Ok(nothing);
        }
        let (wish, is_split) = if self.has_status() {
            self.by_statuses(row, of)?
        } else {
            (self.by_reasons(row)?, false)
        };
        self.by_others(row, of, wish)?;
        if wish == Wish::Neither {
            return match self.of_one(row, of, Wish::Out).next() {
                Some((header, _)) if self.has_status() => {
                    Err(WrongStatus::OnlyDate(header.to_owned()))
                }
                _ => Ok(nothing),
            };
        }
        is_meant?;
        let (received, dates) = self.when(row, of, self.meant(wish))?;
        let notes: Vec<_> = is_split.then_some(SPLIT).into_iter().chain(dates).collect();
        let note = (!notes.is_empty()).then(|| notes.join("; "));
        Ok(Said { wish, received, note })
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

    /// What the statuses of a row say, and whether texts and calls differ.
    fn by_statuses(&self, row: &Row<'_>, of: Channels) -> Result<(Wish, bool), WrongStatus> {
        let mut wishes = Vec::new();
        for (header, cell) in row {
            let Role::Status(status) = self.role(header) else {
                continue;
            };
            if status.channels.meet(of) && !status.is_vague {
                let wish = status.read(cell).ok_or_else(|| WrongStatus::Unknown {
                    header: (*header).to_owned(),
                    cell: (*cell).to_owned(),
                })?;
                wishes.push((status, wish));
            }
        }
        Status::together(&wishes, of).ok_or(WrongStatus::Contradicts)
    }

    /// What the reasons of a row say where no status says anything: `Err` if it is the opposite of
    /// what such rows mean.
    fn by_reasons(&self, row: &Row<'_>) -> Result<Wish, WrongStatus> {
        let reasons = row.iter().filter(|(header, _)| self.role(header) == Role::Reasons);
        for (header, cell) in reasons {
            match Status::in_reason(cell) {
                Some(Wish::Neither) => return Ok(Wish::Neither),
                Some(wish) if self.unsaid != Wish::Unsaid && wish != self.unsaid => {
                    return Err(WrongStatus::opposite(header, cell));
                }
                _ => {}
            }
        }
        Ok(Wish::Unsaid)
    }

    /// Refuses a row of which another cell than its statuses says otherwise: in a column of remarks, or
    /// in one of which nobody can say what its wish is about. None of these makes a wish.
    fn by_others(&self, row: &Row<'_>, of: Channels, wish: Wish) -> Result<(), WrongStatus> {
        for (header, cell) in row {
            let other = match self.role(header) {
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
                    status.read(cell)
                }
                Role::Other | Role::Reasons if !self.is_said(header) => Status::in_remark(cell, of),
                _ => None,
            };
            match (wish, other) {
                (Wish::Unsaid, Some(Wish::Out | Wish::In))
                    if self.unsaid != Wish::Unsaid && other != Some(self.unsaid) =>
                {
                    return Err(WrongStatus::opposite(header, cell));
                }
                (Wish::In | Wish::Neither, Some(Wish::Out)) => {
                    let (header, cell) = ((*header).to_owned(), (*cell).to_owned());
                    return Err(WrongStatus::AlsoOut { header, cell });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// When the wish of a row was received, by the dates that speak of it most plainly, and what is
    /// to be told of it; `Err` where two of these differ: by the wrong one a wish would be later, or
    /// less late, than it is. What cannot be read is told elsewhere.
    fn when(
        &self,
        row: &Row<'_>,
        of: Channels,
        wish: Wish,
    ) -> Result<(Option<Moment>, Option<&'static str>), WrongStatus> {
        let mut plainest: Option<(&str, Plainness, Moment)> = None;
        let mut note = None;
        for (header, Dating { plainness, .. }, moment) in self.moments(row, of, wish) {
            let Some((first, of, known)) = plainest else {
                plainest = Some((header, plainness, moment));
                continue;
            };
            match known.with(moment) {
                Some(both) if of == plainness => plainest = Some((first, of, both)),
                None if of == plainness => {
                    return Err(WrongStatus::TwoDates(first.to_owned(), header.to_owned()));
                }
                None => note = Some(SEVERAL_DATES),
                Some(_) => {}
            }
        }
        let received = plainest.map(|(.., moment)| moment);
        match wish {
            Wish::In => {
                for (header, out) in self.of_one(row, of, Wish::Out) {
                    match received {
                        None => note = Some(OUT_DATE),
                        Some(received) if out.is_before(received) => {}
                        Some(_) => return Err(WrongStatus::LaterOut(header.to_owned())),
                    }
                }
            }
            _ => {
                let mut ins = self.of_one(row, of, Wish::In);
                let is_later = |at| received.is_some_and(|received| received.is_before(at));
                note = ins.any(|(_, at)| is_later(at)).then_some(LATER_IN).or(note);
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
