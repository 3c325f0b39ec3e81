//! Inputs, snapshots and files that are wrong.
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use std::{
    fs,
    io::Cursor,
    time::{Duration, SystemTime},
};

use common::*;
use crm_bulk::{
    Apply, BulkError, ChangeSet, CleanUp, Input, MendFile, MirrorError, Plan, ResultRows,
    Selection, Snapshot, State,
};
use crm_models::{ContactChange, ContactType, CreateContactRequest, LocationId, Timestamp};
use crm_sandbox::{Fault, FaultPlan, FaultRule, Seed};
use crm_values::{Extensions, NewValues, PhoneReader};

fn csv(text: &str) -> Input {
    Input::csv("rows", Cursor::new(text.to_owned()))
}

impl World {
    fn results(&self, name: &str, which: ResultRows) -> String {
        let mut out = Vec::new();
        let set = ChangeSet::open(self.path(name)).unwrap();
        set.results(which, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }
}

const BAD: &str = "\u{feff}Location ID;CONTACT-ID;Memo;type;Value;Job_Reminders;branch
2001;3001;\"two
lines\";;;on;North
0;3002;x;;;maybe;South
2001;3003;;Email;not-a-mail@;;East
2001;;;;;;West
";

#[tokio::test]
async fn every_bad_row_is_reported_in_one_pass_and_can_be_mended() {
    let world = world(Seed::Demo).await;
    let mend = MendFile::new(world.path("mend.csv"));
    let plan = || Plan::new(world.site.clone()).mend_file(mend.clone());
    let input = csv(BAD).delimiter(b';');
    let error = plan().from_api(&world.service, input, world.path("set.crm")).await.unwrap_err();
    let BulkError::InvalidRows(invalid) = error else {
        panic!("{error}");
    };
    let cells: Vec<_> = invalid.cells.iter().map(|c| (c.line, c.column.as_str())).collect();
    assert_eq!((invalid.name.as_str(), invalid.rows), ("rows", 3));
    assert_eq!(cells, [(4, "location_id"), (4, "job_reminders"), (5, "value"), (6, "contact_id")]);
    let text = invalid.cells[2].to_string();
    assert!(
        text.contains("`no…l@`")
            && !text.contains("not-a-mail")
            && invalid.cells[2].in_clear().contains("`not-a-mail@`"),
        "{text}"
    );
    let files = fs::read_dir(world.folder.path()).unwrap();
    let files: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["mend.csv"], "nothing is left of the plan");

    let wrong = fs::read_to_string(world.path("mend.csv")).unwrap();
    let first = wrong.lines().next().unwrap();
    assert_eq!(
        first,
        "Location ID;CONTACT-ID;Memo;type;Value;Job_Reminders;branch;crm_line;crm_problem"
    );
    let mended = wrong
        .replace("0;3002;x;;;maybe;South", "2001;3002;x;;;on;South")
        .replace("Email;not-a-mail@", "Fax;8185550199")
        .replace("2001;;;;;;West", "2001;3004;y;;;;West");
    let input = csv(&mended).delimiter(b';');
    let summary = plan().from_api(&world.service, input, world.path("set.crm")).await.unwrap();
    assert_eq!((summary.rows, summary.invalid_rows()), (3, 0));
    assert!(!world.results("set.crm", ResultRows::All).contains("crm_problem"));

    let skipping = plan().skip_invalid().mend_file(mend.clone().overwrite());
    let input = csv(BAD).delimiter(b';');
    let summary = skipping.from_api(&world.service, input, world.path("some.crm")).await.unwrap();
    assert_eq!((summary.rows, summary.invalid_rows()), (4, 3));
    // The contact was asked about the address, which is not its own.
    let states = states(&world.path("some.crm"));
    assert_eq!(states, [State::Planned, State::Failed]);
}

