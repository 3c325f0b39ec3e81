//! Exact requests out: each operation against the published contract, by hand.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::marker::PhantomData;

use crm_contacts::{Operation, operations::*};
use crm_models::*;
use crm_transport::Effect;

const PERSON: &str = "5b0f6c1e-8a42-4d0c-9e53-0c7a4f1b2d90";
const METHOD: &str = "0a7de2c4-5f18-4c39-b6d2-91e3f80c7b55";

/// Asserts the scope of an operation, and method, target below the tenant, and body of its request.
#[track_caller]
fn sends<O: Operation>(operation: &O, scope: &str, method: &str, target: &str, body: &str) {
    let request = operation.request(TenantId::new(1_001).unwrap()).unwrap();
    let spec = O::SPEC;
    assert_eq!(request.method(), method);
    assert_eq!(request.method(), spec.method);
    let expected = format!("/crm/v2/tenant/1001{target}");
    assert_eq!(request.uri().to_string(), expected, "{}", spec.id);
    assert_eq!(std::str::from_utf8(request.body()).unwrap(), body, "{}", spec.id);
    assert_eq!(
        request.headers().contains_key("content-type"),
        !body.is_empty(),
        "{}: a content type exactly with a body",
        spec.id
    );
    assert_eq!(request.headers()["accept"], "application/json", "{}", spec.id);
    let call = crm_transport::Call::of(&request);
    assert_eq!((call.operation, call.effect), (spec.id, spec.effect));
    assert_eq!(call.rate_limit_key, 1_001);
    assert_eq!(spec.scope, scope, "{}", spec.id);
    let writes = spec.effect != Effect::Read;
    assert_eq!(scope.ends_with(":w"), writes, "{}", spec.id);
}

fn location() -> LocationId {
    LocationId::new(55_021).unwrap()
}

fn customer() -> CustomerId {
    CustomerId::new(9_107).unwrap()
}

fn contact() -> ContactId {
    ContactId::new(71_204).unwrap()
}

fn person() -> PersonId {
    PERSON.parse().unwrap()
}

fn method() -> ContactMethodId {
    METHOD.parse().unwrap()
}

fn second_page() -> PageQuery {
    PageQuery::default().page(2).page_size(200)
}

#[test]
fn location_and_customer_contacts_are_requested_as_the_contract_has_them() {
    let create = || CreateContactRequest::new(ContactType::Phone, "8185550119").memo("Desk");
    let created = r#"{"type":"Phone","value":"8185550119","memo":"Desk"}"#;
    let preferences =
        ContactPreferencesRequest::receiving(&[Preference::JobReminders, Preference::Invoices]);
    let update = || UpdateContactRequest::new().memo("").preferences(preferences);
    let updated = concat!(
        r#"{"memo":"","preferences":{"jobRemindersEnabled":true,"marketingUpdatesEnabled":false,"#,
        r#""invoiceStatementNotification":false,"invoiceNotification":true,"#,
        r#""statementNotification":false}}"#
    );
    sends(
        &locations::GetContactList { owner: location(), page: second_page() },
        "tn.crm.locations:r",
        "GET",
        "/locations/55021/contacts?page=2&pageSize=200",
        "",
    );
    sends(
        &locations::CreateContact { owner: location(), contact: create() },
        "tn.crm.locations:w",
        "POST",
        "/locations/55021/contacts",
        created,
    );
    sends(
        &locations::UpdateContact { owner: location(), contact: contact(), update: update() },
        "tn.crm.locations:w",
        "PATCH",
        "/locations/55021/contacts/71204",
        updated,
    );
    sends(
        &locations::DeleteContact { owner: location(), contact: contact() },
        "tn.crm.locations:w",
        "DELETE",
        "/locations/55021/contacts/71204",
        "",
    );
    sends(
        &customers::GetContactList {
            owner: customer(),
            page: PageQuery::default().include_total(true),
        },
        "tn.crm.customers:r",
        "GET",
        "/customers/9107/contacts?includeTotal=true",
        "",
    );
    sends(
        &customers::CreateContact { owner: customer(), contact: create() },
        "tn.crm.customers:w",
        "POST",
        "/customers/9107/contacts",
        created,
    );
    sends(
        &customers::UpdateContact { owner: customer(), contact: contact(), update: update() },
        "tn.crm.customers:w",
        "PATCH",
        "/customers/9107/contacts/71204",
        updated,
    );
    sends(
        &customers::DeleteContact { owner: customer(), contact: contact() },
        "tn.crm.customers:w",
        "DELETE",
        "/customers/9107/contacts/71204",
        "",
    );
}

