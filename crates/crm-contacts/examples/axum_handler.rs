//! A web service that opts contacts out, and its test with a mocked transport.
//!
//! ```sh
//! cargo run -p crm-contacts --example axum_handler
//! curl -X POST http://127.0.0.1:PORT/locations/2001/contacts/3001/opt-out
//! ```

mod connect;

use std::error::Error;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use crm_contacts::{
    ContactsError, ContactsService,
    models::{ContactChange, ContactId, LocationId, PreferenceChange},
    transport::Transport,
};
use serde_json::json;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let stop = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    axum::serve(listener, router(connect::connect()?)).with_graceful_shutdown(stop).await?;
    Ok(())
}

fn router<T: Transport + 'static>(contacts: ContactsService<T>) -> Router {
    let path = "/locations/{location}/contacts/{contact}/opt-out";
    Router::new().route(path, post(opt_out::<T>)).with_state(contacts)
}

/// Turns marketing off; all other preferences stay.
async fn opt_out<T: Transport>(
    State(contacts): State<ContactsService<T>>,
    Path((location, contact)): Path<(LocationId, ContactId)>,
) -> Result<StatusCode, Problem> {
    let change = ContactChange::new().preferences(PreferenceChange::new().marketing_updates(false));
    contacts.location(location).update_if_changed(contact, &change).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An error as RFC 9457 problem details.
struct Problem(ContactsError);

impl From<ContactsError> for Problem {
    fn from(error: ContactsError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, title) = match &self.0 {
            error if error.is_not_found() => (StatusCode::NOT_FOUND, "No such contact"),
            ContactsError::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "Invalid input"),
            _ => (StatusCode::BAD_GATEWAY, "The contacts API failed"),
        };
        let problem = json!({
            "status": status.as_u16(),
            "title": title,
            "detail": self.0.to_string(),
            "traceId": self.0.trace_id(),
        });
        let json = [(header::CONTENT_TYPE, "application/problem+json")];
        (status, json, Json(problem)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use crm_contacts::{
        models::TenantId,
        transport::{MockTransport, Response},
    };

    use super::*;

    const CONTACT: &str = r#"{"id":3001,"type":"Phone","value":"2065550134","memo":null,
        "modifiedOn":"2026-06-02T08:00:00Z","createdOn":"2026-06-01T08:00:00Z","preferences":{
        "jobRemindersEnabled":true,"marketingUpdatesEnabled":MARKETING,
        "invoiceStatementNotification":true,"invoiceNotification":true,
        "statementNotification":true}}"#;

    async fn answer(transport: MockTransport) -> Result<StatusCode, StatusCode> {
        let tenant = TenantId::new(1_001).expect("valid");
        let contacts = ContactsService::new(transport, tenant);
        let path =
            Path((LocationId::new(2_001).expect("valid"), ContactId::new(3_001).expect("valid")));
        let result = opt_out(State(contacts), path).await;
        result.map_err(|problem| problem.into_response().status())
    }

    #[tokio::test]
    async fn marketing_is_turned_off_and_the_rest_is_sent_as_it_was() {
        let mut transport = MockTransport::new();
        transport.expect_send().returning(|request| {
            let sent = String::from_utf8_lossy(request.body());
            let body = match request.method().as_str() {
                "PATCH" => {
                    assert!(sent.contains(r#""marketingUpdatesEnabled":false"#), "{sent}");
                    assert!(sent.contains(r#""jobRemindersEnabled":true"#), "{sent}");
                    CONTACT.replace("MARKETING", "false")
                }
                _ => format!(
                    r#"{{"page":1,"pageSize":50,"hasMore":false,"data":[{}]}}"#,
                    CONTACT.replace("MARKETING", "true")
                ),
            };
            Ok(Response::new(body.into()))
        });
        assert_eq!(answer(transport).await, Ok(StatusCode::NO_CONTENT));
    }

    #[tokio::test]
    async fn an_unknown_contact_is_404() {
        let mut transport = MockTransport::new();
        transport.expect_send().returning(|_| {
            let empty = r#"{"page":1,"pageSize":50,"hasMore":false,"data":[]}"#;
            Ok(Response::new(empty.into()))
        });
        assert_eq!(answer(transport).await, Err(StatusCode::NOT_FOUND));
    }
}
