//! The database: seeds, files, copies.

mod common;

use common::Client;
use crm_sandbox::{Sandbox, SandboxError, Seed};

#[tokio::test]
async fn the_same_seed_gives_the_same_data() {
    for seed in [Seed::Demo, Seed::Count(40)] {
        let first = Sandbox::builder().seed(seed).start().await.unwrap();
        let second = Sandbox::builder().seed(seed).start().await.unwrap();
        assert_eq!(
            first.location_contacts().unwrap(),
            second.location_contacts().unwrap()
        );
        assert_eq!(
            first.customer_contacts().unwrap(),
            second.customer_contacts().unwrap()
        );
    }
}

#[tokio::test]
async fn a_counted_seed_has_that_many_location_contacts() {
    for count in [0, 1, 5, 1001] {
        let sandbox = Sandbox::builder()
            .seed(Seed::Count(count))
            .start()
            .await
            .unwrap();
        assert_eq!(sandbox.location_contacts().unwrap().len(), count as usize);
        assert_eq!(
            sandbox.customer_contacts().unwrap().len(),
            count.div_ceil(10) as usize
        );
    }
}

#[tokio::test]
async fn an_unknown_type_is_seeded_only_when_asked_for() {
    let types = async |setting: &str| {
        let builder = Sandbox::builder()
            .set("seed-unknown-type", setting)
            .unwrap();
        let sandbox = builder.start().await.unwrap();
        let contacts = sandbox.location_contacts().unwrap();
        contacts
            .iter()
            .filter(|contact| contact.contact_type == "Pager")
            .count()
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
    let people: i64 = copy
        .query_row("SELECT count(*) FROM people", [], |row| row.get(0))
        .unwrap();
    assert_eq!(people, 6);
    assert!(matches!(
        sandbox.copy_database(&file),
        Err(SandboxError::Database(_))
    ));
}

#[tokio::test]
async fn files_that_cannot_be_used_are_clear_errors() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "This is no database, it is a text of some length.").unwrap();
    let newer = folder.path().join("newer.db");
    rusqlite::Connection::open(&newer)
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let start =
        async |path: &std::path::Path| Sandbox::builder().data(path).start().await.unwrap_err();
    assert!(matches!(start(&text).await, SandboxError::Database(_)));
    assert!(matches!(
        start(&newer).await,
        SandboxError::Layout { found: 99, .. }
    ));
    assert!(matches!(
        start(&folder.path().join("no/such/folder.db")).await,
        SandboxError::Database(_)
    ));
}

#[tokio::test]
async fn each_tenant_has_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sandbox.db");
    let sandbox = Sandbox::builder()
        .data(&file)
        .more_tenants([1002])
        .start()
        .await
        .unwrap();
    assert_eq!(Client::new(&sandbox).await.get("/contacts").await.0, 200);
    sandbox.stop().await;
    assert!(file.exists() && folder.path().join("sandbox.1002.db").exists());
}
