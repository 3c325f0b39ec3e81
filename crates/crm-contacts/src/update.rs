//! Change only what differs, send preferences whole, compare the echo. Pure functions.

use std::fmt;

use crm_models::{
    Contact, ContactChange, ContactPreferences, ContactPreferencesRequest, PreferencesError,
    UpdateContactRequest,
};

/// One member of a contact with two values.
///
/// `field` is the API's name, for example `preferences.marketingUpdatesEnabled`; a value that
/// is absent or not known is `None`. [`Debug`] shows the member alone: the values may be personal
/// data.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// The member, in the API's words.
    pub field: &'static str,
    /// The value before, or as asked.
    pub before: Option<String>,
    /// The value after, or as answered.
    pub after: Option<String>,
}

impl fmt::Debug for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Difference")
            .field("field", &self.field)
            .finish_non_exhaustive()
    }
}

/// The request that makes `current` what `change` asks for; `None` when it is so already.
///
/// Members that are equal already are left out; values are compared as by
/// [`ContactType::same_value`](crm_models::ContactType::same_value). So a number of letters as in
/// `1-800-FLOWERS` is sent each time to a service that keeps digits alone. If any preference
/// differs, all flags are sent: five, or three to a service that answered three.
///
/// ```
/// use crm_contacts::{models::{Contact, ContactChange, PreferenceChange}, plan};
///
/// let current: Contact = serde_json::from_str(r#"{
///     "id": 71204, "type": "MobilePhone", "value": "8185550142", "memo": "Gate 2",
///     "modifiedOn": "2026-05-27T16:04:11.4827193Z",
///     "preferences": {"jobRemindersEnabled": true, "marketingUpdatesEnabled": true,
///         "invoiceStatementNotification": false, "invoiceNotification": true,
///         "statementNotification": false}
/// }"#)?;
///
/// let change = ContactChange::new()
///     .value("(818) 555-0142")
///     .preferences(PreferenceChange::new().marketing_updates(false));
/// let request = plan(&current, &change)?.expect("marketing differs");
/// assert_eq!(
///     serde_json::to_value(&request)?,
///     serde_json::json!({"preferences": {"jobRemindersEnabled": true,
///         "marketingUpdatesEnabled": false, "invoiceStatementNotification": false,
///         "invoiceNotification": true, "statementNotification": false}}),
/// );
///
/// let nothing = ContactChange::new().memo("Gate 2");
/// assert_eq!(plan(&current, &nothing)?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`PreferencesError`] when the contact's preferences are not known and the change gives
/// only some of them, or when it sets apart what the service knows as one.
pub fn plan(
    current: &Contact,
    change: &ContactChange,
) -> Result<Option<UpdateContactRequest>, PreferencesError> {
    let change = change.differs_from(current);
    if change.is_empty() {
        return Ok(None);
    }
    change.request_for(current).map(Some)
}

/// Where `answer` is not what `request` asked for. Values are compared as by
/// [`ContactType::same_value`](crm_models::ContactType::same_value), since the service may write
/// them in its own way. Of a number of letters, as in `1-800-FLOWERS`, the digits alone differ.
///
/// ```
/// use crm_contacts::{models::{Contact, UpdateContactRequest}, verify};
///
/// let answer: Contact = serde_json::from_str(r#"{
///     "id": 71204, "type": "MobilePhone", "value": "8185550142", "memo": "Gate 2",
///     "modifiedOn": "2026-05-27T16:04:11.4827193Z"
/// }"#)?;
/// let request = UpdateContactRequest::new().value("(818) 555-0142").memo("Gate 3");
/// let differing = verify(&request, &answer);
/// assert_eq!(differing.len(), 1);
/// assert_eq!(differing[0].field, "memo");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[must_use]
pub fn verify(request: &UpdateContactRequest, answer: &Contact) -> Vec<Difference> {
    let mut found = Differences::default();
    if let Some(asked) = request.get_contact_type() {
        found.compare(
            "type",
            Some(asked.as_str()),
            Some(answer.contact_type.as_str()),
        );
    }
    if let Some(asked) = request.get_value()
        && !answer.contact_type.same_value(asked, &answer.value)
    {
        found.compare("value", Some(asked), Some(&answer.value));
    }
    if let Some(asked) = request.get_memo() {
        found.compare("memo", given(asked), answer.memo.as_deref().and_then(given));
    }
    if let Some(asked) = request.get_preferences() {
        let answered = Flags::of(answer.preferences.as_ref());
        let asked = Flags::of_request(asked);
        // What was set apart is told apart only by a service that knows both.
        match asked.are_apart() && answered.are_three() {
            true => found.first_flags(Flags::NAMES.len(), asked, answered),
            false => found.flags(asked, answered),
        }
    }
    found.0
}

