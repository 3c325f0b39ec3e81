//! What the file says in numbers. They are part of its format: `v2.sql` lists them.

use crm_models::{Contact, ContactOwner, ContactType, CustomerId, LocationId, Timestamp};
use rusqlite::types::{Type, Value, ValueRef};

use crate::set::{Action, PERSON, State, Target};

/// The first two need no byte in the file, so they are what most changes are.
const STATES: [State; State::ALL.len()] = [
    State::Planned,
    State::Done,
    State::Already,
    State::InFlight,
    State::Failed,
    State::Unknown,
    State::Drifted,
    State::NotFound,
    State::Conflict,
    State::Dropped,
    State::Held,
];

/// In the order in which a run takes them up.
const OWNERS: [&str; 3] = [CustomerId::NOUN, LocationId::NOUN, PERSON];
/// The number of a person.
pub(super) const OF_PERSON: i64 = 2;

pub(crate) fn state(state: State) -> i64 {
    place(&STATES, |known| *known == state)
}

pub(super) fn read_state(code: i64) -> Option<State> {
    STATES.get(usize::try_from(code).ok()?).copied()
}

/// One bit for each of these states.
pub(super) fn set_of(states: impl IntoIterator<Item = State>) -> i64 {
    states.into_iter().fold(0, |set, one| set | (1 << state(one)))
}

/// Its number, by its kind: see [`Target::kind`].
pub(crate) fn owner(target: &Target) -> i64 {
    owner_kind(target.kind())
}

pub(super) fn owner_kind(kind: &str) -> i64 {
    place(&OWNERS, |known| *known == kind)
}

pub(crate) fn read_owner(code: i64) -> Option<&'static str> {
    OWNERS.get(usize::try_from(code).ok()?).copied()
}

pub(super) const UPDATE: i64 = 0;
pub(crate) const CREATE: i64 = 1;
pub(crate) const DELETE: i64 = 2;
pub(super) const METHOD_PREFERENCES: i64 = 3;
/// The names of the actions, by their numbers.
pub(super) const ACTIONS: [&str; 4] = ["update", "create", "delete", "method-preferences"];

/// One bit for each of the actions with these names; those that nobody knows have none.
pub(super) fn actions(names: &[String]) -> i64 {
    let known =
        ACTIONS.iter().zip(0..).filter(|(known, _)| names.iter().any(|name| name == *known));
    known.fold(0, |set, (_, code): (_, i64)| set | (1 << code))
}

pub(super) fn action(action: &Action) -> i64 {
    match action {
        Action::Update(_) => UPDATE,
        Action::Create(_) => CREATE,
        Action::Delete(_) => DELETE,
        Action::MethodPreferences(_) => METHOD_PREFERENCES,
    }
}

pub(super) fn contact_type(contact_type: &ContactType) -> ValueRef<'_> {
    match ContactType::KNOWN.iter().position(|known| known == contact_type) {
        Some(place) => ValueRef::Integer(i64::try_from(place).unwrap_or_default()),
        None => ValueRef::Text(contact_type.as_str().as_bytes()),
    }
}

pub(super) fn read_contact_type(column: ValueRef<'_>) -> Option<ContactType> {
    match column {
        ValueRef::Integer(place) => ContactType::KNOWN.get(usize::try_from(place).ok()?).cloned(),
        ValueRef::Text(_) => column.as_str().ok().map(ContactType::from),
        _ => None,
    }
}

const NANOSECONDS_PER_TICK: i128 = 100;
/// From the beginning of the year 1 to that of 1970.
const TICKS_TO_1970: i64 = 621_355_968_000_000_000;

/// In the service's own unit a time takes eight bytes, and the year 1, which means unknown, none.
pub(super) fn time(time: Timestamp) -> Value {
    let nanoseconds = time.as_nanoseconds();
    let ticks = i64::try_from(nanoseconds.div_euclid(NANOSECONDS_PER_TICK)).ok();
    match ticks.and_then(|ticks| ticks.checked_add(TICKS_TO_1970)) {
        Some(ticks) if nanoseconds.rem_euclid(NANOSECONDS_PER_TICK) == 0 => Value::Integer(ticks),
        _ => Value::Text(time.to_string()),
    }
}

