//! One command for the accounts of several profiles.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{fs, path::Path};

use assert_cmd::assert::Assert;
use common::{Service, Words, crm, stderr, stdout};
use crm_sandbox::{Sandbox, SandboxBuilder, Seed};
use serde_json::Value;

/// Three tenants with a profile for each, in one home.
struct Tenants {
    services: [Service; 3],
}

const NAMES: [&str; 3] = ["east", "north", "west"];

impl Tenants {
    fn start() -> Self {
        Self::build(|_| Sandbox::builder())
    }

    fn build(builder: impl Fn(usize) -> SandboxBuilder) -> Self {
        let tenants = Self { services: [0, 1, 2].map(|at| Service::build(builder(at))) };
        for (name, service) in NAMES.iter().zip(&tenants.services) {
            let connection = serde_json::to_string(service.sandbox.connection()).unwrap();
            let mut add = crm(tenants.home());
            add.args(["profile", "add", name, "--credentials", "-"]).write_stdin(connection);
            add.assert().success();
        }
        tenants
    }

    fn home(&self) -> &Path {
        self.services[0].home.path()
    }

    fn crm(&self, line: &str) -> Assert {
        crm(self.home()).current_dir(self.home()).args(line.words()).assert()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.home().join(name), text).unwrap();
    }

    /// How many writes reached each.
    fn writes(&self) -> [usize; 3] {
        [0, 1, 2].map(|at| self.services[at].writes().len())
    }
}

#[test]
fn a_list_reaches_three_tenants_and_is_proven_in_three_commands() {
    let tenants = Tenants::start();
    tenants.write("list.csv", "phone\n818-555-0142\n");
    // The first has a set of this name already.
    tenants.crm("opt-out list.csv --profile east").success();

    let planned = tenants.crm("opt-out list.csv --profile east --profile north --profile west");
    let said = stdout(&planned.success());
    let headings: Vec<_> = said.lines().filter(|line| line.starts_with("== ")).collect();
    assert_eq!(headings, ["== profile east ==", "== profile north ==", "== profile west =="]);
    let mut next: Vec<_> =
        said.lines().filter_map(|line| line.strip_prefix("next: crm ")).collect();
    next.sort();
    next.dedup();
    let [apply, report] = next[..] else { panic!("the same for all: {said}") };
    assert!(apply.starts_with("--profile=east,north,west apply 20"), "{apply}");
    assert!(apply.ends_with("-opt-out-list-csv-2"), "{apply}");

    let applied = stdout(&tenants.crm(apply).success());
    assert_eq!(applied.matches(": 2 done, 1 so already").count(), 3, "{applied}");
    assert_eq!(tenants.writes(), [2, 2, 2]);
    tenants.crm(report.split("  #").next().unwrap()).success();
    for (name, service) in NAMES.iter().zip(&tenants.services) {
        let files = fs::read_dir(tenants.home()).unwrap().map(|entry| entry.unwrap().path());
        let mut pages =
            files.filter(|path| path.to_string_lossy().ends_with(&format!("-{name}.html")));
        let page = fs::read_to_string(pages.next().unwrap()).unwrap();
        assert!(page.contains(&service.sandbox.connection().api_url), "its own server");
    }
}

#[test]
fn accounts_in_which_nothing_is_to_be_done_need_no_approval_and_stop_no_other() {
    let tenants = Tenants::start();
    tenants.write("list.csv", "phone\n818-555-0142\n");
    tenants.crm("opt-out list.csv --out first-{profile}.crm --profile east,north").success();
    for done in ["east", "north"] {
        tenants.crm(&format!("apply first-{done}.crm --profile {done}")).success();
    }
    let planned = "opt-out list.csv --page page-{profile}.html --profile east,north,west";
    let said = stdout(&tenants.crm(planned).success());
    let next: Vec<_> = said.lines().filter_map(|line| line.strip_prefix("next: crm ")).collect();
    let one = |word: &str| {
        let lines: Vec<_> = next.iter().filter(|line| line.contains(word)).collect();
        let [line] = lines[..] else { panic!("one account has something to do: {said}") };
        line.split("  #").next().unwrap().to_owned()
    };
    let (approve, apply) = (one(" approve "), one(" apply "));
    assert!(approve.starts_with("--profile=west approve "), "{approve}");
    tenants.crm(&approve).success();
    tenants.crm(&apply).success();
    assert_eq!(tenants.writes(), [2, 2, 2]);
    let (_, set) = apply.split_once(" apply ").unwrap();
    let set = set.trim_end_matches(" --require-approval");
    let all = "--require-approval --profile east,north,west";
    tenants.crm(&format!("apply {set} {all}")).success();
    let approved = tenants.crm(&format!("approve {set} --by Ana --profile east")).success();
    assert!(stdout(&approved).contains("nothing was approved"), "{}", stdout(&approved));
}

