//! Every answer of the API is read, in every form that it was published in or seen.

#![allow(clippy::unwrap_used)] // In tests, also outside of the test functions.

mod support;

use std::fs;

use crm_models::*;
use rstest::rstest;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use support::{example, folder};

fn read<T: DeserializeOwned>(name: &str) -> T {
    serde_json::from_str(&example(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Reads every example of a folder. What is written then, is read and written alike again.
fn read_all<T: Serialize + DeserializeOwned>(name: &str) {
    let mut count = 0;
    for entry in fs::read_dir(folder().join(name)).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let value: T = read(&format!("{name}/{file}"));
        let written = serde_json::to_string(&value).unwrap();
        let again: T = serde_json::from_str(&written).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), written, "{file}");
        count += 1;
    }
    assert!(count > 0);
}

type Reader = fn(&str);

const FOLDERS: [(&str, Reader); 23] = [
    ("booking-contacts", read_all::<BookingContact>),
    ("booking-pages", read_all::<Page<BookingContact>>),
    ("booking-updates", read_all::<UpdatedBookingContact>),
    ("contact-method-pages", read_all::<Page<ContactMethod>>),
    ("contact-methods", read_all::<ContactMethod>),
    ("contact-pages", read_all::<Page<Contact>>),
    ("contacts", read_all::<Contact>),
    ("customer-exports", read_all::<ExportBatch<ExportedCustomerContact>>),
    ("customer-pages", read_all::<Page<CustomersContact>>),
    ("customers", read_all::<Customer>),
    ("customers-exports", read_all::<ExportBatch<Customer>>),
    ("customers-pages", read_all::<Page<Customer>>),
    ("location-exports", read_all::<ExportBatch<ExportedLocationContact>>),
    ("location-pages", read_all::<Page<LocationsContact>>),
    ("locations", read_all::<Location>),
    ("locations-exports", read_all::<ExportBatch<Location>>),
    ("locations-pages", read_all::<Page<Location>>),
    ("method-preference-lists", read_all::<Vec<MethodPreference>>),
    ("method-preferences", read_all::<MethodPreference>),
    ("people", read_all::<Person>),
    ("people-pages", read_all::<Page<Person>>),
    ("preference-types", read_all::<Vec<PreferenceType>>),
    ("relationship-pages", read_all::<Page<ContactRelationship>>),
];

#[test]
fn every_answer_is_read_and_survives_a_round_trip() {
    for (name, read_all) in FOLDERS {
        read_all(name);
    }
}

#[test]
fn no_folder_of_examples_is_forgotten() {
    let mut folders: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    let mut known: Vec<_> = FOLDERS.iter().map(|(name, _)| *name).collect();
    known.extend(["problems", "requests"]);
    known.sort();
    assert_eq!(folders, known);
}

#[test]
fn a_complete_contact_is_read_member_by_member() {
    let contact: Contact = read("contacts/mobile.json");
    assert_eq!(contact.id.get(), 8411);
    assert_eq!(contact.contact_type, ContactType::MobilePhone);
    assert_eq!(contact.value, "2065550134");
    assert_eq!(contact.memo.as_deref(), Some("Head baker, mornings"));
    assert_eq!(contact.modified_on.to_string(), "2026-06-02T09:41:27.1039486Z");
    assert_eq!(contact.created(), Some("2025-09-30T17:00:00Z".parse().unwrap()));
    assert_eq!(contact.do_not_text(), Some(false));
    let preferences = contact.preferences.unwrap();
    assert!(preferences.job_reminders_enabled && preferences.invoice_notification);
    assert!(!preferences.marketing_updates_enabled && !preferences.statement_notification);
    assert!(!preferences.invoice_statement_notification && !preferences.derived());
}

