//! Requests and queries are written exactly as the contract has them.

#![allow(clippy::unwrap_used)] // In tests, also outside of the test functions.

mod support;

use std::fmt::Debug;

use crm_models::*;
use rstest::rstest;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use support::example;

/// The request is valid, is written as the example, and is read from it.
fn assert_written<T>(request: &T, name: &str)
where
    T: Serialize + DeserializeOwned + PartialEq + Debug + Check,
{
    let text = example(&format!("requests/{name}.json"));
    let expected: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_value(request).unwrap(), expected, "{name}");
    assert_eq!(serde_json::from_str::<T>(&text).unwrap(), *request, "{name}");
    assert_eq!(request.check(), Ok(()), "{name}");
}

#[test]
fn requests_for_contacts_are_written_as_the_contract_has_them() {
    assert_written(
        &CreateContactRequest::new(ContactType::MobilePhone, "2065550134")
            .memo("Head baker, mornings"),
        "create-contact",
    );
    assert_written(&UpdateContactRequest::new().value("2065550135"), "update-contact-value");
    assert_written(&UpdateContactRequest::new().memo(""), "update-contact-clear-memo");
    assert_written(
        &UpdateContactRequest::new()
            .contact_type(ContactType::Phone)
            .value("2065550136")
            .memo("Counter")
            .preferences(ContactPreferencesRequest::receiving(&[Preference::Invoices])),
        "update-contact-all",
    );
    assert_written(
        &UpdateContactRequest::new().preferences(ContactPreferencesRequest::receiving(&[
            Preference::JobReminders,
            Preference::InvoicesAndStatements,
        ])),
        "update-contact-preferences",
    );
    assert_written(
        &UpdateBookingContactRequest::new()
            .contact_type(ContactType::MobilePhone)
            .value("5095550127"),
        "update-booking-contact",
    );
}

#[test]
fn requests_for_people_are_written_as_the_contract_has_them() {
    assert_written(
        &CreatePersonRequest::new()
            .name("Jonas Lindqvist")
            .title("Store manager")
            .reference_id("crm-0915"),
        "create-person",
    );
    assert_written(
        &ReplacePersonRequest::new(false).name("Jonas Lindqvist").reference_id("crm-0915"),
        "replace-person",
    );
    assert_written(
        &ContactMethodRequest::new(ContactType::Phone, "4255550162")
            .reference_id("crm-0915-shop")
            .memo("Shop"),
        "contact-method",
    );
    assert_written(
        &UpdateContactMethodRequest::new().value("4255550163").memo("New mobile"),
        "update-contact-method",
    );
    assert_written(&UpdateMethodPreferenceRequest::from(false), "update-method-preference");
}

#[test]
fn a_change_of_a_person_is_written_with_all_members() {
    let person: Person = serde_json::from_str(&example("people/complete.json")).unwrap();
    let change = PersonChange::new().title("Area manager");
    assert_written(&change.to_request(&person), "update-person");

    let cleared =
        PersonChange::new().clear_name().clear_title().clear_reference_id().archived(true);
    assert_eq!(
        serde_json::to_value(cleared.to_request(&person)).unwrap(),
        json!({"name": null, "title": null, "referenceId": null, "isArchived": true}),
    );
}

#[test]
fn absent_members_are_not_written() {
    let create = CreateContactRequest::new(ContactType::Fax, "2065550190");
    assert_eq!(
        serde_json::to_value(create).unwrap(),
        json!({"type": "Fax", "value": "2065550190"}),
    );
    let empty = serde_json::to_value(UpdateContactRequest::new()).unwrap();
    assert_eq!(empty, json!({}));
    let empty = serde_json::to_value(CreatePersonRequest::new()).unwrap();
    assert_eq!(empty, json!({}));
}

#[test]
fn a_replacement_of_a_method_clears_what_is_not_set() {
    let method = ContactMethodRequest::new(ContactType::Fax, "2065550190");
    assert_eq!(
        serde_json::to_value(method).unwrap(),
        json!({"type": "Fax", "value": "2065550190", "referenceId": null, "memo": null}),
    );
}

