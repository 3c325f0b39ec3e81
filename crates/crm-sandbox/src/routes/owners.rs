//! Customers and locations themselves, which are only read: the same operations twice.

use std::{borrow::Cow, marker::PhantomData};

use http::Method;
use rusqlite::Connection;
use serde::Serialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use super::{
    exports::{self, Feed, Place},
    list::{self, CREATED, MODIFIED, PAGING, Page, SORT, SORTS, filter_times, truth},
};
use crate::{
    contact_type::digits,
    operation::{API_USER, Call, Operation, Reply},
    parameter::{Kind, Parameter},
    path::Path,
    problem::Problem,
    settings::{PhoneFilter, Settings},
    store::{
        contacts::{Customer, Location},
        owners::{self, More, StoredAddress, StoredOwner},
        select::Select,
    },
    time_text,
};

/// A kind of owner, and what the contract says differently about them.
pub(super) trait Contract: More {
    /// The paths of one of them, of all, and of the export feed.
    const ONE: Path<i64>;
    const ALL: Path<()>;
    const FEED: Path<()>;
    /// The beginning of the operation ids, and the whole id of the export feed.
    const TAG: &'static str;
    const FEED_ID: &'static str;
    /// The letter of the tokens of the export feed.
    const LETTER: char;
    /// The filter that only this kind has.
    const OWN_FILTER: Parameter;
    /// What is answered, and the name of its schema in an export feed.
    type Answer: Serialize + ToSchema;
    const EXPORTED: &'static str;

    fn filter(
        select: Select<StoredOwner<Self::More>>,
        call: &Call<'_>,
    ) -> Result<Select<StoredOwner<Self::More>>, Problem>;

    fn answer(owner: StoredOwner<Self::More>) -> Self::Answer;
}

/// How many ids a list takes.
const MOST_IDS: u32 = 50;

/// The filters by a whole text, and the columns that they compare.
const TEXTS: [(Parameter, &str); 6] = [
    (Parameter::new("street", Kind::Text), "fold(street) = fold(?)"),
    (Parameter::new("unit", Kind::Text), "fold(unit) = fold(?)"),
    (Parameter::new("city", Kind::Text), "fold(city) = fold(?)"),
    (Parameter::new("state", Kind::Text), "fold(state) = fold(?)"),
    (Parameter::new("zip", Kind::Text), "fold(zip) = fold(?)"),
    (Parameter::new("country", Kind::Text), "fold(country) = fold(?)"),
];

const FILTERS: [Parameter; 3] = [
    Parameter::new("ids", Kind::Text),
    Parameter::new("name", Kind::Text),
    Parameter::new("active", Kind::Text),
];

pub(super) fn operations<O: Contract>() -> Vec<Operation> {
    let id = |name| format!("{}_{name}", O::TAG);
    vec![
        Operation::new(Method::GET, &id("Get"), O::ONE, get::<O>)
            .answer::<O::Answer>()
            .refusals(&[400, 404]),
        Operation::new(Method::GET, &id("GetList"), O::ALL, list::<O>)
            .query(&PAGING)
            .query(&FILTERS)
            .query(&TEXTS.map(|(parameter, _)| parameter))
            .query(&[O::OWN_FILTER, SORT])
            .query(&CREATED)
            .query(&MODIFIED)
            .answer::<Page<O::Answer>>(),
        exports::operation::<Owners<O>>(),
    ]
}

fn get<O: Contract>(call: &Call<'_>, id: i64) -> Result<Reply, Problem> {
    match owners::find::<O>(call.db, id)? {
        Some(owner) => Reply::json(&O::answer(owner)),
        None => Err(Problem::not_found(format!("There is no {} {id}", O::NOUN))),
    }
}

fn list<O: Contract>(call: &Call<'_>, (): ()) -> Result<Reply, Problem> {
    let query = call.query;
    let text = |name| query.text(name).map(str::to_owned);
    let paging = call.paging()?;
    let select = filter_times(owners::select::<O>(), call)?
        .among("id", query.ids("ids", MOST_IDS)?)
        .filter("instr(fold(name), fold(?)) > 0", text("name"))
        .filter("active = ?", truth(call, "active", Some(true))?);
    let select = TEXTS.iter().fold(select, |select, (parameter, condition)| {
        select.filter(condition, text(parameter.name))
    });
    let select = O::filter(select, call)?.sorted(query.sort(&SORTS)?);
    list::page(call, paging, select, O::answer)
}