#[test]
fn a_file_is_of_one_account_and_no_other_desk_knows_of_it() {
    let tenants = Tenants::start();
    tenants.write("list.csv", "phone\n818-555-0142\n");
    let all = "--profile east,west";
    let planned = tenants.crm(&format!("opt-out list.csv --out june-{{profile}}.crm {all}"));
    let planned = stdout(&planned.success());
    for profile in ["east", "west"] {
        let next = format!("next: crm --profile={profile} apply june-{profile}.crm\n");
        assert!(planned.contains(&next), "{planned}");
    }
    // As one advice that was taken for all of them.
    let refused = stderr(&tenants.crm(&format!("apply june-east.crm {all}")).failure());
    assert!(refused.contains("belongs to"), "{refused}");
    let history = tenants.crm("history 818-555-0142 --profile west").success();
    assert!(!stdout(&history).contains("june-east"), "{}", stdout(&history));
}

#[test]
fn one_that_fails_stops_no_other_and_the_worst_code_counts() {
    let tenants = Tenants::start();
    tenants.write("list.csv", "phone\n818-555-0142\n");
    let broken = fs::read_to_string(tenants.home().join("crm/config.toml")).unwrap();
    let secret = &tenants.services[1].sandbox.connection().client_secret;
    let url = &tenants.services[1].sandbox.connection().api_url;
    let (before, after) = broken.split_once(url.as_str()).unwrap();
    let broken = format!("{before}{url}{}", after.replacen(secret.as_str(), "wrong", 1));
    tenants.write("crm/config.toml", &broken);

    let planned = tenants.crm("opt-out list.csv --profile east,north,west --output json").code(4);
    let answer: Value = serde_json::from_str(&stdout(&planned)).unwrap();
    let [east, north, west] = &answer.as_array().unwrap()[..] else { panic!("{answer}") };
    assert_eq!((&east["profile"], &east["open"]), (&"east".into(), &2.into()));
    assert_eq!((&north["profile"], &north["error"]["exitCode"]), (&"north".into(), &4.into()));
    assert_eq!((&west["profile"], &west["kind"]), (&"west".into(), &"opt-out".into()));
    let told = stderr(&planned);
    assert!(told.contains("exit codes: east 0, north 4, west 0\n"), "{told}");

    // Before anything is sent it is known that one has no such set.
    let set = east["set"].as_str().unwrap();
    let refused = stderr(&tenants.crm(&format!("apply {set} --profile east,north,west")).code(2));
    assert!(refused.contains("profile north: "), "{refused}");
    assert!(refused.contains("nothing was sent to any account"), "{refused}");
    let part = stderr(&tenants.crm("apply opt-out --profile east,west").code(2));
    assert!(part.contains("not the whole name"), "{part}");
    assert_eq!(tenants.writes(), [0, 0, 0]);
    tenants.crm(&format!("apply {set} --profile east,west")).success();
    assert_eq!(tenants.writes(), [2, 0, 2]);
}