/// What changed between two states of a contact, member by member. The flags that a service of
/// three does not know do not count.
///
/// ```
/// use crm_contacts::{differences, models::Contact};
///
/// let before: Contact = serde_json::from_str(
///     r#"{"id": 1, "type": "Email", "value": "a@site.example", "modifiedOn": "2026-01-01T00:00:00Z"}"#,
/// )?;
/// let mut after = before.clone();
/// after.memo = Some("Office".to_owned());
///
/// let changed = differences(&before, &after);
/// assert_eq!(changed[0].field, "memo");
/// assert_eq!((changed[0].before.as_deref(), changed[0].after.as_deref()), (None, Some("Office")));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[must_use]
pub fn differences(before: &Contact, after: &Contact) -> Vec<Difference> {
    let mut found = Differences::default();
    found.compare(
        "type",
        Some(before.contact_type.as_str()),
        Some(after.contact_type.as_str()),
    );
    found.compare("value", Some(&before.value), Some(&after.value));
    found.compare("memo", before.memo.as_deref(), after.memo.as_deref());
    found.flags(
        Flags::of(before.preferences.as_ref()),
        Flags::of(after.preferences.as_ref()),
    );
    found.0
}

/// An empty memo and none are the same to the API.
fn given(memo: &str) -> Option<&str> {
    (!memo.is_empty()).then_some(memo)
}

/// The five flags in the contract's order; `None` is not known.
#[derive(Clone, Copy)]
struct Flags([Option<bool>; 5]);

impl Flags {
    const NAMES: [&str; 5] = [
        "preferences.jobRemindersEnabled",
        "preferences.marketingUpdatesEnabled",
        "preferences.invoiceStatementNotification",
        "preferences.invoiceNotification",
        "preferences.statementNotification",
    ];
    /// Where the flags begin that a service of three does not know.
    const APART: usize = 3;

    fn of(answered: Option<&ContactPreferences>) -> Self {
        let Some(answered) = answered else {
            return Self([None; 5]);
        };
        let apart = |flag: bool| (!answered.derived).then_some(flag);
        Self([
            Some(answered.job_reminders_enabled),
            Some(answered.marketing_updates_enabled),
            Some(answered.invoice_statement_notification),
            apart(answered.invoice_notification),
            apart(answered.statement_notification),
        ])
    }

    fn of_request(asked: &ContactPreferencesRequest) -> Self {
        let apart = |flag: bool| (!asked.is_of_three_flags()).then_some(flag);
        Self([
            Some(asked.job_reminders()),
            Some(asked.marketing_updates()),
            Some(asked.invoices_and_statements()),
            apart(asked.invoices()),
            apart(asked.statements()),
        ])
    }

    /// Whether they are of a service that knows three.
    fn are_three(self) -> bool {
        self.0[Self::APART - 1].is_some() && self.0[Self::APART..] == [None, None]
    }

    fn are_apart(self) -> bool {
        self.0[Self::APART] != self.0[Self::APART + 1]
    }
}

#[derive(Default)]
struct Differences(Vec<Difference>);

impl Differences {
    fn compare(&mut self, field: &'static str, before: Option<&str>, after: Option<&str>) {
        if before != after {
            self.0.push(Difference {
                field,
                before: before.map(str::to_owned),
                after: after.map(str::to_owned),
            });
        }
    }

    /// Where one of the two is of a service that knows three flags, these three alone.
    fn flags(&mut self, before: Flags, after: Flags) {
        let common = match before.are_three() || after.are_three() {
            true => Flags::APART,
            false => Flags::NAMES.len(),
        };
        self.first_flags(common, before, after);
    }

    fn first_flags(&mut self, count: usize, before: Flags, after: Flags) {
        let text = |flag: Option<bool>| flag.map(|on| if on { "true" } else { "false" });
        for (flag, field) in Flags::NAMES.into_iter().enumerate().take(count) {
            self.compare(field, text(before.0[flag]), text(after.0[flag]));
        }
    }
}