#[test]
fn lists_over_all_owners_and_exports_are_requested_as_the_contract_has_them() {
    let since: Timestamp = "2026-05-01T00:00:00Z".parse().unwrap();
    sends(
        &locations::GetLocationsContactsList {
            filter: ContactFilter::new()
                .owners([location(), LocationId::new(55_022).unwrap()])
                .modified_on_or_after(since),
            page: second_page(),
        },
        "tn.crm.locations:r",
        "GET",
        "/locations/contacts?modifiedOnOrAfter=2026-05-01T00%3A00%3A00Z\
         &locationIds=55021%2C55022&page=2&pageSize=200",
        "",
    );
    sends(
        &customers::GetModifiedContactsList {
            filter: ContactFilter::new().owners([customer()]),
            page: second_page(),
        },
        "tn.crm.customers:r",
        "GET",
        "/customers/contacts?customerIds=9107&page=2&pageSize=200",
        "",
    );
    let token = ContinuationToken::new("EXaMPLE+tok/3n=");
    sends(
        &locations::ExportContacts {
            query: ExportQuery::default()
                .from(ExportFrom::Token(token))
                .include_recent_changes(true),
            owner: Default::default(),
        },
        "tn.crm.locations:r",
        "GET",
        "/export/locations/contacts?from=EXaMPLE%2Btok%2F3n%3D&includeRecentChanges=true",
        "",
    );
    sends(
        &customers::ExportContacts { query: ExportQuery::default(), owner: Default::default() },
        "tn.crm.customers:r",
        "GET",
        "/export/customers/contacts",
        "",
    );
}

#[test]
fn locations_and_customers_themselves_are_requested_as_the_contract_has_them() {
    sends(&locations::Get { id: location() }, "tn.crm.locations:r", "GET", "/locations/55021", "");
    sends(
        &locations::GetList {
            filter: OwnerFilter::new()
                .ids([location(), LocationId::new(55_022).unwrap()])
                .active(Whether::Any),
            page: PageQuery::default(),
        },
        "tn.crm.locations:r",
        "GET",
        "/locations?ids=55021%2C55022&active=Any",
        "",
    );
    sends(
        &locations::GetList {
            filter: OwnerFilter::new().customer(customer()).sort(Sort::ascending(OwnerSort::Id)),
            page: second_page(),
        },
        "tn.crm.locations:r",
        "GET",
        "/locations?customerId=9107&sort=%2BId&page=2&pageSize=200",
        "",
    );
    sends(
        &locations::ExportLocations { query: ExportQuery::default(), owner: PhantomData },
        "tn.crm.locations:r",
        "GET",
        "/export/locations",
        "",
    );
    sends(&customers::Get { id: customer() }, "tn.crm.customers:r", "GET", "/customers/9107", "");
    sends(
        &customers::GetList {
            filter: OwnerFilter::new()
                .phone("(818) 555-0142")
                .city("Canoga Park")
                .modified_on_or_after("2026-11-01".parse().unwrap()),
            page: PageQuery::default(),
        },
        "tn.crm.customers:r",
        "GET",
        "/customers?city=Canoga+Park&phone=8185550142&modifiedOnOrAfter=2026-11-01T00%3A00%3A00Z",
        "",
    );
    let token = ContinuationToken::new("t/1");
    let query = ExportQuery::default().from(ExportFrom::Token(token)).include_recent_changes(true);
    sends(
        &customers::ExportCustomers { query, owner: PhantomData },
        "tn.crm.customers:r",
        "GET",
        "/export/customers?from=t%2F1&includeRecentChanges=true",
        "",
    );
}