#[rstest]
#[case::null(r#"{"memo": null}"#)]
#[case::null_preferences(r#"{"preferences": null}"#)]
#[case::partial_preferences(r#"{"preferences": {"marketingUpdatesEnabled": false}}"#)]
#[case::unknown_member(r#"{"doNotText": true}"#)]
#[case::wrong_type(r#"{"value": 2065550134}"#)]
#[case::null_flag(&preferences(r#""invoiceNotification": null"#))]
#[case::one_of_the_later_flags(&preferences(r#""statementNotification": false"#))]
#[case::unknown_flag(&preferences(r#""doNotText": true"#))]
fn the_body_of_an_update_is_read_strictly(#[case] body: &str) {
    assert!(serde_json::from_str::<UpdateContactRequest>(body).is_err());
}

/// An update with the three older flags and one more member.
fn preferences(more: &str) -> String {
    format!(
        r#"{{"preferences": {{"jobRemindersEnabled": true, "marketingUpdatesEnabled": true,
        "invoiceStatementNotification": false, {more}}}}}"#
    )
}

#[rstest]
#[case::nothing(r#"{}"#, ContactChange::new())]
#[case::some(
    r#"{"type":"Fax","value":"2065550190","memo":""}"#,
    ContactChange::new().contact_type(ContactType::Fax).value("2065550190").clear_memo()
)]
#[case::flags(
    r#"{"preferences":{"jobRemindersEnabled":true,"statementNotification":false}}"#,
    ContactChange::new()
        .preferences(PreferenceChange::new().job_reminders(true).statements(false))
)]
fn a_change_of_a_contact_is_read_and_written_with_the_members_that_it_names(
    #[case] json: &str,
    #[case] change: ContactChange,
) {
    assert_eq!(serde_json::from_str::<ContactChange>(json).unwrap(), change);
    assert_eq!(serde_json::to_string(&change).unwrap(), json);
}

#[rstest]
#[case::null(r#"{"memo":null}"#)]
#[case::null_flag(r#"{"preferences":{"invoiceNotification":null}}"#)]
#[case::combined_flag(r#"{"preferences":{"invoiceStatementNotification":true}}"#)]
#[case::unknown(r#"{"doNotText":true}"#)]
fn a_change_of_a_contact_is_read_strictly(#[case] json: &str) {
    assert!(serde_json::from_str::<ContactChange>(json).is_err());
}

#[test]
fn a_change_of_a_person_tells_an_absent_member_from_null() {
    let change = PersonChange::new().clear_name().title("Lead").archived(true);
    let json = r#"{"name":null,"title":"Lead","isArchived":true}"#;
    assert_eq!(serde_json::to_string(&change).unwrap(), json);
    assert_eq!(serde_json::from_str::<PersonChange>(json).unwrap(), change);
    for refused in [r#"{"isArchived":null}"#, r#"{"role":"Lead"}"#] {
        assert!(serde_json::from_str::<PersonChange>(refused).is_err());
    }
}

#[test]
fn a_change_of_a_person_keeps_only_what_differs() {
    let person: Person = serde_json::from_str(&example("people/complete.json")).unwrap();
    let now = |text: &Option<String>| text.clone().unwrap();
    let same = PersonChange::new()
        .name(now(&person.name))
        .title(now(&person.title))
        .reference_id(now(&person.reference_id))
        .archived(person.is_archived);
    assert!(same.without_unchanged(&person).is_empty());

    let other = same.clear_title().archived(!person.is_archived);
    let different = other.without_unchanged(&person);
    assert_eq!(different, PersonChange::new().clear_title().archived(!person.is_archived));
    assert_eq!((different.get_name(), different.get_title()), (None, Some(None)));
    assert_eq!(different.get_reference_id(), None);
    assert_eq!(different.get_archived(), Some(!person.is_archived));

    let bare = Person::new(person.id, person.created_on, person.created_by);
    let nothing = PersonChange::new().clear_name().title("").archived(false);
    assert!(nothing.without_unchanged(&bare).is_empty());
    assert_eq!(PersonChange::new().name("Jo").get_name(), Some(Some("Jo")));
}

