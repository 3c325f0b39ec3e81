//! A mocked transport that answers from a script, in order.
#![allow(dead_code, reason = "each test file uses its part")]

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use crm_contacts::ContactsService;
use crm_models::{Contact, ContactId, CustomerId, LocationId, TenantId};
use crm_transport::{
    Attempts, Call, Delivery, Effect, MockTransport, Request, Response, Transport, TransportError,
    TransportErrorKind,
};

/// What the mocked server does with one request.
pub enum Step {
    /// Answers with a status and a body.
    Answer(u16, String),
    /// Answers in the second attempt, after one of this delivery.
    AnswerAfter(Delivery, u16, String),
    /// Refuses for now, and names the seconds to wait.
    Wait(u16, u64),
    /// Gives no answer.
    Fail(TransportError),
}

pub fn ok(body: impl Into<String>) -> Step {
    Step::Answer(200, body.into())
}

pub fn status(status: u16, body: impl Into<String>) -> Step {
    Step::Answer(status, body.into())
}

pub fn lost() -> Step {
    Step::Fail(no_answer(TransportErrorKind::Reset))
}

/// The request was not sent: it was too late to begin it.
pub fn expired() -> Step {
    let kind = TransportErrorKind::Expired;
    Step::Fail(TransportError::new(kind, Delivery::NotExecuted))
}

fn no_answer(kind: TransportErrorKind) -> TransportError {
    TransportError::new(kind, Delivery::Unknown)
}

/// The requests that were sent, as `METHOD target body`, and what layers are told of them.
#[derive(Clone, Default)]
pub struct Sent(Arc<Mutex<Vec<(String, Call)>>>);

impl Sent {
    pub fn lines(&self) -> Vec<String> {
        let sent = self.0.lock().unwrap();
        sent.iter().map(|(line, _)| line.clone()).collect()
    }

    /// The calls that write.
    pub fn writes(&self) -> Vec<Call> {
        let sent = self.0.lock().unwrap();
        let calls = sent.iter().map(|(_, call)| call.clone());
        calls.filter(|call| call.effect != Effect::Read).collect()
    }

    pub fn count(&self, method: &str) -> usize {
        let start = format!("{method} ");
        self.lines().iter().filter(|l| l.starts_with(&start)).count()
    }
}

/// A service whose transport follows the script, and what it sent. A request beyond the
/// script's end panics.
pub fn service(script: impl IntoIterator<Item = Step>) -> (ContactsService<MockTransport>, Sent) {
    let script = Mutex::new(script.into_iter().collect::<VecDeque<_>>());
    let sent = Sent::default();
    let log = sent.clone();
    let mut transport = MockTransport::new();
    transport.expect_send().returning(move |request: Request| {
        let body = std::str::from_utf8(request.body()).unwrap();
        let target = request.uri().to_string().replace("/crm/v2/tenant/1001", "");
        let line = format!("{} {target} {body}", request.method());
        let call = Call::of(&request).clone();
        log.0.lock().unwrap().push((line.trim_end().to_owned(), call));
        let step = script.lock().unwrap().pop_front();
        match step.unwrap_or_else(|| panic!("unexpected request: {line}")) {
            Step::Answer(status, body) => Ok(response(status, body)),
            Step::AnswerAfter(earlier, status, body) => {
                let mut response = response(status, body);
                let attempts = Attempts::new(2, earlier);
                response.extensions_mut().insert(attempts);
                Ok(response)
            }
            Step::Wait(status, seconds) => {
                let mut response = response(status, String::new());
                response.headers_mut().insert("retry-after", seconds.into());
                Ok(response)
            }
            Step::Fail(error) => Err(error),
        }
    });
    let tenant = TenantId::new(1_001).unwrap();
    (ContactsService::new(transport, tenant), sent)
}

/// A host that loses its first answer and then falls silent: each call takes all of its time.
#[derive(Default)]
struct FallsSilent(AtomicBool);

#[async_trait]
impl Transport for FallsSilent {
    async fn send(&self, _: Request) -> Result<Response, TransportError> {
        if !self.0.swap(true, Ordering::Relaxed) {
            return Err(no_answer(TransportErrorKind::Reset));
        }
        tokio::time::sleep(Duration::from_secs(300)).await;
        Err(no_answer(TransportErrorKind::Timeout))
    }
}

/// A service over a host that loses the answer to the first request and then falls silent.
pub fn falls_silent() -> ContactsService<impl Transport> {
    ContactsService::new(FallsSilent::default(), TenantId::new(1_001).unwrap())
}

fn response(status: u16, body: String) -> Response {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status.try_into().unwrap();
    response
}

pub fn location() -> LocationId {
    LocationId::new(55_021).unwrap()
}

pub fn customer() -> CustomerId {
    CustomerId::new(9_107).unwrap()
}

pub fn id(id: i64) -> ContactId {
    ContactId::new(id).unwrap()
}

/// A mobile contact as the API answers it; marketing is on.
pub fn mobile(id: i64) -> String {
    format!(
        r#"{{"id":{id},"type":"MobilePhone","value":"8185550142","memo":"Site manager",
        "phoneSettings":{{"phoneNumber":"8185550142","doNotText":false}},
        "modifiedOn":"2026-05-27T16:04:11.4827193Z","createdOn":"2025-11-02T09:15:00Z",
        "preferences":{{"jobRemindersEnabled":true,"marketingUpdatesEnabled":true,
        "invoiceStatementNotification":false,"invoiceNotification":true,
        "statementNotification":false}}}}"#
    )
}

pub fn contact(json: &str) -> Contact {
    serde_json::from_str(json).unwrap()
}

pub fn page<S: AsRef<str>>(number: i32, has_more: bool, items: &[S]) -> String {
    let items: Vec<_> = items.iter().map(AsRef::as_ref).collect();
    format!(
        r#"{{"page":{number},"pageSize":50,"hasMore":{has_more},"totalCount":null,"data":[{}]}}"#,
        items.join(",")
    )
}