#[tokio::test]
async fn lines_that_are_no_json_are_given_back_with_their_reason_and_read_again() {
    let world = world(Seed::Demo).await;
    let row =
        "{\"location_id\":2001,\"contact_id\":3002,\"memo\":\"the gate is behind the house\"}\n";
    let lines = format!("{row}{row}{{\"me\u{1}\0\0\u{2}o\":1}}\nPK\u{3}\u{4}\n<html\n");
    let wrong = async |rows: String, mend: &str| {
        let planned = Plan::new(world.site.clone()).mend_file(world.path(mend));
        let input = Input::ndjson("rows", Cursor::new(rows));
        match planned.from_api(&world.service, input, world.path("set.crm")).await {
            Err(BulkError::InvalidRows(invalid)) => invalid.rows,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(wrong(lines.clone(), "mend").await, 3);
    assert_eq!(wrong(lines, "mend").await, 3, "what is its own is replaced");
    let mend = fs::read_to_string(world.path("mend")).unwrap();
    let first = mend.lines().next().unwrap();
    assert!(first.contains("\"crm_problem\":\"the next line: the row is broken: "), "{first}");
    assert_eq!(wrong(mend, "again").await, 3);
}

#[tokio::test]
async fn lines_are_counted_as_an_editor_does_and_blank_rows_are_passed_over() {
    let world = world(Seed::Demo).await;
    let rows = "\u{feff}location_id,contact_id,memo\n\n2001,3001,\"two\nlines\"\n , ,\n,,,,\n\
                0,3002,x\n2001\n";
    for (name, rows) in [("unix.csv", rows.to_owned()), ("windows.csv", rows.replace('\n', "\r\n"))]
    {
        let plan = Plan::new(world.site.clone()).skip_invalid();
        let planned = plan.from_api(&world.service, csv(&rows), world.path(name));
        let summary = planned.await.unwrap();
        assert_eq!((summary.rows, summary.invalid_rows()), (3, 2), "{name}");
        let cells = summary.invalid.unwrap().cells;
        let lines: Vec<_> = cells.iter().map(|cell| cell.line).collect();
        assert_eq!(lines, [7, 8], "{name}");
    }
}

#[tokio::test]
async fn a_quoted_cell_that_is_never_closed_swallows_no_row() {
    let world = world(Seed::Demo).await;
    let header = "location_id,contact_id,memo\n";
    for (rows, line) in [
        (format!("{header}2001,3001,\"two\nlines\"\n2001,3002,\"x\n2001,3003,y\n"), 4),
        (format!("{header}2001,\"3002,x\n2001,3003,y"), 2),
        (format!("{header}2001,3003,\""), 2),
        ("\u{feff}\"location_id,contact_id,memo\n2001,3003,y\n".to_owned(), 1),
    ] {
        let plan = Plan::new(world.site.clone()).skip_invalid();
        let planned = plan.from_api(&world.service, csv(&rows), world.path("set.crm"));
        let told = planned.await.unwrap_err().to_string();
        let wanted = format!("rows: line {line}: a quoted cell that begins here is never closed");
        assert_eq!(told, wanted, "{rows}");
    }
}

#[tokio::test]
async fn rows_that_a_missing_quote_makes_one_are_told() {
    let world = world(Seed::Demo).await;
    let rows = "location_id,contact_id,memo\n2001,3001,\"at the \"\"gate\"\"\"\n\
                2001,3002,\"x\n2001,3003,\"y\"\n2001,3004,z \"1\"\n";
    let plan = || Plan::new(world.site.clone());
    let planned = plan().from_api(&world.service, csv(rows), world.path("no.crm"));
    let told = planned.await.unwrap_err().to_string();
    assert!(
        told.contains(
            "line 3: the row is broken: text follows the closing quote of a cell, on line 4"
        ),
        "{told}"
    );
    let plan = plan().skip_invalid();
    let planned = plan.from_api(&world.service, csv(rows), world.path("set.crm"));
    let summary = planned.await.unwrap();
    assert_eq!((summary.rows, summary.invalid_rows()), (3, 1));

    let header = "location_id,contact_id,\"memo\n2001,3001,\"x\"\n";
    let planned = Plan::new(world.site.clone());
    let planned = planned.from_api(&world.service, csv(header), world.path("no.crm"));
    let told = planned.await.unwrap_err().to_string();
    assert!(told.starts_with("rows: the header: text follows"), "{told}");
}

#[tokio::test]
async fn broken_rows_that_are_fed_in_again_as_they_were_given_back_stay_wrong_until_mended() {
    let world = world(Seed::Demo).await;
    let plan = |rows: Vec<u8>, out: &'static str| {
        let mend = MendFile::new(world.path("mend")).overwrite();
        let plan = Plan::new(world.site.clone()).skip_invalid().mend_file(mend);
        let is_ndjson = rows.starts_with(b"{");
        let rows = Cursor::new(rows);
        let input = if is_ndjson { Input::ndjson("rows", rows) } else { Input::csv("rows", rows) };
        let out = world.path(out);
        async { plan.from_api(&world.service, input, out).await.unwrap() }
    };
    let csv: &[u8] = b"location_id,contact_id,action,memo\n2001,3001,delete\n\
        2001,3002,,Jos\xe9\n2001,3003,,\"at \"the\" gate\"\n2001,3004,,x,further\n";
    let ndjson: &[u8] = b"{\"location_id\": 2001, \"contact_id\": 3002, \"memo\": \"Jos\xe9\"}\n";
    // What has cells too many is mended by taking them away.
    for (name, rows, wrong, too_wide) in [("csv", csv, 4, 1), ("ndjson", ndjson, 1, 0)] {
        let summary = plan(rows.to_vec(), "first.crm").await;
        assert_eq!(summary.invalid_rows(), wrong, "{name}");
        let given_back = [
            fs::read(world.path("mend")).unwrap(),
            world.results("first.crm", ResultRows::All).into_bytes(),
        ];
        for rows in given_back {
            let again = plan(rows.clone(), "again.crm").await;
            assert_eq!(again.invalid_rows(), wrong, "{name}");
            let told = again.invalid.unwrap().cells[0].to_string();
            assert!(told.contains("clear that cell"), "{told}");
            let kept = fs::read_to_string(world.path("mend")).unwrap();
            assert_eq!(kept.matches("2001,3004,,x,further,").count(), too_wide);
            fs::remove_file(world.path("again.crm")).unwrap();

            let rows = String::from_utf8(rows).unwrap();
            let mended = rows.replace("the row is broken", "mended");
            let mended = plan(mended.into_bytes(), "again.crm").await;
            assert_eq!(mended.invalid_rows(), too_wide as u64, "{name}");
            fs::remove_file(world.path("again.crm")).unwrap();
        }
        fs::remove_file(world.path("first.crm")).unwrap();
    }
}

#[tokio::test]
async fn ndjson_rows_are_read_and_given_back() {
    let world = world(Seed::Demo).await;
    let rows = concat!(
        r#"{"note": [1, 2], "location_id": 2001, "contact_id": "3001", "marketing_updates": false}"#,
        "\n\n",
        r#"{"location_id": 2001, "contact_id": 3002, "memo": "(none)", "value": null}"#,
        "\n"
    );
    let input = Input::ndjson("rows", Cursor::new(rows)).clear_token("(none)");
    let plan = Plan::new(world.site.clone());
    plan.from_api(&world.service, input, world.path("set.crm")).await.unwrap();
    assert_eq!(states(&world.path("set.crm")), [State::Planned, State::Already]);
    let results = world.results("set.crm", ResultRows::All);
    let first = results.lines().next().unwrap();
    assert!(
        first.starts_with(r#"{"note":[1, 2],"location_id":2001,"contact_id":"3001","#),
        "{first}"
    );
    assert!(first.contains(r#""crm_outcome":"planned""#), "{first}");

    let bad = Input::ndjson(
        "rows",
        Cursor::new(
            "[1]\n{\"location_id\": {}}\nnonsense\n\
             {\"location_id\": 2001, \"contact_id\": 3001, \"Contact ID\": 3002, \"memo\": \"x\"}\n",
        ),
    );
    let plan = Plan::new(world.site.clone());
    let error = plan.from_api(&world.service, bad, world.path("bad.crm")).await.unwrap_err();
    let BulkError::InvalidRows(invalid) = error else {
        panic!("{error}");
    };
    assert_eq!(invalid.rows, 4);
    let twice = &invalid.cells[3].reason;
    assert!(twice.contains("`contact_id` and `Contact ID` both mean contact_id"), "{twice}");
}

#[tokio::test]
async fn rows_are_given_back_with_the_quotes_that_they_had() {
    let world = world(Seed::Demo).await;
    let rows =
        "location_id;contact_id;memo\n2001;3001;'said \"no\"; don''t call'\n0;3002;'it''s \"x\"'\n";
    let input = || csv(rows).delimiter(b';').quote(b'\'');
    let plan = || Plan::new(world.site.clone()).skip_invalid();
    let (set, mend) = (world.path("set.crm"), world.path("mend.csv"));
    let mended = plan().mend_file(&mend);
    mended.from_api(&world.service, input(), &set).await.unwrap();
    let results = world.results("set.crm", ResultRows::All);
    let kept = "2001;3001;'said \"no\"; don''t call';planned;";
    assert!(results.contains(kept), "{results}");
    let mend = fs::read_to_string(mend).unwrap();
    assert!(mend.contains("0;3002;'it''s \"x\"';3;"), "{mend}");
}

#[tokio::test]
async fn results_give_the_input_back_and_failed_rows_can_be_fed_in_again() {
    let world = world(Seed::Demo).await;
    let rows =
        "branch,location_id,contact_id,memo\n\"North, West\",2001,3001,a\nSouth,2001,3999,b\n";
    let set = world.plan(rows, "set.crm").await;
    world.apply(Apply::new(set)).await.unwrap();
    let results = world.results("set.crm", ResultRows::All);
    let lines: Vec<_> = results.lines().collect();
    assert!(lines[0].starts_with("branch,location_id,contact_id,memo,crm_outcome,crm_message,"));
    assert!(lines[1].starts_with("\"North, West\",2001,3001,a,done,,,,20"), "{}", lines[1]);
    assert!(lines[2].starts_with("South,2001,3999,b,not-found,the owner has no such contact,"));

    let failed = world.results("set.crm", ResultRows::Failed);
    assert_eq!(failed.lines().count(), 2);
    let again = failed.replace("3999", "3002");
    let set = world.plan(&again, "again.crm").await;
    assert_eq!(world.apply(Apply::new(set)).await.unwrap().count(State::Done), 1);
    let header = world.results("again.crm", ResultRows::All);
    let header = header.lines().next().unwrap();
    assert_eq!(header.matches("crm_outcome").count(), 1, "{header}");
}

#[tokio::test]
async fn a_snapshot_selects_by_value_and_knows_what_was_deleted() {
    let world = world(Seed::Demo).await;
    let mut snapshot = world.snapshot().await;
    let first = snapshot.coverage().unwrap();
    assert!(first.contacts > 0 && first.deleted >= 2 && first.preferences_unknown > 0);

    let location = world.service.location(LocationId::new(2001).unwrap());
    let new = CreateContactRequest::new(ContactType::Email, "new@site.example");
    let new = location.create(new).await.unwrap();
    location.delete(3003.try_into().unwrap()).await.unwrap();
    world.sandbox.clear_log();
    snapshot.update(&world.service, &world.site, |_| {}).await.unwrap();
    let second = snapshot.coverage().unwrap();
    assert_eq!(second.contacts, first.contacts, "one more, one less");
    assert_eq!(second.deleted, first.deleted + 1);

    world.sandbox.clear_log();
    let rows = "select,value,location_id,new_value,memo\n\
         value,NEW@site.example,,newer@site.example,\nvalue,8185550000,,,x\n";
    Plan::new(world.site.clone())
        .snapshot(snapshot)
        .from_snapshot(csv(rows), world.path("set.crm"))
        .await
        .unwrap();
    assert_eq!(world.sandbox.log().len(), 0, "a snapshot answers without a call");
    let planned = changes(&world.path("set.crm"));
    assert_eq!(planned.len(), 1);
    assert_eq!(planned[0].target.contact_text(), Some(new.id.to_string()));
    let results = world.results("set.crm", ResultRows::All);
    assert!(results.contains("not-found,no contact has this value"), "{results}");
}

#[tokio::test]
async fn a_snapshot_that_was_interrupted_goes_on_where_it_stopped() {
    let world = world(Seed::Count(120)).await;
    world.sandbox.set("export-page-size", "50").unwrap();
    let mut snapshot = Snapshot::open_or_create(world.path("snapshot"), &world.site).unwrap();
    let feed = FaultRule::new(Fault::Status { status: 400 })
        .operation("ExportContacts_LocationsContacts")
        .nth(2);
    world.sandbox.inject(FaultPlan::new().rule(feed));
    snapshot.update(&world.service, &world.site, |_| {}).await.unwrap_err();
    assert_eq!(snapshot.known_at().unwrap(), None);
    let plan = Plan::new(world.site.clone()).snapshot(snapshot);
    let error = plan.clean_ups(world.path("set.crm")).await.unwrap_err();
    assert!(matches!(error, BulkError::Mirror(MirrorError::Incomplete { .. })), "{error}");

    let mut read = 0;
    let mut snapshot = Snapshot::open(world.path("snapshot")).unwrap();
    snapshot.update_contacts(&world.service, &world.site, |so_far| read = so_far).await.unwrap();
    assert_eq!(snapshot.coverage().unwrap().contacts, 120 + 12);
    assert!(read < 120, "the first batches were not read again: {read}");
}

#[tokio::test]
async fn a_snapshot_that_is_being_made_is_whole_for_whoever_opens_it() {
    let world = world(Seed::Demo).await;
    for round in 0..20 {
        let path = world.path(&format!("snapshot-{round}"));
        let open = || Snapshot::open_or_create(&path, &world.site);
        let opened = std::thread::scope(|scope| {
            let threads = [(); 4].map(|()| scope.spawn(open));
            threads.map(|thread| thread.join().unwrap().map(|_| ()))
        });
        for one in opened {
            one.unwrap();
        }
    }
    let files = fs::read_dir(world.folder.path()).unwrap();
    let mut names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert!(!names.any(|name| name.contains("partial")));
}

#[cfg(unix)]
#[tokio::test]
async fn sets_snapshots_and_rows_to_mend_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let world = world(Seed::Demo).await;
    let snapshot = world.snapshot().await;
    let plan = Plan::new(world.site.clone()).snapshot(snapshot);
    let input = csv("location_id,contact_id,memo\n2001,3001,Gate code 4411\n");
    plan.from_snapshot(input, world.path("set.crm")).await.unwrap();
    let wrong = csv("location_id,contact_id,memo\n0,3001,Gate code 4411\n");
    let plan = Plan::new(world.site.clone()).mend_file(world.path("mend.csv"));
    let planned = plan.from_api(&world.service, wrong, world.path("no.crm"));
    planned.await.unwrap_err();
    for file in ["snapshot", "set.crm", "mend.csv"] {
        let mode = fs::metadata(world.path(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[tokio::test]
async fn a_snapshot_dated_in_the_future_is_not_fresh() {
    let world = world(Seed::Demo).await;
    let age = Duration::from_secs(3_600);
    assert!(world.snapshot().await.is_fresh(age).unwrap());
    let date = |feed: &str, at: SystemTime| {
        let connection = rusqlite::Connection::open(world.path("snapshot")).unwrap();
        let name = format!("{feed}-contacts");
        let at = Timestamp::from(at).to_string();
        let sql = "UPDATE feeds SET complete_at = ? WHERE feed = ?";
        assert_eq!(connection.execute(sql, [at, name]).unwrap(), 1);
    };
    let now = SystemTime::now();
    for (ahead, is_fresh) in [(30, true), (120, false), (1_000_000_000, false)] {
        for feed in ["customer", "location"] {
            date(feed, now + Duration::from_secs(ahead));
            let snapshot = Snapshot::open(world.path("snapshot")).unwrap();
            assert_eq!(snapshot.is_fresh(age).unwrap(), is_fresh, "{feed} {ahead}");
            assert_eq!(snapshot.is_dated_ahead().unwrap(), !is_fresh);
            date(feed, now);
        }
    }
}

#[tokio::test]
async fn the_page_shows_unseen_characters_and_keeps_directions_apart() {
    let world = world(Seed::Demo).await;
    let hidden = "\u{202e}\u{2066}\u{2069}\u{200b}\u{2028}";
    let written = "\\u{202e}\\u{2066}\\u{2069}\\u{200b}\\u{2028}";
    let memo = ContactChange::new().memo(format!("a{hidden}b"));
    let location = world.service.location(LocationId::new(2_001).unwrap());
    location.update(3_001.try_into().unwrap(), &memo).await.unwrap();
    let rows = "location_id,contact_id,memo\n2001,3001,Gate code 4411\n";
    let input = Input::csv(format!("list{hidden}\u{1b}[2J.csv"), Cursor::new(rows));
    let plan = Plan::new(world.site.clone());
    let planned = plan.from_api(&world.service, input, world.path("set.crm"));
    planned.await.unwrap();
    let mut page = Vec::new();
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    set.report(&mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains(&format!("<bdi>a{written}b</bdi>")), "{page}");
    assert!(page.contains(&format!("<bdi>list{written}\\u{{1b}}[2J.csv</bdi>")), "{page}");
    let is_raw = |c: char| hidden.contains(c) || (c.is_control() && c != '\n');
    assert!(!page.contains(is_raw), "{page}");
}

#[tokio::test]
async fn clean_ups_are_proposals_that_undo_takes_back_letter_by_letter() {
    let world = world(Seed::Count(4)).await;
    world.sandbox.set("phone-values", "verbatim").unwrap();
    let values = |world: &World| -> Vec<String> {
        world.stored().into_values().map(|contact| contact.value).collect()
    };
    let location = world.service.location(LocationId::new(1).unwrap());
    for (kind, value) in
        [(ContactType::Email, "Dana@OLD.example"), (ContactType::Phone, "(818) 555-0142")]
    {
        location.create(CreateContactRequest::new(kind, value)).await.unwrap();
    }
    let before = values(&world);
    let clean_up = CleanUp::new()
        .lowercase_emails()
        .normalize_phones(PhoneReader::default())
        .replace_domain("old.example", "new.example")
        .unwrap();
    Plan::new(world.site.clone())
        .snapshot(world.snapshot().await)
        .clean_up(clean_up)
        .clean_ups(world.path("set.crm"))
        .await
        .unwrap();
    assert_eq!(values(&world), before, "a plan changes nothing");
    world.apply(Apply::new(ChangeSet::open(world.path("set.crm")).unwrap())).await.unwrap();
    let after = values(&world);
    for value in ["dana@new.example", "8185550142"] {
        assert!(after.iter().any(|found| found == value), "{after:?}");
    }
    ChangeSet::open(world.path("set.crm")).unwrap().undo(world.path("undo.crm")).await.unwrap();
    world.apply(Apply::new(ChangeSet::open(world.path("undo.crm")).unwrap())).await.unwrap();
    assert_eq!(values(&world), before);
}

#[tokio::test]
async fn the_page_tells_everything_without_markup_from_the_data() {
    let world = world(Seed::Demo).await;
    let rows = "location_id,contact_id,memo\n2001,3001,<script>alert(1)</script>\n2001,3999,x\n";
    let set = world.plan(rows, "set.crm").await;
    let mut page = Vec::new();
    set.report(&mut page).unwrap();
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script"));
    assert!(page.contains("Needs attention") && page.contains("to be done"));
    for network in ["http-equiv", "src=", "href=", "url(", "@import"] {
        assert!(!page.contains(network), "{network}");
    }
}

#[tokio::test]
async fn wrong_files_are_told_apart() {
    let world = world(Seed::Demo).await;
    let set = world.plan("location_id,contact_id,memo\n2001,3001,x\n", "set.crm").await;
    drop(set);
    let whole = fs::read(world.path("set.crm")).unwrap();
    let with = |name: &str, bytes: &[u8]| {
        fs::write(world.path(name), bytes).unwrap();
        ChangeSet::open(world.path(name)).and_then(|set| {
            set.totals()?;
            set.changes(&Selection::all()).try_for_each(|change| change.map(|_| ()))
        })
    };
    let error =
        with("text.crm", b"not a database at all, just some words, long enough").unwrap_err();
    assert!(matches!(error, BulkError::Mirror(MirrorError::Foreign { .. })), "{error}");
    let error = with("empty.crm", b"").unwrap_err();
    assert!(matches!(error, BulkError::Mirror(MirrorError::Foreign { .. })), "{error}");
    let error = with("short.crm", &whole[..whole.len() / 2]).unwrap_err();
    assert!(matches!(error, BulkError::Mirror(MirrorError::Damaged { .. })), "{error}");
    // The version of the format stands in the header, at byte 60.
    let mut newer = whole.clone();
    newer[63] = 99;
    let error = with("newer.crm", &newer).unwrap_err();
    assert!(matches!(error, BulkError::Mirror(MirrorError::Newer { found: 99, .. })), "{error}");
    for (name, told) in [("none.crm", "No such file"), (".", "is a directory")] {
        let error = ChangeSet::open(world.path(name)).err().unwrap();
        assert!(matches!(error, BulkError::Mirror(MirrorError::File { .. })), "{error}");
        assert!(error.to_string().contains(told), "{error}");
    }

    drop(world.snapshot().await);
    let error = ChangeSet::open(world.path("snapshot")).err().unwrap();
    assert!(matches!(error, BulkError::Mirror(MirrorError::Foreign { .. })), "{error}");
    let missing = world.path("no/such/folder/set.crm");
    let input = csv("location_id,contact_id,memo\n2001,3001,x\n");
    let plan = Plan::new(world.site.clone());
    let error = plan.from_api(&world.service, input, missing).await.unwrap_err();
    assert!(matches!(error, BulkError::Mirror(MirrorError::File { .. })), "{error}");
}

/// What people read who print an error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", chain(cause)),
        None => error.to_string(),
    }
}

#[tokio::test]
async fn an_error_names_its_file_first_and_says_nothing_twice() {
    let world = world(Seed::Demo).await;
    let plan = async |rows: &str| {
        let plan = Plan::new(world.site.clone());
        let planned = plan.from_api(&world.service, csv(rows), world.path("set.crm"));
        chain(&planned.await.unwrap_err())
    };
    assert_eq!(
        plan("location_id,contact_id,memo\n2001,0,x\n").await,
        "rows: 1 row is wrong: line 2, contact_id `0`: must be a positive \
         whole number; nothing was planned"
    );
    assert_eq!(
        plan("select,value,memo\nvalue,8185550142,x\n").await,
        "rows: line 2 selects contacts by their value: this needs a snapshot of all contacts; \
         make one first"
    );
    let path = world.path("none.crm");
    let told = chain(&ChangeSet::open(&path).err().unwrap());
    let wanted = format!("{}: cannot be read: ", path.display());
    assert!(told.starts_with(&wanted), "{told}");
    assert_eq!(told.matches("os error").count(), 1, "{told}");
    let told = chain(&Plan::new(world.site.clone()).clean_ups(&path).await.unwrap_err());
    let wanted = format!("{}: this needs a snapshot", path.display());
    assert!(told.starts_with(&wanted), "{told}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_set_that_must_not_be_read_is_told_so() {
    use std::os::unix::fs::PermissionsExt;

    let world = world(Seed::Demo).await;
    let rows = "location_id,contact_id,memo\n2001,3001,x\n";
    drop(world.plan(rows, "set.crm").await);
    let nobody = fs::Permissions::from_mode(0o000);
    fs::set_permissions(world.path("set.crm"), nobody).unwrap();
    // The superuser reads it all the same.
    if let Err(error) = ChangeSet::open(world.path("set.crm")) {
        let told = error.to_string();
        assert!(told.contains("cannot be read: Permission denied"), "{told}");
    }
}

/// How many locks of SQLite this process has on a file.
#[cfg(target_os = "linux")]
fn locks(path: &std::path::Path) -> usize {
    use std::os::unix::fs::MetadataExt;

    let file = format!(":{} ", fs::metadata(path).unwrap().ino());
    let ours = format!(" {} ", std::process::id());
    let locks = fs::read_to_string("/proc/locks").unwrap();
    let of_file =
        |lock: &&str| lock.contains(&file) && lock.contains(&ours) && lock.contains(" POSIX ");
    locks.lines().filter(of_file).count()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_set_that_is_opened_again_where_it_is_applied_keeps_its_locks() {
    use crm_bulk::Event;
    use futures_util::TryStreamExt;

    let world = world(Seed::Demo).await;
    let path = world.path("set.crm");
    let rows = "location_id,contact_id,memo\n2001,3001,x\n2001,3002,x\n";
    let set = world.plan(rows, "set.crm").await;
    let mut events = Apply::new(set).run(&world.service, &world.site).unwrap();
    while !matches!(events.try_next().await.unwrap(), Some(Event::Settled(_))) {}
    assert_eq!(locks(&path), 1);
    drop(ChangeSet::open(&path).unwrap());
    assert_eq!(locks(&path), 1);
    while events.try_next().await.unwrap().is_some() {}
    assert_eq!(states(&path), [State::Done; 2]);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_named_when_a_page_or_results_are_written() {
    let world = world(Seed::Demo).await;
    let set = world.plan("location_id,contact_id,memo\n2001,3001,x\n", "set.crm").await;
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let error = set.report(full()).unwrap_err();
    assert!(matches!(error, BulkError::Mirror(MirrorError::DiskFull { .. })), "{error}");
    let error = set.results(ResultRows::All, full()).unwrap_err();
    assert!(matches!(error, BulkError::Mirror(MirrorError::DiskFull { .. })), "{error}");
}

#[tokio::test]
async fn the_file_to_mend_never_replaces_what_the_plan_works_with() {
    let world = world(Seed::Demo).await;
    let rows = "location_id,contact_id,memo\n2001,3001,x\n0,3002,y\n";
    fs::write(world.path("rows.csv"), rows).unwrap();
    drop(world.snapshot().await);
    for file in ["rows.csv", "set.crm", "./set.crm", "snapshot"] {
        let plan = Plan::new(world.site.clone())
            .snapshot(Snapshot::open(world.path("snapshot")).unwrap())
            .mend_file(world.path(file));
        let input = Input::open(world.path("rows.csv")).unwrap();
        let error = plan.from_snapshot(input, world.path("set.crm")).await.unwrap_err();
        assert!(matches!(error, BulkError::Taken { .. }), "{file}: {error}");
    }
    assert_eq!(fs::read_to_string(world.path("rows.csv")).unwrap(), rows);
}

#[tokio::test]
async fn wrong_rows_that_are_left_out_come_back_in_the_results() {
    let world = world(Seed::Demo).await;
    let plan = Plan::new(world.site.clone()).skip_invalid();
    let input = csv("location_id,contact_id,memo\n0,3001,x\n2001,3001,y\n2001\n");
    plan.from_api(&world.service, input, world.path("set.crm")).await.unwrap();
    let results = world.results("set.crm", ResultRows::All);
    let lines: Vec<_> = results.lines().collect();
    let first = "0,3001,x,failed,location_id: must be a positive whole number,";
    assert!(lines[1].starts_with(first), "{results}");
    assert!(lines[2].starts_with("2001,3001,y,planned,"), "{results}");
    assert!(
        lines[3]
            .starts_with("2001,,,failed,\"the row is broken: the header has 3 cells, it has 1\""),
        "{results}"
    );
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    assert_eq!((set.invalid_rows().unwrap(), set.unmatched_rows().unwrap()), (1 + 1, 0));
}

#[tokio::test]
async fn a_plan_is_as_old_as_the_snapshot_that_found_its_contacts() {
    let world = world(Seed::Demo).await;
    let snapshot = world.snapshot().await;
    let found_at = snapshot.known_at().unwrap().unwrap();
    let value = world.location_contact(2001, 3001).value;
    let input = csv(&format!("value,memo\n{value},x\n")).select_by_value();
    let plan = Plan::new(world.site.clone()).snapshot(snapshot);
    let summary = plan.from_api(&world.service, input, world.path("set.crm")).await.unwrap();
    assert_eq!(summary.known_at, found_at);
}

#[tokio::test]
async fn a_snapshot_of_another_host_is_not_mixed_with_this_one() {
    let world = world(Seed::Demo).await;
    let mut snapshot = world.snapshot().await;
    let other = crm_bulk::Site::of(&world.service, "https://api.servicetitan.io");
    let error = snapshot.update(&world.service, &other, |_| {}).await.unwrap_err();
    assert!(matches!(error, MirrorError::WrongEnvironment { .. }), "{error}");
    let plan = crm_bulk::OptOut::new(other, snapshot);
    let planned = plan.plan(&world.service, csv("2135550177"), world.path("set.crm"));
    let error = planned.await.unwrap_err();
    assert!(matches!(error, BulkError::Mirror(MirrorError::WrongEnvironment { .. })), "{error}");
}

#[tokio::test]
async fn only_what_is_sent_is_shown_and_calls_are_counted_with_flags() {
    let world = world(Seed::Demo).await;
    let value = world.location_contact(2001, 3001).value;
    let written = format!("({}) {}-{}", &value[..3], &value[3..6], &value[6..]);
    let rows = format!(
        "action,location_id,contact_id,type,value,memo,{}\n\
         ,2001,3001,,{written},new,{}\ncreate,2001,,Email,a@b.example,,{}\n",
        flag_columns(),
        flag_cells(|_| ""),
        flag_cells(|_| "on")
    );
    let set = world.plan(&rows, "set.crm").await;
    assert_eq!(set.calls().unwrap(), 1 + 2 + 1);
    let planned = changes(&world.path("set.crm"));
    let members = planned[0].members();
    let shown: Vec<_> = members.iter().map(|member| member.field.as_ref()).collect();
    assert_eq!(shown, ["memo"]);
}

#[tokio::test]
async fn a_value_that_must_not_be_stored_makes_the_row_wrong_unless_the_contact_has_it() {
    let world = world(Seed::Demo).await;
    let location = world.service.location(LocationId::new(2001).unwrap());
    let old = CreateContactRequest::new(ContactType::Phone, "818-555-0142 Ana");
    let old = location.create(old).await.unwrap().id;
    let other = CreateContactRequest::new(ContactType::Phone, "2135550198");
    let other = location.create(other).await.unwrap().id;
    let rows = format!(
        "location_id,contact_id,value\n2001,{old},8185550142 Ana\n2001,3001,213-555-0177²\n\
         2001,{other},+1 (213) 555-0199\n"
    );
    let planned = async |snapshot: bool, skip: bool, name: &str| {
        let mut plan = Plan::new(world.site.clone());
        if skip {
            plan = plan.skip_invalid();
        }
        let input = Input::csv("rows", Cursor::new(rows.clone()));
        if snapshot {
            plan.snapshot(world.snapshot().await).from_snapshot(input, world.path(name)).await
        } else {
            plan.from_api(&world.service, input, world.path(name)).await
        }
    };
    for snapshot in [true, false] {
        let error = planned(snapshot, false, "none.crm").await.unwrap_err();
        let BulkError::InvalidRows(invalid) = error else {
            panic!("{error}");
        };
        assert_eq!((invalid.rows, invalid.cells[0].line), (1, 3));
        assert!(invalid.cells[0].reason.contains('²'), "{invalid}");
        assert!(!world.path("none.crm").exists());

        let name = format!("{snapshot}.crm");
        let summary = planned(snapshot, true, &name).await.unwrap();
        assert_eq!(summary.invalid_rows(), 1);
        let set = ChangeSet::open(world.path(&name)).unwrap();
        let changes: Vec<_> = set.changes(&Selection::all()).map(Result::unwrap).collect();
        let states: Vec<_> = changes.iter().map(|change| change.outcome.state).collect();
        assert_eq!(states, [State::Already, State::Failed, State::Planned]);
        let members = changes[2].members();
        let stored = members[0].after.as_deref();
        assert_eq!(stored, Some("2135550199"), "as it will be stored");
    }
}

#[tokio::test]
async fn an_extension_goes_behind_the_memo_that_is_there() {
    let world = world(Seed::Demo).await;
    let rows = "location_id,contact_id,value\n2001,3001,213-555-0199 x12\n";
    let values = NewValues::default().extensions(Extensions::Memo);
    Plan::new(world.site.clone())
        .values(values)
        .from_api(&world.service, Input::csv("rows", rows.as_bytes()), world.path("set.crm"))
        .await
        .unwrap();
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    world.apply(Apply::new(set)).await.unwrap();
    let contact = world
        .service
        .location(LocationId::new(2001).unwrap())
        .find(3001.try_into().unwrap())
        .await
        .unwrap();
    assert_eq!(contact.value, "2135550199");
    assert_eq!(contact.memo.as_deref(), Some("Site manager, after 4 pm, ext. 12"));
    let again = world.plan(rows.replace(" x12", "").as_str(), "again.crm").await;
    assert_eq!(again.totals().unwrap().open(), 0);
}

#[tokio::test]
async fn what_a_spreadsheet_put_in_the_place_of_a_memo_is_refused_unless_it_is_there() {
    let world = world(Seed::Demo).await;
    let location = world.service.location(LocationId::new(2001).unwrap());
    let old = CreateContactRequest::new(ContactType::Phone, "2135550198").memo("#N/A");
    let old = location.create(old).await.unwrap().id;
    for memo in ["#REF!", "\"=\"\"0815\"\"\"", "#N/A"] {
        let rows = format!(
            "location_id,contact_id,memo,marketing_updates\n2001,{old},#N/A,off\n2001,3001,{memo},\n"
        );
        let plan = Plan::new(world.site.clone());
        let planned = plan.from_api(&world.service, csv(&rows), world.path("none.crm"));
        let BulkError::InvalidRows(invalid) = planned.await.unwrap_err() else {
            panic!("{memo}");
        };
        assert_eq!((invalid.rows, invalid.cells[0].line), (1, 3), "{invalid}");
        assert_eq!(invalid.cells[0].column, "memo");
    }
    let rows = format!("location_id,contact_id,memo\n2001,{old},#N/A\n");
    let set = world.plan(&rows, "same.crm").await;
    assert_eq!(set.totals().unwrap().open(), 0);
}
