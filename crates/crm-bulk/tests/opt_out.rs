//! Opt-outs that reach every copy.
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use async_trait::async_trait;
use common::*;
use crm_bulk::{
    Apply, BulkError, Change, ChangeSet, Image, Input, MappedRole, OptOut, ResultRows, Snapshot,
    State,
};
use crm_sandbox::{Fault, FaultPlan, FaultRule, Seed};
use crm_transport::{Request, Response, Transport, TransportError, pretend_suspended};
use crm_values::PhoneReader;

fn list(text: &str) -> Input {
    Input::csv("list", std::io::Cursor::new(text.to_owned()))
}

fn marketing(image: Option<&Image>) -> Option<bool> {
    match image? {
        Image::Contact(contact) => {
            contact.preferences.as_ref().map(|p| p.marketing_updates_enabled)
        }
        Image::Method(method) => method.preferences["MarketingUpdates"],
        _ => None,
    }
}

#[tokio::test]
async fn one_line_reaches_three_customers_four_locations_and_two_people() {
    let world = world(Seed::Demo).await;
    // As people typed it over the years.
    world.sandbox.set("phone-values", "verbatim").unwrap();
    let formats =
        ["(213) 555-0177", "213.555.0177", "+1 213 555 0177", "1-213-555-0177", "2135550177"];
    let same = |contact: &crm_sandbox::StoredContact| contact.value == "2135550177";
    let rows: String = world
        .stored()
        .into_iter()
        .filter(|(_, contact)| same(contact))
        .zip(formats.iter().cycle())
        .map(|(((kind, owner, id), _), text)| match kind {
            "customer" => format!(",{owner},{id},{text}\n"),
            _ => format!("{owner},,{id},{text}\n"),
        })
        .collect();
    assert_eq!(rows.lines().count(), 7, "3 customers and 4 locations");
    for line in rows.lines() {
        let cells: Vec<_> = line.split(',').collect();
        let value = crm_models::UpdateContactRequest::new().value(cells[3]);
        let id = cells[2].parse().unwrap();
        match cells[0] {
            "" => world.service.customer(cells[1].parse().unwrap()).send(id, value).await,
            owner => world.service.location(owner.parse().unwrap()).send(id, value).await,
        }
        .unwrap();
    }

    let input = list("number,reason,date_received\n+1 (213) 555-0177,called us,2026-11-20\n");
    let summary = OptOut::new(world.site.clone(), world.snapshot().await)
        .plan(&world.service, input, world.path("set.crm"))
        .await
        .unwrap();
    assert_eq!(summary.rows, 1);
    assert_eq!(states(&world.path("set.crm")), [State::Planned; 9]);

    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    let notes = set.info().unwrap().notes;
    let told = "list is read by its columns: number: numbers, reason: ";
    assert!(notes[0].starts_with(told), "{notes:?}");
    assert!(notes[1].contains("Text messages are not covered"), "{notes:?}");
    world.apply(Apply::new(set)).await.unwrap();
    let done = changes(&world.path("set.crm"));
    let kinds = |kind: &str| done.iter().filter(|change| change.target.kind() == kind).count();
    assert_eq!((kinds("customer"), kinds("location"), kinds("person")), (3, 4, 2));
    for change in &done {
        assert_eq!(change.outcome.state, State::Done, "{change:?}");
        assert_eq!(marketing(change.before.as_ref()), Some(true));
        assert_eq!(marketing(change.after.as_ref()), Some(false));
        assert!(change.outcome.at.is_some());
        assert_others_kept(change);
    }

    let undo = world.path("undo.crm");
    assert_eq!(
        ChangeSet::open(world.path("set.crm")).unwrap().undo(&undo).await.unwrap().planned,
        9
    );
    world.apply(Apply::new(ChangeSet::open(&undo).unwrap())).await.unwrap();
    for change in changes(&undo) {
        assert_eq!(marketing(change.after.as_ref()), Some(true), "{change:?}");
    }
}

fn assert_others_kept(change: &Change) {
    match (change.before.as_ref().unwrap(), change.after.as_ref().unwrap()) {
        (Image::Contact(before), Image::Contact(after)) => {
            let mut expected = before.clone();
            expected.modified_on = after.modified_on;
            expected.preferences.as_mut().unwrap().marketing_updates_enabled = false;
            assert_eq!(**after, *expected);
        }
        (Image::Method(before), Image::Method(after)) => {
            let mut expected = before.clone();
            expected.preferences.insert("MarketingUpdates".to_owned(), Some(false));
            assert_eq!(*after, expected);
        }
        images => panic!("{images:?}"),
    }
}

