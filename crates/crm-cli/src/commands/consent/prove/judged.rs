//! What is told of a copy of a number or an address, in sentences.

use crm_consent::{Breach, Clock, CopyVerdict, Counted, Lateness, TurnedOff};

use crate::output::count;

/// Whether a copy was in time, in one sentence; in more where two policies give two last days, or it was
/// late before.
pub(super) fn sentence(judged: &Lateness) -> String {
    let clock = judged.now.clock.as_ref();
    let is_of_day = !matches!(judged.now.verdict, CopyVerdict::Gone | CopyVerdict::NoWish);
    let two_days = clock.filter(|_| is_of_day).and_then(two_days);
    let earlier = judged.earlier.iter().map(breach);
    let sentences: Vec<_> = [now(judged)].into_iter().chain(two_days).chain(earlier).collect();
    sentences.join(" ")
}

/// By the wish that counts.
fn now(Lateness { now: judged, .. }: &Lateness) -> String {
    let since = judged.since.map(crm_bulk::page::time).unwrap_or_default();
    let clock = judged.clock.as_ref();
    let last = clock.map(|clock| clock.counted.last_day.as_str()).unwrap_or_default();
    let late = count(judged.days_late, "day");
    let by_day = match judged.days_late {
        0 => format!("The last day is {last}."),
        _ => format!("It is {late} late: the last day was {last}."),
    };
    let told = match judged.verdict {
        CopyVerdict::Open | CopyVerdict::Overdue if judged.again => {
            let seen = if judged.is_exact { "turned on" } else { "first seen so" };
            format!("Receives marketing again, {seen} on {since}. {by_day}")
        }
        CopyVerdict::Open => format!("Still receives marketing. {by_day}"),
        CopyVerdict::Overdue => {
            format!("Still receives marketing, {late} late: the last day was {last}.")
        }
        CopyVerdict::Unknown if judged.days_late > 0 => format!(
            "Whether it receives marketing is not known, {late} after the last day, {last}: nothing \
             shows that the wish was heeded."
        ),
        CopyVerdict::Unknown => {
            format!("Whether it receives marketing is not known. {by_day}")
        }
        CopyVerdict::Gone | CopyVerdict::LateUntilGone => {
            let off = judged.off.map(|told| off(told, last));
            let gone = format!("Has it no longer, since {since}.");
            off.into_iter().chain([gone]).collect::<Vec<_>>().join(" ")
        }
        _ => match judged.as_off() {
            Some(told) => off(told, last),
            None => "No wish to be left alone counts for it.".to_owned(),
        },
    };
    let before = judged.until_gone.as_ref().map(breach);
    [told].into_iter().chain(before).collect::<Vec<_>>().join(" ")
}

/// How it was turned off.
fn off(told: TurnedOff, last: &str) -> String {
    let since = crm_bulk::page::time(told.at);
    let late = count(told.days_late, "day");
    let off = if told.is_exact {
        format!("Turned off on {since}")
    } else {
        format!("Receives no marketing; first seen so on {since}")
    };
    match told.verdict {
        CopyVerdict::BeforeTheWish if told.is_exact => {
            format!("Received no marketing since {since}, before the wish came in.")
        }
        CopyVerdict::BeforeTheWish => {
            format!("Received no marketing on {since} already, before the wish came in.")
        }
        CopyVerdict::WishUndated => format!(
            "{off}. When the wish was received is not known, so neither is whether that was in time."
        ),
        CopyVerdict::Late => format!("{off}, {late} late: the last day was {last}."),
        CopyVerdict::NotShown => format!(
            "{off}, {late} after the last day, {last}: that it was so in time is not shown."
        ),
        _ => format!("{off}, in time: the last day was {last}."),
    }
}

/// That it received marketing after a last day.
pub(super) fn breach(told: &Breach) -> String {
    let Breach { record, last_day, ended_by, is_shown, days_late, .. } = told;
    let late = count(*days_late, "day");
    let until = crm_bulk::page::time(told.until);
    let until = match ended_by {
        Some(by) => format!("until the wish of record {by} to be written to, {until}"),
        None => format!("until {until}"),
    };
    if *is_shown {
        format!(
            "After the wish of record {record} it received marketing {late} too long, {until}: the \
             last day was {last_day}."
        )
    } else {
        format!(
            "After the wish of record {record} it may have received marketing {late} too long at \
             most, {until}: that it was off by the last day, {last_day}, is not shown."
        )
    }
}

/// That two policies give two last days, and which one decides.
pub(super) fn two_days(clock: &Clock) -> Option<String> {
    let other = clock.otherwise.as_ref()?;
    let of = |counted: &Counted| {
        let which = if counted.at_the_wish { "in force at the wish" } else { "in force today" };
        let record = counted.policy.map(|record| format!("record {record}"));
        let record = record.unwrap_or_else(|| "the default".to_owned());
        format!("{} by the policy {which} ({record})", counted.last_day)
    };
    Some(format!(
        "Two policies give two last days: {}, and {}. The earlier one decides.",
        of(&clock.counted),
        of(other)
    ))
}

/// How a last day was counted, in words.
pub(super) fn how_counted(counted: &Counted) -> String {
    let mut without = vec!["weekends".to_owned()];
    without.extend(counted.holidays.iter().map(|off| format!("{} ({})", off.name, off.day)));
    let without = match without.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => without.concat(),
    };
    format!(
        "{} from {}, without {without}; days are those of {}",
        count(counted.business_days, "business day"),
        counted.from,
        counted.time_zone
    )
}