#[test]
fn a_kind_of_entity_is_written_as_its_slug_and_read_in_any_case() {
    let location = RelatedEntityType::Location;
    assert_eq!(serde_json::to_value(&location).unwrap(), "location");
    for text in ["location", "Location"] {
        assert_eq!(text.parse(), Ok(location.clone()));
        assert_eq!(serde_json::from_value::<RelatedEntityType>(text.into()).unwrap(), location);
    }
}

#[test]
fn the_three_flag_form_is_written_only_where_it_can_say_the_same() {
    let alike = UpdateContactRequest::new().preferences(ContactPreferencesRequest::receiving(&[
        Preference::JobReminders,
        Preference::InvoicesAndStatements,
    ]));
    assert_eq!(
        serde_json::to_string_pretty(&alike.legacy_three_flags().unwrap()).unwrap(),
        example("requests/update-contact-preferences-three-flags.json").trim_end(),
    );

    let apart = UpdateContactRequest::new().preferences(ContactPreferencesRequest::receiving(&[
        Preference::JobReminders,
        Preference::Invoices,
    ]));
    let error = apart.legacy_three_flags().unwrap_err();
    assert_eq!(error.fields[0].field, "preferences.invoiceStatementNotification");
}

#[test]
fn a_reading_of_three_flags_is_completed_by_three_or_not_at_all() {
    let three = json!({
        "jobRemindersEnabled": true, "marketingUpdatesEnabled": true,
        "invoiceStatementNotification": true,
    });
    let current: ContactPreferences = serde_json::from_value(three).unwrap();
    let written = |change: PreferenceChange| {
        let request = change.apply_to(Some(&current))?;
        Ok(serde_json::to_value(request).unwrap())
    };
    let change = PreferenceChange::new();
    assert_eq!(
        written(change.invoices_and_statements(false)),
        Ok(json!({
            "jobRemindersEnabled": true, "marketingUpdatesEnabled": true,
            "invoiceStatementNotification": false,
        })),
    );
    for apart in [change.invoices(false), change.statements(false)] {
        assert_eq!(written(apart), Err(PreferencesError::Inseparable));
    }
}

#[test]
fn preferences_that_contradict_themselves_are_not_read() {
    let contradiction = json!({
        "jobRemindersEnabled": true, "marketingUpdatesEnabled": true,
        "invoiceStatementNotification": true,
        "invoiceNotification": true, "statementNotification": false,
    });
    let error = serde_json::from_value::<ContactPreferencesRequest>(contradiction).unwrap_err();
    assert!(error.to_string().contains("contradicts"), "{error}");
}

#[test]
fn a_partial_change_without_present_preferences_names_the_flags_to_give() {
    let change = PreferenceChange::new().marketing_updates(false).invoices(true);
    let error = change.apply_to(None).unwrap_err();
    let missing = Preference::SETTABLE.into_iter().filter(|flag| change.get(*flag).is_none());
    let flags: Vec<_> = missing.map(Preference::api_name).collect();
    assert_eq!(flags[..2], ["jobRemindersEnabled", "statementNotification"]);
    assert_eq!(error, PreferencesError::Unknown { flags });

    let complete = change.job_reminders(true).complete_with(false);
    assert_eq!(
        complete.apply_to(None),
        Ok(ContactPreferencesRequest::receiving(&[Preference::JobReminders, Preference::Invoices])),
    );
}

#[test]
fn a_change_keeps_only_what_differs() {
    let contact: Contact = serde_json::from_str(&example("contacts/mobile.json")).unwrap();
    let same = ContactChange::new()
        .contact_type(ContactType::MobilePhone)
        .value("+1 (206) 555-0134")
        .memo("Head baker, mornings")
        .preferences(PreferenceChange::new().job_reminders(true).invoices(true));
    assert!(same.without_unchanged(&contact).is_empty());

    let other = ContactChange::new()
        .contact_type(ContactType::Phone)
        .value("2065550134")
        .clear_memo()
        .preferences(PreferenceChange::new().job_reminders(true).invoices(false));
    assert_eq!(
        other.without_unchanged(&contact),
        ContactChange::new()
            .contact_type(ContactType::Phone)
            .clear_memo()
            .preferences(PreferenceChange::new().invoices(false)),
    );
}