/// The export feed of owners of one kind.
pub(super) struct Owners<O>(PhantomData<O>);

impl<O: Contract> Feed for Owners<O> {
    const ID: &'static str = O::FEED_ID;
    const PATH: Path<()> = O::FEED;
    const LETTER: char = O::LETTER;
    const ORDER: &'static [&'static str] = &["modified_on", "id"];
    type Record = StoredOwner<O::More>;
    type Answer = O::Answer;
    type Schema = Exported<O>;

    fn select() -> Select<Self::Record> {
        owners::select::<O>()
    }

    fn place(owner: &Self::Record) -> Place {
        Place { modified_on: owner.modified_on.clone(), id: owner.id, owner: 0 }
    }

    fn at(db: &Connection, place: &Place) -> rusqlite::Result<Option<Self::Record>> {
        owners::find::<O>(db, place.id)
    }

    fn answer(owner: Self::Record, _: &Settings) -> O::Answer {
        O::answer(owner)
    }
}

/// The schema of an owner in an export feed: that of the list under another name.
pub(super) struct Exported<O>(PhantomData<O>);

impl<O: Contract> ToSchema for Exported<O> {
    fn name() -> Cow<'static, str> {
        O::EXPORTED.into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        O::Answer::schemas(schemas);
    }
}

impl<O: Contract> PartialSchema for Exported<O> {
    fn schema() -> RefOr<Schema> {
        O::Answer::schema()
    }
}

impl Contract for Customer {
    const ONE: Path<i64> = Path::new("/customers/{id}");
    const ALL: Path<()> = Path::new("/customers");
    const FEED: Path<()> = Path::new("/export/customers");
    const TAG: &'static str = "Customers";
    const FEED_ID: &'static str = "ExportCustomers_GetCustomers";
    const LETTER: char = 'C';
    const OWN_FILTER: Parameter = Parameter::new("phone", Kind::Text);
    type Answer = CustomerResponse;
    const EXPORTED: &'static str = "ExportCustomerResponse";

    /// Keeps the customers with a contact that has the number. How the real service compares is not
    /// documented.
    fn filter(
        select: Select<StoredOwner<Self::More>>,
        call: &Call<'_>,
    ) -> Result<Select<StoredOwner<Self::More>>, Problem> {
        let Some(number) = call.query.text("phone") else {
            return Ok(select);
        };
        let (number, is_same) = match call.settings.phone_filter {
            PhoneFilter::Exact => (number.to_owned(), "value = ?"),
            PhoneFilter::Digits => (digits(number), "digits(value) = ?"),
        };
        let condition = format!(
            "id IN (SELECT owner_id FROM customer_contacts
                    WHERE active AND type <> 'Email' AND {is_same})"
        );
        Ok(select.joined(&condition, number))
    }

    fn answer(customer: StoredOwner<Self::More>) -> CustomerResponse {
        CustomerResponse {
            id: customer.id,
            active: customer.active,
            name: customer.name,
            r#type: customer.more.customer_type,
            address: customer.address.into(),
            custom_fields: custom_fields(customer.id),
            // No table holds what the contract requires beside names and addresses.
            balance: (customer.id % 8) as f64 * 12.5,
            tax_exempt: false,
            tag_type_ids: Vec::new(),
            do_not_mail: customer.more.do_not_mail,
            do_not_service: customer.more.do_not_service,
            national_account: false,
            created_on: time_text::wire(&customer.created_on),
            created_by_id: API_USER,
            modified_on: time_text::wire(&customer.modified_on),
            merged_to_id: customer.merged_to_id,
            payment_term_id: None,
            credit_limit: None,
            credit_limit_balance: None,
            external_data: external_data(customer.id),
        }
    }
}

