//! All that a report counts, one entry a line.

use crm_bulk::guarded;
use crm_consent::{
    Act, Breach, Clock, Due, DueKind, Heard, ImportTold, SealTold, ShownKey, TurnedOff as Off,
};
use crm_models::Preference;
use serde::Serialize;

use crate::{
    desk::{Place, TurnedOff},
    output::records,
};

/// An entry of the ledger, or a contact of which marketing was turned off.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line {
    /// `wish`, `import`, `turned-off`, `late-until-gone`, `not-shown-until-gone`, `late-until-start`, `due`,
    /// or what an entry of the ledger is.
    entry: String,
    at: String,
    by: Option<String>,
    record: Option<u64>,
    /// The record that it is about; of a wish, its import.
    of: Option<u64>,
    wish: Option<String>,
    value: Option<String>,
    received: Option<String>,
    taken_by: Option<String>,
    words: Option<String>,
    /// The file of a list, or the place where a wish was said.
    from: Option<String>,
    row: Option<u64>,
    sha256: Option<String>,
    rows: Option<u64>,
    unreadable: Option<u64>,
    out: Option<u64>,
    #[serde(rename = "in")]
    into: Option<u64>,
    again: Option<u64>,
    retracted: Option<bool>,
    reason: Option<String>,
    owner_kind: Option<String>,
    owner_id: Option<String>,
    contact_id: Option<String>,
    /// The set or the command.
    through: Option<String>,
    trace_id: Option<String>,
    /// What was turned off or is due.
    receives: Option<String>,
    last_day: Option<String>,
    days_late: Option<u32>,
    /// What became of a copy, as a proof says it.
    verdict: Option<String>,
    /// The SHA-256 of the policy by which the last day was counted.
    policy: Option<String>,
    /// The last day by the other policy that has a say, where that is another one.
    other_last_day: Option<String>,
    other_policy: Option<String>,
}

records! {
    Line {
        "entry", "at", "by", "record", "of", "wish", "value", "received", "takenBy", "words", "from",
        "row", "sha256", "rows", "unreadable", "out", "in", "again", "retracted", "reason", "ownerKind",
        "ownerId", "contactId", "through", "traceId", "receives", "lastDay", "daysLate", "verdict", "policy",
        "otherLastDay", "otherPolicy",
    }
}

/// A preference of a copy of a number or an address.
pub(super) type OfCopy<'c> = (&'c Place, &'c str, Preference);

impl Line {
    /// Has no text begin like a formula of a spreadsheet program.
    pub(super) fn guarded(mut self) -> Self {
        let texts = [
            &mut self.by,
            &mut self.value,
            &mut self.received,
            &mut self.taken_by,
            &mut self.words,
            &mut self.from,
            &mut self.reason,
            &mut self.through,
            &mut self.trace_id,
        ];
        for text in texts.into_iter().flatten() {
            *text = guarded(text).into_owned();
        }
        self
    }

    pub(super) fn of_wish(heard: Heard) -> Self {
        Self {
            entry: "wish".to_owned(),
            at: heard.recorded_at,
            by: Some(heard.recorded_by),
            record: Some(heard.record),
            of: heard.import,
            wish: Some(heard.wish.to_string()),
            value: heard.value,
            received: heard.received,
            taken_by: heard.taken_by,
            words: heard.words,
            from: heard.place,
            row: heard.row,
            retracted: Some(heard.retracted),
            ..Self::default()
        }
    }

    pub(super) fn of_import(told: &ImportTold) -> Self {
        Self {
            entry: "import".to_owned(),
            at: told.at.clone(),
            by: Some(told.by.clone()),
            record: Some(told.record),
            from: Some(told.file.clone()),
            sha256: Some(told.sha256.clone()),
            rows: Some(told.rows),
            unreadable: Some(told.unreadable),
            out: Some(told.out),
            into: Some(told.into),
            again: Some(told.again),
            retracted: Some(told.retracted_by.is_some()),
            ..Self::default()
        }
    }

    pub(super) fn of_act(act: &Act) -> Self {
        Self {
            entry: act.kind.clone(),
            at: act.at.clone(),
            by: Some(act.by.clone()),
            record: Some(act.record),
            of: act.of,
            reason: act.reason.clone(),
            through: act.target.clone(),
            ..Self::default()
        }
    }

