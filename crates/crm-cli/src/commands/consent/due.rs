//! `crm consent due`: what has to be done by when.

use std::collections::BTreeSet;

use clap::Args;
use crm_bulk::Target;
use crm_consent::{Due, DueKind, Ledger};
use crm_mirror::Mirror;

use super::reach::tell_overridden;
use crate::{
    commands::{
        age::{is_behind, tell_age},
        change_sets::known::read_desk_by,
        ledger,
    },
    desk::Desk,
    error::CliError,
    output::{Output, count, note, records},
    status::Status,
};

/// List who still receives something although their number or address is out
///
/// Contacts of customers and locations and contact methods of people, from the desk's mirror, without
/// a call: bring it up to date first with `crm mirror update`. Each has the last day in time, by the
/// policy in force at the wish or that of today, whichever is earlier, and how many days it is late; what was created after
/// the wish, or got its number or address after it, has a clock of its own. Where one wish counts for marketing
/// and another for other kinds of messages, each has an entry. What nobody can tell is as late
/// as what receives marketing, and so is what was sent and found on again when it was read back. The code is
/// 10 where one is late.
///
/// Under KIND, open is what `crm consent plan` turns off, cannot-be-set what no plan can, and look-at a
/// number that may be one that is out, since one of the two lacks its area code or can be read in two
/// ways: a person has to look, and nothing is ever written there. What contact methods receive is as
/// the last plan read it.
#[derive(Debug, Args)]
pub(crate) struct DueCommand {}

records! {
    Due {
        "kind" => "KIND", "deadline" => "BY", "daysLate" => "LATE", "verdict", "otherDeadline", "stored" => "VALUE",
        "ownerKind" => "OF", "ownerId" => "ID", "contactId" => "CONTACT", "receives" => "RECEIVES", "record" => "RECORD",
        "value", "received", "isKnown", "created", "why" => "WHY", "overridden",
    }
}

impl DueCommand {
    pub(crate) async fn run(
        self,
        ledger: &Ledger,
        desk: Option<&Desk>,
        output: &Output,
    ) -> Result<Status, CliError> {
        let mut records = output.records::<Due>()?;
        records.if_none("nothing is due");
        let desk = desk.filter(|desk| desk.mirror().exists()).ok_or_else(|| {
            CliError::Usage(
                "what is due is found in the mirror, and this account has none yet: `crm mirror \
                 update` makes it; then ask again"
                    .to_owned(),
            )
        })?;
        let mirror = Mirror::open(desk.mirror())?;
        read_desk_by(desk, &mirror, desk.region()).await?;
        tell_age("the mirror", &mirror, is_behind(desk, &mirror)?)?;
        if mirror.people_known_at()?.is_none() {
            note("people are not in the mirror: their contact methods are not covered");
        }
        let due = ledger::due(ledger, desk, &mirror)?;
        let left = Left::of(&due);
        note(left.text());
        let split = due.iter().filter(|due| due.other_deadline.is_some()).count() as u64;
        if split > 0 {
            note(format!(
                "of {} the policy in force at the wish and that of today give two last days: the \
                 earlier one is told, `otherDeadline` is the other",
                count(split, "copy")
            ));
        }
        let overridden = due.iter().filter_map(|due| Some((due.target, due.overridden.as_ref()?)));
        tell_overridden(overridden).iter().for_each(note);
        let is_unread = |due: &&Due| !due.is_known && matches!(due.target, Target::Method { .. });
        let unread = due.iter().filter(is_unread).count() as u64;
        if unread > 0 {
            note(format!(
                "{} not read yet, and may receive marketing: `crm consent plan` asks",
                are(unread, "contact method")
            ));
        }
        records.all(due)?;
        Ok(if left.late > 0 { Status::Consent } else { Status::Done })
    }
}

/// How many there are of a thing, as the beginning of a sentence.
fn are(number: u64, thing: &str) -> String {
    let verb = if number == 1 { "was" } else { "were" };
    format!("{} {verb}", count(number, thing))
}

/// How much is due.
#[derive(Debug, Default, Clone, Copy, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Left {
    open: u64,
    pub(super) cannot_be_set: u64,
    look_at: u64,
    /// Of those that are open or cannot be set.
    pub(super) late: u64,
}

impl Left {
    pub(super) fn of(due: &[Due]) -> Self {
        // A copy of which two wishes ask for two things is one copy.
        let count = |holds: &dyn Fn(&Due) -> bool| {
            let targets = due.iter().filter(|due| holds(due)).map(|due| due.target);
            targets.collect::<BTreeSet<_>>().len() as u64
        };
        let of = |kind| count(&|due| due.kind == kind);
        Self {
            open: of(DueKind::Open),
            cannot_be_set: of(DueKind::CannotBeSet),
            look_at: of(DueKind::LookAt),
            late: count(&|due| due.kind != DueKind::LookAt && due.days_late > 0),
        }
    }

    /// In one line, without what did not occur.
    pub(super) fn text(self) -> String {
        let Self { open, cannot_be_set, look_at, late } = self;
        let all = open + cannot_be_set;
        let mut text =
            format!("{} due", if all == 0 { "nothing is".to_owned() } else { count(all, "copy") });
        for (number, what) in [(late, "late"), (cannot_be_set, "that cannot be set")] {
            if number > 0 {
                text += &format!(", {number} {what}");
            }
        }
        if look_at > 0 {
            text += &format!("; {} to look at", count(look_at, "contact"));
        }
        text
    }
}
