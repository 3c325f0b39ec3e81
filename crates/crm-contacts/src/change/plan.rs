//! What a change comes to, given the record as it is.

use crm_models::{
    Check, Contact, ContactChange, ContactMethod, InvalidInput, Person, PersonChange,
    PreferencesError, Tolerance, UpdateBookingContactRequest, UpdateContactMethodRequest,
    UpdateContactRequest, UpdatePersonRequest, UpdatedBookingContact,
};

use super::{
    difference::Difference,
    record::{Asks, Record},
};

/// What somebody wants changed in a record.
///
/// ```
/// use crm_contacts::{
///     RecordChange, models::{Contact, ContactChange, ContactPreferencesRequest, PreferenceChange},
/// };
///
/// let mut current: Contact = serde_json::from_str(r#"{
///     "id": 71204, "type": "MobilePhone", "value": "8185550142", "memo": "Gate 2",
///     "modifiedOn": "2026-05-27T16:04:11.4827193Z"
/// }"#)?;
/// current.preferences = Some(ContactPreferencesRequest::new(true, true, true, false).into());
///
/// let change = ContactChange::new()
///     .value("(818) 555-0142")
///     .preferences(PreferenceChange::new().marketing_updates(false));
/// let request = change.plan(&current)?.expect("marketing differs");
/// assert_eq!(request.get_value(), None, "the same number, written otherwise");
/// let all = ContactPreferencesRequest::new(true, false, true, false);
/// assert_eq!(request.get_preferences(), Some(&all));
///
/// let nothing = ContactChange::new().memo("Gate 2");
/// assert_eq!(nothing.plan(&current)?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait RecordChange: Check + Sized + Sync {
    /// What it changes.
    type Record: Record;
    /// What is sent.
    type Request: Asks<Record = Self::Record> + Send + Sync;

    /// Whether nothing changes.
    fn is_empty(&self) -> bool;

    /// The change without what is so already.
    #[must_use]
    fn without_unchanged(&self, current: &Self::Record) -> Self;

    /// Whether the change is valid for this record, with what the record keeps, apart from what is
    /// tolerated. What is so already is not judged: the service took it once.
    ///
    /// # Errors
    ///
    /// Every breach of a rule, at once.
    fn check_against(
        &self,
        current: &Self::Record,
        tolerance: Tolerance,
    ) -> Result<(), InvalidInput>;

    /// The request that makes this change to the record, with all that it names.
    ///
    /// # Errors
    ///
    /// As [`plan`](Self::plan).
    fn request_for(&self, current: &Self::Record) -> Result<Self::Request, PreferencesError>;

    /// The request that makes `current` what the change asks for; `None` when it is so already.
    ///
    /// Members that are equal already are left out; values are compared as by
    /// [`ContactType::same_value`](crm_models::ContactType::same_value). So a number of letters as in
    /// `1-800-FLOWERS` is sent each time to a service that keeps digits alone. What goes only as a
    /// whole is completed: if any preference of a contact differs, all flags are sent, five, or
    /// three to a service that answered three; of a person all members are.
    ///
    /// # Errors
    ///
    /// [`PreferencesError`] when the contact's preferences are not known and the change gives
    /// only some of them, or when it sets apart what the service knows as one.
    fn plan(&self, current: &Self::Record) -> Result<Option<Self::Request>, PreferencesError> {
        let change = self.without_unchanged(current);
        if change.is_empty() { Ok(None) } else { change.request_for(current).map(Some) }
    }

    /// What the change would make of the record, member by member; nothing where it cannot be made.
    #[must_use]
    fn would_change(&self, current: &Self::Record) -> Vec<Difference> {
        // Compared with the request, the present state is the answer to it.
        let asked = match self.plan(current) {
            Ok(Some(request)) => request.unmet_by(current),
            _ => Vec::new(),
        };
        asked.into_iter().map(Difference::reversed).collect()
    }
}

macro_rules! changes {
    ($($change:ty: $record:ty => $request:ty, $check:expr, $request_for:expr;)*) => {$(
        impl RecordChange for $change {
            type Record = $record;
            type Request = $request;

            fn is_empty(&self) -> bool {
                self.is_empty()
            }

            fn without_unchanged(&self, current: &$record) -> Self {
                self.without_unchanged(current)
            }

            fn check_against(
                &self,
                current: &$record,
                tolerance: Tolerance,
            ) -> Result<(), InvalidInput> {
                ($check)(self, current, tolerance)
            }

            fn request_for(&self, current: &$record) -> Result<$request, PreferencesError> {
                ($request_for)(self, current)
            }
        }
    )*};
}

changes! {
    ContactChange: Contact => UpdateContactRequest, Self::check_against, Self::request_for;
    UpdateBookingContactRequest: UpdatedBookingContact => Self,
        Self::check_against, |update: &Self, _| Ok(update.clone());
    UpdateContactMethodRequest: ContactMethod => Self,
        Self::check_against, |update: &Self, _| Ok(update.clone());
    // A person has neither number nor address, so there is nothing to tolerate.
    PersonChange: Person => UpdatePersonRequest,
        |change: &Self, person, _| change.check_for(person),
        |change: &Self, person| Ok(change.to_request(person));
}
