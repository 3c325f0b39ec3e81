//! Records each write of a command before it is sent, and its outcome after.

use std::sync::{Mutex, OnceLock, PoisonError};

use crm_bulk::system_user;
use crm_models::Problem;
use crm_transport::{Delivery, Request, Response, TransportError};
use http::{Method, StatusCode};
use serde_json::Value;

use super::{
    error::DeskError,
    updates::{Entry, Member, Outcome, Updates},
    whereabouts::Whereabouts,
};

/// Records the writes of one command.
#[derive(Debug)]
pub(crate) struct Recorder {
    place: Mutex<Whereabouts>,
    command: String,
    updates: OnceLock<Mutex<Updates>>,
    /// The last one that ended, and how: what the command makes of it is added.
    last: Mutex<Option<(i64, Outcome)>>,
}

impl Recorder {
    /// Records into the desk that is there, for this command.
    pub(crate) fn new(place: Whereabouts, command: String) -> Self {
        Self { place: place.into(), command, updates: OnceLock::new(), last: Mutex::default() }
    }

    fn updates(&self) -> Result<&Mutex<Updates>, DeskError> {
        if let Some(updates) = self.updates.get() {
            return Ok(updates);
        }
        let place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        let updates = place.desk()?.updates()?;
        Ok(self.updates.get_or_init(|| updates.into()))
    }

    fn with<R>(&self, act: impl FnOnce(&Updates) -> Result<R, DeskError>) -> Result<R, DeskError> {
        act(&self.updates()?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Records a write that is about to be sent. Without `changes`, what it sends is what it makes
    /// of the record.
    pub(crate) fn begin(&self, request: &Request, changes: Vec<Member>) -> Result<i64, DeskError> {
        let sent = || members(&serde_json::from_slice(request.body()).unwrap_or_default());
        let changes = if changes.is_empty() { sent() } else { changes };
        let [owner_kind, owner_id, contact_id] = record(request.uri().path());
        let entry = Entry {
            at: now(),
            user: system_user(),
            command: self.command.clone(),
            method: request.method().to_string(),
            path: request.uri().to_string(),
            owner_kind,
            owner_id,
            contact_id,
            changes,
            outcome: Outcome::default(),
        };
        self.with(|updates| updates.begin(&entry))
    }

    /// Records what came of it.
    pub(crate) fn end(
        &self,
        id: i64,
        method: &Method,
        answered: &Result<Response, TransportError>,
    ) -> Result<(), DeskError> {
        let outcome = outcome(method, answered);
        self.with(|updates| updates.end(id, &outcome))?;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((id, outcome));
        Ok(())
    }

    /// Records how the command itself ended, which knows more of its last write: a lost answer that
    /// was read back, or what a refusal says.
    pub(crate) fn conclude(&self, failed: Option<String>) -> Result<(), DeskError> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((id, mut outcome)) = last else {
            return Ok(());
        };
        match failed {
            None if outcome.state == UNKNOWN => {
                DONE.clone_into(&mut outcome.state);
                outcome.message = Some("its answer was lost; the record was read back".to_owned());
            }
            None => return Ok(()),
            Some(message) => outcome.message = Some(message),
        }
        self.with(|updates| updates.end(id, &outcome))
    }
}

const DONE: &str = "done";
const FAILED: &str = "failed";
const NOT_SENT: &str = "not-sent";
const UNKNOWN: &str = "unknown";

fn outcome(method: &Method, answered: &Result<Response, TransportError>) -> Outcome {
    let ended_at = Some(now());
    let response = match answered {
        Ok(response) => response,
        Err(error) => {
            let is_unknown = error.delivery() == Delivery::Unknown;
            return Outcome {
                state: if is_unknown { UNKNOWN } else { NOT_SENT }.to_owned(),
                ended_at,
                message: Some(error.to_string()),
                ..Outcome::default()
            };
        }
    };
    let status = response.status();
    let problem = || Problem::read(status.as_u16(), response.body());
    let is_created = *method == Method::POST && status.is_success();
    Outcome {
        state: state(status).to_owned(),
        ended_at,
        http_status: Some(status.as_u16()),
        trace_id: (!status.is_success()).then(|| problem().trace_id).flatten(),
        message: None,
        created: is_created.then(|| created(response)).flatten(),
    }
}

/// An error of the server does not say that it did nothing.
fn state(status: StatusCode) -> &'static str {
    match status {
        _ if status.is_success() => DONE,
        _ if status.is_server_error() => UNKNOWN,
        _ => FAILED,
    }
}

