//! The preferences of a person's contact method, set one by one.

use std::collections::BTreeMap;

use crm_contacts::{
    Asks as _, ContactsError, operations::contact_methods::UpdateContactMethodPreference,
};
use crm_models::{ContactMethodId, PersonId, UpdateMethodPreferenceRequest};
use crm_transport::Transport;

use super::{
    classify,
    event::{Event, StopReason},
    hooks::{Proposal, Resulting},
    run::{Became, Former, Run},
};
use crate::{
    current,
    decide::step::{self, OnDrift},
    error::BulkError,
    set::{Action, Change, Image, MethodImage, Outcome, State},
};

type Wanted = BTreeMap<String, bool>;

impl<T: Transport> Run<T> {
    /// Compares a contact method with what is wanted and sets its preferences.
    ///
    /// Each that is set is kept in the change at once: whatever ends this half-way, the next
    /// run and an undo know which are our own work.
    pub(super) async fn method(
        &self,
        mut change: Box<Change>,
        person: PersonId,
        id: ContactMethodId,
    ) -> Result<Became, BulkError> {
        let Action::MethodPreferences(wanted) = change.action.clone() else {
            let why = "a contact method has no other members to set";
            let outcome = Outcome::because(State::Failed, why);
            return self.settle(change, outcome, None).await;
        };
        let (current, left) = match current::whole_method(&self.service, person, id).await {
            Ok(read) => read,
            Err(error) => return self.unread(change, &error).await,
        };
        let missing = missing(&wanted, &current);
        if let Some(why) = drift(&change, &wanted, &current, missing.is_empty()) {
            let outcome = Outcome::because(State::Drifted, why);
            match self.asked(&change, &outcome, Some(Image::Method(current.clone()))) {
                OnDrift::Skip => return self.settle(change, outcome, None).await,
                OnDrift::Abort => return self.abort(change, outcome).await,
                OnDrift::Force => {}
            }
        }
        if self.asks_for(&change) {
            for name in newly_met(&change, &wanted, &current) {
                self.audit.found(&change, change.action.name(), Some(name));
            }
        }
        if missing.is_empty() {
            let (state, after) = if step::is_touched(&change) {
                (State::Done, Some(Image::Method(current)))
            } else {
                (State::Already, None)
            };
            return self.settle(change, Outcome::new(state), after).await;
        }
        let proposed = || {
            let mut result = current.clone();
            result.preferences.extend(missing.iter().map(|(name, on)| (name.clone(), Some(*on))));
            Some(Proposal {
                change: Change::clone(&change),
                current: Some(Image::Method(current.clone())),
                result: Resulting::Method(result),
            })
        };
        if let Some(held) = self.hold(proposed).await {
            return self.settle(change, held, None).await;
        }
        if self.options.dry_run {
            return Ok(Event::WouldSend(change).into());
        }
        let is_found = |image: &Image| image.as_method() == Some(&current);
        let is_news = step::is_news(&change, is_found);
        let found = is_news.then(|| Image::Method(current.clone()));
        let known = change.after.clone();
        if step::is_touched(&change) {
            change.after = Some(Image::Method(current.clone()));
        }
        let Some((mut change, former)) = self.claim(change, found, None).await? else {
            return Ok(Became::Lost);
        };
        let mut former = Some(Former { after: known, ..former });
        let (mut after, mut is_as_asked) = (current, true);
        for (name, on) in missing {
            let watch = self.watch();
            let service = self.bounded(&watch, left, step::may_be_sent(&change));
            // Not that of the handle, which reads each back whose answer got lost.
            let set = UpdateContactMethodPreference {
                contact: person,
                method: id,
                name: name.clone(),
                update: UpdateMethodPreferenceRequest::from(on),
            };
            let answer = service.call(&set).await;
            let action = change.action.name();
            self.wrote(&change, action, Some(&name), &watch, answer.as_ref().err());
            match answer {
                Ok(answer) => {
                    is_as_asked &= set.update.is_met_by(&answer);
                    after.preferences.insert(name, answer.as_bool())
                }
                Err(error) => return self.refuse(change, former, &error, None).await,
            };
            change.after = Some(Image::Method(after.clone()));
            former = None;
        }
        let outcome = if is_as_asked {
            Outcome::new(State::Done)
        } else {
            Outcome::because(State::Failed, "written, but the answer differs from it")
        };
        self.settle(change, outcome, None).await
    }

    /// Settles a change whose method cannot be read: nothing was claimed.
    async fn unread(
        &self,
        change: Box<Change>,
        error: &ContactsError,
    ) -> Result<Became, BulkError> {
        if let Some(reason) = classify::stops(error) {
            self.brake.stop(reason);
        }
        let outcome = classify::outcome(error, step::is_touched(&change));
        if outcome.state == State::Planned {
            self.brake.postponed(None, StopReason::Unreachable);
        }
        self.settle(change, outcome, None).await
    }
}

/// The preferences that are not as wanted.
fn missing(wanted: &Wanted, current: &MethodImage) -> Vec<(String, bool)> {
    wanted
        .iter()
        .filter(|(name, on)| flag(current, name) != Some(**on))
        .map(|(name, on)| (name.clone(), *on))
        .collect()
}

/// The preferences that were not as wanted when the change was sent, and are so now.
fn newly_met<'a>(change: &Change, wanted: &'a Wanted, current: &MethodImage) -> Vec<&'a str> {
    let known = change.after.as_ref().or(change.before.as_ref());
    let known = known.and_then(Image::as_method);
    let is_new = |name: &str, on: bool| {
        let was_met = known.is_some_and(|known| flag(known, name) == Some(on));
        !was_met && flag(current, name) == Some(on)
    };
    let new = wanted.iter().filter(|(name, on)| is_new(name, **on));
    new.map(|(name, _)| name.as_str()).collect()
}

fn flag(image: &MethodImage, name: &str) -> Option<bool> {
    image.preferences.get(name).copied().flatten()
}

/// In what the method is not as the plan saw it, apart from what this change may have set
/// itself. That it is the same number or address counts also when nothing is to be set.
fn drift(
    change: &Change,
    wanted: &Wanted,
    current: &MethodImage,
    is_met: bool,
) -> Option<&'static str> {
    let images = [change.before.as_ref(), change.after.as_ref()];
    let known = || images.into_iter().flatten().filter_map(Image::as_method);
    let planned = known().next()?;
    let same_value = |value| planned.contact_type.same_value(&planned.value, value);
    if planned.contact_type != current.contact_type || !same_value(&current.value) {
        return Some("it has another number or address than when the plan was made; plan it again");
    }
    let touched = step::is_touched(change);
    let explained = |name: &String| {
        let now = flag(current, name);
        known().any(|seen| flag(seen, name) == now)
            || (touched && now.is_some() && wanted.get(name).copied() == now)
    };
    let mut names = planned.preferences.keys().chain(current.preferences.keys());
    let why = "somebody changed its preferences after the plan was made; plan it again";
    (!is_met && !names.all(explained)).then_some(why)
}
