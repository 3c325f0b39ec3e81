//! The published document describes every operation, and no input whatever gets an answer whose status
//! or body it does not have.
#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]

mod common;

use std::collections::BTreeSet;

use common::Client;
use crm_sandbox::Sandbox;
use reqwest::Method;
use serde_json::{Value, json};

/// Values for parameters and bodies, most of them hostile.
const TEXTS: [&str; 16] = [
    "1",
    "2001",
    "0",
    "-1",
    "9223372036854775808",
    "1e3",
    "",
    " ",
    "%00",
    "%FF",
    "%F0%9F%A6%80",
    "a%2Fb",
    "true",
    "2026-01-01T00:00:00Z",
    "5e0c1a44-93b7-4d1f-8a26-000000000001",
    "7b2d9f10-4e6a-4c58-b310-000000000001",
];
const BODIES: [&[u8]; 14] = [
    b"",
    b"{",
    b"{}",
    b"[]",
    b"null",
    b"\"\xff\"",
    b"{\"type\":\"Email\",\"value\":\"a@b.example\"}",
    b"{\"type\":\"Phone\",\"value\":\"\\u0000\"}",
    b"{\"type\":\"phone\",\"value\":\"1\"}",
    b"{\"value\":{},\"memo\":[]}",
    b"{\"name\":null,\"isArchived\":true}",
    b"{\"isArchived\":\"true\"}",
    b"{\"preferences\":{\"jobRemindersEnabled\":true}}",
    b"{\"memo\":\"\\ud800\"}",
];

#[tokio::test]
async fn every_answer_to_hostile_input_is_documented() {
    let sandbox = Sandbox::builder()
        .set("rate-limit", "0")
        .unwrap()
        .set("phone-settings", "as-documented")
        .unwrap()
        .start()
        .await
        .unwrap();
    let client = Client::new(&sandbox).await;
    let document = document(&sandbox).await;
    let problem = json!({"$ref": "#/components/schemas/ApiErrorResponse"});
    let mut answers = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let path = path.strip_prefix("/crm/v2/tenant/{tenant}").unwrap();
            let method: Method = method.to_uppercase().parse().unwrap();
            for (n, text) in TEXTS.iter().enumerate() {
                let filled = fill(path, n);
                let request = client
                    .request(method.clone(), &format!("{filled}?{}", query(operation, text)))
                    .header("Content-Type", "application/json")
                    .body(BODIES[n % BODIES.len()]);
                let response = request.send().await.unwrap();
                let status = response.status().as_u16();
                let body = response.bytes().await.unwrap();
                let documented = &operation["responses"][status.to_string()];
                // An empty segment makes another path, which no operation has.
                let no_route = filled.contains("//") || filled.ends_with('/');
                assert!(
                    documented.is_object() || (no_route && status == 404),
                    "{method} {filled} {text}: {status}"
                );
                let schema = if documented.is_object() {
                    &documented["content"]["application/json"]["schema"]
                } else {
                    &problem
                };
                if schema.is_null() {
                    assert!(body.is_empty(), "{method} {filled}: {body:?}")
                } else {
                    let json: Value = serde_json::from_slice(&body).unwrap();
                    if let Err(deviation) = conforms(&json, schema, &document) {
                        panic!("{method} {filled}: {deviation} in {json}");
                    }
                    assert!(status == 200 || json["status"] == status, "{json}");
                }
                answers += 1;
            }
        }
    }
    assert!(answers > 0);
}

#[tokio::test]
async fn every_record_of_the_demo_data_is_as_documented() {
    let builder = Sandbox::builder().set("rate-limit", "0").unwrap();
    let sandbox = builder.set("phone-settings", "as-documented").unwrap().start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let document = document(&sandbox).await;
    let mut answers = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let Some(operation) = item.get("get") else { continue };
        let own = path.strip_prefix("/crm/v2/tenant/{tenant}").unwrap();
        let part = own.split('/').find(|part| !matches!(*part, "" | "export")).unwrap();
        let segments = own.split('/').map(|segment| match (segment, part) {
            ("{id}", "locations") => "2001",
            ("{id}", "customers") => "1001",
            ("{id}", "bookings" | "booking-provider") => "6001",
            ("{booking_provider}", _) => "501",
            ("{contactId}", "locations") => "3001",
            ("{contactId}", "customers") => "4001",
            ("{contactId}", "booking-provider") => "6501",
            ("{id}" | "{contactId}", _) => "5e0c1a44-93b7-4d1f-8a26-000000000001",
            ("{contactMethodId}", _) => "7b2d9f10-4e6a-4c58-b310-000000000001",
            ("{preferenceName}", _) => "JobReminders",
            ("{relationshipId}", _) => "2001",
            (fixed, _) => {
                assert!(!fixed.starts_with('{'), "{own}: a record of the demo data for {fixed}");
                fixed
            }
        });
        let filled = segments.collect::<Vec<_>>().join("/");
        let (status, answer) =
            client.get(&format!("{filled}?modifiedBefore=2030-01-01T00:00:00Z")).await;
        assert_eq!(status, 200, "{filled}: {answer}");
        let records = answer.get("data").unwrap_or(&answer);
        assert!(records.as_array().is_none_or(|records| !records.is_empty()), "{filled}");
        let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        if let Err(deviation) = conforms(&answer, schema, &document) {
            panic!("{filled}: {deviation} in {answer}");
        }
        answers += 1;
    }
    assert!(answers > 0);
}

