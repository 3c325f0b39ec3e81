//! What is known of a contact or a contact method at which moment: that it came or went, and what it
//! received.

use crm_consent::{Effect, Fact};
use crm_models::{ContactPreferences, Preference, Timestamp};

use super::{event::Event, flags::flags, forget::Sought, updates::Member};

/// All facts about a record as a copy of one number or address.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// Each with the preference that it is about; none for one about the record itself.
    all: Vec<(Option<Preference>, Fact)>,
    /// When it was created, as the service says.
    pub(super) created: Option<Timestamp>,
    /// When the service changed it last, by the mirror.
    pub(super) modified: Option<Timestamp>,
}

impl Facts {
    /// What is known of one preference and of the record itself, the earliest first.
    pub(crate) fn of(&self, preference: Preference) -> Vec<Fact> {
        let is_of = |of: &Option<Preference>| of.is_none_or(|of| of == preference);
        let facts = self.all.iter().filter(|(of, _)| is_of(of)).map(|(_, fact)| *fact);
        let mut facts: Vec<_> = facts.collect();
        facts.sort_by_key(|fact| fact.at);
        self.since_modified(&mut facts);
        // It was no copy before it was created.
        let created = self.created.map(|at| Fact { at, effect: Effect::Created, is_exact: true });
        facts.splice(0..0, created);
        facts
    }

    /// It has been as the mirror has it since the service changed it last, unless that was our own
    /// doing, which is known better.
    fn since_modified(&self, facts: &mut Vec<Fact>) {
        let last = facts.last().filter(|fact| !matches!(fact.effect, Effect::Got { .. }));
        let (Some(last), Some(at)) = (last, self.modified) else { return };
        let ours = facts.iter().rev().find(|fact| fact.is_exact);
        let is_known =
            |ours: &Fact| ours.effect == last.effect || at <= ours.at || last.at <= ours.at;
        if at < last.at && !ours.is_some_and(is_known) {
            let before = facts.partition_point(|fact| fact.at <= at);
            facts.insert(before, Fact { at, effect: last.effect, is_exact: false });
        }
    }

    /// Adds what a contact was seen to receive; what nobody can tell is a fact as well.
    pub(super) fn see(&mut self, at: Timestamp, flags: Option<&ContactPreferences>) {
        for flag in Preference::SETTABLE {
            self.see_one(at, flag, flags.map(|flags| flags.get(flag)));
        }
    }

    /// The same of one preference.
    pub(super) fn see_one(&mut self, at: Timestamp, flag: Preference, is_on: Option<bool>) {
        let effect = is_on.map_or(Effect::Unknown, effect_of);
        self.all.push((Some(flag), Fact { at, effect, is_exact: false }));
    }

    /// When the record was first no longer there, or had another value.
    pub(super) fn gone(&self) -> Option<Timestamp> {
        let gone = self.all.iter().filter(|(_, fact)| fact.effect == Effect::Gone);
        gone.map(|(_, fact)| fact.at).min()
    }

    /// Whether something else is known of it from a moment on.
    pub(super) fn has_since(&self, at: Timestamp) -> bool {
        self.all.iter().any(|(_, fact)| fact.effect != Effect::Gone && fact.at >= at)
    }

    /// Adds what a contact that is gone received since the service changed it last, and when that was last
    /// seen, unless it is known what we did meanwhile.
    pub(super) fn see_before(
        &mut self,
        modified: Timestamp,
        seen: Option<Timestamp>,
        flags: Option<&ContactPreferences>,
    ) {
        // Perhaps it went in the same moment.
        let after = std::mem::take(&mut self.all);
        self.see(modified, flags);
        if let Some(at) = seen {
            for flag in Preference::SETTABLE {
                let is_ours = |(of, fact): &(Option<Preference>, Fact)| {
                    *of == Some(flag) && fact.is_exact && fact.at <= at
                };
                if !after.iter().any(is_ours) {
                    self.see_one(at, flag, flags.map(|flags| flags.get(flag)));
                }
            }
        }
        self.all.extend(after);
    }

    /// Adds what an event tells of its record.
    pub(super) fn tell(&mut self, event: &Event, sought: &Sought) {
        if let Some(found) = &event.found
            && let Some(at) = found.at.as_deref().and_then(moment)
        {
            found.flags.iter().for_each(|(flag, is_on)| self.see_one(at, *flag, Some(*is_on)));
        }
        let at = event.at.as_deref().and_then(moment);
        if let Some(at) = at.filter(|_| event.state == "not-found") {
            self.all.push((None, Fact { at, effect: Effect::Gone, is_exact: false }));
        }
        let is_exact = event.state == "done";
        let Some(at) = at.filter(|_| is_exact || event.state == "seen") else {
            return;
        };
        let since = event.since().unwrap_or(at);
        for (flag, is_on) in flags(&event.members, |member| member.before.as_deref()) {
            self.see_one(since, flag, Some(is_on));
        }
        let has = |text: &Option<String>| text.as_ref().is_some_and(|text| sought.is_in(text));
        let gives_up = |member: &Member| member.field == "value" && !has(&member.after);
        // Where nobody knows what was there before, it may have been the same.
        let gets = |member: &Member| {
            let is_other = member.before.is_some() && !has(&member.before);
            member.field == "value" && is_other && has(&member.after)
        };
        if event.members.iter().any(gets) {
            let fact = Fact { at: since, effect: Effect::Got { by: at }, is_exact };
            self.all.push((None, fact));
        }
        if event.action == "delete" || event.members.iter().any(gives_up) {
            self.all.push((None, Fact { at, effect: Effect::Gone, is_exact }));
        } else {
            let after = flags(&event.members, |member| member.after.as_deref());
            let fact = |is_on| Fact { at, effect: effect_of(is_on), is_exact };
            self.all.extend(after.map(|(flag, is_on)| (Some(flag), fact(is_on))));
        }
        if let Some(reading) = &event.read_back {
            reading.flags.iter().for_each(|(flag, is_on)| {
                self.see_one(reading.at, *flag, Some(*is_on));
            });
            if reading.is_gone {
                let gone = Fact { at: reading.at, effect: Effect::Gone, is_exact: false };
                self.all.push((None, gone));
            }
        }
    }
}

fn effect_of(is_on: bool) -> Effect {
    if is_on { Effect::On } else { Effect::Off }
}

fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}