#[test]
fn an_answer_that_is_made_is_the_one_that_is_read() {
    let page: Page<BookingContact> = read("booking-pages/list.json");
    let found = &page.data[1];
    let (email, value) = (ContactType::Email, "asks.first@mail.example");
    let made = BookingContact::new(found.id, email, value, found.modified_on);
    assert_eq!(made, *found);
    assert_eq!(Page::new(1, 50, false, page.data.clone()), page);

    let page: Page<ContactMethod> = read("contact-method-pages/list.json");
    let found = &page.data[0];
    let mut made = ContactMethod::new(
        found.id,
        found.contact_id,
        ContactType::MobilePhone,
        "4255550161",
        found.created_on,
        found.created_by,
    );
    made.memo = Some("Mobile".to_owned());
    made.modified_on = found.modified_on;
    assert_eq!(made, *found);

    let page: Page<ContactRelationship> = read("relationship-pages/list.json");
    let found = &page.data[0];
    let (location, kind) = (found.related_entity_id, RelatedEntityType::Location);
    let (on, by) = (found.created_on, found.created_by);
    let made = ContactRelationship::new(found.id, location, &kind, on, by);
    assert_eq!(made, *found);

    let batch: ExportBatch<ExportedCustomerContact> = read("customer-exports/end.json");
    let token = ContinuationToken::new("1nventedT0ken_C2");
    assert_eq!(ExportBatch::new(false, token, batch.data.clone()), batch);

    let page: Page<Location> = read("locations-pages/list.json");
    let found = &page.data[0];
    let mut made =
        Location::new(found.id, found.customer_id, "Ridge Bakery, ferry", found.modified_on);
    made.address = Address::new("15 Ferry Landing", "Gig Harbor", "WA", "98335");
    made.address.unit = Some("Suite 3".to_owned());
    made.address.country = "USA".to_owned();
    made.created_on = found.created_on;
    assert_eq!(made, *found);

    let types: Vec<PreferenceType> = read("preference-types/list.json");
    let found = &types[0];
    let mut made = PreferenceType::new(found.id, &found.name, "Bool");
    made.description = found.description.clone();
    assert_eq!(made, *found);

    let found: MethodPreference = read("method-preferences/one.json");
    let mut made = MethodPreference::new(&found.name, "Bool");
    made.value = found.value.clone();
    assert_eq!(made, found);
}

#[test]
fn what_is_null_or_absent_is_unknown_rather_than_off() {
    for name in ["fax-preferences-null", "preferences-absent", "shape-of-2024"] {
        let contact: Contact = read(&format!("contacts/{name}.json"));
        assert_eq!(contact.preferences, None, "{name}");
    }
    let contact: Contact = read("contacts/email-nulls-three-flags.json");
    assert_eq!(contact.do_not_text(), None);
    assert_eq!((contact.memo, contact.phone_settings), (None, None));
    let contact: Contact = read("contacts/shape-of-2024.json");
    assert_eq!(contact.created_on, None);
}

#[test]
fn three_flags_give_the_other_two_and_say_so() {
    let on: Contact = read("contacts/email-nulls-three-flags.json");
    let on = on.preferences.unwrap();
    assert!(on.derived() && on.invoice_notification && on.statement_notification);

    let off: Contact = read("contacts/flat-phone.json");
    let off = off.preferences.unwrap();
    assert!(off.derived() && !off.invoice_notification && !off.statement_notification);
}

#[test]
fn preferences_are_stored_with_the_members_that_were_read() {
    for (name, members) in
        [("contacts/email-nulls-three-flags.json", 3), ("contacts/mobile.json", 5)]
    {
        let contact: Contact = read(name);
        let stored = serde_json::to_value(&contact).unwrap();
        assert_eq!(stored["preferences"].as_object().unwrap().len(), members);
        assert_eq!(serde_json::from_value::<Contact>(stored).unwrap(), contact);
    }
}

#[test]
fn the_year_one_is_no_creation_but_is_kept() {
    let contact: Contact = read("contacts/created-in-year-one.json");
    assert_eq!(contact.created(), None);
    assert_eq!(contact.created_on.unwrap().to_string(), "0001-01-01T00:00:00Z");
}

#[rstest]
#[case::null(json!(null), Some(true))]
#[case::empty(json!({}), Some(true))]
#[case::nulls(json!({"phoneNumber": null, "doNotText": null}), Some(true))]
#[case::nested(json!({"doNotText": false}), Some(false))]
fn flat_phone_settings_count_only_where_the_nested_ones_say_nothing(
    #[case] nested: serde_json::Value,
    #[case] do_not_text: Option<bool>,
) {
    let contact: Contact = serde_json::from_value(json!({
        "id": 1, "type": "Phone", "value": "2065550100", "modifiedOn": "2026-01-01T00:00:00Z",
        "phoneSettings": nested, "doNotText": true,
    }))
    .unwrap();
    assert_eq!(contact.phone_settings.unwrap().do_not_text, do_not_text);
}

