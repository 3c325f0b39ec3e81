//! Bad input, wrong settings, and servers that misbehave: each ends in a clear message.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use common::{Host, Service, crm, stderr, stdout};
use crm_sandbox::{Fault, FaultPlan, FaultRule};

const LIST: [&str; 3] = ["location-contacts", "list", "2001"];

#[test]
fn wrong_ids_are_refused_before_anything_is_sent() {
    let service = Service::start();
    for id in ["abc", "0", "-1", "99999999999999999999", "1.5", ""] {
        let refused = service.crm(&["location-contacts", "list", "--", id]).assert().code(2);
        assert!(stderr(&refused).contains("LOCATION"), "{}", stderr(&refused));
    }
    service.crm(&["people", "get", "3001"]).assert().code(2);
    assert!(service.sandbox.log().is_empty());
}

#[test]
fn an_empty_update_is_refused_before_anything_is_sent() {
    let service = Service::start();
    let refused = service.crm(&["location-contacts", "update", "2001", "3001"]).assert().code(2);
    assert!(stderr(&refused).contains("nothing is given to change"), "{}", stderr(&refused));
    assert!(service.sandbox.log().is_empty());
}

#[test]
fn an_address_does_not_become_a_telephone_number() {
    let service = Service::start();
    let create =
        ["location-contacts", "create", "2001", "--type", "Phone", "--value", "a@site.example"];
    let refused = service.crm(&create).assert().code(2);
    assert!(stderr(&refused).contains("value"), "{}", stderr(&refused));
    assert!(service.sandbox.log().is_empty());

    let update = ["location-contacts", "update", "2001", "3001", "--value", "a@site.example"];
    let refused = service.crm(&update).assert().failure();
    assert!(stderr(&refused).contains("value"), "{}", stderr(&refused));
    let kept = service.json(&["location-contacts", "get", "2001", "3001"]);
    assert_eq!(kept["value"], "8185550142");
}

#[cfg(unix)]
#[test]
fn arguments_and_variables_must_be_utf8() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    let service = Service::start();
    let garbled = OsStr::from_bytes(b"a\xff");
    let refused = service.crm(&LIST[..2]).arg(garbled).assert().code(2);
    assert!(stderr(&refused).contains("UTF-8"), "{}", stderr(&refused));
    let refused = service.crm(&LIST).env("CRM_CLIENT_SECRET", garbled).assert().code(2);
    assert!(stderr(&refused).contains("CRM_CLIENT_SECRET"), "{}", stderr(&refused));
}

#[test]
fn fields_that_do_not_exist_are_refused_before_a_write() {
    let service = Service::start();
    let create = "location-contacts create 2001 --type Phone --value 8185550123 --fields id,phone";
    let refused = service.crm(&create).assert().code(2);
    assert!(stderr(&refused).contains("`phone`"), "{}", stderr(&refused));
    assert!(service.sandbox.log().is_empty());
}

#[test]
fn missing_settings_are_named_all_at_once() {
    let home = tempfile::tempdir().unwrap();
    let refused = crm(home.path()).args(LIST).env("CRM_TENANT", "1").assert().code(2);
    let message = stderr(&refused);
    assert!(
        message.contains("missing: environment, client id, client secret, app key"),
        "{message}"
    );
    for place in ["--environment", "CRM_CLIENT_SECRET", "client_secret", "config.toml"] {
        assert!(message.contains(place), "{place}: {message}");
    }
    assert!(!message.contains("CRM_TENANT"), "it is given: {message}");
}

#[test]
fn whoever_has_no_account_yet_is_told_how_to_begin() {
    let home = tempfile::tempdir().unwrap();
    for line in
        ["", "-h", "auth check", "find 8185550142", "mirror status", "sets", "undo x", "audit"]
    {
        let told = crm(home.path()).args(line.split_whitespace()).assert();
        let told = format!("{}{}", stdout(&told), stderr(&told));
        for way in ["crm demo", "--sandbox", "crm profile add --help"] {
            assert!(told.contains(way), "crm {line}: {way}: {told}");
        }
    }
    // The set may be one of an account's desk.
    for line in ["show mend", "approve mend --by Dana", "status mend", "results mend"] {
        let told = stderr(&crm(home.path()).args(line.split(' ')).assert().code(1));
        assert!(told.contains("crm profile add --help"), "crm {line}: {told}");
        assert!(told.contains("error: mend: cannot be read"), "crm {line}: {told}");
    }
}