#[test]
fn people_and_relationships_are_requested_as_the_contract_has_them() {
    sends(
        &people::GetList {
            filter: PersonFilter::new()
                .name("Dana & Co")
                .archived(Whether::No)
                .sort(Sort::ascending(PersonSort::ModifiedOn)),
            page: second_page(),
        },
        "tn.crm.contacts:r",
        "GET",
        "/contacts?name=Dana+%26+Co&isArchived=False&sort=%2BModifiedOn&page=2&pageSize=200",
        "",
    );
    sends(
        &people::Create { person: CreatePersonRequest::new().name("Dana Whitfield") },
        "tn.crm.contacts:w",
        "POST",
        "/contacts",
        r#"{"name":"Dana Whitfield"}"#,
    );
    sends(
        &people::Get { id: person() },
        "tn.crm.contacts:r",
        "GET",
        &format!("/contacts/{PERSON}"),
        "",
    );
    let all = r#"{"name":"Dana Whitfield","title":null,"referenceId":null,"isArchived":false}"#;
    sends(
        &people::Replace {
            id: person(),
            person: ReplacePersonRequest::new(false).name("Dana Whitfield"),
        },
        "tn.crm.contacts:w",
        "PUT",
        &format!("/contacts/{PERSON}"),
        all,
    );
    sends(
        &people::Update {
            id: person(),
            person: UpdatePersonRequest::new(false).name("Dana Whitfield"),
        },
        "tn.crm.contacts:w",
        "PATCH",
        &format!("/contacts/{PERSON}"),
        all,
    );
    sends(
        &people::DeleteContact { id: person() },
        "tn.crm.contacts:w",
        "DELETE",
        &format!("/contacts/{PERSON}"),
        "",
    );
    let related_entity = RelatedEntityId::new(55_021).unwrap();
    sends(
        &people::GetByRelationshipId {
            related_entity,
            filter: PersonFilter::new(),
            page: PageQuery::default(),
        },
        "tn.crm.contacts:r",
        "GET",
        "/contacts/relationships/55021",
        "",
    );
    sends(
        &relationships::GetContactRelationshipList {
            contact: person(),
            filter: RelationshipFilter::new().sort(Sort::descending(RelationshipSort::Id)),
            page: PageQuery::default(),
        },
        "tn.crm.contacts:r",
        "GET",
        &format!("/contacts/{PERSON}/relationships?sort=-ID"),
        "",
    );
    sends(
        &relationships::CreateContactRelationship {
            contact: person(),
            related_entity,
            entity_type: RelatedEntityType::Location,
        },
        "tn.crm.contacts:w",
        "POST",
        &format!("/contacts/{PERSON}/relationships/55021/location"),
        "",
    );
    sends(
        &relationships::DeleteContactRelationship {
            contact: person(),
            related_entity,
            entity_type: RelatedEntityType::Other("job site".to_owned()),
        },
        "tn.crm.contacts:w",
        "DELETE",
        &format!("/contacts/{PERSON}/relationships/55021/job%20site"),
        "",
    );
}