#[tokio::test]
async fn an_entry_that_is_nowhere_is_said_and_a_wrong_one_stops_the_plan() {
    let world = world(Seed::Demo).await;
    let plan = |text: &'static str, out: &'static str| {
        let snapshot = Snapshot::open(world.path("snapshot")).unwrap();
        let (service, out) = (&world.service, world.path(out));
        let plan = OptOut::new(world.site.clone(), snapshot).mend_file(world.path("mend.csv"));
        async move { plan.plan(service, list(text), out).await }
    };
    drop(world.snapshot().await);
    let error = plan("nobody@nowhere.example\nnot a number\n", "one.crm").await.unwrap_err();
    let BulkError::InvalidRows(invalid) = error else {
        panic!("{error}");
    };
    assert_eq!((invalid.rows, invalid.cells[0].line), (1, 2));
    assert!(!world.path("one.crm").exists());
    let mend = std::fs::read_to_string(world.path("mend.csv")).unwrap();
    assert_eq!(mend, "value,crm_line,crm_problem\nnot a number,2,value: contains letters\n");

    plan("nobody@nowhere.example\n", "two.crm").await.unwrap();
    assert_eq!(changes(&world.path("two.crm")), []);
}

#[tokio::test]
async fn every_flag_of_every_copy_goes_off_and_on_again() {
    let world = world(Seed::Demo).await;
    let plan = OptOut::new(world.site.clone(), world.snapshot().await).every_flag();
    plan.plan(&world.service, list("2135550177"), world.path("off.crm")).await.unwrap();
    world.apply(Apply::new(ChangeSet::open(world.path("off.crm")).unwrap())).await.unwrap();
    let flags = |change: &Change| match change.after.as_ref().unwrap() {
        Image::Contact(contact) => {
            let p = contact.preferences.unwrap();
            [
                p.job_reminders_enabled,
                p.marketing_updates_enabled,
                p.invoice_notification,
                p.statement_notification,
            ]
            .to_vec()
        }
        Image::Method(method) => method.preferences.values().map(|on| on.unwrap()).collect(),
        other => panic!("{other:?}"),
    };
    let off = changes(&world.path("off.crm"));
    assert_eq!(off.len(), 9);
    assert!(off.iter().all(|change| flags(change) == [false; 4]), "{off:?}");

    let plan = OptOut::new(world.site.clone(), world.snapshot().await).every_flag().opt_in();
    plan.plan(&world.service, list("2135550177"), world.path("on.crm")).await.unwrap();
    world.apply(Apply::new(ChangeSet::open(world.path("on.crm")).unwrap())).await.unwrap();
    let on = changes(&world.path("on.crm"));
    assert!(on.len() == 9 && on.iter().all(|change| flags(change) == [true; 4]), "{on:?}");
}

impl World {
    async fn opt_out(&self, list: Input, name: &str) -> Result<ChangeSet, BulkError> {
        let plan = OptOut::new(self.site.clone(), self.snapshot().await).skip_invalid();
        plan.plan(&self.service, list, self.path(name)).await?;
        ChangeSet::open(self.path(name))
    }
}

fn page(set: &ChangeSet) -> String {
    let mut page = Vec::new();
    set.report(&mut page).unwrap();
    String::from_utf8(page).unwrap()
}

