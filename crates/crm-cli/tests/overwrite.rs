//! A file that is there already is not replaced in silence.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use common::{Service, stderr};

const ROWS: &str = "location_id,contact_id,memo\n2001,3001,x\n";
const WRONG: &str = "location_id,contact_id,memo\n0,3001,x\n";

impl Files {
    fn write(&self, file: &str, text: &str) {
        fs::write(self.service.home.path().join(file), text).unwrap();
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.service.home.path().join(file)).unwrap()
    }

    fn refused(&self, line: &str) {
        let told = stderr(&self.service.crm(line).assert().code(2));
        assert!(told.contains("--overwrite"), "{line}: {told}");
    }
}

struct Files {
    service: Service,
}

/// An account with a set, a mirror and a wish.
fn files() -> Files {
    let files = Files { service: Service::start() };
    files.write("rows.csv", ROWS);
    files.write("wrong.csv", WRONG);
    files.write("list.csv", "phone,status\n8185550142,STOP\nfront desk,STOP\n");
    files.service.ok("plan rows.csv --out set.crm");
    files.service.ok("consent add 8185550142 --said STOP");
    files.service.ok("mirror update");
    files
}

#[test]
fn no_command_writes_over_a_file_that_it_has_not_made() {
    let files = files();
    for (code, line) in [
        (0, "results set.crm --out kept"),
        (0, "mirror export --out kept"),
        (0, "report set.crm --html kept"),
        (0, "audit --offline --html kept"),
        (0, "audit --offline --write-baseline kept"),
        (0, "consent prove 8185550142 --html kept"),
        (0, "consent report --from 2026-01-01 --html kept"),
        (0, "plan rows.csv --out new.crm --page kept"),
        (0, "opt-out list.csv --skip-invalid --out new.crm --page kept"),
        (0, "opt-out list.csv --skip-invalid --out new.crm --mend kept"),
        (2, "plan wrong.csv --out new.crm --mend kept"),
        (10, "consent import list.csv --mend kept"),
    ] {
        files.write("kept", "somebody's work\n");
        files.refused(line);
        assert_eq!(files.read("kept"), "somebody's work\n", "{line}");
        assert!(!files.service.home.path().join("new.crm").exists(), "{line}");
        files.service.crm(&format!("{line} --overwrite")).assert().code(code);
        assert_ne!(files.read("kept"), "somebody's work\n", "{line}");
        for made in ["kept", "kept.csv", "kept.json", "new.crm"] {
            let _ = fs::remove_file(files.service.home.path().join(made));
        }
        // An empty file is what whoever makes its name makes.
        files.write("kept", "");
        files.service.crm(line).assert().code(code);
        for made in ["kept", "kept.csv", "kept.json", "new.crm"] {
            let _ = fs::remove_file(files.service.home.path().join(made));
        }
    }
}

#[test]
fn a_page_replaces_an_earlier_one_of_its_kind_with_its_data_and_nothing_else() {
    let files = files();
    let pages = [
        ("report set.crm --html", Some("csv")),
        ("consent prove 8185550142 --html", Some("json")),
        ("consent report --from 2026-01-01 --html", Some("csv")),
        ("audit --offline --html", None),
    ];
    for (at, (command, beside)) in pages.into_iter().enumerate() {
        let page = format!("page-{at}.html");
        let line = format!("{command} {page}");
        files.service.ok(&line);
        files.service.ok(&line);
        let (other, _) = pages[(at + 1) % pages.len()];
        let before = files.read(&page);
        files.refused(&format!("{other} {page}"));
        assert_eq!(files.read(&page), before, "{other} over {command}");
        let Some(beside) = beside.map(|end| format!("{page}.{end}")) else { continue };
        // With a note of somebody's it is no longer what the page states.
        let edited = format!("{}called on Monday\n", files.read(&beside));
        files.write(&beside, &edited);
        files.refused(&line);
        assert_eq!(files.read(&beside), edited);
    }
}

#[test]
fn rows_to_mend_that_somebody_corrected_stay() {
    let files = files();
    let plan = |rows: &str| format!("plan {rows} --out new.crm --mend mend.csv");
    for line in [&*plan("wrong.csv"), "consent import list.csv --mend mend.csv"] {
        let _ = fs::remove_file(files.service.home.path().join("mend.csv"));
        let code = if line.starts_with("plan") { 2 } else { 10 };
        for _ in 0..2 {
            files.service.crm(line).assert().code(code);
        }
        let corrected = files.read("mend.csv").replace("front desk", "8185550177");
        let corrected = corrected.replace("0,3001", "2001,3001");
        assert_ne!(corrected, files.read("mend.csv"));
        files.write("mend.csv", &corrected);
        files.refused(line);
        assert_eq!(files.read("mend.csv"), corrected);
    }
    // Nor are they replaced by those of another list.
    files.write("other.csv", &WRONG.replace("x\n", "y\n"));
    files.refused(&plan("other.csv"));
}