impl Contract for Location {
    const ONE: Path<i64> = Path::new("/locations/{id}");
    const ALL: Path<()> = Path::new("/locations");
    const FEED: Path<()> = Path::new("/export/locations");
    const TAG: &'static str = "Locations";
    const FEED_ID: &'static str = "ExportLocations_Locations";
    const LETTER: char = 'L';
    const OWN_FILTER: Parameter = Parameter::new("customerId", Kind::Int64);
    type Answer = LocationResponse;
    const EXPORTED: &'static str = "ExportLocationsResponse";

    fn filter(
        select: Select<StoredOwner<Self::More>>,
        call: &Call<'_>,
    ) -> Result<Select<StoredOwner<Self::More>>, Problem> {
        Ok(select.filter("customer_id = ?", call.query.get::<i64>("customerId")?))
    }

    fn answer(location: StoredOwner<Self::More>) -> LocationResponse {
        LocationResponse {
            id: location.id,
            customer_id: location.more.customer_id,
            active: location.active,
            name: location.name,
            address: location.address.into(),
            custom_fields: custom_fields(location.id),
            created_on: time_text::wire(&location.created_on),
            created_by_id: API_USER,
            modified_on: time_text::wire(&location.modified_on),
            merged_to_id: location.merged_to_id,
            zone_id: None,
            tax_zone_id: None,
            tax_exempt: false,
            tag_type_ids: Vec::new(),
            external_data: external_data(location.id),
        }
    }
}

/// A customer as the API answers it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CustomerResponse {
    id: i64,
    active: bool,
    name: String,
    #[schema(value_type = CustomerType)]
    r#type: String,
    address: CustomerAddress,
    custom_fields: Vec<CustomField>,
    balance: f64,
    tax_exempt: bool,
    tag_type_ids: Vec<i64>,
    do_not_mail: bool,
    do_not_service: bool,
    national_account: bool,
    #[schema(format = DateTime)]
    created_on: String,
    created_by_id: i64,
    #[schema(format = DateTime)]
    modified_on: String,
    merged_to_id: Option<i64>,
    payment_term_id: Option<i64>,
    credit_limit: Option<f64>,
    credit_limit_balance: Option<f64>,
    external_data: Vec<ExternalData>,
}

/// A location as the API answers it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LocationResponse {
    id: i64,
    customer_id: i64,
    active: bool,
    name: String,
    address: CustomerAddress,
    custom_fields: Vec<CustomField>,
    #[schema(format = DateTime)]
    created_on: String,
    created_by_id: i64,
    #[schema(format = DateTime)]
    modified_on: String,
    merged_to_id: Option<i64>,
    zone_id: Option<i64>,
    tax_zone_id: Option<i64>,
    tax_exempt: bool,
    tag_type_ids: Vec<i64>,
    external_data: Vec<ExternalData>,
}

/// The address of a customer or a location.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CustomerAddress {
    street: String,
    unit: Option<String>,
    city: String,
    state: String,
    zip: String,
    country: String,
    latitude: Option<f64>,
    longitude: Option<f64>,
}

impl From<StoredAddress> for CustomerAddress {
    fn from(address: StoredAddress) -> Self {
        let StoredAddress { street, unit, city, state, zip, country, latitude, longitude } =
            address;
        Self { street, unit, city, state, zip, country, latitude, longitude }
    }
}

/// The kinds of customers, for the schema: the store may hold any text.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the store has texts")]
enum CustomerType {
    Residential,
    Commercial,
}

/// A field that a tenant has defined.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CustomField {
    type_id: i64,
    name: &'static str,
    value: &'static str,
}

fn custom_fields(id: i64) -> Vec<CustomField> {
    let route = CustomField { type_id: 71, name: "Route", value: "North" };
    (id % 3 == 0).then_some(route).into_iter().collect()
}

/// What another system keeps with a record.
#[derive(Serialize, ToSchema)]
struct ExternalData {
    key: &'static str,
    value: String,
}

fn external_data(id: i64) -> Vec<ExternalData> {
    let number = ExternalData { key: "erp", value: format!("N-{id}") };
    (id % 4 == 0).then_some(number).into_iter().collect()
}
