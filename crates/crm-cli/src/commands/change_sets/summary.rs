//! The summary of a set, for people and for programs.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io,
    path::{Path, PathBuf},
};

use crm_bulk::{ChangeSet, DecisionKind, ListTotals, Selection, SetKind, State, visible};
use crm_transport::VENDOR_CALLS_PER_SECOND;
use serde::Serialize;

use super::{
    decided::Decided,
    line::{about, difference, indented},
    owner_names::Names,
};
use crate::{
    desk,
    error::CliError,
    globals::Format,
    output::{Output, count, crm, crm_for_all, is_for_several, quoted},
};

/// The totals of a set and what it costs to apply it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::commands) struct Summary {
    set: String,
    kind: &'static str,
    tenant: i64,
    environment: String,
    planned_at: Option<String>,
    /// How old the knowledge is on which the plan rests.
    known_at: Option<String>,
    source: Option<String>,
    /// The user of the system whose process planned it.
    planned_by: Option<String>,
    /// What was decided since it was planned.
    decisions: Vec<Decided>,
    /// Whether it is approved exactly as it is.
    approved: bool,
    /// What `crm apply --expect` takes; `None` for a set of version 0.1 that has not been shown
    /// yet.
    digest: Option<String>,
    /// By whom.
    #[serde(skip)]
    approval: Option<String>,
    #[serde(skip)]
    short_digest: Option<String>,
    /// How an opt-out counted its list.
    list: Option<Listed>,
    /// Contacts that later rows are about again: they are counted once, in `totals`.
    repeats: u64,
    /// State, action, count.
    totals: BTreeMap<&'static str, BTreeMap<String, u64>>,
    /// How many changes other sets have undone, as far as the desk knows.
    undone: u64,
    /// How much each of these sets.
    undone_by: Vec<UndoneBy>,
    /// How many changes that are done still stand.
    standing: u64,
    /// Rows of the input whose value no contact has.
    unmatched_rows: u64,
    /// Rows of the input that are wrong and were left out.
    invalid_rows: u64,
    /// Records that may have a value of the list, for a person to look at.
    look_at: u64,
    /// Records of the service that cannot be read, so that nothing is planned for them.
    unreadable: Vec<String>,
    /// Changes that wait to be sent and have a caution, to be looked at first.
    cautioned: u64,
    /// Changes that are done and whose value the service stored otherwise than it was sent.
    stored_otherwise: u64,
    /// Changes that applying the set still has to look at.
    open: u64,
    calls: u64,
    seconds_at_rate_limit: u64,
    notes: Vec<String>,
    /// Where it was moved to as soon as it was planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    moved: Option<MovedTo>,
    /// Whether it is applied only once it is approved.
    #[serde(skip)]
    needs_approval: bool,
    /// Whether somebody approved it, as it is or as it was before something was dropped.
    #[serde(skip)]
    was_approved: bool,
    /// Whether a run has begun to send it.
    #[serde(skip)]
    is_begun: bool,
    /// The page about it that was written for whoever approves it.
    #[serde(skip)]
    page: Option<PathBuf>,
    /// The first changes, as lines.
    #[serde(skip)]
    sample: Vec<String>,
    /// How many these are.
    #[serde(skip)]
    shown: u64,
    /// The first changes that are set aside, with the reason of each, as lines.
    #[serde(skip)]
    set_aside: Vec<String>,
    /// How many more are set aside.
    #[serde(skip)]
    more_set_aside: u64,
}

/// How many of the changes that are set aside are shown: one shows what it is about, and a few
/// whether all are about the same.
const SET_ASIDE_SHOWN: u32 = 3;

/// A server, and the name of the set there.
#[derive(Debug, Serialize)]
struct MovedTo {
    server: String,
    set: String,
}

/// A list of numbers and addresses, in numbers.
#[derive(Debug, Serialize)]
struct Listed {
    rows: u64,
    /// The different numbers and addresses.
    values: u64,
    /// How many of these some contact has.
    found: u64,
}

impl From<ListTotals> for Listed {
    fn from(ListTotals { rows, values, found, .. }: ListTotals) -> Self {
        Self { rows, values, found }
    }
}

/// What another set has undone.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UndoneBy {
    set: String,
    at: Option<String>,
    changes: u64,
    created_again: u64,
    stored_otherwise: u64,
    /// Of how many of them the records are not again what they were, in words.
    #[serde(skip)]
    otherwise: Vec<String>,
}

