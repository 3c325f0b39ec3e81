//! The database: seeds, files, copies.

mod common;

use common::Client;
use crm_sandbox::{Sandbox, SandboxError, Seed};
use serde_json::json;

#[tokio::test]
async fn the_same_seed_gives_the_same_data() {
    for seed in [Seed::Demo, Seed::Count(40)] {
        let first = Sandbox::builder().seed(seed).start().await.unwrap();
        let second = Sandbox::builder().seed(seed).start().await.unwrap();
        assert_eq!(first.location_contacts().unwrap(), second.location_contacts().unwrap());
        assert_eq!(first.customer_contacts().unwrap(), second.customer_contacts().unwrap());
    }
}

#[tokio::test]
async fn people_and_their_methods_can_be_looked_at_without_a_request() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::new(&sandbox).await;
    let (_, person) = client.post("/contacts", json!({"name": "Ada Quill"})).await;
    let id = person["id"].as_str().unwrap();
    let email = json!({"type": "Email", "value": "ada@harborbakery.example"});
    let (status, _) = client.post(&format!("/contacts/{id}/contact-methods"), email).await;
    assert_eq!(status, 200);

    let people = sandbox.people().unwrap();
    let stored = people.iter().find(|stored| stored.id == id).unwrap();
    assert_eq!(stored.name.as_deref(), Some("Ada Quill"));
    assert!(people.iter().any(|stored| stored.is_archived));
    assert!(people.is_sorted_by_key(|stored| &stored.id));
    let methods = sandbox.contact_methods().unwrap();
    let stored = methods.iter().find(|stored| stored.person_id == id).unwrap();
    assert_eq!(
        (stored.contact_type.as_str(), stored.value.as_str()),
        ("Email", "ada@harborbakery.example")
    );
}

#[tokio::test]
async fn a_counted_seed_has_that_many_location_contacts() {
    for count in [0, 1, 5, 1001] {
        let sandbox = Sandbox::builder().seed(Seed::Count(count)).start().await.unwrap();
        assert_eq!(sandbox.location_contacts().unwrap().len(), count as usize);
        assert_eq!(sandbox.customer_contacts().unwrap().len(), count.div_ceil(10) as usize);
    }
}

#[tokio::test]
async fn an_unknown_type_is_seeded_only_when_asked_for() {
    let types = async |setting: &str| {
        let builder = Sandbox::builder().set("seed-unknown-type", setting).unwrap();
        let sandbox = builder.start().await.unwrap();
        let contacts = sandbox.location_contacts().unwrap();
        contacts.iter().filter(|contact| contact.contact_type == "Pager").count()
    };
    assert_eq!((types("off").await, types("on").await), (0, 1));
}

#[tokio::test]
async fn a_copy_of_the_database_opens_in_any_sqlite_tool() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("copy.db");
    let sandbox = Sandbox::start().await.unwrap();
    sandbox.copy_database(&file).unwrap();
    let copy = rusqlite::Connection::open(&file).unwrap();
    let people: i64 = copy.query_row("SELECT count(*) FROM people", [], |row| row.get(0)).unwrap();
    assert_eq!(people, 6);

    let error = sandbox.copy_database(&file).unwrap_err();
    assert!(matches!(error, SandboxError::Exists { .. }), "{error}");
    assert!(error.to_string().contains("copy.db exists"), "{error}");
    let nowhere = folder.path().join("no/such/folder.db");
    let error = sandbox.copy_database(&nowhere).unwrap_err();
    let SandboxError::Database { file: named, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(named, Some(nowhere));
}

#[tokio::test]
async fn files_that_cannot_be_used_are_clear_errors() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "This is no database, it is a text of some length.").unwrap();
    let newer = folder.path().join("newer.db");
    let sandbox = Sandbox::builder().data(&newer).start().await.unwrap();
    sandbox.stop().await;
    rusqlite::Connection::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let start =
        async |path: &std::path::Path| Sandbox::builder().data(path).start().await.unwrap_err();
    assert!(matches!(start(&text).await, SandboxError::Database { .. }));
    assert!(matches!(start(&newer).await, SandboxError::Layout { found: 99, .. }));
    assert!(matches!(
        start(&folder.path().join("no/such/folder.db")).await,
        SandboxError::Database { .. }
    ));
}

#[tokio::test]
async fn errors_name_the_file_of_the_tenant_that_they_concern() {
    let folder = tempfile::tempdir().unwrap();
    let second = folder.path().join("sandbox.1002.db");
    let start = async || {
        let builder = Sandbox::builder().data(folder.path().join("sandbox.db"));
        builder.more_tenants([1002]).start().await
    };
    std::fs::write(&second, "This is no database, it is a text of some length.").unwrap();
    let error = start().await.unwrap_err().to_string();
    assert!(error.contains("sandbox.1002.db"), "{error}");

    std::fs::remove_file(&second).unwrap();
    start().await.unwrap().stop().await;
    rusqlite::Connection::open(&second).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = start().await.unwrap_err().to_string();
    assert!(error.contains("sandbox.1002.db has layout 99"), "{error}");
}

