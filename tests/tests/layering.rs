//! The crates depend on each other as the picture in `docs/src/architecture.md` says.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

/// Every arrow of the picture: a crate, and the crates below that it may know.
const PICTURE: [(&str, &[&str]); 12] = [
    ("crm-values", &[]),
    ("crm-models", &[]),
    ("crm-transport", &[]),
    ("crm-contacts", &["crm-models", "crm-transport"]),
    ("crm-sandbox", &[]),
    ("crm-mirror", &["crm-contacts", "crm-models", "crm-transport", "crm-values"]),
    ("crm-audit", &["crm-mirror", "crm-models", "crm-values"]),
    ("crm-bulk", &["crm-contacts", "crm-mirror", "crm-models", "crm-transport", "crm-values"]),
    (
        "crm-consent",
        &["crm-bulk", "crm-contacts", "crm-mirror", "crm-models", "crm-transport", "crm-values"],
    ),
    (
        "crm-fleet",
        &["crm-bulk", "crm-contacts", "crm-mirror", "crm-models", "crm-transport", "crm-values"],
    ),
    ("crm-worker", &["crm-contacts", "crm-fleet", "crm-transport"]),
    (
        "crm-cli",
        &[
            "crm-audit",
            "crm-bulk",
            "crm-consent",
            "crm-contacts",
            "crm-fleet",
            "crm-mirror",
            "crm-models",
            "crm-sandbox",
            "crm-transport",
            "crm-values",
        ],
    ),
];

#[test]
fn no_crate_knows_a_higher_one() {
    let allowed: BTreeMap<_, BTreeSet<_>> = PICTURE
        .iter()
        .map(|(name, below)| (name.to_string(), below.iter().map(ToString::to_string).collect()))
        .collect();
    let found = dependencies();
    let names = |map: &BTreeMap<String, BTreeSet<String>>| map.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(&allowed), "crates and picture differ");

    for (name, below) in found {
        let extra: Vec<_> = below.difference(&allowed[&name]).collect();
        assert!(extra.is_empty(), "{name} must not depend on {extra:?}");
    }
}

#[test]
fn the_models_have_no_runtime_and_no_http() {
    let tree = tree("-p crm-models", Path::new(ROOT));
    assert!(tree.contains("serde"), "not a tree: {tree:?}");
    for forbidden in ["tokio", "reqwest", "hyper", "http", "rusqlite"] {
        assert!(!tree.contains(forbidden), "crm-models must not depend on {forbidden}");
    }
}

/// The budgets are those of the book: rows of arguments, budget and count. They are kept in a program
/// of somebody else's, which has no lock file yet.
#[cfg(unix)]
#[test]
fn no_crate_brings_more_crates_than_its_budget() {
    let chapter = include_str!("../../docs/src/dependencies.md");
    let budgets: Vec<(&str, usize)> = chapter
        .lines()
        .filter_map(|line| {
            let (arguments, numbers) = line.strip_prefix("| `")?.split_once("` | ")?;
            let (budget, _) = numbers.split_once(" |")?;
            Some((arguments, budget.parse().ok()?))
        })
        .collect();
    assert!(budgets.len() > PICTURE.len(), "no table: {budgets:?}");

    let fresh = without_lock_file();
    let root = fresh.as_ref().map_or(Path::new(ROOT), TempDir::path);
    for (arguments, budget) in budgets {
        // The crate itself is in its tree too.
        let count = tree(arguments, root).len() - 1;
        assert!(
            (1..=budget).contains(&count),
            "{arguments} brings {count} crates, more than {budget}"
        );
    }
}

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The workspace with the versions that a new program gets today, or `None` where the registry cannot
/// be asked: there only the versions of our own lock file can be counted, which are fewer crates.
#[cfg(unix)]
fn without_lock_file() -> Option<TempDir> {
    let root = tempfile::tempdir().unwrap();
    fs::copy(Path::new(ROOT).join("Cargo.toml"), root.path().join("Cargo.toml")).unwrap();
    for folder in ["crates", "tests"] {
        std::os::unix::fs::symlink(Path::new(ROOT).join(folder), root.path().join(folder)).unwrap();
    }
    let mut locking = Command::new(env!("CARGO"));
    locking.arg("generate-lockfile").current_dir(root.path()).env("CARGO_NET_RETRY", "0");
    let locked = locking.output().expect("cargo runs");
    if locked.status.success() {
        return Some(root);
    }
    let why = String::from_utf8_lossy(&locked.stderr);
    assert!(why.contains("index") || why.contains("download"), "{why}");
    eprintln!("no registry to ask, so the lock file's versions are counted: {why}");
    None
}

/// The names of all crates that a program gets with these arguments of `cargo tree`.
fn tree(arguments: &str, root: &Path) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--edges=normal", "--prefix=none"])
        .args(["--format={p}", "--target=x86_64-unknown-linux-gnu"])
        .args(arguments.split(' '))
        .current_dir(root)
        .output()
        .expect("cargo tree runs");
    assert!(output.status.success(), "cargo tree {arguments}");
    let tree = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// The normal dependencies between the workspace's published crates.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(ROOT)
        .output()
        .expect("cargo metadata runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .filter(|package| package["name"] != "crm-tests")
        .map(|package| {
            let below = package["dependencies"]
                .as_array()
                .expect("dependencies")
                .iter()
                .filter(|dependency| dependency["kind"].is_null())
                .filter_map(|dependency| dependency["name"].as_str())
                .filter(|name| name.starts_with("crm-"))
                .map(str::to_owned)
                .collect();
            (package["name"].as_str().expect("a name").to_owned(), below)
        })
        .collect()
}