#[test]
fn a_profile_gives_the_settings_and_its_faults_are_named() {
    let service = Service::start();
    let connection = service.sandbox.connection();
    let folder = service.home.path().join("crm");
    std::fs::create_dir(&folder).unwrap();
    let write = |extra: &str| {
        let text = format!(
            "[profiles.local]\ntenant = 1001\napi_url = {:?}\nauth_url = {:?}\n\
             client_id = {:?}\nclient_secret = {:?}\napp_key = {:?}\n{extra}",
            connection.api_url,
            connection.auth_url,
            connection.client_id,
            connection.client_secret,
            connection.app_key
        );
        std::fs::write(folder.join("config.toml"), text).unwrap();
    };
    let list = || crm(service.home.path()).args(LIST).args(["--profile", "local"]).assert();

    write("");
    let listed = list().success();
    assert!(stderr(&listed).contains("readable by others"), "{}", stderr(&listed));
    write("apikey = \"s3cr3t\"\n");
    let refused = list().code(2);
    assert!(stderr(&refused).contains("apikey"), "{}", stderr(&refused));
    assert!(!stderr(&refused).contains("s3cr3t"), "{}", stderr(&refused));
    write("");
    let refused = crm(service.home.path()).args(LIST).args(["--profile", "other"]).assert().code(2);
    assert!(stderr(&refused).contains("other"), "{}", stderr(&refused));
}

#[test]
fn wrong_credentials_are_told_and_not_shown() {
    let service = Service::start();
    let wrong = |name: &str| {
        let mut command = service.crm(&["-vv", "location-contacts", "list", "2001"]);
        command.env(name, "wrong-8471").assert().code(4)
    };
    for name in ["CRM_CLIENT_ID", "CRM_CLIENT_SECRET"] {
        let refused = wrong(name);
        assert!(stderr(&refused).contains("credentials"), "{}", stderr(&refused));
        assert!(!stderr(&refused).contains("8471"), "{}", stderr(&refused));
    }
    let refused = service.crm(&LIST).env("CRM_APP_KEY", "wrong-8471").assert().code(3);
    assert!(stderr(&refused).contains("app key"), "{}", stderr(&refused));
    assert!(!stderr(&refused).contains("8471"), "{}", stderr(&refused));
}

#[test]
fn the_check_of_credentials_says_what_to_do() {
    let service = Service::start();
    assert!(service.ok(&["auth", "check"]).contains("may read and write"));

    service.sandbox.set("scopes", "tn.crm.locations:r").unwrap();
    let steps = service.json(&["auth", "check"]);
    let steps = steps.as_array().unwrap();
    let of = |check: &str| steps.iter().find(|step| step["check"] == check).unwrap();
    assert_eq!(of("tn.crm.locations:r")["detail"], "may read, not write");
    assert_eq!(of("tn.crm.customers:r")["ok"], false);
    assert!(of("tn.crm.customers:r")["advice"].as_str().unwrap().contains("tick this scope"));

    let refused = service.crm(&["auth", "check"]).env("CRM_APP_KEY", "wrong").assert().code(4);
    assert!(stdout(&refused).contains("check the app key"), "{}", stdout(&refused));
    let json = ["auth", "check", "--output", "json"];
    let refused = service.crm(&json).env("CRM_APP_KEY", "wrong").assert().code(4);
    let answer: serde_json::Value = serde_json::from_str(&stdout(&refused)).unwrap();
    assert_eq!(answer[6]["error"]["kind"], "credentials", "{answer}");
    let refused = service.crm(&["auth", "check"]).env("CRM_CLIENT_SECRET", "no").assert().code(4);
    assert!(
        stdout(&refused).contains("check client id, secret and app key"),
        "{}",
        stdout(&refused)
    );
    let refused =
        service.crm(&["auth", "check"]).env("CRM_AUTH_URL", "http://127.0.0.1:1").assert().code(5);
    assert!(stdout(&refused).contains("check the network"), "{}", stdout(&refused));
}

