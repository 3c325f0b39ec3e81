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
        // As somebody else stored it: the command itself refuses formulas.
        let contact = serde_json::json!({"type": "Phone", "value": "8185550100", "memo": memo});
        let create = ["api", "post", "/locations/2001/contacts", "--body", "-"];
        let mut create = service.crm(&create);
        create.write_stdin(contact.to_string()).assert().success();
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
    for (kind, id, member) in
        [("location-contacts", "2001", "locationId"), ("customer-contacts", "1001", "customerId")]
    {
        let list = [kind, "list", id, "--all", "--output"];
        let csv = service.ok(&[&list[..], &["csv"]].concat());
        assert!(csv.starts_with(&format!("{member},id,type,value,")), "{csv}");
        service.plans_nothing("list.csv", csv.as_bytes(), &[]);
        let ndjson = service.ok(&[&list[..], &["ndjson"]].concat());
        assert!(ndjson.starts_with(&format!("{{\"{member}\":{id},")), "{ndjson}");
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
        ("changed", &["location-contacts", "changed", "--ids", "2001", "--all"][..]),
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
    service.crm(&[&list[..], &["--output", "json"]].concat()).assert().code(2);
}

/// Texts that a file, a spreadsheet program or a reader could take for something else.
const PIECES: [&str; 30] = [
    "=",
    "+",
    "-",
    "@",
    "'",
    "'=",
    "\"",
    "\"\"",
    "\t",
    "\n",
    "\r\n",
    "\r",
    " ",
    "\u{a0}",
    ";",
    ",",
    "|",
    "(clear)",
    "0815",
    "1",
    "Zoë",
    "名前",
    "\u{202e}",
    "\u{200b}",
    "👩\u{200d}🔧",
    "\\n",
    "#N/A",
    "sep=;",
    "\u{feff}",
    "null",
];

/// A text of a few pieces; of a thousand characters and more now and then, which is longer than any
/// that `crm` would send.
fn text(random: &mut fastrand::Rng) -> String {
    let pieces = match random.u8(..30) {
        0 => 5_000,
        1..5 => 1,
        _ => random.usize(1..6),
    };
    let mut piece = || PIECES[random.usize(..PIECES.len())];
    (0..pieces).map(|_| piece()).collect()
}

/// A page of contacts as some service may have stored them, and of the feed at the same time.
fn page_of_anything(random: &mut fastrand::Rng) -> String {
    let types = ["Phone", "MobilePhone", "Email", "Fax", "Pager", "phone"];
    let contacts: Vec<_> = (1..=400)
        .map(|id| {
            let value = match random.u8(..4) {
                0 => "8185550142".to_owned(),
                1 => "+1 (818) 555-0142 ext. 7".to_owned(),
                2 => "ana@site.example, bo@site.example".to_owned(),
                // Not the one word that says what only a memo can be: cleared.
                _ => format!("{}!", text(random)),
            };
            let memo = random.bool().then(|| text(random));
            let flag = |random: &mut fastrand::Rng| random.bool();
            let (invoices, statements) = (flag(random), flag(random));
            let preferences = random.bool().then(|| {
                serde_json::json!({
                    "jobRemindersEnabled": flag(random),
                    "marketingUpdatesEnabled": flag(random),
                    "invoiceNotification": invoices,
                    "statementNotification": statements,
                    "invoiceStatementNotification": invoices && statements,
                })
            });
            serde_json::json!({
                "id": id, "locationId": 2001, "type": types[random.usize(..types.len())],
                "value": value, "memo": memo, "preferences": preferences, "active": true,
                "createdOn": "2024-02-01T00:00:00Z", "modifiedOn": "2026-11-20T08:30:00Z",
            })
        })
        .collect();
    serde_json::json!({"page": 1, "pageSize": 500, "hasMore": false, "data": contacts,
        "continueFrom": "end"})
    .to_string()
}