#[test]
fn records_of_several_say_whose_they_are_in_every_form() {
    let tenants = Tenants::start();
    let list = "customers list --limit 1 --fields id,name --profile west,east --output";
    assert_eq!(
        stdout(&tenants.crm(&format!("{list} csv")).success()),
        "profile,id,name\nwest,1001,Harbor Bakery\neast,1001,Harbor Bakery\n"
    );
    let lines = r#"{"profile":"west","id":1001,"name":"Harbor Bakery"}"#;
    let lines = format!("{lines}\n{}\n", lines.replace("west", "east"));
    assert_eq!(stdout(&tenants.crm(&format!("{list} ndjson")).success()), lines);
    let items = stdout(&tenants.crm(&format!("{list} json")).success());
    let items: Value = serde_json::from_str(&items).unwrap();
    assert_eq!(items[1]["profile"], "east");
    let whole = stdout(&tenants.crm("customers list --profile west,east --output json").success());
    let whole: Value = serde_json::from_str(&whole).unwrap();
    assert_eq!(whole.as_array().unwrap().len(), 20);

    let sheet = stdout(&tenants.crm("mirror export --profile west,east").success());
    assert_eq!(sheet.matches("profile,ownerKind").count(), 1, "one header");
    assert_eq!(sheet.lines().count(), 1 + 2 * 65);
    tenants.crm("mirror export --profile west,east --out sheet-{profile}.csv").success();
    let own = fs::read_to_string(tenants.home().join("sheet-east.csv")).unwrap();
    assert!(own.starts_with("ownerKind,"), "a file of its own needs no column for it");
    // Also where one profile alone is named, as a script does it.
    tenants.crm("mirror export --profile west --out one-{profile}.csv").success();
    assert!(tenants.home().join("one-west.csv").exists());
}

#[test]
fn a_search_has_found_something_if_it_has_for_one() {
    let tenants = Tenants::build(|at| {
        let seed = if at == 1 { Seed::Empty } else { Seed::Demo };
        Sandbox::builder().seed(seed)
    });
    tenants.crm("mirror update --profile east,north,west").success();
    tenants.crm("find 818-555-0142 --profile east,north").success();
    tenants.crm("find nobody@x.example --profile east,north").code(9);
}

#[test]
fn what_is_about_one_account_is_refused_before_anything_is_done() {
    let tenants = Tenants::start();
    tenants.write("list.csv", "phone\n818-555-0142\n");
    let all = "--profile east,west";
    for (line, why) in [
        (
            "location-contacts update 2001 3001 --memo x",
            "run it once for each, as in `crm --profile=east location-contacts update",
        ),
        ("approve set --by Ana", "is about one account"),
        ("report set", "is about one account"),
        ("sets rm set", "is about one account"),
        ("report set --html page.html", "as in --html page-{profile}.html"),
        ("mirror export --out june.tar.csv", "as in --out june.tar-{profile}.csv"),
        ("opt-out list.csv --out set.crm", "write {profile} into the name of --out"),
        ("opt-out -", "stdin can be read once"),
        ("opt-out list.csv --tenant 7", "--tenant names one account"),
        ("--sandbox find 1234567", "--sandbox names one account"),
        ("opt-out list.csv --profile east", "profile east is named twice"),
        ("opt-out list.csv --profile nowhere", "there is no profile `nowhere`"),
    ] {
        let more = if line.contains("--profile") { "" } else { all };
        let line = line.replace("--profile", "--profile east,west --profile");
        let told = stderr(&tenants.crm(&format!("{line} {more}")).code(2));
        assert!(told.contains(why), "{line}: {told}");
    }
    assert_eq!(tenants.writes(), [0, 0, 0]);
    assert!(!tenants.home().join(".local").exists(), "no desk was begun");

    let two_places = stderr(&tenants.crm("--profile east find 1234567 --profile west").code(2));
    assert!(two_places.contains("name all profiles in one place"), "{two_places}");

    // Two profiles of one account, and a secret of the shell for all.
    let connection = serde_json::to_string(tenants.services[0].sandbox.connection()).unwrap();
    let mut add = crm(tenants.home());
    add.args(["profile", "add", "again", "--credentials", "-"]).write_stdin(connection);
    add.assert().success();
    let told = stderr(&tenants.crm("find 1234567 --profile east,again").code(2));
    assert!(told.contains("profiles east and again are of the same account"), "{told}");
    let file = tenants.home().join("crm/config.toml");
    let config = fs::read_to_string(&file).unwrap().replace("client_secret = ", "#");
    fs::write(&file, config).unwrap();
    let mut shell = crm(tenants.home());
    shell.env("CRM_CLIENT_SECRET", "s3cr3t").args("auth check --profile east,west".words());
    let told = stderr(&shell.assert().code(2));
    assert!(
        told.contains("CRM_CLIENT_SECRET in the environment would be used for several"),
        "{told}"
    );
    assert!(!told.contains("s3cr3t"), "{told}");
}
