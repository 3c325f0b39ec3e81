//! `crm profile`: the accounts in the configuration file.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use common::{Service, crm, stderr, stdout};
use serde_json::{Value, json};

/// Adds a profile for the service, with credentials from stdin.
fn add(service: &Service, name: &str, more: &[&str]) {
    let connection = service.sandbox.connection();
    let credentials = json!({
        "clientId": connection.client_id,
        "clientSecret": connection.client_secret,
        "appKey": connection.app_key,
    });
    crm(service.home.path())
        .args(["profile", "add", name, "--credentials", "-"])
        .args(["--tenant", &connection.tenant.to_string()])
        .args(["--api-url", &connection.api_url, "--auth-url", &connection.auth_url])
        .args(more)
        .write_stdin(credentials.to_string())
        .assert()
        .success();
}

fn run(service: &Service, line: &str) -> assert_cmd::assert::Assert {
    crm(service.home.path()).args(line.split(' ')).assert()
}

fn json(service: &Service, line: &str) -> Value {
    let run = run(service, &format!("{line} --output json")).success();
    serde_json::from_str(&stdout(&run)).unwrap()
}

#[test]
fn a_profile_is_added_used_shown_and_removed() {
    let service = Service::start();
    add(&service, "live", &["--read-only", "--require-approval"]);
    add(&service, "test", &[]);

    let unnamed = stderr(&run(&service, "location-contacts list 2001").code(2));
    let how = "no profile is in use; there are live, test: name one with --profile";
    assert!(unnamed.contains(how), "{unnamed}");
    run(&service, "location-contacts list 2001 --profile test").success();
    run(&service, "profile use test").success();
    let write = run(&service, "location-contacts update 2001 3001 --memo New").success();
    assert!(stderr(&write).contains("target: profile test, tenant 1001"), "{}", stderr(&write));
    let refused =
        run(&service, "location-contacts update 2001 3001 --memo x --profile live").code(2);
    assert!(stderr(&refused).contains("read-only"), "{}", stderr(&refused));

    let list = json(&service, "profile list");
    let names: Vec<_> = list.as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["live", "test"]);
    assert_eq!((&list[0]["inUse"], &list[1]["inUse"]), (&json!(false), &json!(true)));
    assert_eq!(json(&service, "profile show")["name"], "test");
    let live = json(&service, "profile show live");
    assert_eq!(live["readOnly"], true);
    assert_eq!(live["requireApproval"], true);
    assert_eq!(live["clientSecret"], "file");
    assert_eq!(live["host"], service.sandbox.connection().api_url);

    run(&service, "profile remove test").success();
    let gone = run(&service, "profile show test").code(2);
    assert!(stderr(&gone).contains("it has live"), "{}", stderr(&gone));
    run(&service, "location-contacts list 2001").code(2);
}

#[test]
fn no_form_of_a_profile_shows_its_secrets() {
    let service = Service::start();
    add(&service, "live", &[]);
    let connection = service.sandbox.connection();
    for line in ["profile list", "profile show live"] {
        for format in ["table", "json", "ndjson", "csv"] {
            let shown = stdout(&run(&service, &format!("{line} --output {format}")).success());
            assert!(shown.contains("live"), "{shown}");
            for secret in [&connection.client_id, &connection.client_secret, &connection.app_key] {
                assert!(!shown.contains(&**secret), "{line} {format}: {shown}");
            }
        }
    }
}

#[test]
fn a_profile_needs_a_target_and_a_name_of_its_own() {
    let service = Service::start();
    let without = run(&service, "profile add live --tenant 5").code(2);
    assert!(stderr(&without).contains("--environment"), "{}", stderr(&without));
    run(&service, "profile add ../x --tenant 5 --environment production").code(2);
    run(&service, "profile add live --tenant 5 --environment production").success();
    let again = run(&service, "profile add live --tenant 6 --environment production").code(2);
    assert!(stderr(&again).contains("already"), "{}", stderr(&again));
    for line in ["profile use other", "profile remove other", "profile show other"] {
        let unknown = run(&service, line).code(2);
        assert!(stderr(&unknown).contains("live"), "{line}: {}", stderr(&unknown));
    }
    assert_eq!(json(&service, "profile show live")["tenant"], 5);
}

#[test]
fn what_a_sandbox_prints_makes_a_profile_and_nothing_is_overruled_in_silence() {
    let service = Service::start();
    let connection = serde_json::to_string(service.sandbox.connection()).unwrap();
    let add = |name: &str, more: &str| {
        let line = format!("profile add {name} --credentials - {more}");
        let mut command = crm(service.home.path());
        command.args(line.split_whitespace()).write_stdin(connection.clone()).assert()
    };
    add("box", "").success();
    run(&service, "location-contacts list 2001 --profile box").success();
    assert_eq!(json(&service, "profile show box")["tenant"], 1001);
    add("same", "--tenant 1001").success();
    let other = stderr(&add("other", "--tenant 5").code(2));
    assert!(other.contains("another tenant than the file"), "{other}");
    let live = stderr(&add("live", "--environment production").code(2));
    assert!(live.contains("another host than the file"), "{live}");
    assert_eq!(json(&service, "profile list").as_array().unwrap().len(), 2);
}