#[test]
fn contact_methods_and_their_preferences_are_requested_as_the_contract_has_them() {
    let one = format!("/contacts/{PERSON}/contact-methods/{METHOD}");
    let all = format!("/contacts/{PERSON}/contact-methods");
    let request = || ContactMethodRequest::new(ContactType::Email, "dana@site.example");
    let body = r#"{"type":"Email","value":"dana@site.example","referenceId":null,"memo":null}"#;
    sends(
        &contact_methods::GetPreferenceMetadataList,
        "tn.crm.contacts:r",
        "GET",
        "/contacts/preferences",
        "",
    );
    sends(
        &contact_methods::SearchContactMethods {
            contact: Some(person()),
            filter: ContactMethodFilter::new().value("dana@site.example"),
            page: PageQuery::default(),
        },
        "tn.crm.contacts:r",
        "GET",
        &format!("/contacts/contact-methods?contactId={PERSON}&value=dana%40site.example"),
        "",
    );
    sends(
        &contact_methods::GetContactMethods {
            contact: person(),
            filter: ContactMethodFilter::new(),
            page: PageQuery::default(),
        },
        "tn.crm.contacts:r",
        "GET",
        &all,
        "",
    );
    sends(
        &contact_methods::CreateContactMethod { contact: person(), method: request() },
        "tn.crm.contacts:w",
        "POST",
        &all,
        body,
    );
    sends(
        &contact_methods::GetContactMethod { contact: person(), id: method() },
        "tn.crm.contacts:r",
        "GET",
        &one,
        "",
    );
    sends(
        &contact_methods::UpsertContactMethod {
            contact: person(),
            id: method(),
            method: request(),
        },
        "tn.crm.contacts:w",
        "PUT",
        &one,
        body,
    );
    sends(
        &contact_methods::UpdateContactMethod {
            contact: person(),
            id: method(),
            update: UpdateContactMethodRequest::new().memo("New cell"),
        },
        "tn.crm.contacts:w",
        "PATCH",
        &one,
        r#"{"memo":"New cell"}"#,
    );
    sends(
        &contact_methods::DeleteContactMethod { contact: person(), id: method() },
        "tn.crm.contacts:w",
        "DELETE",
        &one,
        "",
    );
    sends(
        &contact_methods::GetContactMethodPreferences { contact: person(), method: method() },
        "tn.crm.contacts:r",
        "GET",
        &format!("{one}/preferences"),
        "",
    );
    sends(
        &contact_methods::GetContactMethodPreference {
            contact: person(),
            method: method(),
            name: "Job/Reminders".to_owned(),
        },
        "tn.crm.contacts:r",
        "GET",
        &format!("{one}/preferences/Job%2FReminders"),
        "",
    );
    sends(
        &contact_methods::UpdateContactMethodPreference {
            contact: person(),
            method: method(),
            name: "JobReminders".to_owned(),
            update: UpdateMethodPreferenceRequest::from(false),
        },
        "tn.crm.contacts:w",
        "PATCH",
        &format!("{one}/preferences/JobReminders"),
        r#"{"value":"false"}"#,
    );
}

#[test]
fn booking_contacts_are_requested_as_the_contract_has_them() {
    let (provider, booking) = (BookingProviderId::new(31).unwrap(), BookingId::new(640).unwrap());
    sends(
        &bookings::GetContactList { booking, page: PageQuery::default() },
        "tn.crm.bookings:r",
        "GET",
        "/bookings/640/contacts",
        "",
    );
    sends(
        &bookings::GetContactList2 { provider, booking, page: PageQuery::default() },
        "tn.crm.bookings:r",
        "GET",
        "/booking-provider/31/bookings/640/contacts",
        "",
    );
    sends(
        &bookings::CreateContact {
            provider,
            booking,
            contact: CreateBookingContactRequest::new(ContactType::Phone, "2135550107"),
        },
        "tn.crm.bookings:w",
        "POST",
        "/booking-provider/31/bookings/640/contacts",
        r#"{"type":"Phone","value":"2135550107"}"#,
    );
    sends(
        &bookings::UpdateBookingContact {
            provider,
            booking,
            contact: contact(),
            update: UpdateBookingContactRequest::new().value("2135550108"),
        },
        "tn.crm.bookings:w",
        "PATCH",
        "/booking-provider/31/bookings/640/contacts/71204",
        r#"{"value":"2135550108"}"#,
    );
    sends(
        &bookings::DeleteContact { provider, booking, contact: contact() },
        "tn.crm.bookings:w",
        "DELETE",
        "/booking-provider/31/bookings/640/contacts/71204",
        "",
    );
}

#[test]
fn all_lists_each_operation_once() {
    let all = all();
    let mut ids: Vec<_> = all.iter().map(|spec| spec.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all.len());
    let mut routes: Vec<_> = all.iter().map(|s| format!("{} {}", s.method, s.path)).collect();
    routes.sort_unstable();
    routes.dedup();
    assert_eq!(routes.len(), all.len());
}