#[test]
fn an_unknown_type_is_kept_as_it_was_written() {
    let contact: Contact = read("contacts/unknown-type.json");
    assert_eq!(contact.contact_type, ContactType::Other("Pager".to_owned()));
    assert_eq!(serde_json::to_value(&contact).unwrap()["type"], "Pager");
    assert_eq!(ContactType::from("mobilephone").as_str(), "mobilephone");
}

#[test]
fn an_owner_is_read_from_its_own_member_only() {
    let page: Page<LocationsContact> = read("location-pages/modified.json");
    let owners: Vec<_> = page.data.iter().map(|item| item.owner.get()).collect();
    assert_eq!(owners, [62011, 62011, 62012]);

    let of_customers = example("customer-pages/modified.json");
    let error = serde_json::from_str::<Page<LocationsContact>>(&of_customers).unwrap_err();
    assert!(error.to_string().contains("locationId"), "{error}");
}

#[rstest]
#[case(json!(0))]
#[case(json!("3380"))]
#[case(json!([3380, {"id": 1}]))]
#[case(json!(null))]
fn members_of_other_schemas_may_be_anything(#[case] other: serde_json::Value) {
    let mut item = serde_json::to_value(read::<Contact>("contacts/mobile.json")).unwrap();
    item["customerId"] = other.clone();
    item["active"] = other.clone();
    item["locationId"] = json!(62011);
    let of_location: LocationsContact = serde_json::from_value(item.clone()).unwrap();
    assert_eq!(of_location.owner.get(), 62011);
    item["locationId"] = other.clone();
    assert_eq!(serde_json::from_value::<Contact>(item.clone()).unwrap(), of_location.contact);
    // The ones of its own may not.
    assert!(serde_json::from_value::<LocationsContact>(item.clone()).is_err());
    item["locationId"] = json!(62011);
    assert!(serde_json::from_value::<ExportedLocationContact>(item).is_err());
}

#[test]
fn an_owned_contact_is_written_as_one_object() {
    let batch: ExportBatch<ExportedLocationContact> = read("location-exports/more.json");
    let written = serde_json::to_value(&batch.data[0]).unwrap();
    assert_eq!(written["locationId"], 62011);
    assert_eq!(written["id"], 8411);
    assert_eq!(written["active"], true);
    assert_eq!(written.get("customerId"), None);
}

#[test]
fn an_export_without_active_is_refused() {
    let mut item = serde_json::to_value(read::<Contact>("contacts/mobile.json")).unwrap();
    item["locationId"] = json!(62011);
    let error = serde_json::from_value::<ExportedLocationContact>(item).unwrap_err();
    assert!(error.to_string().contains("active"), "{error}");
}

#[test]
fn an_owner_is_read_member_by_member() {
    let customer: Customer = read("customers/complete.json");
    assert_eq!(customer.id.get(), 3380);
    assert!(customer.active && customer.is_active());
    assert_eq!(customer.name, "Ridge Bakery");
    assert_eq!(customer.customer_type, Some(CustomerType::Commercial));
    assert_eq!(customer.address.unit.as_deref(), Some("B"));
    assert_eq!(customer.address.country, "USA");
    let position = (customer.address.latitude, customer.address.longitude);
    assert_eq!(position, (Some(47.2529), Some(-122.4443)));
    assert_eq!((customer.do_not_mail, customer.do_not_service), (Some(true), Some(false)));
    assert_eq!(customer.created_on.unwrap().to_string(), "2025-09-30T17:00:00Z");
    assert_eq!(customer.modified_on().to_string(), "2026-06-02T09:41:27.1039486Z");
    assert_eq!(customer.merged_to(), None);

    let location: Location = read("locations/complete.json");
    assert_eq!((location.id.get(), location.customer_id.get()), (62011, 3380));
    assert_eq!(location.address().city, "Tacoma");
    assert_eq!((location.customer(), customer.customer()), (customer.id, customer.id));
}

