//! What an app may read: a cheap call for each scope.

use crm_transport::Transport;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{error::ContactsError, service::ContactsService, spec::Spec};

/// A part of the API that has scopes of its own.
///
/// ```
/// use crm_contacts::Area;
///
/// assert_eq!(Area::Bookings.read_scope(), "tn.crm.bookings:r");
/// assert_eq!(Area::Bookings.write_scope(), "tn.crm.bookings:w");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Area {
    /// Locations and their contacts.
    Locations,
    /// Customers and their contacts.
    Customers,
    /// People, their contact methods and relationships.
    Contacts,
    /// The contacts of bookings.
    Bookings,
}

impl Area {
    /// All areas.
    pub const ALL: [Self; 4] = [Self::Locations, Self::Customers, Self::Contacts, Self::Bookings];

    /// Returns the scope that reading takes.
    #[must_use]
    pub fn read_scope(self) -> &'static str {
        self.probe().scope
    }

    /// Returns the scope that writing takes.
    #[must_use]
    pub fn write_scope(self) -> &'static str {
        match self {
            Self::Locations => "tn.crm.locations:w",
            Self::Customers => "tn.crm.customers:w",
            Self::Contacts => "tn.crm.contacts:w",
            Self::Bookings => "tn.crm.bookings:w",
        }
    }

    /// A read that finds little or nothing, and still needs the scope.
    fn probe(self) -> Spec {
        let (path, scope) = match self {
            Self::Locations => (
                "/locations/contacts?modifiedOnOrAfter=9000-01-01T00:00:00Z&pageSize=1",
                "tn.crm.locations:r",
            ),
            Self::Customers => (
                "/customers/contacts?modifiedOnOrAfter=9000-01-01T00:00:00Z&pageSize=1",
                "tn.crm.customers:r",
            ),
            Self::Contacts => ("/contacts/preferences", "tn.crm.contacts:r"),
            Self::Bookings => ("/bookings/1/contacts?pageSize=1", "tn.crm.bookings:r"),
        };
        Spec::read("auth check", path, scope)
    }
}

/// What these reads answer. Whatever else a server answers does not show that it is the API.
#[derive(Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "whether they are records is all that counts")]
enum Answer {
    Page { data: Vec<Map<String, Value>> },
    List(Vec<Map<String, Value>>),
}

impl<T: Transport> ContactsService<T> {
    /// Checks with one call that reads little or nothing whether the app may read an area. Whether
    /// it may write there too, only its [token](crm_transport::Auth::token_info) tells, if it
    /// lists its scopes.
    ///
    /// ```
    /// # use crm_contacts::{ContactsService, transport::Transport};
    /// use crm_contacts::Area;
    ///
    /// # async fn example<T: Transport>(service: &ContactsService<T>) {
    /// for area in Area::ALL {
    ///     if let Err(error) = service.check_access(area).await {
    ///         println!("{}: {error}", area.read_scope());
    ///     }
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`ContactsError::Refused`] as [`Forbidden`](crate::RefusalKind::Forbidden) where the
    /// scope is missing, [`ContactsError::Unreadable`] for an answer that is not the API's, and
    /// otherwise the errors of [`raw`](Self::raw).
    pub async fn check_access(&self, area: Area) -> Result<(), ContactsError> {
        let read = area.probe().draft(self.tenant(), []).empty()?;
        match self.raw_json::<Answer>(read).await {
            // The booking that it names need not exist.
            Err(error) if area == Area::Bookings && is_missing_record(&error) => Ok(()),
            answer => answer.map(drop),
        }
    }
}

/// Whether the API itself says that there is no such record: a host that is not the API answers
/// 404 too, with a page or with nothing.
fn is_missing_record(error: &ContactsError) -> bool {
    error.is_not_found()
        && error.refusal().is_some_and(|refusal| {
            let problem = &refusal.problem;
            problem.problem_type.is_some() || problem.trace_id.is_some()
        })
}