impl Summary {
    /// Reads a set, with the first of its planned changes, up to this many, and the first of those
    /// that are set aside.
    pub(in crate::commands) fn of(set: &ChangeSet, sample: u32) -> Result<Self, CliError> {
        let (info, totals, calls) = (set.info()?, set.totals()?, set.calls()?);
        let (approval, undone, decisions) = (set.approval()?, set.undone()?, set.decisions()?);
        let mut by_state = BTreeMap::<_, BTreeMap<_, _>>::new();
        for (state, action, count) in totals.iter() {
            let actions = by_state.entry(state.as_str()).or_default();
            actions.insert(action.to_owned(), count);
        }
        let mut lines = Vec::new();
        let selection = Selection::states([State::Planned]).limit(sample);
        let mut names = Names::of(set.path())?;
        let mut shown = 0;
        for change in set.changes(&selection) {
            let change = change?;
            let before = "  ";
            lines.extend(about(before, &change, names.of_owner(&change.target)?));
            lines.push(indented(before) + &difference(&change));
            lines.extend(change.why.map(|why| indented(before) + &why));
            let caution = change.caution.map(|caution| format!("look at this first: {caution}"));
            lines.extend(caution.map(|caution| indented(before) + &caution));
            shown += 1;
        }
        let (mut set_aside, mut shown_aside, mut said) = (Vec::new(), 0, None);
        let is_aside = State::ALL.into_iter().filter(|state| state.is_set_aside());
        let selection = Selection::states(is_aside).limit(sample.min(SET_ASIDE_SHOWN));
        for change in set.changes(&selection) {
            let change = change?;
            let before = format!("  {}: ", change.outcome.state);
            set_aside.extend(about(&before, &change, names.of_owner(&change.target)?));
            // Many are set aside for one reason, which is long.
            let reason = change.outcome.message.filter(|reason| said.as_ref() != Some(reason));
            set_aside.extend(reason.as_ref().map(|reason| indented(&before) + reason));
            said = reason.or(said);
            shown_aside += 1;
        }
        let all_aside = totals.iter().filter(|(state, ..)| state.is_set_aside());
        let all_aside: u64 = all_aside.map(|(.., count)| count).sum();
        Ok(Self {
            set: name(set.path()),
            kind: info.kind.as_str(),
            tenant: info.site.tenant().get(),
            environment: info.site.environment().to_owned(),
            planned_at: info.created_at.map(|at| at.to_string()),
            known_at: info.known_at.map(|at| at.to_string()),
            source: info.source,
            planned_by: info.planned_by,
            approved: approval.is_some(),
            approval: approval.map(|approval| approval.who()),
            was_approved: decisions.iter().any(|it| it.kind == DecisionKind::Approved),
            is_begun: decisions.iter().any(|it| it.kind == DecisionKind::Applied),
            decisions: decisions.into_iter().map(Decided::from).collect(),
            digest: info.digest.map(|digest| digest.to_string()),
            short_digest: info.digest.map(|digest| digest.short()),
            list: set.list_totals()?.map(Listed::from),
            repeats: totals.repeats(),
            totals: by_state,
            undone: undone.changes(),
            standing: undone.standing,
            undone_by: undone
                .by
                .into_iter()
                .map(|by| UndoneBy {
                    set: name(&by.set),
                    at: by.at.map(|at| at.to_string()),
                    changes: by.changes,
                    created_again: by.created_again,
                    stored_otherwise: by.stored_otherwise,
                    otherwise: by.otherwise(),
                })
                .collect(),
            unmatched_rows: set.unmatched_rows()?,
            invalid_rows: set.invalid_rows()?,
            look_at: info.look_at,
            unreadable: info.unreadable,
            cautioned: set.cautioned()?,
            stored_otherwise: set.stored_otherwise()?,
            open: totals.open(),
            calls,
            seconds_at_rate_limit: calls.div_ceil(u64::from(VENDOR_CALLS_PER_SECOND)),
            notes: set.notes()?,
            moved: None,
            needs_approval: false,
            page: None,
            sample: lines,
            shown,
            set_aside,
            more_set_aside: all_aside - shown_aside,
        })
    }

    /// Says whether the account has it applied only once it is approved.
    pub(in crate::commands) fn needs_approval(mut self, needs_approval: bool) -> Self {
        self.needs_approval = needs_approval;
        self
    }

    /// Says that it is on a server now.
    #[cfg(feature = "fleet")]
    pub(super) fn moved_to(mut self, server: &str, set: &str) -> Self {
        self.moved = Some(MovedTo { server: server.to_owned(), set: set.to_owned() });
        self
    }