#[test]
fn a_merged_owner_says_where_it_went() {
    let customer: Customer = read("customers/merged.json");
    assert!(!customer.is_active());
    assert_eq!(customer.merged_to(), Some(CustomerId::new(3380).unwrap()));
    assert!(customer.created_on.unwrap().is_unknown());
    assert_eq!(customer.customer_type.unwrap().as_str(), "Municipal");
    let location: Location = read("locations/merged.json");
    assert_eq!(location.merged_to(), Some(LocationId::new(62011).unwrap()));
}

#[test]
fn what_is_absent_of_an_owner_is_unknown() {
    let nulls: Customer = read("customers/nulls.json");
    let mut least: Customer = read("customers/least.json");
    least.id = nulls.id;
    assert_eq!(nulls, least);
    assert_eq!(nulls, Customer::new(nulls.id, "", nulls.modified_on));
    assert_eq!((nulls.do_not_mail, nulls.created_on), (None, None));
}

#[rstest]
#[case("id")]
#[case("customerId")]
#[case("active")]
#[case("modifiedOn")]
fn an_owner_without_what_decides_is_refused(#[case] member: &str) {
    let mut location = serde_json::to_value(read::<Location>("locations/complete.json")).unwrap();
    location.as_object_mut().unwrap().remove(member).unwrap();
    let error = serde_json::from_value::<Location>(location).unwrap_err();
    assert!(error.to_string().contains(member), "{error}");
}

#[test]
fn an_owner_without_a_name_is_called_by_its_address() {
    let name = |name: &str| read::<Location>(&format!("locations/{name}.json"));
    assert_eq!(name("complete").display_name(), "Ridge Bakery, Mill Row");
    let address = "15 Ferry Landing, Suite 3, Gig Harbor, WA 98335";
    assert_eq!(name("blank-name").display_name(), address);
    assert_eq!(name("merged").display_name(), "location 62013");
    assert_eq!(read::<Customer>("customers/least.json").display_name(), "customer 3383");
}

#[test]
fn an_export_ends_with_a_token_or_without() {
    type Batch = ExportBatch<ExportedCustomerContact>;
    let end: Batch = read("customer-exports/end.json");
    assert!(!end.has_more && !end.data[0].active);
    assert_eq!(end.continue_from, Some(ContinuationToken::new("1nventedT0ken_C2")));

    let without: Batch = read("customer-exports/null-token.json");
    assert_eq!(without.continue_from, None);
    for absent in [
        r#"{"hasMore": false, "data": []}"#,
        r#"{"hasMore": false, "continueFrom": " ", "data": []}"#,
    ] {
        assert_eq!(serde_json::from_str::<Batch>(absent).unwrap(), without);
    }
}

#[test]
fn a_total_is_there_only_if_it_was_asked_for() {
    let total = |name| read::<Page<Contact>>(name).total_count;
    assert_eq!(total("contact-pages/first.json"), None);
    assert_eq!(total("contact-pages/empty.json"), None);
    assert_eq!(total("contact-pages/last-with-total.json"), Some(3));
}

#[test]
fn the_answer_to_a_booking_update_may_lack_id_and_time() {
    let documented: UpdatedBookingContact = read("booking-updates/documented.json");
    assert_eq!((documented.id, documented.modified_on), (None, None));
    let full: UpdatedBookingContact = read("booking-updates/full.json");
    assert_eq!(full.id.map(ContactId::get), Some(9120));
}

#[rstest]
#[case(Some("true"), Some(true))]
#[case(Some("True"), Some(true))]
#[case(Some(" FALSE "), Some(false))]
#[case(Some("on"), None)]
#[case(None, None)]
fn a_preference_of_a_method_is_a_truth_value_in_any_case(
    #[case] value: Option<&str>,
    #[case] expected: Option<bool>,
) {
    let preference: MethodPreference =
        serde_json::from_value(json!({"name": "Offers", "dataType": "Bool", "value": value}))
            .unwrap();
    assert_eq!(preference.as_bool(), expected);
}