pub(crate) fn read_time(column: ValueRef<'_>) -> Option<Timestamp> {
    match column {
        ValueRef::Integer(ticks) => {
            let since_1970 = i128::from(ticks) - i128::from(TICKS_TO_1970);
            Timestamp::from_nanoseconds(since_1970 * NANOSECONDS_PER_TICK)
        }
        ValueRef::Text(_) => column.as_str().ok()?.parse().ok(),
        _ => None,
    }
}

/// How long before its last change a contact was created: most are as they were created, or nearly,
/// and take a byte or two for it.
pub(super) fn time_of_creation(contact: &Contact) -> Value {
    let Some(created_on) = contact.created_on else {
        return Value::Null;
    };
    match (time(contact.modified_on), time(created_on)) {
        (Value::Integer(modified), Value::Integer(created)) => Value::Integer(modified - created),
        _ => Value::Text(created_on.to_string()),
    }
}

pub(super) fn read_time_of_creation(
    column: ValueRef<'_>,
    modified_on: Timestamp,
) -> Option<Timestamp> {
    match (column, time(modified_on)) {
        (ValueRef::Integer(before), Value::Integer(modified)) => {
            read_time(ValueRef::Integer(modified.checked_sub(before)?))
        }
        (ValueRef::Integer(_), _) => None,
        (other, _) => read_time(other),
    }
}

/// A value that cannot be written as JSON.
pub(super) fn unwritable(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(error.into())
}

/// A column that holds what it must not.
pub(super) fn unreadable(
    column: usize,
    reason: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, reason.into())
}

fn place<T>(all: &[T], is_it: impl Fn(&T) -> bool) -> i64 {
    let place = all.iter().position(is_it).and_then(|place| i64::try_from(place).ok());
    // Every state and every kind is listed: a test holds them against it.
    place.unwrap_or(-1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_and_every_action_has_a_number_of_its_own() {
        for known in State::ALL {
            assert_eq!(read_state(state(known)), Some(known));
        }
        let person = OWNERS.get(usize::try_from(OF_PERSON).unwrap());
        assert_eq!(person, Some(&PERSON));
        let actions = [
            Action::Update(crate::set::Wanted::default()),
            Action::Create(crate::set::Wanted::default()),
            Action::Delete(None),
            Action::MethodPreferences(std::collections::BTreeMap::new()),
        ];
        for known in actions {
            let place = usize::try_from(action(&known)).unwrap();
            assert_eq!(ACTIONS[place], known.name());
        }
    }

    #[test]
    fn every_time_is_kept_exactly() {
        for text in [
            "0001-01-01T00:00:00Z",
            "1969-12-31T23:59:59.9999999Z",
            "2026-05-27T16:04:11.4827193Z",
            "2026-05-27T16:04:11.482719312Z",
            "9999-12-31T23:59:59Z",
            "9999-12-31T23:59:59.9999999Z",
            "9999-12-31T23:59:59.999999999Z",
            "-009999-01-02T01:59:59Z",
        ] {
            let known: Timestamp = text.parse().unwrap();
            let kept = time(known);
            assert_eq!(read_time(ValueRef::from(&kept)), Some(known), "{text}");
        }
        assert_eq!(time("0001-01-01T00:00:00Z".parse().unwrap()), Value::Integer(0));
    }

    #[test]
    fn the_time_of_a_creation_is_kept_exactly() {
        let id = crm_models::ContactId::new(1).unwrap();
        let times = [
            "-009999-01-02T01:59:59Z",
            "0001-01-01T00:00:00Z",
            "2026-05-27T16:04:11.4827193Z",
            "2026-05-27T16:04:11.482719312Z",
            "9999-12-31T23:59:59Z",
        ];
        let times = times.map(|text| text.parse::<Timestamp>().unwrap());
        for modified_on in times {
            let mut contact = Contact::new(id, ContactType::Email, "a@site.example", modified_on);
            for created_on in times.map(Some).into_iter().chain([None]) {
                contact.created_on = created_on;
                let kept = time_of_creation(&contact);
                let read = read_time_of_creation(ValueRef::from(&kept), modified_on);
                assert_eq!(read, created_on);
            }
        }
        let mut contact = Contact::new(id, ContactType::Email, "a@site.example", times[2]);
        contact.created_on = Some(times[2]);
        assert_eq!(time_of_creation(&contact), Value::Integer(0), "this takes no byte");
    }
}
