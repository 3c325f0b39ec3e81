//! Which account a command means, and that it says so.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use common::{Service, stderr};

const UPDATE: [&str; 6] = ["location-contacts", "update", "2001", "3001", "--memo", "New"];

/// A service, and a profile `live` for it in the configuration file.
fn with_profile() -> Service {
    let service = Service::start();
    let connection = service.sandbox.connection();
    let folder = service.home.path().join("crm");
    fs::create_dir(&folder).unwrap();
    let text = format!(
        "[profiles.live]\ntenant = {}\napi_url = {:?}\nauth_url = {:?}\nclient_id = {:?}\n\
         client_secret = {:?}\napp_key = {:?}\n",
        connection.tenant,
        connection.api_url,
        connection.auth_url,
        connection.client_id,
        connection.client_secret,
        connection.app_key
    );
    fs::write(folder.join("config.toml"), text).unwrap();
    service
}

#[test]
fn a_variable_left_in_the_shell_does_not_redirect_a_named_profile() {
    let service = with_profile();
    let update = [&UPDATE[..], &["--profile", "live"]].concat();
    for (variable, value) in [
        ("CRM_TENANT", "4711"),
        ("CRM_API_URL", "http://127.0.0.1:9"),
        ("CRM_AUTH_URL", "http://127.0.0.1:9"),
        ("CRM_CLIENT_SECRET", "wrong-8471"),
    ] {
        let mut command = service.crm(&update);
        let refused = command.env(variable, value).assert().code(2);
        let told = stderr(&refused);
        assert!(told.contains(variable) && told.contains("`live`"), "{told}");
        assert!(!told.contains("8471"), "{told}");
    }
    assert!(service.sandbox.log().is_empty(), "nothing was sent");
    let mut command = service.crm(&update);
    command.env_remove("CRM_CLIENT_SECRET").assert().success();
}

#[cfg(unix)]
#[test]
fn credentials_come_from_a_command_where_the_profile_says_so() {
    use std::os::unix::fs::PermissionsExt;

    let service = Service::start();
    let connection = service.sandbox.connection().clone();
    let folder = service.home.path().join("crm");
    fs::create_dir(&folder).unwrap();
    let (config, helper) = (folder.join("config.toml"), folder.join("helper"));
    let text = format!(
        "[profiles.live]\ntenant = {}\napi_url = {:?}\nauth_url = {:?}\n\
         credential_command = [\"/bin/sh\", {:?}]\n",
        connection.tenant, connection.api_url, connection.auth_url, helper
    );
    fs::write(&config, text).unwrap();
    let credentials = format!(
        "{{\"clientId\": {:?}, \"clientSecret\": {:?}, \"appKey\": {:?}}}",
        connection.client_id, connection.client_secret, connection.app_key
    );
    let helps = |script: &str| fs::write(&helper, script).unwrap();
    let list = || {
        let mut list = common::crm(service.home.path());
        list.args(["location-contacts", "list", "2001", "--profile", "live"]);
        list
    };

    helps(&format!("echo 'touch the\x1b[2J key' >&2; echo '{credentials}'"));
    let listed = list().assert().success();
    assert!(stderr(&listed).contains("touch the"), "{}", stderr(&listed));
    assert!(!stderr(&listed).contains('\x1b'), "{}", stderr(&listed));
    let contradicting = list().env("CRM_APP_KEY", "wrong-8471").assert().code(2);
    assert!(stderr(&contradicting).contains("CRM_APP_KEY"), "{}", stderr(&contradicting));

    helps("echo s3cr3t; exit 3");
    let failed = list().assert().code(2);
    let told = stderr(&failed);
    assert!(told.contains("`live`") && told.contains("exit status: 3"), "{told}");
    assert!(!told.contains("s3cr3t"), "{told}");
    helps("echo s3cr3t");
    let told = stderr(&list().assert().code(2));
    assert!(told.contains("clientSecret") && !told.contains("s3cr3t"), "{told}");

    helps(&format!("echo '{credentials}'"));
    for path in [&config, &helper, &folder] {
        let mode = fs::metadata(path).unwrap().permissions().mode();
        fs::set_permissions(path, PermissionsExt::from_mode(mode | 0o020)).unwrap();
        let told = stderr(&list().assert().code(2));
        assert!(told.contains("can be changed by others"), "{told}");
        fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }
    list().assert().success();
}

#[test]
fn a_write_says_its_target_once() {
    let service = with_profile();
    let host = service.sandbox.connection().api_url.clone();
    let target = format!("target: profile live, tenant 1001, {host}");
    let named = |words: &[&str]| {
        let words = [words, &["--profile", "live"]].concat();
        stderr(&service.crm(&words).assert().success())
    };
    let rows = "location_id,contact_id,memo\n2001,3001,a\n2001,3002,b\n";
    fs::write(service.home.path().join("rows.csv"), rows).unwrap();
    fs::write(service.home.path().join("list.csv"), "8185550142\n").unwrap();
    for words in [
        &UPDATE[..],
        &["location-contacts", "update", "2001", "3001", "--memo", "b", "--dry-run"],
        &["api", "DELETE", "/locations/2001/contacts/3003"],
        &["plan", "rows.csv", "--out", "set.crm"],
        &["opt-out", "list.csv", "--out", "opt-outs.crm"],
        &["apply", "set.crm", "--dry-run"],
        &["apply", "set.crm"],
        &["apply", "set.crm"],
    ] {
        let told = named(words);
        assert_eq!(told.matches(&target).count(), 1, "{words:?}: {told}");
        assert_eq!(told.matches("target: ").count(), 1, "{words:?}: {told}");
    }
    // A read changes nothing, wherever it goes.
    assert!(!named(&["location-contacts", "list", "2001"]).contains("target"));

    let told = stderr(&service.crm(&UPDATE).assert().success());
    assert!(told.contains(&format!("target: no profile, tenant 1001, {host}")), "{told}");
    let sandbox = [&["--sandbox"], &UPDATE[..]].concat();
    let told = stderr(&service.crm(&sandbox).assert().success());
    assert!(told.contains("target: sandbox, tenant 1001"), "{told}");
}

#[test]
fn what_is_refused_or_not_needed_says_no_target() {
    let service = Service::start();
    let refused = service.crm(&[&UPDATE[..], &["--read-only"]].concat()).assert().code(2);
    assert!(!stderr(&refused).contains("target"), "{}", stderr(&refused));
    service.crm(&UPDATE).assert().success();
    let same = service.crm(&UPDATE).assert().success();
    assert!(!stderr(&same).contains("target"), "{}", stderr(&same));
}
