use std::collections::HashSet;

use crm_models::{Contact, ContactChange, ContactId, ContactPreferences, PreferenceChange};

use crate::{
    decide::judge,
    decide::step::{self, OnDrift, Step, Write, decide},
    set::{Action, Change, ChangeId, Outcome, StandIn, State, Target, Wanted},
    store::Loaded,
};

fn contact(id: i64, value: &str, memo: &str) -> Contact {
    serde_json::from_str(&format!(
        r#"{{"id":{id},"type":"Email","value":"{value}","memo":"{memo}",
            "modifiedOn":"2026-01-01T00:00:00Z"}}"#
    ))
    .unwrap()
}

fn loaded(action: Action, state: State, before: Option<Contact>) -> Loaded {
    Loaded {
        change: Change {
            id: ChangeId(1),
            row: Some(1),
            target: Target::Contact {
                owner: crm_models::LocationId::new(5).unwrap().into(),
                contact: before.as_ref().map(|contact| contact.id),
            },
            action,
            why: None,
            caution: None,
            before: before.map(Into::into),
            after: None,
            outcome: Outcome::new(state),
        },
        not_ours: Vec::new(),
    }
}

fn memo(text: &str) -> Action {
    Action::Update(Wanted::of(ContactChange::new().memo(text)))
}

fn create() -> Action {
    let new = ContactChange::new().contact_type("Email".into());
    Action::Create(Wanted::exactly(new.value("new@site.example")))
}

/// What is decided, in a word.
fn word(loaded: &Loaded, contacts: &[Contact], on_drift: OnDrift) -> String {
    match decide(loaded, contacts, on_drift, &mut HashSet::new(), true) {
        Step::Settle(outcome, _) => outcome.state.to_string(),
        Step::Drift(outcome) | Step::Abort(outcome) => outcome.state.to_string(),
        Step::Contact(_, Write::Update(..)) => "update".to_owned(),
        Step::Contact(_, Write::Create(..)) => "create".to_owned(),
        Step::Contact(_, Write::Complete(_)) => "complete".to_owned(),
        Step::Contact(_, Write::Delete(..)) => "delete".to_owned(),
        Step::Method(..) => "method".to_owned(),
        Step::Await => "await".to_owned(),
    }
}

#[test]
fn an_update_is_decided_by_what_is_there_and_what_may_have_been_sent() {
    let before = || Some(contact(7, "a@site.example", "old"));
    let now = |memo| [contact(7, "a@site.example", memo)];
    let moved = [contact(7, "b@site.example", "old")];
    for (state, contacts, skip, force) in [
        (State::Planned, &now("old")[..], "update", "update"),
        (State::Planned, &now("new"), "already", "already"),
        (State::Planned, &now("other"), "drifted", "update"),
        (State::Planned, &moved, "drifted", "update"),
        (State::Planned, &[], "not-found", "not-found"),
        (State::InFlight, &now("old"), "update", "update"),
        (State::InFlight, &now("new"), "done", "done"),
        (State::InFlight, &now("other"), "drifted", "update"),
        (State::Unknown, &now("new"), "done", "done"),
    ] {
        let change = loaded(memo("new"), state, before());
        assert_eq!(word(&change, contacts, OnDrift::Skip), skip, "{state} {contacts:?}");
        assert_eq!(word(&change, contacts, OnDrift::Force), force, "{state} {contacts:?}");
    }
}

#[test]
fn a_deletion_that_may_have_been_sent_is_done_when_the_contact_is_gone() {
    let before = || Some(contact(7, "a@site.example", "old"));
    let there = [contact(7, "a@site.example", "old")];
    for (state, contacts, expected) in [
        (State::Planned, &there[..], "delete"),
        (State::Planned, &[], "not-found"),
        (State::InFlight, &there, "delete"),
        (State::InFlight, &[], "done"),
    ] {
        let change = loaded(Action::Delete(None), state, before());
        assert_eq!(word(&change, contacts, OnDrift::Skip), expected, "{state}");
    }
}

#[test]
fn a_creation_is_repeated_only_when_its_contact_does_not_show_up() {
    let old = contact(1, "new@site.example", "");
    let ours = contact(9, "NEW@site.example", "");
    let mut sent = loaded(create(), State::InFlight, None);
    sent.not_ours = vec![old.id];
    assert_eq!(word(&sent, std::slice::from_ref(&old), OnDrift::Skip), "create");
    assert_eq!(word(&sent, &[old.clone(), ours.clone()], OnDrift::Skip), "complete");

    let mut planned = loaded(create(), State::Planned, None);
    planned.not_ours = vec![old.id];
    assert_eq!(
        word(&planned, std::slice::from_ref(&old), OnDrift::Skip),
        "create",
        "exact: beside the one that was there"
    );
    let again = [old, ours];
    assert_eq!(word(&planned, &again, OnDrift::Skip), "drifted");
    assert_eq!(word(&planned, &again, OnDrift::Force), "create");
}