/// The id of what was created.
fn created(response: &Response) -> Option<String> {
    let answer: Value = serde_json::from_slice(response.body()).ok()?;
    text(answer.get("id")?)
}

fn now() -> String {
    jiff::Timestamp::now().to_string()
}

/// The members of a record or of a request, by their dotted names in the API: what each becomes.
pub(crate) fn members(record: &Value) -> Vec<Member> {
    fn add(name: &str, value: &Value, members: &mut Vec<Member>) {
        match value {
            Value::Object(object) => {
                for (key, value) in object {
                    let dot = if name.is_empty() { "" } else { "." };
                    add(&format!("{name}{dot}{key}"), value, members);
                }
            }
            value => {
                let after = text(value);
                members.push(Member { field: name.to_owned(), before: None, after });
            }
        }
    }
    let mut members = Vec::new();
    if *record != Value::Null {
        add("", record, &mut members);
    }
    members
}

/// A value as text; null is none.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        value => Some(value.to_string()),
    }
}

/// The record that a path names: the kind and the id of its owner, and the id of the contact or of
/// the contact method.
fn record(path: &str) -> [Option<String>; 3] {
    let below = path.split_once("/tenant/").and_then(|(_, rest)| rest.split_once('/'));
    let parts: Vec<_> = below.map_or(path, |(_, rest)| rest).split('/').collect();
    let (kind, owner, contact) = match parts[..] {
        ["customers", owner, "contacts", ref rest @ ..] => ("customer", owner, rest.first()),
        ["locations", owner, "contacts", ref rest @ ..] => ("location", owner, rest.first()),
        ["bookings", owner, "contacts", ref rest @ ..]
        | ["booking-provider", _, "bookings", owner, "contacts", ref rest @ ..] => {
            ("booking", owner, rest.first())
        }
        ["contacts", person, "contact-methods", ref rest @ ..] => ("person", person, rest.first()),
        ["contacts", person, ..] => ("person", person, None),
        _ => return [None, None, None],
    };
    [Some(kind.to_owned()), Some(owner.to_owned()), contact.map(|id| (*id).to_owned())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_the_record() {
        let named = |path: &str| {
            record(path).map(Option::unwrap_or_default).join(" ").trim_end().to_owned()
        };
        for (path, wanted) in [
            ("/crm/v2/tenant/7/locations/1/contacts/2", "location 1 2"),
            ("/crm/v2/tenant/7/customers/1/contacts", "customer 1"),
            ("/crm/v2/tenant/7/booking-provider/9/bookings/1/contacts/2", "booking 1 2"),
            ("/crm/v2/tenant/7/contacts/p/contact-methods/m/preferences/Sms", "person p m"),
            ("/crm/v2/tenant/7/contacts/p/relationships/3/customer", "person p"),
            ("/jpm/v2/tenant/7/jobs", ""),
        ] {
            assert_eq!(named(path), wanted, "{path}");
        }
    }

    #[test]
    fn what_is_sent_is_told_by_member() {
        let body = serde_json::json!({"value": "a", "memo": null, "preferences": {"x": true}});
        let told: Vec<_> = members(&body)
            .into_iter()
            .map(|member| format!("{}={}", member.field, member.after.unwrap_or_default()))
            .collect();
        assert_eq!(told, ["memo=", "preferences.x=true", "value=a"]);
    }

    #[test]
    fn only_a_refusal_says_that_nothing_was_done() {
        for (status, wanted) in [(200, DONE), (204, DONE), (400, FAILED), (404, FAILED)] {
            assert_eq!(state(StatusCode::from_u16(status).unwrap()), wanted);
        }
        assert_eq!(state(StatusCode::BAD_GATEWAY), UNKNOWN);
    }
}
