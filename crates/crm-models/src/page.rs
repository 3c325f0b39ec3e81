//! Pages of lists.

use serde::{Deserialize, Serialize};
use validator::{Validate, ValidationErrors};

use crate::{unreadable::UnreadableRecord, validation::Rules};

/// `PaginatedResponse`: one page of a list.
///
/// ```
/// use crm_models::{Contact, Page};
///
/// let page: Page<Contact> =
///     serde_json::from_str(r#"{"page": 1, "pageSize": 50, "hasMore": false, "data": []}"#)?;
/// assert!(page.data.is_empty() && page.total_count.is_none());
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// As the answer in a test of code that reads pages:
///
/// ```
/// use crm_models::{Contact, ContactId, ContactType, Page};
///
/// let modified_on = "2026-05-27T16:04:11Z".parse()?;
/// let id = ContactId::new(71204)?;
/// let contact = Contact::new(id, ContactType::MobilePhone, "8185550142", modified_on);
/// let last = Page::new(2, 50, false, vec![contact]);
/// assert!(!last.has_more && last.total_count.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Page<T> {
    /// The number of this page, from 1.
    pub page: i32,
    /// How many items a page may hold.
    pub page_size: i32,
    /// Whether there are items after this page.
    pub has_more: bool,
    /// The number of all items, if it was asked for.
    pub total_count: Option<i32>,
    /// The items.
    pub data: Vec<T>,
    /// The items that were set aside because they are not what the contract says. They are not on
    /// the wire.
    #[serde(skip)]
    pub unreadable: Vec<UnreadableRecord>,
}

impl<T> Page<T> {
    /// Creates a page without the total.
    #[must_use]
    pub fn new(page: i32, page_size: i32, has_more: bool, data: Vec<T>) -> Self {
        Self { page, page_size, has_more, total_count: None, data, unreadable: Vec::new() }
    }
}

/// The number and the size of the page to ask for. What is not set is not sent.
///
/// ```
/// use crm_models::{Check, PageQuery};
///
/// let query = PageQuery::new().page(3).page_size(200);
/// assert_eq!(serde_json::to_string(&query)?, r#"{"page":3,"pageSize":200}"#);
/// assert!(PageQuery::new().page(0).check().is_err(), "the first page is page 1");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[must_use]
pub struct PageQuery {
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    page_size: Option<i32>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    include_total: bool,
}

impl PageQuery {
    /// Asks for the first page, as large as the service chooses: 50 items.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the number of the page, from 1.
    pub fn page(mut self, page: i32) -> Self {
        self.page = Some(page);
        self
    }

    /// Returns the number of the page, if one is set.
    #[must_use]
    pub fn get_page(&self) -> Option<i32> {
        self.page
    }

    /// Sets how many items a page may hold: 1 to 5000.
    pub fn page_size(mut self, items: i32) -> Self {
        self.page_size = Some(items);
        self
    }

    /// Sets whether to count all items, for [`Page::total_count`].
    pub fn include_total(mut self, include: bool) -> Self {
        self.include_total = include;
        self
    }
}

impl Validate for PageQuery {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut rules = Rules::default();
        if self.page.is_some_and(|page| page < 1) {
            rules.breach("page", "range", "must be 1 or more");
        }
        if self.page_size.is_some_and(|items| !(1..=5_000).contains(&items)) {
            rules.breach("pageSize", "range", "must be 1 to 5000");
        }
        rules.finish()
    }
}
