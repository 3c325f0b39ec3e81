//! Records of one's own, added to a sandbox that runs.

use std::{error::Error, fmt::Display};

use rusqlite::Connection;
use uuid::Uuid;

use crate::{
    error::SandboxError,
    flags::StoredPreferences,
    operation::API_USER,
    sandbox::Sandbox,
    store::{
        bookings,
        contacts::{self, Customer, Location, Owner},
        methods::StoredMethod,
        people::StoredPerson,
        record::GuidRecord,
        relationships::{EntityType, Relationship},
    },
    time_text,
};

/// The error of a record that cannot be added.
type BoxError = Box<dyn Error + Send + Sync>;

/// A contact to be added by [`Sandbox::add_contact`]. Its type and value are stored as they stand,
/// whatever the settings ask of requests, so that a test can have what a client must live with.
///
/// ```
/// use crm_sandbox::{NewContact, StoredPreferences};
///
/// let mut flags = StoredPreferences::all(true);
/// flags.marketing_updates = false;
/// let contact = NewContact::of_location(78, "MobilePhone", "8185550142")
///     .memo("Gate code 4411")
///     .preferences(flags);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct NewContact {
    owner: ContactOf,
    id: Option<i64>,
    contact_type: String,
    value: String,
    memo: Option<String>,
    preferences: Option<StoredPreferences>,
    do_not_text: bool,
    deleted: bool,
    created_on: Option<String>,
    modified_on: Option<String>,
}

/// Whose contact it is.
#[derive(Debug, Clone, Copy)]
enum ContactOf {
    Location(i64),
    Customer(i64),
    Booking(i64),
}

impl NewContact {
    /// Describes a contact of a location.
    pub fn of_location(
        location: i64,
        contact_type: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        Self::new(ContactOf::Location(location), contact_type.into(), value.into())
    }

    /// Describes a contact of a customer.
    pub fn of_customer(
        customer: i64,
        contact_type: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        Self::new(ContactOf::Customer(customer), contact_type.into(), value.into())
    }

    /// Describes a contact of a booking, which has neither preferences nor a time of creation.
    pub fn of_booking(
        booking: i64,
        contact_type: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        Self::new(ContactOf::Booking(booking), contact_type.into(), value.into())
    }

    fn new(owner: ContactOf, contact_type: String, value: String) -> Self {
        Self {
            owner,
            id: None,
            contact_type,
            value,
            memo: None,
            preferences: None,
            do_not_text: false,
            deleted: false,
            created_on: None,
            modified_on: None,
        }
    }

    /// Sets the id. Default: the next free one.
    pub fn id(mut self, id: i64) -> Self {
        self.id = Some(id);
        self
    }

    /// Sets the memo.
    pub fn memo(mut self, memo: impl Into<String>) -> Self {
        self.memo = Some(memo.into());
        self
    }

    /// Sets what the contact receives. Default: unknown.
    pub fn preferences(mut self, flags: StoredPreferences) -> Self {
        self.preferences = Some(flags);
        self
    }

    /// Makes the number one that opted out of text messages, for every contact that has it.
    pub fn do_not_text(mut self) -> Self {
        self.do_not_text = true;
        self
    }

    /// Makes the contact a deleted one: only the export feed still shows it.
    pub fn deleted(mut self) -> Self {
        self.deleted = true;
        self
    }

    /// Sets the time of creation, in RFC 3339; the year 1 means unknown. Default: now, by the
    /// sandbox's clock.
    pub fn created_on(mut self, time: impl Into<String>) -> Self {
        self.created_on = Some(time.into());
        self
    }

    /// Sets the time of the last change, in RFC 3339. Default: now, by the sandbox's clock.
    pub fn modified_on(mut self, time: impl Into<String>) -> Self {
        self.modified_on = Some(time.into());
        self
    }

    fn store(&self, db: &Connection, now: &str) -> Result<i64, BoxError> {
        if self.do_not_text {
            contacts::opt_out(db, &self.value)?;
        }
        match self.owner {
            ContactOf::Location(owner) => self.store_on::<Location>(db, owner, now),
            ContactOf::Customer(owner) => self.store_on::<Customer>(db, owner, now),
            ContactOf::Booking(booking) => self.store_on_booking(db, booking, now),
        }
    }

    fn store_on<O: Owner>(&self, db: &Connection, owner: i64, now: &str) -> Result<i64, BoxError> {
        must_exist(db, O::NOUN, O::COLLECTION, owner)?;
        let created_on = time(self.created_on.as_deref(), now)?;
        let memo = self.memo.as_deref();
        let (kind, value) = (&self.contact_type, &self.value);
        let id = contacts::insert::<O>(db, owner, self.id, kind, value, memo, &created_on)?;
        let mut contact = contacts::find::<O>(db, owner, id)?.ok_or("it was not stored")?;
        contact.preferences = self.preferences;
        contact.active = !self.deleted;
        contact.modified_on = time(self.modified_on.as_deref(), now)?;
        contacts::update::<O>(db, &contact)?;
        Ok(id)
    }