#[test]
fn clearing_a_memo_that_is_not_there_changes_nothing() {
    let contact: Contact = serde_json::from_str(&example("contacts/unknown-type.json")).unwrap();
    assert!(ContactChange::new().clear_memo().without_unchanged(&contact).is_empty());
}

#[test]
fn preferences_of_a_contact_without_any_always_differ() {
    let contact: Contact =
        serde_json::from_str(&example("contacts/preferences-absent.json")).unwrap();
    let change = ContactChange::new().preferences(PreferenceChange::all(false));
    assert_eq!(change.without_unchanged(&contact), change);
}

#[test]
fn filters_are_written_in_the_words_of_the_contract() {
    let time = |text: &str| text.parse::<Timestamp>().unwrap();
    let locations = [62011, 62012].map(|id| LocationId::new(id).unwrap());
    let filter = ContactFilter::new()
        .modified_before(time("2026-06-02"))
        .modified_on_or_after(time("2026-06-01"))
        .created_before(time("2026-05-02"))
        .created_on_or_after(time("2026-05-01T00:00:00.5Z"))
        .owners(locations);
    assert_eq!(
        serde_json::to_value(filter).unwrap(),
        json!({
            "modifiedBefore": "2026-06-02T00:00:00Z",
            "modifiedOnOrAfter": "2026-06-01T00:00:00Z",
            "createdBefore": "2026-05-02T00:00:00Z",
            "createdOnOrAfter": "2026-05-01T00:00:00.5Z",
            "locationIds": "62011,62012",
        }),
    );

    let filter = PersonFilter::new()
        .name("Jonas")
        .reference_id("crm-0915")
        .archived(Whether::Any)
        .modified_before(time("2026-06-02"))
        .sort(Sort::descending(PersonSort::CreatedOn));
    assert_eq!(
        serde_json::to_value(filter).unwrap(),
        json!({
            "name": "Jonas",
            "referenceId": "crm-0915",
            "isArchived": "Any",
            "modifiedBefore": "2026-06-02T00:00:00Z",
            "sort": "-CreatedOn",
        }),
    );

    let filter = OwnerFilter::<CustomerId>::new()
        .ids([CustomerId::new(3380).unwrap(), CustomerId::new(3381).unwrap()])
        .name("Ridge Bakery")
        .street("Mill Row")
        .unit("B")
        .city("Tacoma")
        .state("WA")
        .zip("98402")
        .country("USA")
        .phone("+1 (206) 555-0134 ext. 7")
        .active(Whether::Any)
        .created_before(time("2026-05-02"))
        .modified_on_or_after(time("2026-06-01"))
        .sort(Sort::descending(OwnerSort::ModifiedOn));
    assert_eq!(
        serde_json::to_value(filter).unwrap(),
        json!({
            "ids": "3380,3381",
            "name": "Ridge Bakery",
            "street": "Mill Row",
            "unit": "B",
            "city": "Tacoma",
            "state": "WA",
            "zip": "98402",
            "country": "USA",
            "phone": "2065550134",
            "active": "Any",
            "createdBefore": "2026-05-02T00:00:00Z",
            "modifiedOnOrAfter": "2026-06-01T00:00:00Z",
            "sort": "-ModifiedOn",
        }),
    );

    let filter = OwnerFilter::<LocationId>::new()
        .customer(CustomerId::new(3380).unwrap())
        .active(Whether::No)
        .sort(Sort::ascending(OwnerSort::Id));
    assert_eq!(
        serde_json::to_value(filter).unwrap(),
        json!({"customerId": 3380, "active": "False", "sort": "+Id"}),
    );
    assert_eq!(serde_json::to_value(OwnerFilter::<LocationId>::new()).unwrap(), json!({}));

    let filter = ContactMethodFilter::new()
        .contact_type(ContactType::Email)
        .value("jonas@ridge-bakery.example")
        .sort(Sort::ascending(ContactMethodSort::Id));
    assert_eq!(
        serde_json::to_value(filter).unwrap(),
        json!({"type": "Email", "value": "jonas@ridge-bakery.example", "sort": "+Id"}),
    );

    let filter = RelationshipFilter::new()
        .related_entity_id(RelatedEntityId::new(62011).unwrap())
        .entity_type(RelatedEntityType::Location)
        .sort(Sort::ascending(RelationshipSort::Id));
    assert_eq!(
        serde_json::to_value(filter).unwrap(),
        json!({"relatedEntityId": 62011, "typeSlug": "location", "sort": "+ID"}),
    );
}

