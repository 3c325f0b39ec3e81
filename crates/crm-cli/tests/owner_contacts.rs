//! The commands on contacts of locations and customers.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Host, PERSON, Service, stderr, stdout};
use crm_models::Preference;
use crm_sandbox::Sandbox;
use serde_json::json;

#[test]
fn an_update_shows_each_member_before_and_after() {
    let service = Service::start();
    let shown = service
        .ok("location-contacts update 2001 3001 --memo 'Gate code 4411' --marketing-updates off");
    insta::assert_snapshot!(shown, @r"
    location 2001, contact 3001: 2 members changed
      memo                                 Site manager, after 4 pm → Gate code 4411
      preferences.marketingUpdatesEnabled  true → false
    ");
    let contact = service.json(&["location-contacts", "get", "2001", "3001"]);
    assert_eq!(contact["memo"], "Gate code 4411");
    assert_eq!(contact["preferences"]["marketingUpdatesEnabled"], false);
    assert_eq!(contact["preferences"]["jobRemindersEnabled"], true, "the others are kept");
}

#[test]
fn an_update_in_json_has_the_differences_and_the_record() {
    let service = Service::start();
    let updated = service.json(&["customer-contacts", "update", "1001", "4001", "--memo", "Boss"]);
    assert_eq!(updated["changed"], true);
    assert_eq!(
        updated["differences"],
        json!([{"field": "memo", "before": "Owner", "after": "Boss"}])
    );
    assert_eq!(updated["record"]["id"], 4001);
}

#[test]
fn an_update_that_changes_nothing_sends_nothing() {
    let service = Service::start();
    let update = ["location-contacts", "update", "2001", "3001", "--value", "(818) 555-0142"];
    assert!(service.ok(&update).contains("nothing to change"));
    assert_eq!(service.json(&update)["changed"], false);
    assert!(service.writes().is_empty());
}

#[test]
fn a_dry_run_shows_the_exact_request_and_sends_no_write() {
    let service = Service::start();
    let update =
        ["location-contacts", "update", "2001", "3001", "--marketing-updates", "off", "--dry-run"];
    let shown = service.json(&update);
    assert_eq!(shown["dryRun"], true);
    assert_eq!(shown["request"]["method"], "PATCH");
    assert_eq!(shown["request"]["path"], "/crm/v2/tenant/1001/locations/2001/contacts/3001");
    assert_eq!(
        shown["request"]["body"],
        json!({"preferences": {
            "jobRemindersEnabled": true, "marketingUpdatesEnabled": false,
            "invoiceStatementNotification": true, "invoiceNotification": true,
            "statementNotification": true,
        }})
    );
    assert_eq!(shown["differences"][0]["after"], "false");
    assert!(service.ok(&update).contains("true → false"));
    assert!(service.writes().is_empty());
}

#[test]
fn the_legacy_form_of_preferences_has_three_flags() {
    let service = Service::start();
    let shown = service.json(
        "location-contacts update 2001 3001 --marketing-updates off --legacy-preferences --dry-run",
    );
    let flags = shown["request"]["body"]["preferences"].as_object().unwrap();
    assert_eq!(flags.len(), 3);
}

#[test]
fn a_guard_keeps_what_somebody_else_changed() {
    let service = Service::start();
    let seen = service.json(&["location-contacts", "get", "2001", "3001"])["modifiedOn"].clone();
    let seen = seen.as_str().unwrap();
    let update = |memo| {
        service.crm(&[
            "location-contacts",
            "update",
            "2001",
            "3001",
            "--memo",
            memo,
            "--if-unmodified-since",
            seen,
        ])
    };
    update("First").assert().success();
    let refused = update("Second").assert().code(7);
    assert!(stderr(&refused).contains("was changed at"), "{}", stderr(&refused));
    assert_eq!(service.json(&["location-contacts", "get", "2001", "3001"])["memo"], "First");
}

#[test]
fn a_memo_is_cleared() {
    let service = Service::start();
    let shown = service.ok(&["location-contacts", "update", "2001", "3001", "--clear-memo"]);
    assert!(shown.contains("Site manager, after 4 pm → (none)"), "{shown}");
}

#[test]
fn a_contact_is_created_once_found_and_deleted() {
    let service = Service::start();
    let create = "location-contacts create 2002 --type mobilephone --value '(818) 555-0190' \
                  --memo -Gate- --unless-present";
    let created = service.json(&create);
    assert_eq!((&created["type"], &created["memo"]), (&json!("MobilePhone"), &json!("-Gate-")));
    let again = service.crm(&create).assert().success();
    assert!(stderr(&again).contains("there already"), "{}", stderr(&again));

    let id = created["id"].to_string();
    let deleted = service.json(&["location-contacts", "delete", "2002", &id]);
    assert_eq!(deleted["action"], "deleted");
    service.crm(&["location-contacts", "get", "2002", &id]).assert().code(3);
    assert_eq!(service.writes(), ["POST", "DELETE"]);
}

#[test]
fn contacts_are_listed_over_all_owners_by_time_and_by_ids() {
    let service = Service::start();
    let ids = service.json(&["customer-contacts", "changed", "--ids", "1001,1002"]);
    let owners: Vec<_> = ids.as_array().unwrap().iter().map(|c| &c["customerId"]).collect();
    assert!(owners.contains(&&json!(1001)) && owners.contains(&&json!(1002)));
    assert!(owners.iter().all(|owner| [json!(1001), json!(1002)].contains(owner)));

    let all = service.json(&["location-contacts", "changed", "--modified-since", "2000-01-01"]);
    let recent = service.json(&["location-contacts", "changed", "--modified-since", "2026-05-01"]);
    let years = service.json(&["location-contacts", "changed", "--modified-since", "60y"]);
    assert_eq!(all.as_array().unwrap().len(), years.as_array().unwrap().len());
    let soon = service.json(&["location-contacts", "changed", "--modified-since", "1min"]);
    assert_eq!(soon.as_array().unwrap().len(), 0);
    assert!(recent.as_array().unwrap().len() < all.as_array().unwrap().len());

    let none = service.crm(&["location-contacts", "changed"]).assert().code(2);
    assert!(stderr(&none).contains("needs ids or a time"), "{}", stderr(&none));
}

#[test]
fn unknown_preferences_are_not_guessed() {
    let service = Service::start();
    let one = ["location-contacts", "update", "2001", "3005", "--marketing-updates", "off"];
    let refused = service.crm(&one).assert().code(2);
    assert!(stderr(&refused).contains("give all of --job-reminders"), "{}", stderr(&refused));
    assert!(service.writes().is_empty());

    let others = Preference::SETTABLE.into_iter().filter(|it| *it != Preference::MarketingUpdates);
    let rest = others.flat_map(|flag| [format!("--{}", flag.option()), "on".to_owned()]);
    let all: Vec<_> = one.map(str::to_owned).into_iter().chain(rest).collect();
    let updated = stdout(&service.crm(&all).assert().success());
    assert!(updated.contains("preferences.jobRemindersEnabled"), "{updated}");
}

#[test]
fn a_contact_of_a_type_not_known_yet_takes_any_value() {
    let seeded = Sandbox::builder().set("seed-unknown-type", "on").unwrap();
    let service = Service::build(seeded.set("value-checks", "off").unwrap());
    let update = ["location-contacts", "update", "990001", "990001"];
    let updated = service.json(&[&update[..], &["--value", "#~"]].concat());
    assert_eq!(updated["differences"][0]["after"], "#~");
}

#[test]
fn a_number_is_sent_as_it_will_be_stored() {
    let service = Service::start();
    let update = ["location-contacts", "update", "2001", "3001", "--value"];
    let shown = service.ok(&[&update[..], &["+1 (213) 555-0199"]].concat());
    assert!(shown.contains("→ 2135550199"), "{shown}");
    let abroad = ["020 7946 0958", "--region", "GB"];
    let shown = service.ok(&[&update[..], &abroad].concat());
    assert!(shown.contains("→ 02079460958"), "{shown}");
    let shown = service.ok(&[&update[..], &["1-800-FLOWERS", "--vanity"]].concat());
    assert!(shown.contains("→ 8003569377"), "{shown}");
}

#[test]
fn a_value_that_is_not_surely_one_number_is_refused_and_nothing_is_sent() {
    let service = Service::start();
    let before = service.json(&["location-contacts", "get", "2001", "3001"]);
    for (value, reason) in [
        ("213-555-0177²", "`²`"),
        ("818-555-O142", "letters"),
        ("212 200 1111 / 212 200 2222", "more than one number"),
        ("818-555-0142 ext 12", "--extensions memo|drop|send"),
        ("555-0142", "no area code"),
        ("0000000000", "is not a possible telephone number in US"),
    ] {
        for command in [
            &["location-contacts", "update", "2001", "3001"][..],
            &["location-contacts", "create", "2001", "--type", "Phone"],
        ] {
            let mut refused = service.crm(&[command, &["--value", value]].concat());
            let refused = refused.assert().failure().code(2);
            assert!(stderr(&refused).contains(reason), "{}", stderr(&refused));
        }
    }
    assert_eq!(service.json(&["location-contacts", "get", "2001", "3001"]), before);
}

#[test]
fn an_extension_goes_where_the_user_says() {
    let service = Service::start();
    let update = ["location-contacts", "update", "2001", "3001", "--value", "213-555-0199 x12"];
    let memo = service.ok(&[&update[..], &["--extensions", "memo"]].concat());
    assert!(memo.contains("→ Site manager, after 4 pm, ext. 12"), "{memo}");
    let dropped = service.ok(&[&update[..], &["--extensions", "drop"]].concat());
    assert!(dropped.contains("nothing"), "{dropped}");
}

#[test]
fn a_spreadsheets_formula_or_error_is_no_note_in_the_shell_either() {
    let service = Service::start();
    for command in [
        &["location-contacts", "update", "2001", "3001", "--memo"][..],
        &["people", "update", PERSON, "--name"],
        &["people", "update", PERSON, "--title"],
        &["location-contacts", "create", "2001", "--type=Phone", "--value=8185550142", "--memo"],
    ] {
        for text in ["#REF!", "#n/a", "=\"0815\"", " =1+1", "####"] {
            let refused = service.crm(&[command, &[text]].concat()).assert();
            let told = stderr(&refused.code(2));
            assert!(told.contains("spreadsheet"), "{text}: {told}");
        }
    }
    assert!(service.writes().is_empty());
    service.ok(&["location-contacts", "update", "2001", "3001", "--memo", "Gate #4"]);
}

/// A list with one contact whose flags the service does not tell.
const FLAGS_UNTOLD: &str = r#"{"page":1,"pageSize":50,"hasMore":false,"data":[{"id":3001,
    "type":"Email","value":"a@site.example","memo":null,"preferences":null,
    "modifiedOn":"2026-05-27T16:04:11Z"}]}"#;