#[tokio::test]
async fn a_database_of_something_else_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    for (name, marks) in [
        ("notes.db", ""),
        ("version.db", "PRAGMA user_version = 1;"),
        ("set.db", "PRAGMA user_version = 1; PRAGMA application_id = 7;"),
    ] {
        let file = folder.path().join(name);
        rusqlite::Connection::open(&file)
            .unwrap()
            .execute_batch(&format!("{marks} CREATE TABLE notes (text TEXT)"))
            .unwrap();
        let before = std::fs::read(&file).unwrap();
        let error = Sandbox::builder().data(&file).start().await.unwrap_err();
        assert!(matches!(error, SandboxError::Foreign { .. }), "{error}");
        assert!(error.to_string().contains(name), "{error}");
        assert_eq!(std::fs::read(&file).unwrap(), before, "{name}");
    }
}

#[tokio::test]
async fn sql_of_ones_own_runs_once_after_the_seed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sandbox.db");
    for _ in 0..2 {
        let sandbox = Sandbox::builder()
            .data(&file)
            .sql(
                "-- A seeded customer gets one location more, a seeded location other contacts.
                 INSERT INTO locations (id, customer_id, name) VALUES (7, 1001, 'Pier; 4');
                 UPDATE location_contacts SET owner_id = 7 WHERE owner_id = 2001;
                 SELECT * FROM locations;",
            )
            .start()
            .await
            .unwrap();
        let client = Client::new(&sandbox).await;
        let (status, page) = client.get("/locations/7/contacts").await;
        assert_eq!((status, page["data"][0]["id"].as_i64()), (200, Some(3001)));
        sandbox.stop().await;
    }
}

#[tokio::test]
async fn sql_that_fails_is_named_and_leaves_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sandbox.db");
    let good = "INSERT INTO customers (id, name) VALUES (7, 'Harbor Bakery');";
    for (bad, reason) in [
        ("INSRT INTO customers VALUES (8, 'x');", "syntax error"),
        ("INSERT INTO customers (id, name) VALUES (7, 'x');", "customers.id"),
        ("INSERT INTO locations (id, customer_id, name) VALUES (1, 99, 'x');", "FOREIGN KEY"),
        ("BEGIN;", "transaction"),
    ] {
        let builder = Sandbox::builder().data(&file);
        let start = builder.sql(format!("{good}\n{bad}\n{good}")).start();
        let SandboxError::Sql { statement, source } = start.await.unwrap_err() else {
            panic!("{bad}");
        };
        assert_eq!(statement, 2, "{bad}");
        assert!(source.to_string().contains(reason), "{bad}: {source}");
    }
    let builder = Sandbox::builder().data(&file).sql(good);
    builder.start().await.unwrap();

    for end in ["COMMIT;", "ROLLBACK;"] {
        let start = Sandbox::builder().sql(format!("{good}\n{end}")).start();
        let error = start.await.unwrap_err();
        assert!(matches!(error, SandboxError::Sql { statement: 2, .. }), "{error}");
    }
}

#[tokio::test]
async fn changes_keep_their_order_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sandbox.db");
    let latest = async |memo: &str| {
        let sandbox = Sandbox::builder().data(&file).start().await.unwrap();
        let client = Client::new(&sandbox).await;
        let body = json!({"memo": memo});
        let path = "/locations/2001/contacts/3001";
        sandbox.clock().advance(match memo {
            "first" => std::time::Duration::from_secs(800),
            _ => std::time::Duration::ZERO,
        });
        let (status, contact) = client.patch(path, body).await;
        assert_eq!(status, 200, "{contact}");
        sandbox.stop().await;
        // Without the Z, which stands behind a fraction of any length, the order of texts is right.
        let modified = contact["modifiedOn"].as_str().unwrap();
        modified.trim_end_matches('Z').to_owned()
    };
    let first = latest("first").await;
    let second = latest("second").await;
    assert!(second > first, "{second} is not after {first}");
}

#[tokio::test]
async fn each_tenant_has_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sandbox.db");
    let sandbox = Sandbox::builder().data(&file).more_tenants([1002]).start().await.unwrap();
    assert_eq!(Client::new(&sandbox).await.get("/contacts").await.0, 200);
    sandbox.stop().await;
    assert!(file.exists() && folder.path().join("sandbox.1002.db").exists());
}