#[test]
fn a_command_for_credentials_is_kept_word_by_word() {
    let service = Service::start();
    let add =
        "profile add live --tenant 5 --environment integration --credential-command pass show -x";
    run(&service, add).success();
    let file = fs::read_to_string(service.home.path().join("crm/config.toml")).unwrap();
    assert!(file.contains(r#"credential_command = ["pass", "show", "-x"]"#), "{file}");
    let shown = json(&service, "profile show live");
    assert_eq!(shown["credentialCommand"], "pass");
    assert_eq!(shown["appKey"], "command");
}

#[test]
fn credentials_that_cannot_be_read_are_not_shown() {
    let service = Service::start();
    let add = "profile add live --tenant 5 --environment integration --credentials -";
    let mut command = crm(service.home.path());
    let refused = command.args(add.split(' ')).write_stdin("s3cr3t").assert().code(2);
    assert!(!stderr(&refused).contains("s3cr3t"), "{}", stderr(&refused));
    assert!(!service.home.path().join("crm").exists());
}

/// The command where no keychain can be reached, whatever desktop runs the tests.
#[cfg(target_os = "linux")]
fn without_keychain(service: &Service, line: &str) -> assert_cmd::Command {
    let mut command = crm(service.home.path());
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus").args(line.split(' '));
    command
}

#[cfg(target_os = "linux")]
#[test]
fn a_keychain_that_cannot_be_reached_is_told_and_nothing_is_written() {
    let told = if cfg!(feature = "keychain") { "Secret Service" } else { "--features keychain" };
    let service = Service::start();
    let add = "profile add live --tenant 5 --environment production --credentials - --keychain";
    let credentials = json!({ "clientId": "id", "clientSecret": "s3cr3t", "appKey": "s3cr3t" });
    let refused =
        without_keychain(&service, add).write_stdin(credentials.to_string()).assert().code(2);
    assert!(stderr(&refused).contains(told), "{}", stderr(&refused));
    assert!(!stderr(&refused).contains("s3cr3t"), "{}", stderr(&refused));
    assert!(!service.home.path().join("crm").exists());

    let folder = service.home.path().join("crm");
    fs::create_dir(&folder).unwrap();
    let file = folder.join("config.toml");
    let text = "[profiles.live]\ntenant = 5\nenvironment = 'production'\nclient_id = 'id'\n\
                keychain = true\n";
    fs::write(&file, text).unwrap();
    let shown = json(&service, "profile show live");
    assert_eq!(shown["clientId"], "file");
    assert_eq!(shown["clientSecret"], "keychain");
    for line in ["location-contacts list 2001 --profile live", "profile remove live"] {
        let refused = without_keychain(&service, line).assert().code(2);
        let told_here = stderr(&refused);
        assert!(told_here.contains(told) && told_here.contains("`live`"), "{told_here}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn secrets_for_the_keychain_come_with_credentials() {
    let service = Service::start();
    let add = "profile add live --tenant 5 --environment production --keychain";
    let refused = run(&service, add).code(2);
    assert!(stderr(&refused).contains("--credentials"), "{}", stderr(&refused));
}

/// The file of rows, and a set of it in the desk of each of these profiles; what the last one was told.
fn plan_in_each(service: &Service, profiles: &[&str]) -> String {
    let rows = "location_id,contact_id,memo\n2001,3001,a\n2001,3002,b\n";
    let file = service.home.path().join("rows.csv");
    fs::write(&file, rows).unwrap();
    let plan = format!("plan {}", file.to_str().unwrap());
    let mut told = String::new();
    for name in profiles {
        let desk = service.home.path().join(name);
        add(service, name, &["--desk", desk.to_str().unwrap()]);
        told = stdout(&run(service, &format!("--profile {name} {plan}")).success());
    }
    told
}

#[test]
fn a_command_that_is_advised_is_for_the_same_account() {
    let service = Service::start();
    let told = plan_in_each(&service, &["a", "b"]);
    run(&service, "profile use a").success();
    let next = told.lines().find_map(|line| line.strip_prefix("next: crm ")).unwrap();
    let some = run(&service, &format!("{next} --canary 1")).success();
    let goes_on = stderr(&some);
    let goes_on = goes_on.lines().find_map(|line| line.strip_prefix("1 change left: crm "));
    run(&service, goes_on.unwrap().strip_suffix(" continues").unwrap()).success();
    let state = |profile: &str| json(&service, &format!("--profile {profile} sets"))[0].clone();
    assert_eq!(
        (&state("a")["state"], &state("b")["state"]),
        (&json!("planned"), &json!("applied"))
    );

    let missing = run(&service, "--profile b --output json status nothing").code(1);
    for told in [stderr(&missing), stdout(&missing)] {
        assert!(told.contains("`crm --profile=b sets` lists them"), "{told}");
    }
}