    fn store_on_booking(&self, db: &Connection, booking: i64, now: &str) -> Result<i64, BoxError> {
        if self.preferences.is_some() || self.created_on.is_some() {
            return Err("contacts of bookings have neither preferences nor a creation time".into());
        }
        must_exist(db, "booking", "bookings", booking)?;
        let memo = self.memo.as_deref();
        let modified_on = time(self.modified_on.as_deref(), now)?;
        let (kind, value) = (&self.contact_type, &self.value);
        let contact = bookings::insert(db, booking, self.id, kind, value, memo, &modified_on)?;
        if self.deleted {
            bookings::delete(db, booking, contact.id)?;
        }
        Ok(contact.id)
    }
}

/// A person to be added by [`Sandbox::add_person`], with their contact methods and relationships.
///
/// ```
/// use crm_sandbox::{NewMethod, NewPerson};
///
/// let person = NewPerson::new()
///     .name("Dana Whitfield")
///     .method(NewMethod::new("Email", "dana@site.example").memo("Work"))
///     .related_to("customer", 77);
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct NewPerson {
    id: Option<String>,
    name: Option<String>,
    title: Option<String>,
    reference_id: Option<String>,
    is_archived: bool,
    methods: Vec<NewMethod>,
    related_to: Vec<(String, i64)>,
}

impl NewPerson {
    /// Describes a person without name, title and reference.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the id, a GUID. Default: a new one.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets the name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the title.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Sets the id in another system.
    pub fn reference_id(mut self, id: impl Into<String>) -> Self {
        self.reference_id = Some(id.into());
        self
    }

    /// Makes the person an archived one.
    pub fn archived(mut self) -> Self {
        self.is_archived = true;
        self
    }

    /// Adds a number or address.
    pub fn method(mut self, method: NewMethod) -> Self {
        self.methods.push(method);
        self
    }

    /// Adds a relationship to a `customer`, a `location` or a `booking`.
    pub fn related_to(mut self, kind: impl Into<String>, id: i64) -> Self {
        self.related_to.push((kind.into(), id));
        self
    }

    fn store(self, db: &Connection, now: &str) -> Result<String, BoxError> {
        let id = free::<StoredPerson>(db, self.id)?;
        let person = StoredPerson {
            id: id.clone(),
            reference_id: self.reference_id,
            name: self.name,
            title: self.title,
            is_archived: self.is_archived,
            created_on: now.to_owned(),
            created_by: API_USER,
            modified_on: now.to_owned(),
            modified_by: API_USER,
        };
        person.save(db)?;
        for method in self.methods {
            method.store(db, &id, now)?;
        }
        for (slug, entity) in self.related_to {
            let kind = EntityType::find(&slug)
                .ok_or("people are related to a `customer`, a `location` or a `booking`")?;
            must_exist(db, kind.slug, kind.table, entity)?;
            let relationship = Relationship {
                id: Uuid::new_v4().to_string(),
                person_id: id.clone(),
                related_entity_id: entity,
                type_slug: slug,
                created_on: now.to_owned(),
                created_by: API_USER,
            };
            relationship.insert(db)?;
        }
        Ok(id)
    }
}

/// A contact method of a [`NewPerson`].
#[derive(Debug, Clone)]
#[must_use]
pub struct NewMethod {
    id: Option<String>,
    reference_id: Option<String>,
    contact_type: String,
    value: String,
    memo: Option<String>,
}

impl NewMethod {
    /// Describes a number or address without reference and memo.
    pub fn new(contact_type: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            id: None,
            reference_id: None,
            contact_type: contact_type.into(),
            value: value.into(),
            memo: None,
        }
    }

    /// Sets the id, a GUID. Default: a new one.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets the id in another system.
    pub fn reference_id(mut self, id: impl Into<String>) -> Self {
        self.reference_id = Some(id.into());
        self
    }

    /// Sets the memo.
    pub fn memo(mut self, memo: impl Into<String>) -> Self {
        self.memo = Some(memo.into());
        self
    }

    fn store(self, db: &Connection, person: &str, now: &str) -> Result<(), BoxError> {
        let method = StoredMethod {
            id: free::<StoredMethod>(db, self.id)?,
            person_id: person.to_owned(),
            reference_id: self.reference_id,
            contact_type: self.contact_type,
            value: self.value,
            memo: self.memo,
            created_on: now.to_owned(),
            created_by: API_USER,
            modified_on: now.to_owned(),
            modified_by: API_USER,
        };
        Ok(method.save(db)?)
    }
}