#[test]
fn invalid_input_is_refused_with_the_names_of_all_members_before_a_request_exists() {
    let operation = locations::UpdateContact {
        owner: location(),
        contact: contact(),
        update: UpdateContactRequest::new()
            .contact_type(ContactType::Email)
            .value("not an address")
            .memo("bell\u{7}"),
    };
    let error = operation.request(TenantId::new(1_001).unwrap()).unwrap_err();
    let crm_contacts::ContactsError::Invalid(invalid) = &error else {
        panic!("another error: {error}");
    };
    let fields: Vec<_> = invalid.fields.iter().map(|f| f.field.as_str()).collect();
    assert_eq!(fields, ["memo", "value"]);
    assert_eq!(error.advice(), crm_contacts::Advice::Correct);
}

#[test]
fn an_empty_update_is_refused() {
    let operation = customers::UpdateContact {
        owner: customer(),
        contact: contact(),
        update: UpdateContactRequest::new(),
    };
    assert!(operation.request(TenantId::new(1_001).unwrap()).is_err());
}

#[test]
fn a_part_of_the_path_that_would_lead_to_another_operation_is_refused() {
    for text in ["", ".", ".."] {
        let preference = contact_methods::UpdateContactMethodPreference {
            contact: person(),
            method: method(),
            name: text.to_owned(),
            update: UpdateMethodPreferenceRequest::from(false),
        };
        is_refused(&preference, "preferenceName");
        let relationship = relationships::DeleteContactRelationship {
            contact: person(),
            related_entity: RelatedEntityId::new(55_021).unwrap(),
            entity_type: RelatedEntityType::Other(text.to_owned()),
        };
        is_refused(&relationship, "typeSlug");
    }
}

#[test]
fn every_query_and_body_is_checked_before_it_is_sent() {
    let page = || PageQuery::default().page(0);
    let bell = "\u{7}";
    is_refused(&locations::GetContactList { owner: location(), page: page() }, "page");
    is_refused(
        &locations::CreateContact {
            owner: location(),
            contact: CreateContactRequest::new(ContactType::Phone, "8185550119").memo(bell),
        },
        "memo",
    );
    is_refused(
        &locations::GetLocationsContactsList {
            filter: ContactFilter::new(),
            page: PageQuery::default(),
        },
        "",
    );
    is_refused(
        &locations::GetLocationsContactsList {
            filter: ContactFilter::new().owners([location()]),
            page: page(),
        },
        "page",
    );
    is_refused(
        &customers::GetList { filter: OwnerFilter::new().ids([]), page: PageQuery::default() },
        "ids",
    );
    is_refused(&locations::GetList { filter: OwnerFilter::new(), page: page() }, "page");
    let blank = || ExportFrom::Token(ContinuationToken::new(" "));
    is_refused(
        &customers::ExportCustomers {
            query: ExportQuery::default().from(blank()),
            owner: Default::default(),
        },
        "from",
    );
    is_refused(
        &locations::ExportContacts {
            query: ExportQuery::default().from(blank()),
            owner: Default::default(),
        },
        "from",
    );
    is_refused(
        &contact_methods::SearchContactMethods {
            filter: ContactMethodFilter::new().value(bell),
            ..Default::default()
        },
        "value",
    );
    is_refused(
        &people::GetList { filter: PersonFilter::new().name(bell), page: PageQuery::default() },
        "name",
    );
    is_refused(&people::Create { person: CreatePersonRequest::new().name(bell) }, "name");
}

/// Asserts that no request is made, for the sake of this member.
#[track_caller]
fn is_refused<O: Operation>(operation: &O, member: &str) {
    let error = operation.request(TenantId::new(1_001).unwrap()).unwrap_err();
    let crm_contacts::ContactsError::Invalid(invalid) = &error else {
        panic!("another error: {error}");
    };
    let fields: Vec<_> = invalid.fields.iter().map(|f| f.field.as_str()).collect();
    assert_eq!(fields, [member]);
}

#[test]
fn nothing_offers_to_set_do_not_text() {
    for body in [r#"{"doNotText":true}"#, r#"{"phoneSettings":{"doNotText":true}}"#] {
        assert!(serde_json::from_str::<UpdateContactRequest>(body).is_err());
    }
    let created = r#"{"type":"Phone","value":"8185550142","doNotText":true}"#;
    assert!(serde_json::from_str::<CreateContactRequest>(created).is_err());
}