#[tokio::test]
async fn every_operation_is_described_under_an_id_of_its_own() {
    let document = document(&Sandbox::start().await.unwrap()).await;
    let paths = document["paths"].as_object().unwrap().values();
    let operations: Vec<_> = paths.flat_map(|item| item.as_object().unwrap().values()).collect();
    let ids: BTreeSet<&str> =
        operations.iter().filter_map(|operation| operation["operationId"].as_str()).collect();
    assert!(!ids.is_empty());
    assert_eq!(ids.len(), operations.len(), "{ids:?}");
}

#[tokio::test]
async fn every_schema_that_is_referred_to_exists_once() {
    let document = document(&Sandbox::start().await.unwrap()).await;
    let text = document.to_string();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn people_and_contacts_of_locations_have_schemas_of_their_own() {
    let document = document(&Sandbox::start().await.unwrap()).await;
    let schemas = &document["components"]["schemas"];
    assert!(schemas["ContactResponse"]["properties"]["isArchived"].is_object());
    let contact = &schemas["LocationContactResponse"];
    assert!(contact["properties"]["phoneSettings"].is_object(), "{contact}");
    assert_eq!(schemas["ExportLocationContactResponse"]["properties"]["active"]["type"], "boolean");
    for (list, feed) in [
        ("CustomerResponse", "ExportCustomerResponse"),
        ("LocationResponse", "ExportLocationsResponse"),
    ] {
        assert!(schemas[list]["properties"]["address"].is_object());
        assert_eq!(schemas[list]["properties"], schemas[feed]["properties"]);
    }
}

async fn document(sandbox: &Sandbox) -> Value {
    let url = format!("{}/openapi.json", sandbox.connection().api_url);
    reqwest::get(url).await.unwrap().json().await.unwrap()
}

/// Whether a value has the types, the members and no others, and the nulls that its schema
/// allows; otherwise where it has not.
fn conforms(value: &Value, schema: &Value, document: &Value) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let schema = document.pointer(reference.trim_start_matches('#')).unwrap();
        return conforms(value, schema, document);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let mut tried = choices.iter().map(|one| conforms(value, one, document));
        return if tried.any(|result| result.is_ok()) {
            Ok(())
        } else {
            Err(format!("{value} is none of {schema}"))
        };
    }
    let is_of = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => panic!("no type: {schema}"),
    };
    let fits = match &schema["type"] {
        Value::String(name) => is_of(name),
        Value::Array(names) => names.iter().any(|name| is_of(name.as_str().unwrap())),
        _ => true,
    };
    let words = schema["enum"].as_array();
    if !fits || words.is_some_and(|words| !words.contains(value)) {
        return Err(format!("{value} is not {schema}"));
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        if value.get(name.as_str().unwrap()).is_none() {
            return Err(format!("{name} is missing"));
        }
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        let others = &schema["additionalProperties"];
        let schema = match &schema["properties"][name] {
            Value::Null if *others == false => return Err(format!("{name} is not documented")),
            Value::Null => others,
            schema => schema,
        };
        conforms(member, schema, document).map_err(|reason| format!("{name}: {reason}"))?;
    }
    let mut items = value.as_array().into_iter().flatten();
    items.try_for_each(|item| conforms(item, &schema["items"], document))
}

/// Puts texts in the place of the path's parameters, another for each.
fn fill(path: &str, n: usize) -> String {
    let mut next = n;
    let segments = path.split('/').map(|segment| {
        if !segment.starts_with('{') {
            return segment;
        }
        next += 1;
        TEXTS[next % TEXTS.len()]
    });
    segments.collect::<Vec<_>>().join("/")
}

fn query(operation: &Value, text: &str) -> String {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let queries = parameters.filter(|parameter| parameter["in"] == "query");
    let members =
        queries.map(|parameter| format!("{}={text}", parameter["name"].as_str().unwrap()));
    members.collect::<Vec<_>>().join("&")
}