    /// Says that there is a page about it, for whoever approves it.
    pub(super) fn with_page(mut self, page: &Path) -> Self {
        self.page = Some(page.to_owned());
        self
    }

    /// Whether changes wait to be applied.
    pub(in crate::commands) fn has_changes(&self) -> bool {
        self.open > 0
    }

    /// Whether nothing waits to be applied, and nothing of the input is left for a person.
    pub(in crate::commands) fn is_settled(&self) -> bool {
        let for_people = [self.unmatched_rows, self.invalid_rows, self.look_at];
        self.open == 0 && for_people == [0; 3] && self.unreadable.is_empty()
    }

    /// Writes it: as text for people, else as one JSON value.
    pub(in crate::commands) fn write(&self, output: &Output) -> io::Result<()> {
        match output.format() {
            Format::Table => output.text(self.text().trim_end()),
            _ => output.value(self),
        }
    }

    /// As [`write`](Self::write), for a command whose exit code says what was planned, also to those
    /// who read only the beginning.
    pub(in crate::commands) fn write_whole_or_begun(&self, output: &Output) -> io::Result<()> {
        match self.write(output) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }

    /// What is done with the set from here on, in a line each: the same whatever has made it what it is.
    pub(super) fn next_lines(&self) -> Vec<String> {
        let next = self.next().into_iter().map(|command| format!("next: {command}"));
        let is_open = self.open > 0 && self.moved.is_none() && !self.is_begun;
        let may_be_approved = is_open && !self.is_reviewed() && !self.approved;
        let or = may_be_approved.then(|| {
            let (set, page) = (quoted(&self.set), quoted(&self.page_name()));
            format!("or, to have it approved first: {} report {set} --html {page}", self.crm())
        });
        next.chain(or).collect()
    }

    /// How a command begins that is advised for the set.
    fn crm(&self) -> String {
        if self.is_of_each() { crm_for_all() } else { crm() }
    }

    /// Whether it is to be approved before it is applied: since the account wants it, since a page was
    /// written for whoever does, or since it had been approved before something was dropped.
    fn is_reviewed(&self) -> bool {
        self.needs_approval || self.page.is_some() || self.was_approved
    }

    /// What is usually done with the set from here on, for a shell.
    fn next(&self) -> Vec<String> {
        let set = quoted(&self.set);
        let is_of_list =
            [SetKind::OptOut, SetKind::OptIn].map(SetKind::as_str).contains(&self.kind);
        // Of a list without rows there is nothing to prove.
        let is_evidence = is_of_list && (!self.totals.is_empty() || self.unmatched_rows > 0);
        let (crm, page, is_reviewed) = (self.crm(), quoted(&self.page_name()), self.is_reviewed());
        let mut next = Vec::new();
        if let Some(MovedTo { set, .. }) = &self.moved {
            let approved = if is_reviewed { " --require-approval" } else { "" };
            next.push(format!("{crm} fleet submit {}{approved}", quoted(set)));
            return next;
        }
        if self.open > 0 && is_reviewed && !self.approved {
            let [look, approve] = to_be_approved(&self.set, self.short_digest.as_deref());
            next.extend(self.page.is_none().then_some(look));
            next.push(format!(
                "{approve}  # --drop N,N leaves changes out, by their numbers on the page"
            ));
        }
        if self.open > 0 {
            let only_then =
                if is_reviewed && !self.needs_approval { " --require-approval" } else { "" };
            next.push(format!("{crm} apply {set}{only_then}"));
        }
        if is_evidence {
            next.push(format!("{crm} report {set} --html {page}  # the evidence"));
        }
        next
    }

    /// How the file of its page is named when that is advised: of several accounts each has its own.
    fn page_name(&self) -> String {
        let name = page_of(&self.set);
        if self.is_of_each() { name.replace(".html", "-{profile}.html") } else { name }
    }

    /// Whether each of several accounts has a set of this name in its desk; a file is of one alone.
    fn is_of_each(&self) -> bool {
        is_for_several() && !Path::new(&self.set).exists()
    }

