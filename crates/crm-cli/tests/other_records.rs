//! The commands on people, contact methods, preferences, bookings, and `crm api`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::thread;

use common::{Host, METHOD, PERSON, Service, stderr, stdout};
use serde_json::json;

#[test]
fn a_person_is_created_changed_replaced_and_deleted() {
    let service = Service::start();
    let created = service.json(&["people", "create", "--name", "Dana", "--title", "Lead"]);
    let id = created["id"].as_str().unwrap();

    let updated = service.json(&["people", "update", id, "--clear-title", "--archived", "on"]);
    assert_eq!(
        updated["differences"],
        json!([
            {"field": "title", "before": "Lead", "after": null},
            {"field": "isArchived", "before": "false", "after": "true"},
        ])
    );
    assert_eq!(updated["record"]["name"], "Dana", "what is not named is kept");

    let replaced = service.json(&["people", "replace", id, "--title", "Boss", "--archived", "off"]);
    assert_eq!((&replaced["name"], &replaced["title"]), (&json!(null), &json!("Boss")));
    service.ok(&["people", "delete", id]);
    service.crm(&["people", "get", id]).assert().code(3);
}

#[test]
fn people_are_listed_in_order_and_found_through_what_they_are_related_to() {
    let service = Service::start();
    let list = ["people", "list", "--sort", "modified-on", "--descending"];
    let people = service.json(&list);
    let times: Vec<_> =
        people.as_array().unwrap().iter().map(|p| p["modifiedOn"].as_str()).collect();
    assert!(times.len() > 3 && times.is_sorted_by(|a, b| a >= b), "{times:?}");

    let related = service.json(&["people", "related-to", "1001", "--fields", "id"]);
    assert!(related.as_array().unwrap().contains(&json!({"id": PERSON})), "{related}");

    service.ok(&["people", "relate", PERSON, "customer", "1002"]);
    let filter = ["people", "relationships", PERSON, "--entity-type", "customer"];
    assert_eq!(service.json(&filter).as_array().unwrap().len(), 2);
    service.ok(&["people", "unrelate", PERSON, "customer", "1002"]);
    service.crm(&["people", "unrelate", PERSON, "customer", "1002"]).assert().code(7);
}

#[test]
fn a_contact_method_is_created_changed_replaced_and_deleted() {
    let service = Service::start();
    let create =
        ["contact-methods", "create", PERSON, "--type", "Email", "--value", "ada@site.example"];
    let created = service.json(&create);
    let id = created["id"].as_str().unwrap();
    let found = service.json(&["contact-methods", "search", "--value", "ada@site.example"]);
    assert_eq!(found[0]["id"], created["id"]);

    let updated = service.json(&["contact-methods", "update", PERSON, id, "--memo", "Office"]);
    assert_eq!(updated["differences"][0]["field"], "memo");
    let upsert =
        ["contact-methods", "upsert", PERSON, id, "--type", "Fax", "--value", "8185550111"];
    assert_eq!(service.json(&upsert)["type"], "Fax");
    service.ok(&["contact-methods", "delete", PERSON, id]);
    let left = service.json(&["contact-methods", "list", PERSON]);
    assert!(left.as_array().unwrap().iter().all(|method| method["id"] != created["id"]));
}

#[test]
fn a_preference_is_set_by_its_name() {
    let service = Service::start();
    let types = service.json(&["preferences", "types"]);
    let name = types[0]["name"].as_str().unwrap();
    service.ok(&["preferences", "set", PERSON, METHOD, name, "false"]);
    let preference = service.json(&["preferences", "get", PERSON, METHOD, name]);
    assert_eq!(preference["value"], "false");
    let all = service.json(&["preferences", "list", PERSON, METHOD]);
    assert!(all.as_array().unwrap().contains(&preference));
}

#[test]
fn a_booking_contact_is_created_changed_and_deleted_through_its_provider() {
    let service = Service::start();
    let create = "booking-contacts create 6001 --provider 501 --type Phone --value 8185550100";
    let created = service.json(&create)["id"].clone();
    let id = created.to_string();
    let update =
        ["booking-contacts", "update", "6001", &id, "--provider", "501", "--memo", "Caller"];
    assert_eq!(service.json(&update)["differences"][0]["after"], "Caller");
    let get = ["booking-contacts", "get", "6001", &id, "--provider", "501"];
    assert_eq!(service.json(&get)["memo"], "Caller");
    service.ok(&["booking-contacts", "delete", "6001", &id, "--provider", "501"]);
    let left = service.json(&["booking-contacts", "list", "6001"]);
    assert!(left.as_array().unwrap().iter().all(|contact| contact["id"] != created));
}

