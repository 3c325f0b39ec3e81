//! What is to be done, given what is there. Pure functions.

use std::borrow::Cow;

use crm_models::{
    Contact, ContactId, ContactType, CreateContactRequest, PreferencesError, UpdateContactRequest,
};
use crm_values::check_cell;

use crate::{
    input::COMBINED,
    set::{Action, Outcome, State, Wanted},
};

/// The action with every flag named, where it names only some and the contact does not tell its
/// own, or is still to be created: `unknown` is what the others become, if somebody chose that.
pub(crate) fn completed<'a>(
    action: &'a Action,
    current: Option<&Contact>,
    unknown: Option<bool>,
) -> Cow<'a, Action> {
    let (Action::Update(wanted) | Action::Create(wanted), Some(others)) = (action, unknown) else {
        return Cow::Borrowed(action);
    };
    let is_absent = matches!(action, Action::Update(_)) && current.is_none();
    let told = current.and_then(|contact| contact.preferences.as_ref());
    let named = wanted.change.get_preferences();
    let all = named.complete_for(told, others);
    if is_absent || all == *named {
        return Cow::Borrowed(action);
    }
    let mut action = action.clone();
    if let Action::Update(wanted) | Action::Create(wanted) = &mut action {
        wanted.change = wanted.change.clone().preferences(all);
    }
    Cow::Owned(action)
}

/// An update or a deletion of a contact that was read, or was looked for and is not there.
pub(crate) fn action(action: &Action, current: Option<&Contact>) -> Outcome {
    match action {
        Action::Update(wanted) => update(wanted, current),
        _ => delete(current),
    }
}

/// An update of a contact that was read, or was looked for and is not there.
pub(crate) fn update(wanted: &Wanted, current: Option<&Contact>) -> Outcome {
    let Some(current) = current else {
        return absent();
    };
    if wanted.changes_combined(current) {
        let why = format!("invoiceStatementNotification {COMBINED}");
        return Outcome::because(State::Failed, why);
    }
    match request(wanted, current) {
        Ok(Some(_)) => Outcome::new(State::Planned),
        Ok(None) => Outcome::new(State::Already),
        Err(outcome) => outcome,
    }
}

/// The request that makes `current` as wanted, `None` when it is so already, or why there is
/// none. What a row says is held against the kind of this very contact; a value that was there
/// before, or was made from the current one, needs no check.
pub(crate) fn request(
    wanted: &Wanted,
    current: &Contact,
) -> Result<Option<UpdateContactRequest>, Outcome> {
    let failed = |why: String| Outcome::because(State::Failed, why);
    let request = wanted.request(current).map_err(|error| match error {
        // A plan is about many: what is said once for all is said where it is made.
        PreferencesError::Unknown { .. } => failed(format!("{error}, or {}", choice(wanted))),
        _ => failed(error.to_string()),
    })?;
    let sends_value = request.as_ref().is_some_and(|request| request.get_value().is_some());
    // A kind that the contract does not know takes any value.
    let becomes = wanted.change.get_contact_type();
    let becomes = becomes.unwrap_or(&current.contact_type);
    let is_read = becomes.is_phone() || *becomes == ContactType::Email;
    if let Some(why) = wanted.refused.as_deref().filter(|_| sends_value && is_read) {
        return Err(failed(format!("value {why}")));
    }
    let memo = request.as_ref().and_then(UpdateContactRequest::get_memo);
    if let Some(Err(why)) = memo.filter(|_| !wanted.exact).map(check_cell) {
        return Err(failed(format!("memo {why}")));
    }
    if request.is_some() && !wanted.exact {
        let suits = wanted.check_for(current);
        suits.map_err(|e| failed(format!("does not suit this contact: {e}")))?;
    }
    Ok(request)
}

/// What is said of flags that the service does not tell: what each choice does beyond what was asked for.
fn choice(wanted: &Wanted) -> &'static str {
    match wanted.change.get_preferences().get_marketing_updates() {
        Some(_) => {
            "plan with `--unknown-flags on`, which lets job reminders, invoices and statements go on; \
             `off` would end them too"
        }
        None => {
            "plan with `--unknown-flags`: `on` turns on every flag that is not named, marketing too, \
             and `off` ends job reminders, invoices and statements where they are not named"
        }
    }
}

/// A deletion without a condition.
pub(crate) fn delete(current: Option<&Contact>) -> Outcome {
    match current {
        Some(_) => Outcome::new(State::Planned),
        None => absent(),
    }
}

fn absent() -> Outcome {
    Outcome::because(State::NotFound, "the owner has no such contact")
}

/// A creation, and the contact that makes it needless. One that has the value but is otherwise
/// not as wanted contradicts the row: whether to change it is for a person to say.
pub(crate) fn create<'a>(
    wanted: &Wanted,
    siblings: impl Iterator<Item = &'a Contact> + Clone,
) -> (Outcome, Option<ContactId>) {
    let Some(request) = wanted.creation() else {
        let why = "a contact to create needs type and value";
        return (Outcome::because(State::Failed, why), None);
    };
    // The new one tells nothing yet: in which form the service has flags, the others show.
    let told = siblings.clone().find_map(|sibling| sibling.preferences);
    let flags = wanted.change.get_preferences();
    if let Some(told) = told.filter(|_| flags.is_complete())
        && let Err(why) = flags.apply_to(Some(&told))
    {
        return (Outcome::because(State::Failed, why.to_string()), None);
    }
    // The first that is as wanted wins over any that is not, in whatever order they are listed.
    let mut other = None;
    for sibling in siblings.filter(|sibling| !wanted.exact && request.is_same(sibling)) {
        if wanted.is_met_by(sibling) {
            let why = format!("contact {} has this value already", sibling.id);
            return (Outcome::because(State::Already, why), Some(sibling.id));
        }
        other.get_or_insert(sibling);
    }
    let Some(other) = other else {
        return (Outcome::new(State::Planned), None);
    };
    let members: Vec<_> = wanted
        .differences(Some(other))
        .into_iter()
        .map(|member| member.field)
        .filter(|name| name != "value")
        .collect();
    let why = format!(
        "contact {} has this value already, but differs in {}; update that contact instead",
        other.id,
        members.join(", ")
    );
    (Outcome::because(State::Conflict, why), None)
}

/// The contacts that have the number or address of a creation.
pub(crate) fn siblings(request: &CreateContactRequest, current: &[Contact]) -> Vec<ContactId> {
    let same = current.iter().filter(|contact| request.is_same(contact));
    same.map(|contact| contact.id).collect()
}
