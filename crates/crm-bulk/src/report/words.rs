//! How a page says things to people who do not program.

use std::borrow::Cow;

use crm_models::Timestamp;
use jiff::{
    ToSpan,
    civil::{Date, Weekday},
};

use crate::set::{Action, Change, SetKind, State, Target};

/// How many business days an opt-out may take.
pub(super) const BUSINESS_DAYS: u32 = 10;

/// The page's title.
pub(super) fn title(kind: SetKind) -> &'static str {
    match kind {
        SetKind::OptOut => "Opt-outs",
        SetKind::OptIn => "Opt-ins",
        SetKind::Undo => "Changes taken back",
        _ => "Changes to contacts",
    }
}

/// What a state means, and how it looks.
pub(super) fn state(state: State) -> (&'static str, &'static str) {
    match state {
        State::Planned => ("to be done", "wait"),
        State::Already => ("was so already", "done"),
        State::InFlight => ("interrupted, will be checked", "wait"),
        State::Done => ("done", "done"),
        State::Failed => ("not possible", "bad"),
        State::Held => ("held back, not sent", "bad"),
        State::Unknown => ("not certain, will be checked", "bad"),
        State::Drifted => ("set aside: somebody has changed it", "bad"),
        State::NotFound => ("not found", "bad"),
        State::Dropped => ("taken out by a person", "wait"),
        State::Conflict => ("set aside: the list contradicts itself", "bad"),
    }
}

/// Where a contact was found.
pub(super) fn place(target: &Target) -> String {
    match target {
        Target::Method { person, .. } => format!("Person {person}"),
        Target::Contact { owner, contact } => {
            let kind = match owner.kind() {
                "customer" => "Customer",
                _ => "Location",
            };
            match contact {
                Some(contact) => format!("{kind} {}, contact {contact}", owner.get()),
                None => format!("{kind} {}", owner.get()),
            }
        }
    }
}

/// A time to the second, in UTC.
#[must_use]
pub fn time(at: Timestamp) -> String {
    let text = at.to_string();
    let seconds = text.get(..19).unwrap_or(&text);
    format!("{} UTC", seconds.replace('T', " "))
}

/// The day of a time, in UTC.
pub(super) fn day(at: Timestamp) -> Option<Date> {
    at.to_string().get(..10)?.parse().ok()
}

/// By how many days something is late.
pub(super) fn late(days: u32) -> String {
    format!("{days} {} late", if days == 1 { "day" } else { "days" })
}

/// What is done to a contact as a whole; `None` when single members change.
pub(super) fn whole(change: &Change) -> Option<Cow<'static, str>> {
    match &change.action {
        Action::Create(_) => Some("new contact".into()),
        Action::Delete(None) => Some("delete this contact".into()),
        Action::Delete(Some(needed)) => {
            let contact = needed.contact;
            let only_while = "delete this contact, only while contact";
            Some(format!("{only_while} {contact} is the same and stays").into())
        }
        _ => None,
    }
}

/// The day by which an opt-out that came in on a day must be done.
pub(super) fn due(received: Date) -> Option<Date> {
    business_days_after(received, BUSINESS_DAYS)
}

/// The day that is this many business days after a day, Monday to Friday. Public holidays are
/// not known here and count as business days.
fn business_days_after(day: Date, days: u32) -> Option<Date> {
    let mut day = day;
    let mut left = days;
    while left > 0 {
        day = day.checked_add(1.day()).ok()?;
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        left -= u32::from(!weekend);
    }
    Some(day)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::business_days_after;

    #[test]
    fn weekends_are_no_business_days() {
        let friday = date(2026, 11, 20);
        assert_eq!(business_days_after(friday, 1), Some(date(2026, 11, 23)));
        assert_eq!(business_days_after(friday, 10), Some(date(2026, 12, 4)));
        assert_eq!(business_days_after(date(2026, 11, 21), 10), Some(date(2026, 12, 4)));
    }
}