fn results(set: &ChangeSet) -> String {
    let mut out = Vec::new();
    set.results(crm_bulk::ResultRows::All, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn every_column_with_values_counts_in_csv_and_ndjson() {
    let world = world(Seed::Demo).await;
    let contact = world.location_contact(2001, 3001).value;
    let csv = format!(
        "Name,Home Phone,Email 2,address\nDana,213-555-0177,x@y.example,12 Main St\nAl,{contact},,\n"
    );
    let set = world.opt_out(list(&csv), "csv.crm").await.unwrap();
    assert!(states(&world.path("csv.crm")).len() >= 10);
    assert!(results(&set).contains("Email 2: no contact has this value"));
    assert!(page(&set).contains("Email 2: no contact has this value"));

    let rows = format!(
        "{{\"phone\": 2135550177}}\n{{\"phone\": \"\", \"mobile\": null}}\n\
         {{\"mobile\": \"{contact}\", \"date\": \"2026-11-20\"}}\n"
    );
    let rows = Input::ndjson("list", std::io::Cursor::new(rows));
    let set = world.opt_out(rows, "ndjson.crm").await.unwrap();
    assert_eq!(states(&world.path("ndjson.crm")), states(&world.path("csv.crm")));
    assert!(page(&set).contains("To be done by 2026-12-04"));
}

#[tokio::test]
async fn what_is_no_value_is_said_and_left_out_rows_are_in_the_results() {
    let world = world(Seed::Demo).await;
    let rows = "phone,email,reason\n12 Main,,x\n,not-a-mail,y\n,,z\n213-555-0177\n";
    let set = world.opt_out(list(rows), "set.crm").await.unwrap();
    assert_eq!(set.invalid_rows().unwrap(), 3);
    let results = results(&set);
    let lines: Vec<_> = results.lines().collect();
    assert!(lines[1].starts_with("12 Main,,x,failed,phone: contains letters"));
    assert!(lines[3].starts_with(",,z,failed,has neither a number nor an address,"));
    assert!(lines[4].starts_with("213-555-0177,,,planned,"), "{}", lines[4]);
    assert_eq!(page(&set).matches("Left out, since the row is wrong").count(), 3);

    for (rows, told) in [
        ("who,street\nDana,12 Main St\n", "the first line is neither"),
        ("address\n12 Main St\n", "is not an e-mail address"),
        ("213-555-0177,dana@site.example\n", "name the columns"),
        (
            "phone,name\n213-555-0177,\"Dana\n213-555-0178,Bob\n",
            "line 2: a quoted cell that begins here is never closed",
        ),
        (
            "phone,name\n213-555-0177,\"Dana\n213-555-0178,\"Bob\"\n",
            "line 2: the row is broken: text follows the closing quote of a cell, on line 3",
        ),
    ] {
        let plan = OptOut::new(world.site.clone(), world.snapshot().await);
        let planned = plan.plan(&world.service, list(rows), world.path("no.crm"));
        let error = planned.await.unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
}

#[tokio::test]
async fn a_cell_that_is_not_utf8_is_told_not_kept_otherwise() {
    let world = world(Seed::Demo).await;
    for (rows, told) in [
        (
            &b"phone,name\n2135550177,Jos\xe9\n"[..],
            "line 2: the row is broken: cell 2 is not UTF-8 text",
        ),
        (b"2135550177,Jos\xe9\n", "line 1: the row is broken: cell 2 is not UTF-8 text"),
        (b"phone,pr\xe9nom\n2135550177,Jo\n", "list: the header: cell 2 is not UTF-8 text"),
    ] {
        let list = Input::csv("list", std::io::Cursor::new(rows.to_vec()));
        let plan = OptOut::new(world.site.clone(), world.snapshot().await);
        let planned = plan.plan(&world.service, list, world.path("no.crm"));
        let error = planned.await.unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
}

/// Gives lists of contact methods one by one, if they are to be in a fixed order.
struct OneByOne(std::sync::Arc<dyn Transport>);

#[async_trait]
impl Transport for OneByOne {
    async fn send(&self, mut request: Request) -> Result<Response, TransportError> {
        let target = request.uri().to_string();
        if target.contains("/contacts/contact-methods?") && target.contains("sort=%2BId") {
            *request.uri_mut() = target.replace("pageSize=5000", "pageSize=1").parse().unwrap();
        }
        self.0.send(request).await
    }
}

#[tokio::test]
async fn all_contact_methods_are_listed_in_one_order_before_anything_else_is_read() {
    let mut world = world(Seed::Demo).await;
    let one_by_one = OneByOne(world.service.transport().clone());
    world.service = Service::new(std::sync::Arc::new(one_by_one), world.site.tenant());
    // A snapshot of contacts alone.
    let mut snapshot = Snapshot::open_or_create(world.path("contacts"), &world.site).unwrap();
    snapshot.update_contacts(&world.service, &world.site, |_| {}).await.unwrap();
    world.sandbox.clear_log();
    let plan = OptOut::new(world.site.clone(), snapshot);
    plan.plan(&world.service, list("2135550177"), world.path("set.crm")).await.unwrap();
    assert_eq!(states(&world.path("set.crm")), [State::Planned; 9]);
    let log = world.sandbox.log();
    let at = |operation: &str| -> Vec<usize> {
        let entries = log.iter().enumerate();
        let entries = entries.filter(|(_, entry)| entry.operation == operation);
        entries.map(|(at, _)| at).collect()
    };
    let pages = at("Contacts_SearchContactMethods");
    let preferences = at("ContactPreferences_GetContactMethodPreferences");
    assert!(pages.len() > 2 && preferences.len() == 2, "{log:?}");
    assert!(pages.last() < preferences.first(), "{log:?}");
}

#[tokio::test]
async fn contact_methods_are_found_in_the_mirror_and_only_their_preferences_read() {
    let world = world(Seed::Demo).await;
    let snapshot = world.snapshot().await;
    world.sandbox.clear_log();
    let plan = OptOut::new(world.site.clone(), snapshot);
    plan.plan(&world.service, list("2135550177"), world.path("set.crm")).await.unwrap();
    assert_eq!(states(&world.path("set.crm")), [State::Planned; 9]);
    let log = world.sandbox.log();
    let operations: Vec<_> = log.iter().map(|entry| entry.operation.as_str()).collect();
    let expected = [
        "Contacts_GetPreferenceMetadataList",
        "ContactPreferences_GetContactMethodPreferences",
        "ContactPreferences_GetContactMethodPreferences",
    ];
    assert_eq!(operations, expected);
    // What a mirror knows of people from an earlier update is not enough: here is one more method.
    let person =
        crm_sandbox::NewPerson::new().method(crm_sandbox::NewMethod::new("Phone", "2135550177"));
    world.sandbox.add_person(person).unwrap();
    let mut snapshot = Snapshot::open(world.path("snapshot")).unwrap();
    snapshot.update_contacts(&world.service, &world.site, |_| {}).await.unwrap();
    let plan = OptOut::new(world.site.clone(), snapshot);
    plan.plan(&world.service, list("2135550177"), world.path("more.crm")).await.unwrap();
    assert_eq!(states(&world.path("more.crm")), [State::Planned; 10]);
}

#[tokio::test]
async fn a_contact_method_that_is_deleted_while_the_plan_is_made_is_left_out() {
    let world = world(Seed::Demo).await;
    let gone = FaultRule::new(Fault::Status { status: 404 });
    let gone = gone.operation("ContactPreferences_GetContactMethodPreferences");
    world.sandbox.inject(FaultPlan::new().rule(gone.nth(1)));
    world.opt_out(list("2135550177"), "set.crm").await.unwrap();
    assert_eq!(states(&world.path("set.crm")), [State::Planned; 8]);
}

#[tokio::test]
async fn a_first_line_that_holds_a_value_is_no_header() {
    let world = world(Seed::Demo).await;
    for (rows, found) in [("213-555-0177 x7\n", 9), ("jo@company.email\n", 0)] {
        let name = format!("{found}.crm");
        let set = world.opt_out(list(rows), &name).await.unwrap();
        assert_eq!(states(&world.path(&name)).len(), found);
        let results = results(&set);
        assert_eq!(results.lines().count(), 2, "{results}");
        assert!(results.lines().nth(1).unwrap().starts_with(rows.trim()));
    }
}

#[tokio::test]
async fn a_value_in_a_column_that_is_not_read_is_told() {
    let world = world(Seed::Demo).await;
    let rows = "Email,Contact,Customer Number,Reason\n\
                x@y.example,(213) 555-0177,8185550142,call 818-555-0142\n\
                x@y.example,,8185550142,818-555-0142\n";
    let set = world.opt_out(list(rows), "csv.crm").await.unwrap();
    assert_eq!(set.invalid_rows().unwrap(), 1);
    let results = results(&set);
    assert!(results.contains("Contact: may be meant too"), "{results}");
    assert!(results.contains("rename the column"), "{results}");

    let rows = "{\"email\": \"x@y.example\", \"phones\": [\"2135550177\"]}\n\
                {\"email\": \"x@y.example\", \"contact\": \"213-555-0177\"}\n\
                {\"email\": \"x@y.example\", \"mobileNo\": 2135550177}\n";
    let rows = Input::ndjson("list", std::io::Cursor::new(rows));
    let set = world.opt_out(rows, "ndjson.crm").await.unwrap();
    assert_eq!(set.invalid_rows().unwrap(), 2);
    assert_eq!(states(&world.path("ndjson.crm")), [State::Planned; 9]);
}

#[tokio::test]
async fn a_repeated_line_has_the_outcome_of_the_change_that_covers_it() {
    let world = world(Seed::Demo).await;
    let contact = world.location_contact(2001, 3001);
    let rows = format!("phone\n{0}\n+1 {0}\n", contact.value);
    let set = world.opt_out(list(&rows), "set.crm").await.unwrap();
    let location = world.service.location(2001.try_into().unwrap());
    let memo = crm_models::UpdateContactRequest::new().memo("changed meanwhile");
    location.send(3001.try_into().unwrap(), memo).await.unwrap();
    world.apply(Apply::new(set)).await.unwrap();
    let set = ChangeSet::open(world.path("set.crm")).unwrap();
    let results = results(&set);
    let outcomes: Vec<_> = results.lines().skip(1).map(|line| line.contains(",drifted,")).collect();
    assert_eq!(outcomes, [true, true], "{results}");
    let page = page(&set);
    let (_, attention) = page.split_once("Needs attention").unwrap();
    assert_eq!(attention.matches("somebody has changed it").count(), 2, "{attention}");
}

#[tokio::test]
async fn an_extension_hides_no_number() {
    let world = world(Seed::Demo).await;
    world.sandbox.set("phone-values", "verbatim").unwrap();
    let request = crm_models::CreateContactRequest::new(
        crm_models::ContactType::Phone,
        "(818) 555-0999 ext. 7",
    );
    let location = world.service.location(2001.try_into().unwrap());
    location.create(request).await.unwrap();
    world.opt_out(list("8185550999"), "set.crm").await.unwrap();
    assert_eq!(states(&world.path("set.crm")).len(), 1);
}

#[tokio::test]
async fn text_messages_are_spoken_of_whether_numbers_are_found_or_not() {
    let world = world(Seed::Demo).await;
    let set = world.opt_out(list("8005550000"), "out.crm").await.unwrap();
    let notes = set.info().unwrap().notes.join("");
    assert!(notes.contains("Block the numbers"), "{notes}");
    let plan = OptOut::new(world.site.clone(), world.snapshot().await).opt_in();
    plan.plan(&world.service, list("2135550177"), world.path("in.crm")).await.unwrap();
    let set = ChangeSet::open(world.path("in.crm")).unwrap();
    let notes = set.info().unwrap().notes.join("");
    assert!(notes.contains("Allow the numbers") && !notes.contains("Block"), "{notes}");
    let mails = world.opt_out(list("x@y.example"), "mail.crm").await.unwrap();
    let notes = mails.info().unwrap().notes.join("");
    assert!(!notes.contains("Text messages"), "{notes}");
}

#[tokio::test]
async fn both_sides_are_read_in_one_way_and_what_cannot_be_read_is_named() {
    let world = world(Seed::Demo).await;
    world.sandbox.set("phone-values", "verbatim").unwrap();
    let location = world.service.location(2001.try_into().unwrap());
    let create = async |kind: &str, value: &str| {
        let request = crm_models::CreateContactRequest::new(kind.into(), value);
        location.create(request).await.unwrap().id
    };
    let same = [
        create("Phone", "+44 (0)20 7946 0958").await,
        create("Phone", "442079460958").await,
        create("Fax", "011 44 20 7946 0958").await,
        create("Email", "ada@bücher.example").await,
    ];
    let near = [create("Phone", "Desk 442079460958").await, create("Phone", "020 7946 0958").await];
    let rows = "value\n0044 20 7946 0958\nada@xn--bcher-kva.example\n949-555-0100\n";
    let set = world.opt_out(list(rows), "set.crm").await.unwrap();
    let changed: Vec<_> =
        changes(&world.path("set.crm")).iter().map(|change| change.target.to_string()).collect();
    for contact in same {
        let contact = format!("contact {contact}");
        assert!(changed.iter().any(|target| target.ends_with(&contact)), "{changed:?}");
    }
    assert_eq!(changed.len(), same.len());
    assert_eq!(set.unmatched_rows().unwrap(), 1);
    let notes = set.info().unwrap().notes.join("\n");
    let results = results(&set);
    for contact in near {
        assert!(notes.contains(&format!("contact {contact}")), "{notes}");
        assert!(results.contains(&format!("contact {contact}")), "{results}");
    }
}

#[tokio::test]
async fn a_row_found_nowhere_needs_attention_only_if_a_record_may_be_meant() {
    let world = world(Seed::Demo).await;
    world.sandbox.set("phone-values", "verbatim").unwrap();
    let location = world.service.location(2001.try_into().unwrap());
    let request = crm_models::CreateContactRequest::new("Phone".into(), "Desk 442079460958");
    location.create(request).await.unwrap();
    let rows = "value\n0044 20 7946 0958\n949-555-0100\n";
    let set = world.opt_out(list(rows), "set.crm").await.unwrap();
    assert_eq!(set.unmatched_rows().unwrap(), 2);
    let page = page(&set);
    let (_, attention) = page.split_once("Needs attention").unwrap();
    let (attention, _) = attention.split_once("Found nowhere").unwrap();
    assert!(attention.contains("0044 20 7946 0958"), "{attention}");
    assert!(!attention.contains("949-555-0100"), "{attention}");
}

#[tokio::test]
async fn keys_are_made_anew_for_another_region() {
    let world = world(Seed::Demo).await;
    let location = world.service.location(2001.try_into().unwrap());
    let request = crm_models::CreateContactRequest::new("Phone".into(), "02079460958");
    location.create(request).await.unwrap();
    world.snapshot().await;
    for (region, found) in [("US", 0), ("GB", 1), ("US", 0)] {
        let snapshot = Snapshot::open(world.path("snapshot")).unwrap();
        let out = world.path(&format!("{region}{found}.crm"));
        let _ = std::fs::remove_file(&out);
        OptOut::new(world.site.clone(), snapshot)
            .numbers(PhoneReader::new(region.parse().unwrap()))
            .plan(&world.service, list("+44 20 7946 0958\n"), &out)
            .await
            .unwrap();
        assert_eq!(changes(&out).len(), found, "{region}");
    }
}

/// After the second preference is set the machine sleeps, and meanwhile the method gets another
/// number.
struct Sleeps {
    inner: std::sync::Arc<dyn Transport>,
    set: std::sync::Mutex<Vec<String>>,
}

#[async_trait]
impl Transport for Sleeps {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let path = request.uri().path().to_owned();
        let response = self.inner.send(request).await?;
        let Some((method, _)) = path.split_once("/preferences/") else {
            return Ok(response);
        };
        let set = {
            let mut set = self.set.lock().unwrap();
            set.push(method.to_owned());
            set.len()
        };
        if set == 2 {
            let mut edit = Request::new(r#"{"value":"8185550100"}"#.into());
            *edit.method_mut() = "PATCH".parse().unwrap();
            *edit.uri_mut() = method.parse().unwrap();
            let json = "application/json".parse().unwrap();
            edit.headers_mut().insert("content-type", json);
            let edited = self.inner.send(edit).await.unwrap();
            assert!(edited.status().is_success(), "{edited:?}");
            pretend_suspended(std::time::Duration::from_secs(10));
        }
        Ok(response)
    }
}

#[tokio::test]
async fn the_preferences_of_a_method_are_set_on_a_reading_of_two_seconds_at_most() {
    let mut world = world(Seed::Demo).await;
    let set = OptOut::new(world.site.clone(), world.snapshot().await).every_flag();
    let path = world.path("set.crm");
    let input = list("phone\n(213) 555-0177\n");
    set.plan(&world.service, input, &path).await.unwrap();

    let sleeps = std::sync::Arc::new(Sleeps {
        inner: std::sync::Arc::clone(world.service.transport()),
        set: std::sync::Mutex::default(),
    });
    let transport: std::sync::Arc<dyn Transport> = sleeps.clone();
    world.service = crm_contacts::ContactsService::new(transport, world.site.tenant());
    let apply = Apply::new(ChangeSet::open(&path).unwrap());
    let one = apply.concurrency(std::num::NonZeroUsize::MIN);
    world.apply(one).await.unwrap();
    let people = changes(&path);
    let people = people.iter().filter(|change| change.target.kind() == "person");
    let states: Vec<_> = people.map(|change| change.outcome.state).collect();
    let drifted = states.iter().filter(|state| **state == State::Drifted);
    assert_eq!(drifted.count(), 1, "{states:?}");
    let set = sleeps.set.lock().unwrap();
    assert_eq!(set.iter().filter(|method| **method == set[0]).count(), 2, "{set:?}");
}

#[tokio::test]
async fn the_word_of_a_row_goes_before_the_command() {
    let world = world(Seed::Demo).await;
    for (at, (rows, found)) in [
        ("phone,status\n2135550177,opt-out\n", true),
        ("phone,status\n2135550177,opt-in\n", false),
        ("phone,status\n2135550177,SUBSCRIBED\n", false),
        ("phone,DND\n2135550177,No\n", false),
        ("phone,DND\n2135550177,Yes\n", true),
        ("phone,Opted Out\n2135550177,no\n", false),
        ("phone,Unsubscribed\n2135550177,FALSE\n", false),
        ("phone,Consent\n2135550177,yes\n", false),
        ("phone,Consent\n2135550177,no\n", true),
        ("phone,permission,why\n2135550177,granted,likes us\n", false),
        ("phone,permission,why\n2135550177,denied,has enough\n", true),
        ("phone,status\n2135550177,never subscribed\n", false),
        ("phone,email,HasOptedOutOfEmail\n2135550177,nobody@nowhere.example,true\n", false),
        ("phone,Has Mobile,Verified Email\n2135550177,yes,no\n", true),
        ("phone,SMS status\n2135550177,Subscribed\n8185559999,Unsubscribed\n", false),
        ("phone,Type\n2135550177,optin\n", false),
        ("phone,Consent withdrawn\n2135550177,yes\n", true),
        ("phone,Newsletter\n2135550177,yes\n", false),
        ("phone,Blocked\n2135550177,TRUE\n", true),
        ("phone,Opted Out\n2135550177,✓\n", true),
        ("phone,fax,HasOptedOutOfFax,DoNotCall\n2135550177,8185559999,1,0\n", false),
        ("phone,fax,HasOptedOutOfFax,DoNotCall\n2135550177,8185559999,0,1\n", true),
        ("phone,email,E-mail Display Name,Keywords\n2135550177,a@nowhere.example,a@nowhere.example,\n", true),
        ("phone,UNSUB_CAMPAIGN_ID\n2135550177,12\n", true),
        ("phone\n'2135550177\n", true),
        ("phone\n'+12135550177\n", true),
        ("phone,status,received\n2135550177,out,2026-06-05 09:00\n2135550177,in,2026-06-05 17:00\n", false),
        ("phone,status,received\n2135550177,out,2026-06-05\n2135550177,in,2026-06-05 17:00\n", true),
        ("phone,status,received\n2135550177,out,2026-01-05\n+12135550177,in,2026-06-05\n", false),
        ("phone,status,received\n2135550177,in,2026-01-05\n+12135550177,out,2026-06-05\n", true),
        ("phone,status\n2135550177,in\n+12135550177,out\n", true),
        ("created_at,from,to,keyword,messaging_profile_id\n2026-11-20,8185550142,2135550177,STOP,p\n", true),
        ("created_at,from,to,keyword,messaging_profile_id\n2026-11-20,2135550177,9495550100,STOP,p\n", false),
        ("contact_id,sender_id,status,date_of_consent\n+12135550177,+18185550142,opt-out,2026-11-20\n", true),
        ("Phone Number,OptOut_Date\n2135550177,20261120T111244\n", true),
        ("name;phone;note\nAda;2135550177;a, b\n", true),
        ("id\tphone\n1\t2135550177\n", true),
        ("Phone 1 - Value,Phone 1 - Type\n2135550177,Mobile\n", true),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("{at}.crm");
        let set = world.opt_out(list(rows), &name).await.unwrap();
        assert_eq!(set.invalid_rows().unwrap(), 0, "{rows}");
        let changes = changes(&world.path(&name)).len();
        assert_eq!(changes == 9, found, "{changes}: {rows}");
        assert!(changes == 0 || changes == 9, "{changes}: {rows}");
    }
    for rows in [
        "phone,status\n2135550177,active\n",
        "phone,DND\n2135550177,✗\n",
        "phone,DND,Consent\n2135550177,yes,yes\n",
        "phone,reason\n2135550177,subscribed\n",
        "phone,received\n2135550177,2026-11-20 10:00 CET\n",
        "phone,received\n2135550177,03/11/2026\n8185550142,04/10/2026\n",
        "phone,received\n2135550177,2226-11-20\n",
        "phone,opted\n2135550177,maybe\n",
        "phone,allowed\n2135550177,yes\n",
        "phone,opted out,opted back in\n2135550177,yes,yes\n",
        "phone,opted out,resubscribed date\n2135550177,yes,2026-05-01\n",
        "phone,opted out,opt-out cancelled\n2135550177,yes,yes\n",
        "phone,opted out,notes\n2135550177,yes,opted back in 5/1\n",
        "phone,removed from dnc\n2135550177,2026-05-01\n",
        "phone,deleted\n2135550177,yes\n",
        "phone,expires\n2135550177,2026-01-05\n",
        "email,sms opt out\nada@site.example,(213) 555-0177\n",
    ] {
        let set = world.opt_out(list(rows), "wrong.crm").await.unwrap();
        assert!(set.invalid_rows().unwrap() > 0, "{rows}");
        assert_eq!(changes(&world.path("wrong.crm")).len(), 0, "{rows}");
        std::fs::remove_file(world.path("wrong.crm")).unwrap();
    }
}

#[tokio::test]
async fn several_lists_in_one_file_are_refused() {
    let world = world(Seed::Demo).await;
    for rows in [
        "phone\nOPT OUT\n2135550177\n\nOPT IN\n8185550142\n",
        "phone,name\n2135550177,Ada\nOpted in:,\n8185550142,Bo\n",
        "email\nada@site.example\n--- resubscribed ---\nbo@site.example\n",
        "phone,opted out\n2135550177,yes\n\nphone,opted in\n8185550142,yes\n",
    ] {
        let plan = OptOut::new(world.site.clone(), world.snapshot().await);
        let planned = plan.plan(&world.service, list(rows), world.path("set.crm")).await;
        let told = planned.unwrap_err().to_string();
        assert!(told.contains("of its own") || told.contains("each list into a file"), "{told}");
    }
    // A header on each page, an empty name of a wish among statuses and a sum are none.
    for rows in [
        "phone,status\n2135550177,opted out\nphone,status\n8185550142,opted in\n",
        "status,phone\nopted out,2135550177\nopted in,\n",
        "phone,status\n2135550177,opted out\nTotal opted out: 1,\n",
    ] {
        let plan = OptOut::new(world.site.clone(), world.snapshot().await).skip_invalid();
        let planned = plan.plan(&world.service, list(rows), world.path("set.crm")).await;
        assert!(planned.is_ok(), "{rows}: {:?}", planned.err().map(|e| e.to_string()));
        std::fs::remove_file(world.path("set.crm")).unwrap();
    }
}

#[tokio::test]
async fn an_opt_in_turns_no_row_round_and_a_name_that_contradicts_is_refused() {
    let world = world(Seed::Demo).await;
    world.snapshot().await;
    let plan = async |name: &str, rows: &'static str, on: bool| {
        let snapshot = Snapshot::open(world.path("snapshot")).unwrap();
        let mut plan = OptOut::new(world.site.clone(), snapshot);
        if on {
            plan = plan.opt_in();
        }
        let out = world.path("out.crm");
        let list = Input::csv(name, rows.as_bytes());
        let planned = plan.plan(&world.service, list, &out).await;
        let _ = std::fs::remove_file(out);
        planned
    };
    let out = "phone,status\n2135550177,UNSUBSCRIBED\n";
    assert!(matches!(plan("list", out, true).await, Err(BulkError::InvalidRows(_))));
    assert!(plan("list", out, false).await.is_ok());
    let rows = "Email Address\nada@site.example\n";
    for (name, on, refused) in [
        ("subscribed_members.csv", false, true),
        ("cleaned_members.csv", false, true),
        ("Copy of Subscribed members.csv", false, true),
        ("nonsubscribed_members.csv", false, true),
        ("unsubscribed_members.csv", false, false),
        ("unsubscribed_members.csv", true, true),
        ("subscribed_members.csv", true, false),
    ] {
        assert_eq!(plan(name, rows, on).await.is_err(), refused, "{name} {on}");
    }
}

#[tokio::test]
async fn a_column_that_the_user_names_and_the_list_does_not_have_is_told() {
    let world = world(Seed::Demo).await;
    let plan = OptOut::new(world.site.clone(), world.snapshot().await);
    let plan = plan.map([(MappedRole::Status, "wish".to_owned())]);
    let input = list("phone,wishes\n2135550177,opt-in\n");
    let planned = plan.plan(&world.service, input, world.path("set.crm")).await;
    let told = planned.unwrap_err().to_string();
    assert!(told.contains("no column `wish`"), "{told}");
}

#[tokio::test]
async fn what_is_not_read_and_who_is_left_alone_is_told() {
    let world = world(Seed::Demo).await;
    let rows = "phone,colour,postal opt out,email marketing consent\n2135550177,green,yes,no\n";
    let set = world.opt_out(list(rows), "elsewhere.crm").await.unwrap();
    let notes = set.info().unwrap().notes;
    for told in [
        "columns that are not read: colour",
        "of another channel than the numbers and addresses, so it counts for nothing: \
         postal opt out, email marketing consent",
    ] {
        assert!(notes.iter().any(|note| note == told), "{notes:?}");
    }
    let outcome = |set: &ChangeSet| {
        let mut out = Vec::new();
        set.results(ResultRows::All, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let told = outcome(&set);
    assert!(told.contains(",left-alone,"), "{told}");
    assert!(
        told.contains("`email marketing consent` is about e-mail, and this is a number"),
        "{told}"
    );
    let rows = "phone,consent\n2135550177,yes\n";
    let told = outcome(&world.opt_out(list(rows), "in.crm").await.unwrap());
    assert!(told.contains(",left-alone,\"says opted in, so it is not opted out\""), "{told}");
}
