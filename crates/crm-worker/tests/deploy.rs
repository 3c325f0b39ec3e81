//! The examples of how a worker is started name what there is.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, net::SocketAddr, path::Path, process::Command};

const COMPOSE: &str = include_str!("../deploy/compose.yaml");
const CONTAINER: &str = include_str!("../deploy/Containerfile");
const UNIT: &str = include_str!("../deploy/crm-worker.service");

fn worker() -> Command {
    Command::new(env!("CARGO_BIN_EXE_crm-worker"))
}

fn help() -> String {
    String::from_utf8(worker().arg("--help").output().unwrap().stdout).unwrap()
}

/// The lines `NAME: VALUE` of a service's environment that are for our program.
fn variables() -> Vec<(&'static str, String)> {
    let (_, of_worker) = COMPOSE.split_once("\n  worker:\n").unwrap();
    let lines = of_worker.lines().map(str::trim).filter(|line| line.starts_with("CRM_"));
    let read = |line: &'static str| {
        let (name, value) = line.split_once(": ").unwrap();
        let value = value.replace("${CRM_FLEET_PASSWORD}", "hunter2");
        (name, value.replace("${CRM_WORKER_ENVIRONMENT:-integration}", "integration"))
    };
    lines.map(read).collect()
}

#[test]
fn a_worker_understands_the_settings_of_the_examples() {
    let (help, variables) = (help(), variables());
    assert!(variables.len() >= 5, "{variables:?}");
    for (name, value) in &variables {
        assert!(help.contains(&format!("[env: {name}")), "{name}");
        assert!(!value.contains('$'), "{name}: {value}");
    }
    let (_, listen) = variables.iter().find(|(name, _)| *name == "CRM_WORKER_LISTEN").unwrap();
    let port = listen.parse::<SocketAddr>().unwrap().port();
    assert!(CONTAINER.contains(&format!("EXPOSE {port}")) && help.contains(&port.to_string()));
    // It gets as far as the server, which is not there.
    let mut worker = worker();
    worker.envs(variables).env("CRM_WORKER_LISTEN", "127.0.0.1:0");
    let ended = worker.output().unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.code() == Some(1) && told.contains("postgres/crm"), "{told}");

    let command = UNIT.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let options: Vec<_> = command.split(' ').filter(|word| word.starts_with("--")).collect();
    assert!(
        options.len() == 2 && options.iter().all(|option| help.contains(option)),
        "{options:?}"
    );
}

#[test]
fn what_the_container_is_built_from_is_there() {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    let value = |name: &str| {
        let line = COMPOSE.lines().find_map(|line| line.trim().strip_prefix(name));
        line.unwrap().trim().to_owned()
    };
    let context = deploy.join(value("context:"));
    assert!(context.join(value("dockerfile:")).is_file());
    assert!(context.join("Cargo.lock").is_file());
    let toolchain = fs::read_to_string(context.join("rust-toolchain.toml")).unwrap();
    let channel = toolchain.lines().find_map(|line| line.strip_prefix("channel = ")).unwrap();
    let image =
        CONTAINER.lines().find_map(|line| line.strip_prefix("FROM docker.io/library/rust:"));
    let (image, _) = image.unwrap().split_once('-').unwrap();
    assert!(channel.trim_matches('"').starts_with(image), "{channel} is not that of {image}");
    let (_, built) = CONTAINER.split_once("/build/target/release/").unwrap();
    let built = built.split_whitespace().next().unwrap();
    assert!(
        CONTAINER.contains(&format!("-p {built}\n")) && UNIT.contains(&format!("bin/{built} "))
    );
    assert!(CONTAINER.contains(&format!("ENTRYPOINT [\"{built}\"]")));
}