#[test]
fn a_creation_whose_contact_is_known_is_completed_and_never_repeated() {
    let ours = [contact(9, "renamed@site.example", "")];
    for state in [State::Planned, State::Failed, State::Unknown] {
        let mut change = loaded(create(), state, None);
        change.change.target = change.change.target.created(ours[0].id);
        assert_eq!(word(&change, &ours, OnDrift::Skip), "complete", "{state}");
        assert_eq!(word(&change, &[], OnDrift::Skip), "not-found", "{state}");
        assert!(step::misses_its_contact(&change, &[]), "{state}");
    }
}

#[test]
fn what_our_own_write_left_is_no_drift_and_never_the_picture_of_before() {
    let mut change = loaded(memo("new"), State::Failed, Some(contact(7, "a@b.example", "old")));
    change.change.after = Some(contact(7, "a@b.example", "NEW").into());
    for (now, expected) in
        [("NEW", "update"), ("old", "update"), ("other", "drifted"), ("new", "done")]
    {
        let now = [contact(7, "a@b.example", now)];
        assert_eq!(word(&change, &now, OnDrift::Skip), expected, "{now:?}");
    }
    assert!(!step::is_news(&change.change, |_| false));
}

#[test]
fn a_value_that_does_not_suit_the_contact_is_not_sent() {
    let mut phone = contact(7, "8185550142", "");
    phone.contact_type = "Phone".into();
    let wanted = Wanted::of(ContactChange::new().value("dana@site.example"));
    let change = loaded(Action::Update(wanted), State::Planned, Some(phone.clone()));
    assert_eq!(word(&change, &[phone], OnDrift::Skip), "failed");
}

#[test]
fn one_contact_is_not_taken_for_the_creation_of_two_changes() {
    let ours = [contact(9, "new@site.example", "")];
    let change = loaded(create(), State::InFlight, None);
    let mut taken = HashSet::<ContactId>::new();
    let first = decide(&change, &ours, OnDrift::Skip, &mut taken, true);
    let second = decide(&change, &ours, OnDrift::Skip, &mut taken, true);
    assert!(matches!(first, Step::Contact(_, Write::Complete(_))), "{first:?}");
    assert!(matches!(second, Step::Contact(_, Write::Create(..))), "{second:?}");
}

#[test]
fn a_contradictory_combined_flag_is_computed_anew_by_its_two_as_they_are() {
    let mut contact = contact(7, "ada@site.example", "");
    let flags =
        |on: bool| ContactPreferences::of(|it| if it.is_combined() { on } else { true }, false);
    contact.preferences = Some(flags(false));
    let same = PreferenceChange::new().invoices(true).statements(true);
    let wanted = Wanted::of(ContactChange::new().preferences(same));
    assert_eq!(judge::update(&wanted, Some(&contact)).state, State::Planned);
    let told = wanted.differences(Some(&contact));
    let told: Vec<_> = told.iter().map(|it| (&*it.field, it.after.as_deref())).collect();
    assert_eq!(told, [("invoices and statements", Some("on"))]);
    contact.preferences = Some(flags(true));
    assert_eq!(judge::update(&wanted, Some(&contact)).state, State::Already);
    assert!(wanted.differences(Some(&contact)).is_empty());
}

#[test]
fn a_deletion_that_was_interrupted_is_decided_by_the_same_rule_as_one_that_was_not() {
    let mut twins = [contact(3, "a@site.example", ""), contact(9, "A@site.example", "")];
    for twin in &mut twins {
        twin.preferences = Some(ContactPreferences::of(|_| true, false));
    }
    let needed = StandIn { contact: 3.try_into().unwrap(), value: "a@site.example".to_owned() };
    for state in [State::Planned, State::InFlight, State::Unknown] {
        let change = loaded(Action::Delete(Some(needed.clone())), state, Some(twins[1].clone()));
        assert_eq!(word(&change, &twins, OnDrift::Skip), "delete", "{state}");
        assert_eq!(word(&change, &twins[1..], OnDrift::Force), "held", "{state}");
    }
    let sent = loaded(Action::Delete(Some(needed)), State::InFlight, Some(twins[1].clone()));
    assert_eq!(word(&sent, &[], OnDrift::Skip), "done", "it is gone, whatever became of the other");
}