#[test]
fn the_check_takes_no_answer_of_another_server_for_a_permission() {
    let service = Service::start();
    let check = |status, body| {
        let host = Host::start(&[(status, body)]);
        let mut check = service.crm(&["auth", "check", "--output", "json"]);
        check.env("CRM_API_URL", &host.url).assert()
    };
    for (status, body) in [
        (404, "<html></html>"),
        (404, ""),
        (404, r#"{"message": "Nothing here"}"#),
        (200, "<html></html>"),
        (200, ""),
        (200, "null"),
        (200, "{}"),
        (200, "[1, 2]"),
        (200, r#"{"data": {"a": 1}}"#),
        (302, ""),
    ] {
        let refused = check(status, body).code(4);
        let steps: serde_json::Value = serde_json::from_str(&stdout(&refused)).unwrap();
        for step in &steps.as_array().unwrap()[2..6] {
            assert_eq!(step["ok"], false, "{status} {body}: {steps}");
            let advice = step["advice"].as_str().unwrap();
            assert!(advice.contains("check the API URL"), "{status} {body}: {advice}");
        }
    }
    let later = stdout(&check(503, "").code(5));
    assert!(later.contains("try later"), "{later}");
}

#[test]
fn the_check_needs_no_booking_but_lists_that_exist() {
    let service = Service::start();
    let steps = service.json(&["auth", "check"]);
    assert_eq!(steps[5]["check"], "tn.crm.bookings:r");
    assert_eq!(steps[5]["ok"], true, "booking 1 does not exist");

    let missing = FaultRule::new(Fault::Status { status: 404 });
    let missing = missing.path("/customers/contacts").times(0);
    service.sandbox.inject(FaultPlan::new().rule(missing));
    let steps = service.json(&["auth", "check"]);
    assert_eq!(steps[3]["check"], "tn.crm.customers:r");
    assert_eq!(steps[3]["ok"], false, "a list is never missing");
}

#[test]
fn a_host_that_cannot_be_reached_is_a_failure_of_the_network() {
    let service = Service::start();
    let unreachable = service.crm(&LIST).env("CRM_API_URL", "http://127.0.0.1:1").assert().code(5);
    let message = stderr(&unreachable);
    assert!(
        message.contains("could not connect") && message.contains("try again later"),
        "{message}"
    );
}

#[test]
fn a_host_that_keeps_people_waiting_is_named_within_two_seconds() {
    let service = Service::start();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", silent.local_addr().unwrap());
    for (variable, named) in [
        ("CRM_API_URL", format!("still waiting for {silent}")),
        ("CRM_AUTH_URL", "still waiting for the token endpoint of".to_owned()),
    ] {
        // One that is down, for which calls are repeated, and one that takes a call and is silent.
        for url in ["http://127.0.0.1:1", &silent] {
            let named = named.replace(&silent, url);
            let mut list = service.process(&LIST);
            list.env(variable, url).stderr(Stdio::piped()).stdout(Stdio::null());
            let (began, mut child) = (Instant::now(), list.spawn().unwrap());
            let mut said = String::new();
            BufReader::new(child.stderr.take().unwrap()).read_line(&mut said).unwrap();
            let waited = began.elapsed();
            let _ = child.kill();
            let _ = child.wait();
            // Repeats may be over sooner.
            assert!(said.contains(&named) || said.starts_with("error:"), "{said}");
            assert!(said.contains(&named) || url != silent, "{said}");
            assert!(waited < Duration::from_secs(2), "{waited:?}");
        }
    }
}

#[test]
fn what_a_refusal_says_for_programs_is_in_json_and_under_v() {
    let service = Service::start();
    let problem = r#"{"type": "urn:problem:x", "title": "No", "status": 400, "traceId": "00-1-2-00",
        "data": {"ErrorCode": "Locked", "by": [7]}}"#;
    let host = Host::start(&[(400, problem)]);
    let refused = |more: &[&str]| {
        let mut list = service.crm(&[&LIST[..], more].concat());
        list.env("CRM_API_URL", &host.url).assert().code(3)
    };
    let json: serde_json::Value =
        serde_json::from_str(&stdout(&refused(&["--output", "json"]))).unwrap();
    assert_eq!(json["error"]["type"], "urn:problem:x");
    let data = serde_json::json!({"ErrorCode": "Locked", "by": [7]});
    assert_eq!(json["error"]["data"], data);

    let told = stderr(&refused(&["-v"]));
    for said in ["type: urn:problem:x", "trace id: 00-1-2-00", r#"{"ErrorCode":"Locked","by":[7]}"#]
    {
        assert!(told.contains(said), "{told}");
    }
    assert!(!stderr(&refused(&[])).contains("Locked"));
}

#[test]
fn credentials_do_not_go_over_a_network_without_tls() {
    let service = Service::start();
    let refused = service.crm(&LIST).env("CRM_API_URL", "http://api.site.example").assert().code(2);
    assert!(stderr(&refused).contains("API URL"), "{}", stderr(&refused));
}

#[test]
fn a_redirect_is_not_followed() {
    let service = Service::start();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let location = format!("http://{}/", other.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let _ = connection.read(&mut request).unwrap();
        let answer = format!(
            "HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        connection.write_all(answer.as_bytes()).unwrap();
    });
    let refused = service.crm(&LIST).env("CRM_API_URL", url).assert().code(3);
    assert!(stderr(&refused).contains("302"), "{}", stderr(&refused));
    server.join().unwrap();
    other.set_nonblocking(true).unwrap();
    assert!(other.accept().is_err(), "the other host was asked");
}

#[test]
fn answers_that_are_not_what_they_should_be_are_told_apart() {
    let service = Service::start();
    let always = |fault| FaultPlan::new().rule(FaultRule::new(fault).path("/contacts").times(0));
    for (fault, code, text) in [
        (Fault::GarbageBody, 5, "cannot be read"),
        (Fault::Html { status: 404 }, 3, "HTML"),
        (Fault::Html { status: 503 }, 5, "not available"),
        (Fault::Maintenance, 5, "maintenance"),
        (Fault::Status { status: 409 }, 7, "409"),
    ] {
        service.sandbox.inject(always(fault.clone()));
        let failed = service.crm(&LIST).assert().code(code);
        assert!(stderr(&failed).contains(text), "{fault:?}: {}", stderr(&failed));
    }
}

#[test]
fn a_sign_in_page_of_the_network_is_named_whatever_it_answers_in_place_of() {
    let service = Service::start();
    let page = |path: &str| {
        let page = FaultRule::new(Fault::Html { status: 200 });
        service.sandbox.inject(FaultPlan::new().rule(page.path(path).times(0)));
    };
    page("/contacts");
    for line in [
        "location-contacts list 2001",
        "location-contacts get 2001 3001",
        "location-contacts update 2001 3001 --marketing-updates off",
        "people list",
        "export location-contacts",
    ] {
        let words: Vec<_> = line.split(' ').collect();
        let told = stderr(&service.crm(&words).assert().code(5));
        assert!(told.contains("HTML instead of JSON"), "{line}: {told}");
    }
    assert!(service.writes().is_empty());
    // Nothing of the write is known: the page came in place of its answer and of the look at it.
    let words = ["people", "create", "--name", "Dana"];
    let told = stderr(&service.crm(&words).assert().code(6));
    assert!(told.contains("HTML"), "{told}");

    page("/connect/token");
    let began = Instant::now();
    let told = stderr(&service.crm(&LIST).assert().code(5));
    assert!(told.contains("HTML page"), "{told}");
    // No repeat heals it.
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_number_that_is_none_is_refused_in_plain_words() {
    let service = Service::start();
    for (line, words) in [
        ("location-contacts list 2001 --limit", "0 or more"),
        ("location-contacts list 2001 --page-size", "from 1 to 5000"),
        ("apply set.crm --canary", "0 or more"),
        ("apply set.crm --max-failures", "0 or more"),
        ("apply set.crm --concurrency", "1 or more"),
        ("plan rows.csv --out set.crm --sample", "0 or more"),
        ("plan rows.csv --out set.crm --snapshot x --max-age", "0 or more"),
        ("show set.crm --row", "1 or more"),
        ("show set.crm --limit", "0 or more"),
        ("export location-contacts --follow --interval", "1 or more"),
    ] {
        for number in ["x", "1.5", "99999999999999999999999", ""] {
            let words_given: Vec<_> = line.split(' ').chain([number]).collect();
            let told = stderr(&service.crm(&words_given).assert().code(2));
            let expected = format!(
                "it must be a whole number {}{words}",
                if words.contains("from") { "" } else { "of " }
            );
            assert!(told.contains(&expected), "{line} {number}: {told}");
        }
    }
}

#[test]
fn a_lost_answer_of_a_creation_is_an_unknown_outcome() {
    let service = Service::start();
    let lost = FaultRule::new(Fault::LostAnswer).operation("Contacts_Create");
    service.sandbox.inject(FaultPlan::new().rule(lost));
    let failed = service.crm(&["people", "create", "--name", "Dana"]).assert().code(6);
    let message = stderr(&failed);
    assert!(message.contains("not known") && message.contains("read the record"), "{message}");
    assert_eq!(service.writes(), ["POST"], "it is not repeated");
}

/// A page with one contact that is broken, and one with a member that is new to us.
const ODD_PAGE: &str = r#"{"page":1,"pageSize":50,"hasMore":false,"data":[
    {"id":0,"type":"Email","value":"broken@site.example","modifiedOn":"2026-01-01T00:00:00Z"},
    {"id":8,"type":"Email","value":"b@site.example","modifiedOn":"2026-01-01T00:00:00Z",
        "isVerified":true}]}"#;

#[test]
fn a_record_that_cannot_be_read_is_told_and_the_others_are_shown() {
    let service = Service::start();
    let host = Host::start(&[(200, ODD_PAGE)]);
    let crm = |arguments: &[&str]| {
        let mut crm = service.crm(arguments);
        crm.env("CRM_API_URL", &host.url).assert()
    };
    let listed = crm(&LIST).code(0);
    assert!(stdout(&listed).contains("b@site.example"));
    let told = stderr(&listed);
    assert!(told.contains("cannot be read: id 0: record 0 of its page"), "{told}");
    assert!(!told.contains("broken@"), "{told}");

    let get = ["location-contacts", "get", "2001", "9"];
    let error = stderr(&crm(&get).code(5));
    assert!(error.contains("cannot be read"), "not said to be missing: {error}");
}

#[test]
fn members_that_are_new_to_us_are_kept_in_json() {
    let service = Service::start();
    let host = Host::start(&[(200, ODD_PAGE)]);
    let mut list = service.crm(&[&LIST[..], &["--output", "json"]].concat());
    let listed = list.env("CRM_API_URL", &host.url).assert().code(0);
    let json: serde_json::Value = serde_json::from_str(&stdout(&listed)).unwrap();
    assert_eq!(json[0]["isVerified"], true);
}

#[test]
fn a_list_that_never_ends_is_a_failure_that_says_so() {
    let service = Service::start();
    let endless = ODD_PAGE.replace(r#""hasMore":false"#, r#""hasMore":true"#);
    let host = Host::start(&[(200, &endless)]);
    for arguments in [
        &[&LIST[..], &["--all"]].concat()[..],
        &["api", "get", "/locations/2001/contacts", "--paginate", "--output", "ndjson"],
    ] {
        let mut list = service.crm(arguments);
        let error = stderr(&list.env("CRM_API_URL", &host.url).assert().code(5));
        assert!(error.contains("the same records"), "{error}");
    }
}
