//! A ledger in a folder of its own.

#![allow(dead_code, reason = "not every test uses all of it")]

use crm_consent::Ledger;
use crm_mirror::Site;
use crm_models::TenantId;
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
