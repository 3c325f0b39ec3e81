//! Error bodies of every form become one type, and never an error of their own.

#![allow(clippy::unwrap_used)] // In tests, also outside of the test functions.

mod support;

use crm_models::{BodyForm, Problem};
use rstest::rstest;
use support::example;

fn read(name: &str) -> Problem {
    let status = name[..3].parse().unwrap();
    Problem::read(status, example(&format!("problems/{name}")).as_bytes())
}

#[rstest]
#[case(
    "400-export-token.json",
    "The start of the feed could not be read; from: Neither a date nor a token"
)]
#[case(
    "400-malformed-json.json",
    "The body could not be parsed; Text ends too early, line 1, position 20"
)]
#[case(
    "400-validation.json",
    "The contact is not valid; type: Email needs an address, Compare value; value: Not an address"
)]
#[case(
    "400-missing-member.json",
    "A required property was not found: statementNotification. Path 'preferences'; preferences: statementNotification is missing"
)]
#[case("400-filter-conflict.json", "Ids and times cannot be combined")]
#[case("400-missing-filter.json", "No filter was given")]
#[case("401-token.json", "The token has expired")]
#[case("403-scope.json", "The application may not do this")]
#[case("404-contact.json", "The contact does not exist; id: Unknown contact")]
#[case("409-conflict.json", "The contact is in another state; id: In use")]
#[case("429-limit.json", "The limit is reached; wait 12 seconds")]
#[case("500-fault.json", "An error happened")]
fn a_problem_says_title_reasons_and_trace_id(#[case] name: &str, #[case] text: &str) {
    let problem = read(name);
    let trace = "00-9d3e71b0c4f84a62b7159e0fd2c86a34-51c2f7e8903ab46d-00";
    assert_eq!(problem.trace_id.as_deref(), Some(trace));
    assert_eq!(problem.to_string(), format!("{text} (trace id {trace})"));
}

#[test]
fn data_for_programs_is_kept() {
    assert_eq!(read("409-conflict.json").data["otherContactId"], 8499);
    assert_eq!(read("400-text-for-list.json").data["more"]["hints"][0], "x");
}

#[test]
fn debug_shows_the_names_in_data_and_no_value() {
    let shown = format!("{:?}", read("409-conflict.json"));
    assert!(shown.contains(r#"data: ["otherContactId", "retry"]"#), "{shown}");
    assert!(!shown.contains("8499"), "{shown}");
}

#[rstest]
#[case("404-gateway.json", "Unable to match this request to an operation")]
#[case("429-gateway.json", "The limit is reached; wait 12 seconds")]
#[case("400-oauth.json", "invalid_client")]
#[case("400-empty-object.json", "no details")]
#[case("400-null-maps.json", "Unusual (trace id 00-1-2-00)")]
#[case("400-text-for-list.json", "Unusual; value: Too short (trace id 00-1-2-00)")]
#[case("503-page.html", "no details; the body is HTML")]
fn other_forms_are_read_as_far_as_they_go(#[case] name: &str, #[case] text: &str) {
    assert_eq!(read(name).to_string(), text);
}

#[rstest]
#[case(b"", BodyForm::Empty)]
#[case(b" \r\n", BodyForm::Empty)]
#[case(b"  <html>", BodyForm::Html)]
#[case("\u{feff}<html>".as_bytes(), BodyForm::Html)]
#[case(b"Bad Gateway", BodyForm::Other)]
#[case(b"[1, 2]", BodyForm::Other)]
#[case(b"{\"title\": \"cut of", BodyForm::Other)]
#[case(b"\xff\xfe{", BodyForm::Other)]
fn a_body_that_is_no_object_is_named(#[case] body: &[u8], #[case] form: BodyForm) {
    let problem = Problem::read(502, body);
    assert_eq!((problem.status, problem.form, problem.title), (502, form, None));
}

#[rstest]
#[case::of_a_proxy(b"upstream request timeout\r\n", "upstream request timeout")]
#[case::with_control_characters(b"Bad\x1b gateway", "Bad  gateway")]
#[case::as_json(b"\"Bad gateway\"", "Bad gateway")]
#[case::in_a_list(b"[\"Too short\", null, \"Too old\"]", "Too short, Too old")]
#[case::blank(b"\" \"", "no details; the body is not a JSON object")]
#[case::no_object_in_a_list(b"[{\"data\": {\"value\": \"8185550142\"}}, \"Too old\"]", "Too old")]
#[case::with_a_mark("\u{feff}Bad gateway".as_bytes(), "Bad gateway")]
#[case::of_broken_json_with_a_mark(
    "\u{feff}{\"data\": {\"value\": \"8185550142".as_bytes(),
    "no details; the body is not a JSON object"
)]
#[case::none(b"[]", "no details; the body is not a JSON object")]
#[case::of_broken_json(
    b"{\"data\": {\"value\": \"8185550142",
    "no details; the body is not a JSON object"
)]
#[case::not_utf8(b"Bad \xff", "no details; the body is not a JSON object")]
fn the_words_of_a_body_that_is_no_object_are_told(#[case] body: &[u8], #[case] text: &str) {
    let problem = Problem::read(504, body);
    assert_eq!((problem.to_string().as_str(), problem.title), (text, None));
}

