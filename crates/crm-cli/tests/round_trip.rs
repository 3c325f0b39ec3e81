//! What `crm` writes, `crm plan` reads back as nothing to do.
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use std::fs;

use common::*;

/// Memos that a file could change on its way.
const MEMOS: [&str; 8] = [
    "=1+1",
    "'=1+1",
    "''+49 30",
    "two\nlines",
    " blanks around ",
    "a, \"b\"; c",
    "Zoë \u{201c}4711\u{201d}",
    "'0815",
];

fn odd() -> Service {
    let service = Service::start();
    for memo in MEMOS {
        service.ok(&[
            "location-contacts",
            "create",
            "2001",
            "--type",
            "Phone",
            "--value",
            "8185550100",
            &format!("--memo={memo}"),
        ]);
    }
    service
}

impl Service {
    /// Plans a file that holds what was written, and demands that there is nothing to do.
    #[track_caller]
    fn plans_nothing(&self, name: &str, rows: &[u8], options: &[&str]) {
        let path = self.home.path().join(name);
        fs::write(&path, rows).unwrap();
        let out = format!("{name}.crm");
        let plan = ["plan", name, "--out", &out, "--detailed-exitcode"];
        let planned = self.json(&[&plan[..], options].concat());
        assert_eq!(planned["open"], 0, "{name}: {planned}");
        let states: Vec<_> = planned["totals"].as_object().unwrap().keys().collect();
        assert_eq!(states, ["already"], "{name}: {planned}");
    }
}

#[test]
fn lists_of_one_owner_say_whose_contacts_they_are_and_come_back_unchanged() {
    let service = odd();
    for (kind, id, member) in [
        ("location-contacts", "2001", "locationId"),
        ("customer-contacts", "1001", "customerId"),
    ] {
        let list = [kind, "list", id, "--all", "--output"];
        let csv = service.ok(&[&list[..], &["csv"]].concat());
        assert!(
            csv.starts_with(&format!("{member},id,type,value,")),
            "{csv}"
        );
        service.plans_nothing("list.csv", csv.as_bytes(), &[]);
        let ndjson = service.ok(&[&list[..], &["ndjson"]].concat());
        assert!(
            ndjson.starts_with(&format!("{{\"{member}\":{id},")),
            "{ndjson}"
        );
        service.plans_nothing("list.ndjson", ndjson.as_bytes(), &[]);
        let json = service.ok(&[&list[..], &["json"]].concat());
        assert!(!json.contains(member), "JSON stays the API's");
        for name in ["list.csv.crm", "list.ndjson.crm"] {
            fs::remove_file(service.home.path().join(name)).unwrap();
        }
    }
}

#[test]
fn lists_over_all_owners_and_exports_come_back_unchanged() {
    let service = odd();
    for (name, command) in [
        (
            "changed",
            &["location-contacts", "changed", "--ids", "2001", "--all"][..],
        ),
        ("feed", &["export", "location-contacts", "--recent"]),
    ] {
        for format in ["csv", "ndjson"] {
            let written = service.ok(&[command, &["--output", format]].concat());
            // What was deleted is not there, which a plan says.
            let rows = written
                .lines()
                .filter(|line| !line.ends_with(",false") && !line.contains("\"active\":false"));
            let rows = rows.collect::<Vec<_>>().join("\n");
            service.plans_nothing(&format!("{name}.{format}"), rows.as_bytes(), &[]);
        }
    }
}

#[test]
fn a_file_for_a_spreadsheet_comes_back_unchanged() {
    let service = odd();
    let list = ["location-contacts", "list", "2001", "--all", "--excel"];
    let csv = service.ok(&list);
    assert!(csv.starts_with("\u{feff}locationId,id,"), "{csv}");
    service.plans_nothing("excel.csv", csv.as_bytes(), &[]);
    service
        .crm(&[&list[..], &["--output", "json"]].concat())
        .assert()
        .code(2);
}

#[test]
fn an_edited_combined_flag_is_refused_and_an_old_one_beside_edited_flags_is_not() {
    let service = Service::start();
    let list = [
        "location-contacts",
        "list",
        "2001",
        "--output",
        "csv",
        "--fields",
    ];
    let fields = "locationId,id,type,value,preferences.invoiceStatementNotification,\
        preferences.invoiceNotification,preferences.statementNotification";
    let csv = service.ok(&[&list[..], &[fields]].concat());
    let edited = |from: &str, to: &str| {
        assert!(csv.contains(from), "{csv}");
        fs::write(
            service.home.path().join("edited.csv"),
            csv.replacen(from, to, 1),
        )
        .unwrap();
        service.crm(&["plan", "edited.csv", "--out", "edited.crm"])
    };
    let refused = edited(",true,true,true", ",false,true,true")
        .assert()
        .code(2);
    let told = stderr(&refused);
    assert!(told.contains("invoice_statement_notification"), "{told}");
    edited(",true,true,true", ",true,false,true")
        .assert()
        .success();
}

#[test]
fn the_help_names_every_column_and_the_template_has_them() {
    let service = Service::start();
    let help = service.ok(&["plan", "--help"]);
    let pages = service.home.path().join("man");
    service.ok(&["man", pages.to_str().unwrap()]);
    let page = fs::read_to_string(pages.join("crm-plan.1")).unwrap();
    let page = page.replace('\\', "");
    for column in crm_bulk::Input::COLUMNS {
        for name in [&[column.name], column.also].concat() {
            assert!(help.contains(name), "{name}: {help}");
            assert!(page.contains(name), "{name}: {page}");
        }
    }

    let template = service.ok(&["plan", "--template"]);
    assert!(
        template.starts_with("action,select,location_id,"),
        "{template}"
    );
    service.ok(&["plan", "--template", "new.csv", "--excel"]);
    let path = service.home.path().join("new.csv");
    let file = fs::read_to_string(&path).unwrap();
    assert_eq!(file, format!("\u{feff}{template}"));
    let overwrites = service.crm(&["plan", "--template", "new.csv"]).assert();
    overwrites.failure();

    let columns = template.trim_end().split(',').count();
    let row = format!(",,2001,,3001,,,,Gate 4411{}", ",".repeat(columns - 9));
    fs::write(&path, format!("{file}{row}\n")).unwrap();
    let planned = service.json(&["plan", "new.csv", "--out", "new.crm"]);
    assert_eq!(
        (&planned["open"], &planned["notes"]),
        (&1.into(), &serde_json::json!([]))
    );
}

#[test]
fn a_fault_of_every_row_is_told_of_the_first_ones() {
    let service = Service::start();
    let rows = "2001,3001,Zo\u{fffd}\n".repeat(30);
    let rows = format!("location_id,contact_id,memo\n{rows}").into_bytes();
    // One byte of another encoding in each row.
    let mut bytes = Vec::new();
    let text = String::from_utf8(rows).unwrap();
    for character in text.chars() {
        bytes.push(if character == '\u{fffd}' {
            0xeb
        } else {
            character as u8
        });
    }
    fs::write(service.home.path().join("latin.csv"), &bytes).unwrap();
    let plan = ["plan", "latin.csv", "--out", "set.crm"];
    let told = stderr(&service.crm(&plan).assert().code(2));
    assert!(told.matches("--encoding").count() <= 6, "{told}");
    assert!(told.contains("and in 27 more rows"), "{told}");
    let read = [&plan[..], &["--encoding", "windows-1252"]].concat();
    service.ok(&read);
}