    fn text(&self) -> String {
        let (mut text, set) = (String::new(), visible(&self.set));
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{set} ({}), tenant {} at {}",
            self.kind,
            self.tenant,
            visible(&self.environment)
        );
        if let Some(at) = &self.known_at {
            let _ = writeln!(text, "contacts as of {at}");
        }
        let _ = match &self.short_digest {
            Some(digest) => writeln!(text, "digest {digest}"),
            None => writeln!(
                text,
                "no digest, since version 0.1 wrote it: `{} show {}` gives it one",
                crm(),
                quoted(&self.set)
            ),
        };
        if let Some(user) = &self.planned_by {
            let _ = writeln!(text, "planned by {}", visible(user));
        }
        if let Some(who) = &self.approval {
            let _ = writeln!(text, "approved by {}", visible(who));
        }
        if let Some(Listed { rows, values, found }) = &self.list {
            let rows = count(*rows, "row");
            let _ = writeln!(
                text,
                "the list: {rows}, {values} different numbers and addresses, {found} of them found"
            );
        }
        for state in State::ALL {
            let words = state.in_words();
            for (action, count) in self.totals.get(state.as_str()).into_iter().flatten() {
                let _ = writeln!(text, "{count:>9}  {words:<10} {action}");
            }
        }
        if self.repeats > 0 {
            let _ = writeln!(
                text,
                "{:>9}  repeats    of these contacts by later rows, not counted again",
                self.repeats
            );
        }
        for UndoneBy { set, at, changes, otherwise, .. } in &self.undone_by {
            let at = at.as_ref().map(|at| format!(", last at {at}")).unwrap_or_default();
            let all = self.undone + self.standing;
            let _ =
                writeln!(text, "{changes:>9}  undone     of {all} done, by {}{at}", visible(set));
            for told in otherwise {
                let _ = writeln!(text, "{:>22}{told}", "");
            }
        }
        if self.stored_otherwise > 0 {
            let stored = self.stored_otherwise;
            let _ = writeln!(text, "{stored:>9}  of these stored otherwise than sent");
        }
        if self.invalid_rows > 0 {
            let _ = writeln!(text, "{:>9}  rows wrong, left out", self.invalid_rows);
        }
        if self.totals.is_empty() {
            let _ = writeln!(text, "        0  changes");
        }
        for line in &self.sample {
            let _ = writeln!(text, "{}", visible(line));
        }
        if self.shown > 0 && self.open > self.shown {
            let _ = writeln!(
                text,
                "  … {} more: {} show {}",
                self.open - self.shown,
                crm(),
                quoted(&self.set)
            );
        }
        for line in &self.set_aside {
            let _ = writeln!(text, "{}", visible(line));
        }
        if !self.set_aside.is_empty() && self.more_set_aside > 0 {
            let (more, set) = (self.more_set_aside, quoted(&self.set));
            let _ = writeln!(text, "  … {more} more that cannot be made: {} show {set}", crm());
        }
        for note in &self.notes {
            let _ = writeln!(text, "note: {}", visible(note));
        }
        if self.open > 0 {
            let _ = writeln!(
                text,
                "to apply: about {}, {} at {VENDOR_CALLS_PER_SECOND} a second",
                count(self.calls, "call"),
                duration(self.seconds_at_rate_limit)
            );
        }
        if let Some(MovedTo { server, set }) = &self.moved {
            let _ = writeln!(text, "moved to {} as {}", visible(server), visible(set));
        }
        let left = [
            ("to look at first", self.cautioned, "change"),
            ("to look at", self.look_at, "record"),
            ("cannot be read", self.unreadable.len() as u64, "record"),
            ("found nowhere", self.unmatched_rows, "row"),
        ];
        let left = left.into_iter().filter(|(_, many, _)| *many > 0);
        let left: Vec<_> =
            left.map(|(what, many, of)| format!("{what}: {}", count(many, of))).collect();
        if !left.is_empty() {
            let _ = writeln!(text, "{}", left.join(", "));
        }
        for line in self.next_lines() {
            let _ = writeln!(text, "{line}");
        }
        text
    }
}

/// What a set is called as it can be typed again: its file, or its name in the desk.
pub(in crate::commands) fn name(path: &Path) -> String {
    desk::name_of(path).unwrap_or_else(|| path.display().to_string())
}

/// The page of a set, as it is usually named.
pub(super) fn page_of(set: &str) -> String {
    name(&Path::new(set).with_extension("html"))
}

/// What comes before a set is applied that has to be approved: a page to look at, and the approval of
/// what is on it.
pub(in crate::commands) fn to_be_approved(set: &str, digest: Option<&str>) -> [String; 2] {
    let page = quoted(&page_of(set));
    let (crm, set) = (crm(), quoted(set));
    let expect = digest.map(|digest| format!(" --expect {digest}")).unwrap_or_default();
    [format!("{crm} report {set} --html {page}"), format!("{crm} approve {set} --by NAME{expect}")]
}

/// Seconds as people say them.
fn duration(seconds: u64) -> String {
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}