#[rstest]
#[case::an_error_with_a_message(
    r#"{"error": {"code": "Denied", "message": "The key is not known"}}"#,
    "The key is not known"
)]
#[case::an_error_with_a_code(r#"{"error": {"code": "Denied", "message": " "}}"#, "Denied")]
#[case::an_error_without_a_text(r#"{"error": {"status": 403}}"#, "no details")]
#[case::details(
    r#"{"title": "Bad value", "detail": "Nine digits", "errors": {"value": ["Too short"]}}"#,
    "Bad value; Nine digits; value: Too short"
)]
#[case::details_alone(r#"{"detail": "Nine digits"}"#, "Nine digits")]
#[case::errors_in_a_list(
    r#"{"title": "Unusual", "errors": ["Too short", "", "Too old"]}"#,
    "Unusual; Too short, Too old"
)]
#[case::errors_in_a_text(r#"{"title": "Unusual", "errors": "Too short"}"#, "Unusual; Too short")]
#[case::errors_that_are_blank(
    r#"{"title": "Unusual", "errors": {"value": ["", "Too short"], "memo": " "}}"#,
    "Unusual; value: Too short"
)]
#[case::no_errors(r#"{"title": "Unusual", "errors": []}"#, "Unusual")]
#[case::a_blank_title(r#"{"title": " ", "message": "No such route"}"#, "No such route")]
#[case::names_with_capitals(
    r#"{"Message": "Bad", "Errors": {"Value": ["Short"]}, "TraceId": "00-1", "Data": {"x": 1}}"#,
    "Bad; Value: Short (trace id 00-1)"
)]
#[case::an_object_alone_in_a_list(r#"[{"title": "Bad", "errors": ["Short"]}]"#, "Bad; Short")]
#[case::objects_in_a_list(
    r#"[{"errorCode": 7, "message": "Bad"}, {"Message": "Old"}, "Short"]"#,
    "Bad, Old, Short"
)]
#[case::errors_by_position(
    r#"{"title": "Bad", "errors": {"0": ["Short"], "1": {"message": "Old"}, "2": []}}"#,
    "Bad; 0: Short; 1: Old"
)]
#[case::errors_in_lists_by_position(
    r#"{"title": "Bad", "errors": [["Short"], [], {"field": "memo", "message": "Old"}]}"#,
    "Bad; Short; memo: Old"
)]
#[case::blank_texts(r#"{"title": "", "detail": "\r\n", "traceId": ""}"#, "no details")]
fn every_text_for_people_is_found_and_no_blank_one(#[case] body: &str, #[case] text: &str) {
    assert_eq!(Problem::read(400, body.as_bytes()).to_string(), text);
}

#[test]
fn errors_of_no_member_have_an_empty_name() {
    let problem = Problem::read(400, br#"{"errors": ["Too short"]}"#);
    assert_eq!(problem.errors[""], ["Too short"]);
    assert!(Problem::read(400, br#"{"errors": ""}"#).errors.is_empty());
}

#[test]
fn a_problem_is_an_error_for_the_question_mark() {
    let error: Box<dyn std::error::Error> = Problem::read(503, b"<html>").into();
    assert_eq!(error.to_string(), "no details; the body is HTML");
}

#[test]
fn the_status_is_the_one_of_the_answer() {
    let problem = Problem::read(403, br#"{"title": "No", "status": 500}"#);
    assert_eq!(problem.status, 403);
}

#[test]
fn maintenance_and_missing_routes_are_told_from_other_conflicts_and_404s() {
    assert!(read("409-maintenance.json").speaks_of_maintenance());
    assert!(!read("409-conflict.json").speaks_of_maintenance());
    assert!(read("404-no-route.json").is_no_route());
    assert!(read("404-gateway.json").is_no_route());
    assert!(!read("404-contact.json").is_no_route());
    for title in ["No contact matches", "The operation found nothing"] {
        let body = format!(r#"{{"title": "{title}"}}"#);
        assert!(!Problem::read(404, body.as_bytes()).is_no_route(), "{title}");
    }
}

#[test]
fn texts_of_strangers_are_bounded_and_on_one_line() {
    let title = format!("\u{1b}[31mred\r\n{}", "x".repeat(10_000));
    let body = serde_json::json!({"title": title, "errors": {"a\nb": ["c\nd"]}}).to_string();
    let text = Problem::read(400, body.as_bytes()).to_string();
    assert!(!text.contains(char::is_control), "{text}");
    assert!(text.len() < 600, "{} bytes", text.len());

    let text = Problem::read(502, "x\n".repeat(10_000).as_bytes()).to_string();
    assert!(!text.contains(char::is_control) && text.len() <= 500);
}

#[test]
fn every_text_is_scrubbed_once_its_escapes_are_undone_and_before_it_is_cut() {
    let long = format!("{}secret-1", "x".repeat(497));
    let body = serde_json::json!({
        "type": "urn:secret-1", "title": "For secret-1", "detail": long,
        "traceId": "00-secret-1", "errors": {"secret-1": ["Not secret-1"]},
        "data": {"secret-1": [{"deep": "secret-1"}]},
    });
    let escaped = body.to_string().replace("secret-1", r"s\u0065cret-1");
    let listed = r#"["secret-1", {"message": "secret-1"}]"#.to_owned();
    for body in [body.to_string(), escaped, listed, "Refused: secret-1".to_owned()] {
        let problem = Problem::read_scrubbed(401, body.as_bytes(), |text| {
            text.replace("secret-1", "[…]").into()
        });
        let all = format!("{problem} {problem:?} {}", serde_json::to_string(&problem).unwrap());
        assert!(!all.contains("sec") && all.contains("[…]"), "{all}");
    }
}