#[test]
fn any_operation_can_be_called_by_its_path() {
    let service = Service::start();
    let page = service.ok(&["api", "get", "/locations/2001/contacts?pageSize=1"]);
    let page: serde_json::Value = serde_json::from_str(&page).unwrap();
    assert_eq!(page["hasMore"], true);

    let patch = ["api", "patch", "/crm/v2/tenant/{tenant}/locations/2001/contacts/3001"];
    let body = [&patch[..], &["--body", "-"]].concat();
    service.crm(&body).write_stdin(r#"{"memo": "By hand"}"#).assert().success();
    assert_eq!(service.json(&["location-contacts", "get", "2001", "3001"])["memo"], "By hand");

    service.crm(&body).write_stdin("{memo}").assert().code(2);
    let refused = service.crm(&["api", "get", "/nothing/here"]).assert().code(3);
    assert!(stderr(&refused).contains("trace id"), "{}", stderr(&refused));
}

#[test]
fn pages_and_batches_are_followed_to_their_end() {
    let service = Service::start();
    service.sandbox.set("export-page-size", "7").unwrap();
    let listed = service.json(&["location-contacts", "list", "2001", "--all"]);
    let paged = service.json(&["api", "get", "/locations/2001/contacts?pageSize=2", "--paginate"]);
    assert_eq!(listed, paged);

    let feed = ["api", "get", "/export/locations/contacts", "--paginate", "--output", "ndjson"];
    let lines = service.ok(&feed);
    let exported = service.ok(&["export", "location-contacts"]);
    assert!(lines.lines().count() > 14);
    assert_eq!(lines.lines().count(), exported.lines().count());
}

const BOOKING_UPDATE: [&str; 6] =
    ["booking-contacts", "update", "6001", "6501", "--provider", "501"];

#[test]
fn what_is_so_already_is_not_sent() {
    let service = Service::start();
    let person = service.json(&["people", "get", PERSON]);
    let method = service.json(&["contact-methods", "get", PERSON, METHOD]);
    let booking = service.json(&[&["booking-contacts", "get"], &BOOKING_UPDATE[2..]].concat());
    let text =
        |record: &serde_json::Value, member: &str| record[member].as_str().unwrap().to_owned();
    let (name, value, kind) =
        (text(&person, "name"), text(&method, "value"), text(&booking, "type"));
    let spaced = format!("({}) {}", &value[..3], &value[3..]);
    for update in [
        &["people", "update", PERSON, "--name", &name, "--archived", "off"][..],
        &["contact-methods", "update", PERSON, METHOD, "--value", &spaced],
        &[&BOOKING_UPDATE[..], &["--type", &kind]].concat(),
    ] {
        assert!(service.ok(update).contains("nothing was sent"), "{update:?}");
        assert_eq!(service.json(update)["changed"], false, "{update:?}");
    }
    assert!(service.writes().is_empty());
}

#[test]
fn an_answer_that_is_not_what_was_asked_for_is_judged_by_a_look_at_the_record() {
    let service = Service::start();
    let person = service.ok(&["people", "get", PERSON, "--output", "ndjson"]);
    let get = ["contact-methods", "get", PERSON, METHOD];
    let method = service.ok(&[&get[..], &["--output", "ndjson"]].concat());
    let bookings = service.ok(&["api", "get", "/bookings/6001/contacts"]);
    let title = ["people", "update", PERSON, "--title", "Chief"];
    let memo = ["contact-methods", "update", PERSON, METHOD, "--memo", "Chief"];
    let booking = [&BOOKING_UPDATE[..], &["--memo", "Chief"]].concat();
    for (update, record, gets, member) in [
        (&title[..], &person, 2, "/title"),
        (&memo, &method, 1, "/memo"),
        (&booking, &bookings, 1, "/data/0/memo"),
    ] {
        let with = |text: &str| {
            let mut record: serde_json::Value = serde_json::from_str(record).unwrap();
            *record.pointer_mut(member).unwrap() = text.into();
            record.to_string()
        };
        let (as_asked, other) = (with("Chief"), with("Boss"));
        // The answer to the update of a booking's contact need not be whole.
        let answer = if record == &bookings { r#"{"memo": "Boss"}"# } else { record };
        let settled = |look: &str| {
            let mut answers = vec![(200, record.as_str()); gets];
            answers.extend([(200, answer), (200, look)]);
            let host = Host::start(&answers);
            let update = [update, &["--output", "json"]].concat();
            let ended = service.crm(&update).env("CRM_API_URL", &host.url).assert();
            let writes = host.requests();
            let writes = writes.iter().filter(|request| request.starts_with("PATCH"));
            assert_eq!(writes.count(), 1, "it is not repeated");
            ended
        };
        settled(&as_asked).success();
        if record != &bookings {
            continue;
        }
        // Each look waits for lists that lag.
        thread::scope(|scope| {
            for (look, code, kind, advice) in [
                (&**record, 5, "not-changed", "later"),
                (&other, 8, "differs", "done"),
                ("{", 6, "outcome-unknown", "look-first"),
            ] {
                let settled = &settled;
                scope.spawn(move || {
                    let failed = settled(look).code(code);
                    let told: serde_json::Value = serde_json::from_str(&stdout(&failed)).unwrap();
                    assert_eq!(told["error"]["kind"], kind, "{told}");
                    assert_eq!(told["error"]["advice"], advice, "{told}");
                    let said = stderr(&failed);
                    assert_eq!(said.contains("asked Chief, answered"), code != 6, "{said}");
                });
            }
        });
    }
}

#[test]
fn members_that_an_answer_leaves_out_are_not_shown_as_cleared() {
    let service = Service::start();
    service.sandbox.set("booking-update-answer", "sent").unwrap();
    let before = service.json(&[&["booking-contacts", "get"], &BOOKING_UPDATE[2..]].concat());
    let memo = [&BOOKING_UPDATE[..], &["--memo", "Call twice"]].concat();
    let updated = service.json(&memo);
    let differences = updated["differences"].as_array().unwrap();
    assert_eq!(differences.len(), 1, "{updated}");
    assert_eq!(differences[0]["after"], "Call twice");
    assert_eq!(updated["record"]["value"], before["value"]);
    assert_eq!(updated["record"]["modifiedOn"], json!(null), "it is not told");

    let value = [&BOOKING_UPDATE[..], &["--value", "2135550109"]].concat();
    let updated = service.json(&value);
    assert_eq!(updated["differences"].as_array().unwrap().len(), 1, "{updated}");
    assert_eq!(updated["record"]["memo"], "Call twice");

    let cleared = service.json(&[&BOOKING_UPDATE[..], &["--clear-memo"]].concat());
    assert_eq!(cleared["differences"][0]["before"], "Call twice");
}

#[test]
fn an_update_that_cannot_be_right_is_refused_before_anything_is_sent() {
    let service = Service::start();
    let method = ["contact-methods", "update", PERSON, METHOD];
    for update in [&BOOKING_UPDATE[..], &method] {
        let refused = service.crm(update).assert().code(2);
        let message = stderr(&refused);
        assert!(message.contains("nothing is given to change"), "{message}");
        let control = [update, &["--memo", "a\u{7}"]].concat();
        let refused = service.crm(&control).assert().code(2);
        let message = stderr(&refused);
        assert!(message.contains("memo holds a control character"), "{message}");
    }
    assert!(service.sandbox.log().is_empty());
}

#[test]
fn a_value_must_fit_the_type_that_the_record_has() {
    let service = Service::start();
    let address = ["--value", "dana@site.example"];
    let method = ["contact-methods", "update", PERSON, METHOD];
    for update in [
        &[&BOOKING_UPDATE[..], &address].concat(),
        &[&BOOKING_UPDATE[..], &["--type", "Email"]].concat(),
        &[&method[..], &address].concat(),
    ] {
        let refused = service.crm(update).assert().code(2);
        let message = stderr(&refused);
        assert!(message.contains("value"), "{update:?}: {message}");
    }
    assert!(service.writes().is_empty());
}

#[test]
fn a_method_of_a_type_not_known_yet_takes_any_value() {
    let service = Service::start();
    let get = ["contact-methods", "get", PERSON, METHOD, "--output", "ndjson"];
    let mut record: serde_json::Value = serde_json::from_str(&service.ok(&get)).unwrap();
    record["type"] = json!("Pager");
    let before = record.to_string();
    record["value"] = json!("#~");
    let after = record.to_string();
    let host = Host::start(&[(200, &before), (200, &after)]);
    let update = ["contact-methods", "update", PERSON, METHOD, "--value", "#~"];
    let command = &mut service.crm(&update);
    command.env("CRM_API_URL", &host.url).assert().success();
    assert!(host.requests()[1].ends_with(r##"{"value":"#~"}"##), "{:?}", host.requests());
}

#[test]
fn a_truth_value_is_sent_in_lower_case() {
    let service = Service::start();
    let set = |value| ["preferences", "set", PERSON, METHOD, "JobReminders", value];
    for (given, sent) in [("True", "true"), ("off", "false"), ("YES", "true"), ("No", "false")] {
        let shown = service.json(&[&set(given)[..], &["--dry-run"]].concat());
        assert_eq!(shown["request"]["body"], json!({"value": sent}), "{given}");
    }
    let refused = service.crm(&set("maybe")).assert().code(2);
    let message = stderr(&refused);
    assert!(message.contains("true or false, not `maybe`"), "{message}");
    assert!(service.writes().is_empty());
}

#[test]
fn a_preference_of_another_data_type_is_sent_as_it_is() {
    let service = Service::start();
    let preference = r#"{"name": "Language", "dataType": "Text", "value": null}"#;
    let stored = preference.replace("null", r#""On""#);
    let host = Host::start(&[(200, preference), (200, &stored)]);
    let set = ["preferences", "set", PERSON, METHOD, "Language", "On"];
    let command = &mut service.crm(&set);
    command.env("CRM_API_URL", &host.url).assert().success();
    assert!(host.requests()[1].ends_with(r#"{"value":"On"}"#), "{:?}", host.requests());
}

#[test]
fn pages_are_counted_from_the_one_that_is_asked_for() {
    let service = Service::start();
    let pages = |path| service.json(&["api", "get", path, "--paginate"]);
    let all = pages("/locations/2001/contacts?pageSize=2");
    let rest = pages("/locations/2001/contacts?page=2&pageSize=2");
    assert_eq!(rest.as_array().unwrap(), &all.as_array().unwrap()[2..]);
}

#[test]
fn paging_is_for_reading() {
    let service = Service::start();
    let path = "/locations/2001/contacts/3001";
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let refused = service.crm(&["api", method, path, "--paginate"]);
        let message = stderr(&{ refused }.assert().code(2));
        assert!(message.contains(method), "{message}");
    }
    assert!(service.sandbox.log().is_empty());
}

#[test]
fn a_feed_that_does_not_move_is_left() {
    let service = Service::start();
    let part = |token| format!(r#"{{"hasMore": true, "continueFrom": {token}, "data": [1]}}"#);
    let (first, empty, none) = (part(r#""a""#), part(r#""""#), part("null"));
    let feed = "/export/locations/contacts";
    for (path, answers, items) in [
        (feed.to_owned(), vec![(200, &*first)], 2),
        (format!("{feed}?from=a"), vec![(200, &*first)], 1),
        (feed.to_owned(), vec![(200, &*empty)], 1),
        (feed.to_owned(), vec![(200, &*first), (200, &*none)], 2),
    ] {
        let host = Host::start(&answers);
        let api = ["api", "get", &path, "--paginate", "--output", "json"];
        let failed = service.crm(&api).env("CRM_API_URL", &host.url).assert();
        let failed = failed.code(5);
        assert!(stderr(&failed).contains("no way to continue"), "{}", stderr(&failed));
        let told: serde_json::Value = serde_json::from_str(&stdout(&failed)).unwrap();
        assert_eq!(told.as_array().unwrap().len(), items + 1, "{told}");
        assert_eq!(host.requests().len(), items);
    }
}

#[test]
fn a_write_of_all_members_is_compared_with_what_was_asked() {
    let service = Service::start();
    let person = service.ok(&["people", "get", PERSON, "--output", "ndjson"]);
    let preference = r#"{"name": "JobReminders", "dataType": "Bool", "value": "true"}"#;
    let replace = ["people", "replace", PERSON, "--name", "Chief"];
    let replace = [&replace[..], &["--archived", "off"]].concat();
    let set = ["preferences", "set", PERSON, METHOD, "JobReminders", "off"];
    thread::scope(|scope| {
        for (write, answer) in [(&replace[..], &*person), (&set, preference)] {
            let service = &service;
            scope.spawn(move || {
                let host = Host::start(&[(200, answer)]);
                let command = &mut service.crm(write);
                let differs = command.env("CRM_API_URL", &host.url).assert().code(8);
                assert!(stderr(&differs).contains("asked"), "{write:?}");
                let reads = host.requests();
                let reads = reads.iter().filter(|request| request.starts_with("GET"));
                assert!(reads.count() >= 3, "it is read back");
            });
        }
    });
}
