//! What is told of a copy of a number or an address, in sentences.

use crm_bulk::page::time;
use crm_consent::{
    Arrival, Breach, Clock, CopyVerdict, Effect, JudgedPreference, Judgement, Lateness, TurnedOff,
};
use crm_models::{Preference, Timestamp};

use crate::output::count;

/// Whether a preference of a copy was off in time, in one sentence; in more where two policies give two
/// last days, or it was late before.
pub(super) fn sentence(JudgedPreference { preference, lateness, .. }: &JudgedPreference) -> String {
    let what = Words::of(*preference);
    let clock = lateness.now.clock.as_ref();
    let is_of_day = !matches!(lateness.now.verdict, CopyVerdict::Gone | CopyVerdict::NoWish);
    let two_days = clock.filter(|_| is_of_day).and_then(|clock| clock.two_days());
    let earlier = lateness.all.iter().filter(|judged| judged.is_ended);
    let earlier = earlier.filter_map(|judged| what.earlier(judged));
    let sentences = [what.now(lateness)].into_iter().chain(two_days).chain(earlier);
    sentences.collect::<Vec<_>>().join(" ")
}

/// What marketing a copy receives whose wish to be left alone was taken back; none of one that is gone.
pub(super) fn after_taken_back(record: u64, effect: Option<Effect>) -> Option<String> {
    let receives = match effect? {
        Effect::On => "It receives marketing.",
        Effect::Off => "It receives no marketing all the same.",
        Effect::Gone => return None,
        _ => "Whether it receives marketing is not known.",
    };
    Some(format!(
        "No wish to be left alone counts for marketing: that of record {record} was taken back. {receives}"
    ))
}

/// How it came to be a copy after the wish, as the beginning of a sentence.
pub(super) fn arrival(arrival: &Arrival, value: &str) -> String {
    let what = if value.contains('@') { "address" } else { "number" };
    match *arrival {
        Arrival::Created { at } => format!("It was created on {}, after the wish", time(at)),
        Arrival::Got { after, by } if after == by => {
            format!("It got this {what} on {}, after the wish", time(by))
        }
        Arrival::Got { after, by } => {
            format!("It got this {what} between {} and {}, after the wish", time(after), time(by))
        }
        Arrival::Back { after } => {
            format!("It was gone on {} and is there again, after the wish", time(after))
        }
        _ => "It came after the wish".to_owned(),
    }
}

/// What stands behind a moment by which something was so, where nobody knows since when.
fn at_the_latest(is_exact: bool) -> &'static str {
    if is_exact { "" } else { " at the latest" }
}

/// A moment with the day that it is by a clock, where that is not its day in UTC.
fn on_day(at: Timestamp, clock: &Clock) -> String {
    let (at_text, day) = (time(at), clock.day_of(at));
    if at_text.starts_with(&day) {
        return at_text;
    }
    format!("{at_text} ({day} in {})", clock.counted.time_zone)
}

/// As the beginning of a sentence.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}", letters.as_str())
}

