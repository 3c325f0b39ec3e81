//! A ledger in a folder of its own.

#![allow(dead_code, reason = "not every test uses all of it")]

use crm_consent::{ConsentError, Input, Ledger, List, ListOptions, Said, Sha, Wish};
use crm_mirror::Site;
use crm_models::TenantId;
use rusqlite::{Connection, params, types::ValueRef};
use tempfile::TempDir;

pub const SITE_URL: &str = "https://api.example.com";

pub fn site() -> Site {
    Site::new(TenantId::new(7).unwrap(), SITE_URL)
}

/// The ledger, which is begun if need be.
pub fn ledger(folder: &TempDir) -> Ledger {
    Ledger::open_or_create(folder.path().join("ledger.db"), &site()).unwrap()
}

/// The ledger, which has been begun.
pub fn begun(folder: &TempDir) -> Ledger {
    Ledger::open(folder.path().join("ledger.db"), &site()).unwrap()
}

/// A list from memory.
pub fn list(name: &str, text: &str) -> Result<List, ConsentError> {
    let input = Input::csv(name, std::io::Cursor::new(text.as_bytes().to_vec()));
    Ok(List::read(input, &ListOptions::new())?)
}

/// Somebody's wish to be left alone.
pub fn out(value: &str) -> Said {
    Said::new(value, Wish::Out)
}

/// Chains all records anew, as whoever can write the file can do.
pub fn rechain(folder: &TempDir) {
    let ledger = Connection::open(folder.path().join("ledger.db")).unwrap();
    let sql =
        "SELECT number, kind, at, by, subject, lower(hex(digest)), lower(hex(otherwise)), facts,
                   lower(hex(commitment))
               FROM records ORDER BY number";
    let mut statement = ledger.prepare(sql).unwrap();
    let records = statement.query_map([], |row| {
        let mut fields = vec![];
        for at in 1..9 {
            // Of what is absent SQLite writes no digits.
            let text = match row.get_ref(at)? {
                ValueRef::Integer(number) => Some(number.to_string()),
                ValueRef::Null => None,
                text => Some(text.as_str()?.to_owned()).filter(|text| !text.is_empty()),
            };
            fields.push(text);
        }
        Ok((row.get::<_, u64>(0)?, fields))
    });
    let (mut previous, mut count) = (hex::encode([0; 32]), 0);
    for record in records.unwrap() {
        let (number, fields) = record.unwrap();
        let all = [Some("crm-consent record 1".to_owned()), Some(previous.clone())];
        let text: String = all.into_iter().chain(fields).map(net).collect();
        let hash = Sha::of(text.as_bytes()).to_string();
        let sql = "UPDATE records SET previous = unhex(?), hash = unhex(?) WHERE number = ?";
        ledger.execute(sql, params![previous, hash, number]).unwrap();
        (previous, count) = (hash, number);
    }
    let sql = "UPDATE meta SET value = ? WHERE name = ?";
    ledger.execute(sql, params![count.to_string(), "head_count"]).unwrap();
    ledger.execute(sql, params![previous, "head_hash"]).unwrap();
}

/// A field as it is hashed.
fn net(field: Option<String>) -> String {
    field.map_or("~,".to_owned(), |field| format!("{}:{field},", field.len()))
}
