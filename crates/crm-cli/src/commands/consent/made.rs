//! Who made a document, when, and of which account it is.

use std::time::SystemTime;

use crm_bulk::{
    Site,
    page::{foreign, time},
    system_user,
};
use crm_models::Timestamp;
use maud::{Markup, html};
use serde::Serialize;

/// What each document for others begins with.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Made {
    pub(super) made_at: Timestamp,
    made_by: String,
    version: &'static str,
    pub(super) tenant: i64,
    server: String,
}

impl Made {
    pub(super) fn now(site: &Site) -> Self {
        Self {
            made_at: Timestamp::from(SystemTime::now()),
            made_by: system_user(),
            version: env!("CARGO_PKG_VERSION"),
            tenant: site.tenant().get(),
            server: site.environment().to_owned(),
        }
    }

    /// As entries of a list of terms.
    pub(super) fn markup(&self) -> Markup {
        html! {
            dt { "Tenant" } dd { (self.tenant) }
            dt { "Server" } dd { (foreign(&self.server)) }
            dt { "Page made" }
            dd { (time(self.made_at)) " by " (foreign(&self.made_by)) ", crm " (self.version) }
        }
    }
}
