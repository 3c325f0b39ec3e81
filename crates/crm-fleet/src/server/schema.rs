//! How the tables on the server came to be.

use deadpool_postgres::Object;

use crate::error::{FleetError, of_postgres};

/// The scripts that lead from each version to the next.
const MIGRATIONS: &[&str] = &[
    include_str!("v1.sql"),
    include_str!("v2.sql"),
    include_str!("v3.sql"),
    include_str!("v4.sql"),
    include_str!("v5.sql"),
    include_str!("v6.sql"),
    include_str!("v7.sql"),
    include_str!("v8.sql"),
];

/// Held while the tables are made: two workers that start at once make them once. In ASCII `CRMS`.
const LOCK: i64 = 0x4352_4D53;

/// Brings the tables to the current version, all steps or none. `server` is its name for people.
pub(super) async fn migrate(client: &mut Object, server: &str) -> Result<(), FleetError> {
    let known = i32::try_from(MIGRATIONS.len()).unwrap_or(i32::MAX);
    match bring_to(client, known).await {
        Ok(found) if found > known => {
            Err(FleetError::Newer { server: server.to_owned(), found, known })
        }
        Ok(_) => Ok(()),
        Err(error) => {
            let (server, reason) = (server.to_owned(), of_postgres(&error));
            Err(FleetError::Server { server, reason })
        }
    }
}

/// Does the steps that are missing up to this version, and returns the one that was found.
async fn bring_to(client: &mut Object, known: i32) -> Result<i32, tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    // Only the first program of all needs the right to create a schema.
    let is_there = "SELECT to_regclass('crm.version') IS NOT NULL";
    if !transaction.query_one(is_there, &[]).await?.try_get::<_, bool>(0)? {
        let begin = "CREATE SCHEMA IF NOT EXISTS crm;
            CREATE TABLE crm.version (version integer NOT NULL)";
        transaction.batch_execute(begin).await?;
    }
    let found = "SELECT coalesce(max(version), 0) FROM crm.version";
    let found: i32 = transaction.query_one(found, &[]).await?.try_get(0)?;
    if found < known {
        let done = usize::try_from(found).unwrap_or_default();
        for script in MIGRATIONS.iter().skip(done) {
            transaction.batch_execute(script).await?;
        }
        let keep = format!("DELETE FROM crm.version; INSERT INTO crm.version VALUES ({known})");
        transaction.batch_execute(&keep).await?;
    }
    transaction.commit().await?;
    Ok(found)
}