/// How a preference is called in sentences.
#[derive(Clone, Copy)]
struct Words(&'static str);

impl Words {
    fn of(preference: Preference) -> Self {
        Self(preference.words())
    }

    /// By the wish that counts.
    fn now(self, Lateness { now: judged, .. }: &Lateness) -> String {
        let what = self.0;
        let since = judged.since.map(time).unwrap_or_default();
        let clock = judged.clock.as_ref();
        let last = clock.map(|clock| clock.counted.last_day.as_str()).unwrap_or_default();
        let late = count(judged.days_late, "day");
        let by_day = match judged.days_late {
            0 => format!("The last day is {last}."),
            _ => format!("It is {late} late: the last day was {last}."),
        };
        let told = match judged.verdict {
            CopyVerdict::Open | CopyVerdict::Overdue if judged.again => {
                // It was to be off, and nobody knows whether it ever was.
                let on =
                    if judged.is_exact { "again, turned on" } else { "again or still, seen so" };
                format!("Receives {what} {on} on {since}. {by_day}")
            }
            CopyVerdict::Open => format!("Still receives {what}. {by_day}"),
            CopyVerdict::Overdue => {
                format!("Still receives {what}, {late} late: the last day was {last}.")
            }
            CopyVerdict::Unknown if judged.days_late > 0 => format!(
                "Whether it receives {what} is not known, {late} after the last day, {last}: nothing \
                 shows that the wish was heeded."
            ),
            CopyVerdict::Unknown => {
                format!("Whether it receives {what} is not known. {by_day}")
            }
            CopyVerdict::Gone | CopyVerdict::LateUntilGone | CopyVerdict::NotShownUntilGone => {
                let off = judged.off.zip(clock).map(|(told, clock)| self.off(told, clock));
                let gone =
                    format!("Has it no longer, since {since}{}.", at_the_latest(judged.is_exact));
                off.into_iter().chain([gone]).collect::<Vec<_>>().join(" ")
            }
            _ => match judged.as_off().zip(clock) {
                Some((told, clock)) => self.off(told, clock),
                None => format!("No wish to be left alone counts for {what}."),
            },
        };
        let before = judged.until_gone.as_ref().map(|told| self.breach(told));
        [told].into_iter().chain(before).collect::<Vec<_>>().join(" ")
    }

    /// What became of it in a time that a wish to be written to has ended, if anything was due then.
    fn earlier(self, judged: &Judgement) -> Option<String> {
        if let Some(breach) = &judged.ended {
            return Some(self.breach(breach));
        }
        let (off, clock) = judged.turned_off().zip(judged.clock.as_ref())?;
        Some(format!("After the earlier wish of record {}: {}", clock.record, self.off(off, clock)))
    }

    /// How it was turned off.
    fn off(self, told: TurnedOff, clock: &Clock) -> String {
        let (what, last) = (self.0, &clock.counted.last_day);
        let since = on_day(told.at, clock);
        let late = count(told.days_late, "day");
        let off = if told.is_exact {
            format!("{} turned off on {since}", capital(what))
        } else {
            format!("Receives no {what}, since {since} at the latest")
        };
        match told.verdict {
            CopyVerdict::BeforeTheWish if told.is_exact => {
                format!("Received no {what} since {since}, before the wish came in.")
            }
            CopyVerdict::BeforeTheWish => {
                format!("Received no {what} on {since} already, before the wish came in.")
            }
            CopyVerdict::WishUndated => format!(
                "{off}. When the wish was received is not known, so neither is whether that was in time."
            ),
            CopyVerdict::Late if !told.is_exact => format!(
                "{off}, {late} late at most: it was seen to receive {what} after the last day, {last}."
            ),
            CopyVerdict::Late => format!("{off}, {late} late: the last day was {last}."),
            CopyVerdict::NotShown => format!(
                "{off}, {late} after the last day, {last}: that it was so in time is not shown."
            ),
            _ => format!("{off}, in time: the last day was {last}."),
        }
    }

    /// That it was received after a last day.
    fn breach(self, told: &Breach) -> String {
        let Breach { record, last_day, ended_by, is_shown, at_least, days_late, .. } = told;
        let what = self.0;
        let late = count(*days_late, "day");
        let until = time(told.until);
        if *at_least {
            return format!(
                "After the wish of record {record} it was seen to receive {what} on {until}, {late} after \
                 the last day, {last_day}; it may have for longer."
            );
        }
        let until = match ended_by {
            Some(by) => format!("until the wish of record {by} to be written to, {until}"),
            None => format!("until {until}"),
        };
        if *is_shown {
            format!(
                "After the wish of record {record} it received {what} {until}, {late} after the last day, \
                 {last_day}."
            )
        } else {
            format!(
                "After the wish of record {record} it may have received {what} {until}, {late} after the \
                 last day, {last_day}: that it was off by then is not shown."
            )
        }
    }
}
