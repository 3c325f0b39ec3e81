//! The request that makes a change, given the record as it is.

use crm_models::{
    Check, Contact, ContactChange, ContactMethod, InvalidInput, Person, PersonChange,
    PreferencesError, Tolerance, UpdateBookingContactRequest, UpdateContactMethodRequest,
    UpdateContactRequest, UpdatePersonRequest, UpdatedBookingContact,
};

use super::{
    difference::Difference,
    record::{Asks, Record},
};

/// A change that somebody wants of a record of one kind.
///
/// ```
/// use crm_contacts::{
///     RecordChange,
///     models::{
///         Contact, ContactChange, ContactPreferencesRequest, Preference, PreferenceChange,
///     },
/// };
///
/// let mut current: Contact = serde_json::from_str(r#"{
///     "id": 71204, "type": "MobilePhone", "value": "8185550142", "memo": "Gate 2",
///     "modifiedOn": "2026-05-27T16:04:11.4827193Z"
/// }"#)?;
/// let received = [Preference::JobReminders, Preference::MarketingUpdates];
/// current.preferences = Some(ContactPreferencesRequest::receiving(&received).into());
///
/// let change = ContactChange::new()
///     .value("(818) 555-0142")
///     .preferences(PreferenceChange::new().marketing_updates(false));
/// let request = change.plan(&current)?.expect("marketing differs");
/// assert_eq!(request.get_value(), None, "the same number, written otherwise");
/// let all = ContactPreferencesRequest::receiving(&[Preference::JobReminders]);
/// assert_eq!(request.get_preferences(), Some(&all));
///
/// let nothing = ContactChange::new().memo("Gate 2");
/// assert_eq!(nothing.plan(&current)?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait RecordChange: Check + Sized + Sync {
    /// The kind of record that it changes.
    type Record: Record;
    /// The kind of request that is sent.
    type Request: Asks<Record = Self::Record> + Send + Sync;

    /// Whether nothing changes.
    fn is_empty(&self) -> bool;

    /// Returns the change without what the record has already.
    #[must_use]
    fn without_unchanged(&self, current: &Self::Record) -> Self;

    /// Whether the change is valid for this record, with what the record keeps, apart from what is
    /// tolerated. What the record has already is not judged, since the service accepted it once.
    ///
    /// # Errors
    ///
    /// Returns every breach of a rule, at once.
    fn check_against(
        &self,
        current: &Self::Record,
        tolerance: Tolerance,
    ) -> Result<(), InvalidInput>;

    /// Returns the request that makes this change to the record, with every member that it names.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`plan`](Self::plan).
    fn request_for(&self, current: &Self::Record) -> Result<Self::Request, PreferencesError>;

    /// Returns the request that makes `current` what the change asks for, or `None` when it is
    /// already.
    ///
    /// Members that are equal already are left out, with values compared by
    /// [`ContactType::same_value`](crm_models::ContactType::same_value). So a number with letters,
    /// like `1-800-FLOWERS`, is sent each time to a service that keeps only digits. What the API
    /// takes only as a whole is completed: if any preference of a contact differs, all are sent
    /// that the service answered, and of a person all members are sent.
    ///
    /// # Errors
    ///
    /// Returns [`PreferencesError`] when the contact's preferences are not known and the change
    /// gives only some of them, or when it sets apart what the service knows as one.
    fn plan(&self, current: &Self::Record) -> Result<Option<Self::Request>, PreferencesError> {
        let change = self.without_unchanged(current);
        if change.is_empty() { Ok(None) } else { change.request_for(current).map(Some) }
    }

    /// Returns what the change would make of the record, member by member, or nothing where it
    /// cannot be made.
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
