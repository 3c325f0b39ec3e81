//! What may hold other people's data is made for its owner alone, whatever the `umask` allows.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use common::{Service, stderr};

/// Runs a command below a `umask`, as a shell does.
fn under(umask: &str, service: &Service, line: &str) {
    let crm = env!("CARGO_BIN_EXE_crm");
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("umask {umask} && exec {crm} {line}")])
        .current_dir(service.home.path())
        .env("HOME", service.home.path())
        .envs(service.environment());
    let ended = shell.output().unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.success(), "{line}: {told}");
}

const COMMANDS: [&str; 6] = [
    "export location-contacts --state feed.state --out feed.ndjson",
    "snapshot contacts.snapshot",
    "plan rows.csv --skip-invalid --mend mend.csv --out set.crm",
    "apply set.crm --audit audit.ndjson",
    "results set.crm --out results.csv",
    "report set.crm --html page.html",
];

const MADE: [&str; 9] = [
    "feed.state",
    "feed.ndjson",
    "contacts.snapshot",
    "mend.csv",
    "set.crm",
    "audit.ndjson",
    "results.csv",
    "page.html",
    "page.html.csv",
];

#[test]
fn files_with_personal_data_are_for_their_owner_alone() {
    for (umask, mode) in [("000", 0o600), ("022", 0o600), ("077", 0o600)] {
        let service = Service::start();
        let home = service.home.path();
        let rows = "location_id,contact_id,memo\n2001,3001,new\n2001,none,new\n";
        fs::write(home.join("rows.csv"), rows).unwrap();
        for line in COMMANDS {
            under(umask, &service, line);
        }
        for name in MADE {
            let made = fs::metadata(home.join(name)).unwrap().permissions().mode();
            assert_eq!(made & 0o777, mode, "{name} under {umask}: {made:o}");
        }
    }
}

#[test]
fn a_narrower_umask_holds() {
    let service = Service::start();
    under("0277", &service, "export location-contacts --out feed.ndjson");
    let made = fs::metadata(service.home.path().join("feed.ndjson")).unwrap();
    assert_eq!(made.permissions().mode() & 0o777, 0o400);
}

#[test]
fn a_file_that_is_there_keeps_what_its_owner_allowed() {
    let service = Service::start();
    let out = service.home.path().join("feed.ndjson");
    fs::write(&out, "").unwrap();
    fs::set_permissions(&out, PermissionsExt::from_mode(0o640)).unwrap();
    under("022", &service, "export location-contacts --out feed.ndjson");
    let mode = fs::metadata(&out).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn a_configuration_folder_that_others_may_write_is_told() {
    let service = Service::start();
    let folder = service.home.path().join("crm");
    fs::create_dir(&folder).unwrap();
    for (mode, is_told) in [(0o755, false), (0o775, true), (0o757, true), (0o700, false)] {
        fs::set_permissions(&folder, PermissionsExt::from_mode(mode)).unwrap();
        let listed = service.crm(&["location-contacts", "list", "2001"]).assert().success();
        let told = stderr(&listed);
        assert_eq!(told.contains("can be changed by others"), is_told, "{mode:o}: {told}");
    }
}
