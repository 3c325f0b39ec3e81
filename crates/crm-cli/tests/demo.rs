//! `crm demo`: that it goes as told, touches nothing of its user, and leaves nothing.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{fs, path::Path};

use common::{Host, crm, stderr, stdout};

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn the_whole_story_goes_as_told_and_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let told = crm(home.path()).arg("demo").assert().success();
    let (story, aside) = (stdout(&told), stderr(&told));
    assert_eq!(aside, "");
    assert!(!story.contains('\u{1b}'), "no colours in a pipe: {story}");
    let mut rest = story.as_str();
    for line in [
        "$ crm mirror update\n",
        "$ crm find '(818) 555-0161'\n",
        "$ crm audit\n",
        "$ crm plan mend.csv --out mend.crm\n",
        "$ crm approve mend.crm --by Dana\n",
        "$ crm apply mend.crm --require-approval --concurrency 2\n",
        "(killed)\n",
        "$ crm status mend.crm\n",
        "3  planned    delete\n",
        "2  in-flight  update\n",
        "2  done       update\n",
        "$ crm apply mend.crm --require-approval\n",
        "mend.crm: 7 done\n",
        "$ crm results mend.crm --by-contact\n",
        "$ crm undo mend.crm --out back.crm\n",
        "$ crm apply back.crm\n",
        "back.crm: 7 done\n",
        "As told: the service was sent each of 7 changes once",
    ] {
        let (_, after) = rest.split_once(line).unwrap_or_else(|| panic!("{line}: {story}"));
        rest = after;
    }
    assert_eq!(names(home.path()), [] as [&str; 0], "the folder for temporary files is this one");
}

#[test]
fn the_demo_reads_no_account_and_sends_it_nothing() {
    let account = Host::start(&[(500, "")]);
    let home = tempfile::tempdir().unwrap();
    // Whoever reads it fails.
    fs::create_dir(home.path().join("crm")).unwrap();
    fs::write(home.path().join("crm/config.toml"), "no = [toml").unwrap();
    let told = crm(home.path())
        .arg("demo")
        .envs([("CRM_API_URL", &account.url), ("CRM_AUTH_URL", &account.url)])
        .envs([("HTTPS_PROXY", &account.url), ("HTTP_PROXY", &account.url)])
        .envs([("CRM_TENANT", "7"), ("CRM_PROFILE", "live"), ("CRM_READ_ONLY", "1")])
        .assert()
        .success();
    assert!(stdout(&told).contains("tenant 1001"), "{}", stdout(&told));
    assert_eq!(account.requests(), [] as [&str; 0]);
    assert_eq!(names(home.path()), ["crm"]);
    assert_eq!(names(&home.path().join("crm")), ["config.toml"]);
}

#[test]
fn the_files_are_kept_where_that_is_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let told = stdout(&crm(home.path()).args(["demo", "--keep"]).assert().success());
    let folder = told.trim_end().rsplit_once("The files are in ").unwrap().1;
    assert_eq!(names(Path::new(folder)), ["back.crm", "crm", "mend.crm", "mend.csv"]);
    assert!(Path::new(folder).starts_with(home.path().canonicalize().unwrap()), "{folder}");
}

#[test]
fn a_demo_that_does_not_go_as_told_says_so_and_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let refused = crm(home.path()).args(["demo", "--output", "json"]).assert().code(2);
    assert!(stderr(&refused).contains("--output"), "{}", stderr(&refused));

    // Nowhere to make a folder.
    let missing = home.path().join("missing");
    let failed = crm(home.path()).arg("demo").env("TMPDIR", &missing).assert().code(1);
    assert!(stderr(&failed).contains("cannot make a folder for the demo"), "{}", stderr(&failed));
    assert_eq!(names(home.path()), [] as [&str; 0]);
}

/// At whatever step: the command of the step is ended, and the folder removed.
#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_demo_and_leaves_nothing() {
    use std::{
        io::{BufRead, BufReader},
        process::Stdio,
    };

    use common::{end_with, process};

    // Before the first step, where a pace of an hour holds it; and while commands run.
    for (at, pace) in [("A whole job", "3600"), ("5. ", "0"), ("7. ", "0")] {
        let home = tempfile::tempdir().unwrap();
        let mut child = process(home.path())
            .args(["demo", "--pace", pace])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut story = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.starts_with(at) {
            line.clear();
            assert_ne!(story.read_line(&mut line).unwrap(), 0, "it ended before {at}");
        }
        let (_, signal) = end_with("INT", child);
        assert_eq!(signal, Some(2), "{at}");
        assert_eq!(names(home.path()), [] as [&str; 0], "{at}");
    }
}