#[rstest]
#[case("location", "Location", RelatedEntityType::Location)]
#[case("Customer", "Customer", RelatedEntityType::Customer)]
#[case("booking", "Booking", RelatedEntityType::Booking)]
#[case("vehicle", "vehicle", RelatedEntityType::Other("vehicle".to_owned()))]
fn a_related_entity_has_a_slug_and_a_name(
    #[case] text: &str,
    #[case] name: &str,
    #[case] expected: RelatedEntityType,
) {
    let entity_type = RelatedEntityType::from(text);
    assert_eq!(entity_type, expected);
    assert_eq!(entity_type.name(), name);
    assert_eq!(entity_type.slug(), text.to_lowercase());
}

#[rstest]
#[case("0")]
#[case("-4")]
#[case("1.5")]
#[case("\"7\"")]
#[case("9223372036854775808")]
fn an_integer_id_is_a_positive_number(#[case] json: &str) {
    assert!(serde_json::from_str::<ContactId>(json).is_err());
    assert!(json.parse::<ContactId>().is_err());
}

#[test]
fn guids_are_compared_without_case() {
    let upper: PersonId = "3F9A2D54-7C1E-4B8F-A036-5D2C81E7F4B9".parse().unwrap();
    let lower: PersonId =
        serde_json::from_str(r#""3f9a2d54-7c1e-4b8f-a036-5d2c81e7f4b9""#).unwrap();
    assert_eq!(upper, lower);
    assert_eq!(upper.to_string(), "3f9a2d54-7c1e-4b8f-a036-5d2c81e7f4b9");
}

#[rstest]
#[case("2026-05-27T16:04:11Z", "2026-05-27T16:04:11Z")]
#[case("2026-05-27T16:04:11.4Z", "2026-05-27T16:04:11.4Z")]
#[case("2026-05-27T16:04:11.120500Z", "2026-05-27T16:04:11.1205Z")]
#[case("2026-05-27T16:04:11.0000001Z", "2026-05-27T16:04:11.0000001Z")]
#[case("2026-05-27T16:04:11.123456789Z", "2026-05-27T16:04:11.123456789Z")]
#[case("2026-05-27T16:04:11+00:00", "2026-05-27T16:04:11Z")]
#[case("2026-05-27T09:34:11-06:30", "2026-05-27T16:04:11Z")]
#[case("2026-05-27T16:04:11.25", "2026-05-27T16:04:11.25Z")]
#[case("2026-05-27T12:04:11-04:00[America/New_York]", "2026-05-27T16:04:11Z")]
#[case("2026-05-27", "2026-05-27T00:00:00Z")]
#[case("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z")]
#[case::never("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.9999999Z")]
#[case::never("9999-12-31T23:59:59.9999999+00:00", "9999-12-31T23:59:59.9999999Z")]
#[case::never("9999-12-31T23:59:59.9999999", "9999-12-31T23:59:59.9999999Z")]
#[case::never("9999-12-31T20:00:00-05:00", "9999-12-31T23:59:59.999999999Z")]
#[case::never("9999-12-31", "9999-12-31T00:00:00Z")]
fn a_date_time_is_read_with_and_without_fraction_and_offset(
    #[case] text: &str,
    #[case] written: &str,
) {
    assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), written);
}

#[rstest]
#[case("")]
#[case("yesterday")]
#[case("16:04:11")]
#[case("2026-13-01")]
#[case("2026-02-30T00:00:00Z")]
#[case("2026-05-27T25:00:00Z")]
#[case("1779897851")]
#[case::a_zone_without_an_offset("2026-05-27T10:00[America/New_York]")]
fn what_is_no_date_time_is_refused(#[case] text: &str) {
    let error = text.parse::<Timestamp>().unwrap_err();
    assert!(error.to_string().contains("is not a date-time"), "{error}");
}

#[test]
fn only_the_year_one_means_unknown() {
    let is_unknown = |text: &str| text.parse::<Timestamp>().unwrap().is_unknown();
    assert!(is_unknown("0001-01-01T00:00:00Z"));
    assert!(is_unknown("0001-12-31T23:59:59Z"));
    assert!(!is_unknown("0002-01-01T00:00:00Z"));
    assert!(!is_unknown("1970-01-01T00:00:00Z"));
}