    pub(super) fn of_seal(seal: &SealTold) -> Self {
        Self {
            entry: "seal".to_owned(),
            at: seal.at.clone(),
            by: Some(seal.by.clone()),
            record: Some(seal.record),
            rows: Some(seal.head.count),
            sha256: Some(seal.head.hash.to_string()),
            received: seal.stamped.clone(),
            ..Self::default()
        }
    }

    /// Of a copy that received marketing too long, until it went or a wish to be written to.
    pub(super) fn of_breach(entry: &str, breach: &Breach, (place, value, of): OfCopy<'_>) -> Self {
        Self {
            entry: entry.to_owned(),
            at: breach.until.to_string(),
            record: Some(breach.record),
            of: breach.ended_by,
            value: Some(place.value.as_deref().unwrap_or(value).to_owned()),
            owner_kind: Some(place.owner_kind.clone()),
            owner_id: Some(place.owner_id.clone()),
            contact_id: Some(place.contact_id.clone()),
            receives: Some(of.option().to_owned()),
            last_day: Some(breach.last_day.clone()),
            days_late: Some(breach.days_late),
            ..Self::default()
        }
    }

    pub(super) fn of_key(key: &ShownKey) -> Self {
        Self {
            entry: "key".to_owned(),
            at: key.since.clone(),
            by: Some(key.by.clone()),
            record: Some(key.record),
            sha256: Some(key.fingerprint.to_string()),
            reason: key.lost.clone(),
            ..Self::default()
        }
    }

    /// Of a copy that was turned off, by us or by others.
    pub(super) fn of_off(off: &Off, clock: Option<&Clock>, (place, value, of): OfCopy<'_>) -> Self {
        let other = clock.and_then(|clock| clock.otherwise.as_ref());
        let at = off.at.to_string();
        let event = place.events.iter().find(|event| event.at.as_ref() == Some(&at));
        Self {
            entry: "turned-off".to_owned(),
            record: clock.map(|clock| clock.record),
            value: Some(place.value.as_deref().unwrap_or(value).to_owned()),
            owner_kind: Some(place.owner_kind.clone()),
            owner_id: Some(place.owner_id.clone()),
            contact_id: Some(place.contact_id.clone()),
            by: event.and_then(|event| event.by.clone()),
            through: event.map(|event| event.through.clone()),
            trace_id: event.and_then(|event| event.trace_id.clone()),
            receives: Some(of.option().to_owned()),
            last_day: clock.map(|clock| clock.counted.last_day.clone()),
            days_late: Some(off.days_late),
            verdict: Some(off.verdict.to_string()),
            policy: clock.map(|clock| clock.counted.policy_sha256.clone()),
            other_last_day: other.map(|other| other.last_day.clone()),
            other_policy: other.map(|other| other.policy_sha256.clone()),
            at,
            ..Self::default()
        }
    }

    /// Of one that is still due, by the mirror.
    pub(super) fn of_due(due: &Due, at: &str) -> Self {
        Self {
            entry: "due".to_owned(),
            at: at.to_owned(),
            record: Some(due.record),
            value: Some(due.stored.clone()),
            received: due.received.clone(),
            reason: due.why.clone(),
            owner_kind: Some(due.target.kind().to_owned()),
            owner_id: Some(due.target.owner_text()),
            contact_id: due.target.contact_text(),
            receives: Some(due.receives.join(" ")),
            last_day: Some(due.deadline.clone()),
            days_late: Some(due.days_late),
            verdict: Some(match due.kind {
                DueKind::Open => due.verdict.to_string(),
                kind => format!("{}, {kind}", due.verdict),
            }),
            other_last_day: due.other_deadline.clone(),
            ..Self::default()
        }
    }

    /// Of one that was turned off without a wish.
    pub(super) fn of_turned_off(off: TurnedOff) -> Self {
        Self {
            entry: "turned-off".to_owned(),
            at: off.at,
            value: off.value,
            owner_kind: off.owner_kind,
            owner_id: off.owner_id,
            contact_id: off.contact_id,
            through: Some(off.through),
            trace_id: off.trace_id,
            ..Self::default()
        }
    }
}