#[test]
fn a_filter_is_cut_into_blocks_of_owners() {
    let ids = (1..=118).map(|id| CustomerId::new(id).unwrap());
    let blocks = ContactFilter::new().owners(ids).blocks(50);
    let sizes: Vec<_> = blocks
        .iter()
        .map(|block| {
            let query = serde_json::to_value(block).unwrap();
            query["customerIds"].as_str().unwrap().split(',').count()
        })
        .collect();
    assert_eq!(sizes, [50, 50, 18]);
}

#[test]
fn pages_and_exports_are_asked_for_in_the_words_of_the_contract() {
    assert_eq!(serde_json::to_value(PageQuery::new()).unwrap(), json!({}));
    let query = PageQuery::new().page(2).page_size(5_000).include_total(true);
    assert_eq!(
        serde_json::to_value(query).unwrap(),
        json!({"page": 2, "pageSize": 5000, "includeTotal": true}),
    );

    assert_eq!(serde_json::to_value(ExportQuery::new()).unwrap(), json!({}));
    let time = ExportFrom::Time("2020-01-01".parse().unwrap());
    assert_eq!(
        serde_json::to_value(ExportQuery::new().from(time)).unwrap(),
        json!({"from": "2020-01-01T00:00:00Z"}),
    );
    let token = ExportFrom::Token(ContinuationToken::new("1nventedT0ken_L1"));
    let query = ExportQuery::new().from(token).include_recent_changes(true);
    assert_eq!(
        serde_json::to_value(query).unwrap(),
        json!({"from": "1nventedT0ken_L1", "includeRecentChanges": true}),
    );
}

#[test]
fn each_preference_is_set_read_and_named_by_itself() {
    for preference in Preference::SETTABLE {
        let change: PreferenceChange = [(preference, true)].into_iter().collect();
        let written = serde_json::json!({ preference.api_name(): true });
        assert_eq!(serde_json::to_value(change).unwrap(), written);
        assert_eq!(serde_json::from_value::<PreferenceChange>(written).unwrap(), change);
        assert_eq!(change.iter().collect::<Vec<_>>(), [(preference, true)]);

        let all_off = ContactPreferencesRequest::receiving(&[]);
        let one_on = change.apply_to(Some(&all_off.into())).unwrap();
        for other in Preference::SETTABLE {
            assert_eq!(one_on.get(other), other == preference, "{other:?}");
        }
    }
    for name in [
        Preference::api_name,
        Preference::column,
        Preference::option,
        Preference::words,
        Preference::heading,
    ] {
        let names: std::collections::HashSet<_> = Preference::ALL.map(name).into();
        assert_eq!(names.len(), Preference::ALL.len());
    }
}

#[test]
fn a_combined_flag_that_contradicts_the_two_is_computed_anew_when_both_are_set() {
    let mut current =
        ContactPreferences::from(ContactPreferencesRequest::receiving(&[Preference::Invoices]));
    let both = PreferenceChange::new().invoices(true).statements(false);
    assert!(both.without_unchanged(&current).is_empty(), "nothing contradicts");
    current.invoice_statement_notification = true;
    assert_eq!(both.without_unchanged(&current), both);
    let sent = both.without_unchanged(&current).apply_to(Some(&current)).unwrap();
    assert!(!sent.invoices_and_statements() && sent.invoices());
    let one = PreferenceChange::new().invoices(true);
    assert!(one.without_unchanged(&current).is_empty(), "only one of the two is set");
}