/// Records of one's own, for the first tenant. They count as changes of this moment: export feeds
/// show them, and a list that is being read may change.
impl Sandbox {
    /// Adds a customer.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// use crm_sandbox::{NewContact, Sandbox, Seed};
    ///
    /// let sandbox = Sandbox::builder().seed(Seed::Empty).start().await?;
    /// sandbox.add_customer(77, "Harbor Bakery")?;
    /// sandbox.add_location(78, 77, "Pier 4")?;
    /// let email = NewContact::of_location(78, "Email", "ada@harborbakery.example");
    /// let id = sandbox.add_contact(email)?;
    /// assert_eq!(sandbox.location_contacts()?[0].id, id);
    /// # Ok::<(), crm_sandbox::SandboxError>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`SandboxError::NotAdded`] when the id is taken.
    pub fn add_customer(&self, id: i64, name: &str) -> Result<(), SandboxError> {
        let sql = "INSERT INTO customers (id, name) VALUES (?, ?)";
        self.add(format_args!("customer {id}"), |db, _| {
            db.execute(sql, (id, name))?;
            Ok(())
        })
    }

    /// Adds a location of a customer.
    ///
    /// # Errors
    ///
    /// Returns [`SandboxError::NotAdded`] when the id is taken or there is no such customer.
    pub fn add_location(&self, id: i64, customer: i64, name: &str) -> Result<(), SandboxError> {
        let sql = "INSERT INTO locations (id, customer_id, name) VALUES (?, ?, ?)";
        self.add(format_args!("location {id}"), |db, _| {
            must_exist(db, "customer", "customers", customer)?;
            db.execute(sql, (id, customer, name))?;
            Ok(())
        })
    }

    /// Adds a booking of a booking provider.
    ///
    /// # Errors
    ///
    /// Returns [`SandboxError::NotAdded`] when the id is taken.
    pub fn add_booking(&self, id: i64, provider: i64) -> Result<(), SandboxError> {
        let sql = "INSERT INTO bookings (id, provider_id) VALUES (?, ?)";
        self.add(format_args!("booking {id}"), |db, _| {
            db.execute(sql, (id, provider))?;
            Ok(())
        })
    }

    /// Adds a contact of a location, a customer or a booking, and returns its id.
    ///
    /// # Errors
    ///
    /// Returns [`SandboxError::NotAdded`] when the owner does not exist, its id is taken on the
    /// owner, or a time cannot be read.
    pub fn add_contact(&self, contact: NewContact) -> Result<i64, SandboxError> {
        let record = match contact.owner {
            ContactOf::Location(id) => format!("a contact to location {id}"),
            ContactOf::Customer(id) => format!("a contact to customer {id}"),
            ContactOf::Booking(id) => format!("a contact to booking {id}"),
        };
        self.add(record, |db, now| contact.store(db, now))
    }

    /// Adds a person with their contact methods and relationships, and returns the person's id.
    ///
    /// # Errors
    ///
    /// Returns [`SandboxError::NotAdded`] when an id is taken or no GUID, or the person is related
    /// to something that does not exist.
    pub fn add_person(&self, person: NewPerson) -> Result<String, SandboxError> {
        self.add("a person", |db, now| person.store(db, now))
    }

    fn add<T>(
        &self,
        record: impl Display,
        add: impl FnOnce(&Connection, &str) -> Result<T, BoxError>,
    ) -> Result<T, SandboxError> {
        let now = time_text::from_ticks(self.clock().stamp());
        self.first_tenant().store.add(record, |db| add(db, &now))
    }
}

fn must_exist(db: &Connection, noun: &str, table: &str, id: i64) -> Result<(), BoxError> {
    if contacts::exists(db, table, id)? {
        Ok(())
    } else {
        Err(format!("there is no {noun} {id}: add it first").into())
    }
}

/// Reads a time as the store keeps it.
fn time(given: Option<&str>, now: &str) -> Result<String, BoxError> {
    let Some(given) = given else {
        return Ok(now.to_owned());
    };
    let stored = time_text::from_rfc3339(given);
    stored.ok_or_else(|| format!("{given:?} is not a time like 2026-05-27T16:04:11Z").into())
}

/// Returns the GUID that a record is given, or a new one.
fn free<R: GuidRecord>(db: &Connection, given: Option<String>) -> Result<String, BoxError> {
    let Some(given) = given else {
        return Ok(Uuid::new_v4().to_string());
    };
    let id = given.parse::<Uuid>().map_err(|_| format!("{given:?} is not a GUID"))?;
    if R::exists(db, id)? { Err(format!("{id} is taken").into()) } else { Ok(id.to_string()) }
}
