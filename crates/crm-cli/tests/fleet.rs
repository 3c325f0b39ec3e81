//! Change sets on a server: `crm push`, `crm pull` and `crm fleet`.
#![cfg(all(unix, feature = "fleet"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../crm-fleet/tests/common/cluster.rs"]
#[allow(dead_code, reason = "no server crashes here")]
mod cluster;
mod common;

use cluster::Cluster;
use common::{Service, stderr, stdout};
use serde_json::Value;

const ROWS: &str = "location_id,contact_id,memo\n2001,3001,one\n2001,3002,two\n";

#[test]
fn a_set_goes_to_a_server_and_comes_back() {
    let Some(cluster) = Cluster::start() else { return };
    let (service, url) = (Service::start(), cluster.url());
    let folder = service.home.path();
    let [rows, set, back] = ["rows.csv", "june.crm", "back.crm"].map(|name| folder.join(name));
    std::fs::write(&rows, ROWS).unwrap();
    let [rows, set, back] = [&rows, &set, &back].map(|path| path.display().to_string());
    service.ok(&format!("plan {rows} --out {set}"));
    let told = service.json(&format!("status {set}"));

    let pushed = service.ok(&format!("push {set} --to {url}"));
    assert!(pushed.starts_with("june is on "), "{pushed}");
    assert!(pushed.contains("with 2 changes open; digest "), "{pushed}");
    let refused = service.crm(&format!("--yes apply {set}")).assert().code(2);
    assert!(stderr(&refused).contains("take it back with `crm pull`"), "{}", stderr(&refused));
    let shown = service.ok(&format!("status {set}"));
    assert!(shown.contains("was moved to"), "{shown}");
    let again = service.crm(&format!("push {set} --to {url}")).assert().success();
    assert!(stderr(&again).contains("had arrived"), "{}", stderr(&again));

    let mut sets = service.crm("fleet sets --output json");
    let sets = stdout(&sets.env("CRM_FLEET_URL", &url).assert().success());
    let sets: Value = serde_json::from_str(&sets).unwrap();
    assert_eq!((&sets[0]["name"], &sets[0]["open"]), (&"june".into(), &2.into()));
    assert_eq!(sets[0]["place"], "here");

    let env = |command: String| {
        let mut command = service.crm(&command);
        command.env("CRM_FLEET_URL", &url);
        command
    };
    env("fleet submit june --require-approval".to_owned()).assert().success();
    let queued = stdout(&env("fleet sets".to_owned()).assert().success());
    assert!(queued.contains("queued"), "{queued}");

    let answer = |command: &str| stdout(&env(command.to_owned()).assert().success());
    assert!(answer("fleet status").contains("1 set queued, 0 being applied, 0 held"));
    answer("fleet pause --all --reason audit");
    let paused = answer("fleet status");
    assert!(paused.contains(": all tenants, by ") && paused.contains(": audit"), "{paused}");
    let paused: Value = serde_json::from_str(&answer("fleet status --output json")).unwrap();
    assert_eq!(paused["pauses"][0]["tenant"], Value::Null);
    let tenants: Value = serde_json::from_str(&answer("fleet tenants --output json")).unwrap();
    assert_eq!((&tenants[0]["paused"], &tenants[0]["queued"]), (&true.into(), &1.into()));
    env("fleet pause".to_owned()).assert().code(2);
    let other = env("fleet resume 7".to_owned()).assert().code(2);
    assert!(stderr(&other).contains("tenant 7: not paused"), "{}", stderr(&other));
    answer("fleet resume --all");
    assert!(!answer("fleet status").contains("paused"));

    answer("fleet cancel june");
    let watched = env("fleet watch june".to_owned()).assert().code(11);
    assert!(stderr(&watched).contains("june: cancelled: cancelled by"), "{}", stderr(&watched));
    let watched = stdout(&env("fleet watch june --output json".to_owned()).assert().code(11));
    let watched: Value = serde_json::from_str(&watched).unwrap();
    assert!(watched.to_string().contains("june: cancelled: cancelled by"), "{watched}");
    let again = env("fleet cancel june".to_owned()).assert().code(2);
    assert!(stderr(&again).contains("is cancelled, so there is nothing"), "{}", stderr(&again));

    let pulled = service.json(&format!("pull june --from {url} --out {back}"));
    assert_eq!(pulled["open"], 2);
    let back_told = service.json(&format!("status {back}"));
    assert_eq!(back_told["totals"], told["totals"]);
    service.ok(&format!("--yes apply {back}"));
    let other = folder.join("other.crm");
    let gone = env(format!("pull june --out {}", other.display())).assert().code(2);
    assert!(stderr(&gone).contains("back.crm, where it is applied"), "{}", stderr(&gone));
}

#[test]
fn what_is_wrong_with_a_server_is_told_without_its_password() {
    let service = Service::start();
    let told = |command: &str, code: i32| {
        let told = service.crm(command).assert().code(code);
        let told = stderr(&told);
        assert!(!told.contains("hunter2"), "{told}");
        told
    };
    let unnamed = told("fleet sets", 2);
    assert!(unnamed.contains("CRM_FLEET_URL"), "{unnamed}");
    let remote = told("fleet sets --server postgres://crm:hunter2@db.example/fleet", 2);
    assert!(remote.contains("sslmode=disable"), "{remote}");
    let folder = service.home.path().display().to_string().replace('/', "%2F");
    told(&format!("fleet sets --server postgres://crm:hunter2@{folder}/fleet"), 5);
}