#[test]
fn flags_that_the_service_does_not_tell_become_what_somebody_says() {
    let service = Service::start();
    let host = Host::start(&[(200, FLAGS_UNTOLD)]);
    let update = |more: &[&str]| {
        let given = ["location-contacts", "update", "2001", "3001", "--dry-run"];
        let mut update = service.crm(&[&given, more].concat());
        update.env("CRM_API_URL", &host.url).assert()
    };
    let refused = update(&["--marketing-updates", "off"]);
    let told = stderr(&refused.code(2));
    assert!(told.contains("--unknown-flags"), "{told}");

    let done = update(&["--marketing-updates", "off", "--unknown-flags", "on"]).success();
    let shown = format!("{}{}", stdout(&done), stderr(&done));
    for flag in [
        r#""marketingUpdatesEnabled":false"#,
        r#""jobRemindersEnabled":true"#,
        r#""invoiceNotification":true"#,
        r#""statementNotification":true"#,
    ] {
        let shown = shown.replace(": ", ":");
        assert!(shown.contains(flag), "{flag}: {shown}");
    }
    // No flag is named, so none is chosen.
    let done = update(&["--memo", "Gate", "--unknown-flags", "on"]).success();
    let shown = format!("{}{}", stdout(&done), stderr(&done));
    assert!(!shown.contains("marketing"), "{shown}");
}