/// The rows of CSV as a spreadsheet program saves them where the comma is for decimals.
fn from_spreadsheet(csv: &str) -> Vec<u8> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(csv.as_bytes());
    let mut writer = csv::WriterBuilder::new()
        .delimiter(b';')
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for row in reader.records() {
        writer.write_record(&row.unwrap()).unwrap();
    }
    let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
    let text = text.trim_start_matches('\u{feff}');
    format!("\u{feff}{text}").into_bytes()
}

#[test]
fn whatever_the_service_stores_comes_back_unchanged_in_every_format() {
    let service = Service::start();
    let mut random = fastrand::Rng::with_seed(13);
    let page = page_of_anything(&mut random);
    let host = Host::start(&[(200, &page)]);
    let crm = |arguments: &[&str]| {
        let done = service.crm(arguments).env("CRM_API_URL", &host.url).assert();
        stdout(&done.success())
    };
    let plans_nothing = |name: &str, rows: &[u8]| {
        fs::write(service.home.path().join(name), rows).unwrap();
        let set = format!("{name}.crm");
        let plan = ["plan", name, "--out", &set, "--output", "json"];
        let planned: serde_json::Value = serde_json::from_str(&crm(&plan)).unwrap();
        assert_eq!(
            planned["totals"],
            serde_json::json!({"already": {"update": 400}}),
            "{name}: {planned}"
        );
        set
    };
    for (name, command) in [
        ("list", &["location-contacts", "list", "2001", "--all"][..]),
        ("changed", &["location-contacts", "changed", "--all", "--ids", "2001"]),
        ("feed", &["export", "location-contacts"]),
    ] {
        for (format, options) in [
            ("csv", &["--output", "csv"][..]),
            ("excel.csv", &["--excel"]),
            ("ndjson", &["--output", "ndjson"]),
        ] {
            let file = format!("{name}.{format}");
            let written = crm(&[command, options].concat());
            let set = plans_nothing(&file, written.as_bytes());
            let results = crm(&["results", &set]);
            plans_nothing(&format!("results.{file}"), results.as_bytes());
            if format != "ndjson" {
                plans_nothing(&format!("back.{file}"), &from_spreadsheet(&written));
                let results = crm(&["results", &set, "--excel"]);
                assert!(results.starts_with('\u{feff}'), "{file}");
                plans_nothing(&format!("again.{file}"), &from_spreadsheet(&results));
            }
        }
    }
}

#[test]
fn an_edited_combined_flag_is_refused_and_an_old_one_beside_edited_flags_is_not() {
    let service = Service::start();
    let list = ["location-contacts", "list", "2001", "--output", "csv", "--fields"];
    let fields = "locationId,id,type,value,preferences.invoiceStatementNotification,\
        preferences.invoiceNotification,preferences.statementNotification";
    let csv = service.ok(&[&list[..], &[fields]].concat());
    let edited = |from: &str, to: &str| {
        assert!(csv.contains(from), "{csv}");
        fs::write(service.home.path().join("edited.csv"), csv.replacen(from, to, 1)).unwrap();
        service.crm(&["plan", "edited.csv", "--out", "edited.crm"])
    };
    let refused = edited(",true,true,true", ",false,true,true").assert().code(2);
    let told = stderr(&refused);
    assert!(told.contains("invoice_statement_notification"), "{told}");
    edited(",true,true,true", ",true,false,true").assert().success();
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
    assert!(template.starts_with("action,select,location_id,"), "{template}");
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
    assert_eq!((&planned["open"], &planned["notes"]), (&1.into(), &serde_json::json!([])));
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
        bytes.push(if character == '\u{fffd}' { 0xeb } else { character as u8 });
    }
    fs::write(service.home.path().join("latin.csv"), &bytes).unwrap();
    let plan = ["plan", "latin.csv", "--out", "set.crm"];
    let told = stderr(&service.crm(&plan).assert().code(2));
    assert!(told.matches("--encoding").count() <= 6, "{told}");
    assert!(told.contains("and in 27 more rows"), "{told}");
    let read = [&plan[..], &["--encoding", "windows-1252"]].concat();
    service.ok(&read);
}
