//! Records that cannot be read are set aside, so that the others of their page can be used. A page
//! is read this way only after it failed as a whole, because it takes longer.

use crm_models::{ExportBatch, Page, TenantId, UnreadableRecord};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::{
    error::{CallSite, ContactsError, why_unreadable},
    operation::Operation,
};

/// Reads a page item by item.
pub(crate) fn page<T: DeserializeOwned>(json: &[u8]) -> Option<Page<T>> {
    let raw: Page<Box<RawValue>> = serde_json::from_slice(json).ok()?;
    let (data, unreadable) = each(&raw.data);
    let mut page = Page::new(raw.page, raw.page_size, raw.has_more, data);
    page.total_count = raw.total_count;
    page.unreadable = unreadable;
    Some(page)
}

/// Reads a batch record by record.
pub(crate) fn batch<T: DeserializeOwned>(json: &[u8]) -> Option<ExportBatch<T>> {
    let raw: ExportBatch<Box<RawValue>> = serde_json::from_slice(json).ok()?;
    let (data, unreadable) = each(&raw.data);
    Some(raw.with_records(data, unreadable))
}

fn each<T: DeserializeOwned>(records: &[Box<RawValue>]) -> (Vec<T>, Vec<UnreadableRecord>) {
    let mut data = Vec::with_capacity(records.len());
    let mut unreadable = Vec::new();
    for (index, record) in records.iter().enumerate() {
        match serde_json::from_str(record.get()) {
            Ok(read) => data.push(read),
            Err(_) => {
                let reason = why_unreadable::<T>(record.get().as_bytes());
                let reason = format!("record {index} of its page: {reason}");
                unreadable.push(UnreadableRecord::new(index, reason, record.get()));
            }
        }
    }
    (data, unreadable)
}

/// The number of records of a list that were set aside, and the first of them.
#[derive(Debug, Default)]
pub(crate) struct SetAside {
    count: usize,
    first: Option<UnreadableRecord>,
}

impl SetAside {
    pub(crate) fn of(unreadable: &[UnreadableRecord]) -> Self {
        let mut all = Self::default();
        all.add(unreadable);
        all
    }

    pub(crate) fn add<'a>(&mut self, unreadable: impl IntoIterator<Item = &'a UnreadableRecord>) {
        for record in unreadable {
            self.count += 1;
            self.first.get_or_insert_with(|| record.clone());
        }
    }

    /// Refuses a list from which records were set aside, since what was read is not all of it.
    pub(crate) fn is_none<O: Operation>(
        &self,
        operation: &O,
        tenant: TenantId,
    ) -> Result<(), ContactsError> {
        let Some(first) = &self.first else {
            return Ok(());
        };
        let what = match self.count {
            1 => first.reason.clone(),
            count => format!("{count} records of it, the first is {}", first.reason),
        };
        let site = CallSite::of(operation, tenant);
        Err(ContactsError::unreadable_records(site, what))
    }
}
