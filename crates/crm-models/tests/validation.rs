//! What the API would refuse is refused before it is sent, with every breach named.

#![allow(clippy::unwrap_used)] // In tests, also outside of the test functions.

use crm_models::*;
use rstest::rstest;
use validator::{Validate, ValidationError, ValidationErrors};

fn breaches(input: &impl Check) -> Vec<(String, String)> {
    match input.check() {
        Ok(()) => Vec::new(),
        Err(error) => error.fields.into_iter().map(|breach| (breach.field, breach.code)).collect(),
    }
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(field, code)| ((*field).to_owned(), (*code).to_owned())).collect()
}

#[rstest]
#[case(ContactType::Email, "dana@site.example")]
#[case(ContactType::Email, "Dana.O'Neil+crm@sub.site.example")]
#[case(ContactType::Phone, "2065550134")]
#[case(ContactType::MobilePhone, "+1 (206) 555-0134 ext. 22")]
#[case(ContactType::Fax, "206.555.0190")]
#[case::most_digits(ContactType::Phone, "12345678901234567890")]
#[case::most_characters(ContactType::Phone, "2065550134 extension of the second front desk: 712")]
fn a_value_that_fits_its_type_passes(#[case] contact_type: ContactType, #[case] value: &str) {
    let create = CreateContactRequest::new(contact_type.clone(), value);
    assert_eq!(create.check(), Ok(()));
    let update = UpdateContactRequest::new().contact_type(contact_type.clone()).value(value);
    assert_eq!(update.check(), Ok(()));
    assert_eq!(UpdateContactRequest::new().value(value).check(), Ok(()));
    assert_eq!(ContactMethodRequest::new(contact_type, value).check(), Ok(()));
}

#[rstest]
#[case(ContactType::Email, "2065550134", "shape")]
#[case(ContactType::Email, "@site.example", "shape")]
#[case(ContactType::Email, "dana@", "shape")]
#[case(ContactType::Email, "dana@one@site.example", "shape")]
#[case(ContactType::Phone, "dana@site.example", "shape")]
#[case(ContactType::MobilePhone, "call the office", "shape")]
#[case::a_digit_more(ContactType::Fax, "123456789012345678901", "shape")]
#[case::a_character_more(
    ContactType::Phone,
    "2065550134 extension of the second front desk: 7125",
    "shape"
)]
#[case(ContactType::Phone, "   ", "blank")]
#[case(ContactType::Email, "", "blank")]
#[case(ContactType::Phone, "206\n5550134", "control")]
#[case(ContactType::Phone, "2065550134\0", "control")]
fn a_value_that_does_not_fit_its_type_is_refused(
    #[case] contact_type: ContactType,
    #[case] value: &str,
    #[case] code: &str,
) {
    let expected = pairs(&[("value", code)]);
    let create = CreateContactRequest::new(contact_type.clone(), value);
    assert_eq!(breaches(&create), expected);
    let change = ContactChange::new().contact_type(contact_type).value(value);
    assert_eq!(breaches(&change), expected);
}

#[test]
fn a_value_of_a_type_that_is_not_known_must_fit_some_type() {
    let update = UpdateContactMethodRequest::new().value("no number, no address");
    assert_eq!(breaches(&update), pairs(&[("value", "shape")]));
    assert_eq!(update.check_with(Tolerance::AnyType), Ok(()));
    let update = UpdateBookingContactRequest::new().value("no number, no address");
    assert_eq!(breaches(&update), pairs(&[("value", "shape")]));
}

#[test]
fn all_breaches_are_reported_at_once_in_the_words_of_the_contract() {
    let request = UpdateContactRequest::new()
        .contact_type(ContactType::from("Pager"))
        .value("\u{1b}[31m")
        .memo("a\0b".repeat(2_000));
    assert_eq!(
        breaches(&request),
        pairs(&[
            ("memo", "control"),
            ("memo", "length"),
            ("type", "unknown_type"),
            ("value", "control"),
        ]),
    );
    let person = CreatePersonRequest::new().name("a\tb").title("c\rd").reference_id("e\nf");
    let expected = [("name", "control"), ("referenceId", "control"), ("title", "control")];
    assert_eq!(breaches(&person), pairs(&expected));
}

#[test]
fn an_error_is_one_line_and_quotes_no_personal_data() {
    let request = CreateContactRequest::new(ContactType::Phone, "dana@site.example")
        .memo("Gate code\u{7} 4411");
    assert_eq!(
        request.check().unwrap_err().to_string(),
        "memo holds a control character; value looks like an e-mail address, not a number",
    );
}

#[rstest]
#[case("Gate code\n\t4411", true)]
#[case("", true)]
#[case("Größe: 4 m², 犬注意", true)]
#[case("carriage\r\nreturn", true)]
#[case("bell\u{7}", false)]
#[case("next line\u{85}", false)]
fn a_memo_may_hold_line_feeds_and_tabs_but_no_other_control(
    #[case] memo: &str,
    #[case] valid: bool,
) {
    assert_eq!(UpdateContactRequest::new().memo(memo).check().is_ok(), valid);
}

#[rstest]
#[case(4_000, true)]
#[case(4_001, false)]
fn a_memo_is_bounded_in_characters(#[case] characters: usize, #[case] valid: bool) {
    let memo = "ß".repeat(characters);
    assert_eq!(UpdateContactRequest::new().memo(memo).check().is_ok(), valid);
}

#[test]
fn an_update_of_nothing_is_refused() {
    let expected = pairs(&[("", "empty")]);
    assert_eq!(breaches(&UpdateContactRequest::new()), expected);
    let tolerant = UpdateContactRequest::new().check_with(Tolerance::AnyType).unwrap_err();
    assert_eq!(tolerant.fields[0].code, "empty");
    assert_eq!(breaches(&ContactChange::new()), expected);
    assert_eq!(breaches(&UpdateBookingContactRequest::new()), expected);
    assert_eq!(breaches(&UpdateContactMethodRequest::new()), expected);
    assert_eq!(breaches(&PersonChange::new()), expected);
}

#[test]
fn an_unknown_type_is_sent_only_if_the_caller_insists() {
    let pager = ContactType::from("Pager");
    let expected = pairs(&[("type", "unknown_type")]);

    let create = CreateContactRequest::new(pager.clone(), "#2206");
    assert_eq!(breaches(&create), expected);
    assert_eq!(create.check_with(Tolerance::AnyType), Ok(()));

    let change = ContactChange::new().contact_type(pager.clone()).value("#2206");
    assert_eq!(breaches(&change), expected);
    assert_eq!(change.check_with(Tolerance::AnyType), Ok(()));
    assert_eq!(change.to_request(None).unwrap().check_with(Tolerance::AnyType), Ok(()));

    let method = ContactMethodRequest::new(pager, "#2206");
    assert_eq!(breaches(&method), expected);
    assert_eq!(method.check_with(Tolerance::AnyType), Ok(()));

    for (contact_type, code) in [(" ", "blank"), ("a\nb", "control")] {
        let odd = CreateContactRequest::new(ContactType::from(contact_type), "#2206");
        let wrong = odd.check_with(Tolerance::AnyType).unwrap_err();
        assert_eq!(wrong.fields.len(), 1);
        assert_eq!((&*wrong.fields[0].field, &*wrong.fields[0].code), ("type", code));
    }
}

#[rstest]
#[case::address_for_a_telephone("Phone", "2065550134", None, Some("dana@site.example"), false)]
#[case::number_for_an_address("Email", "dana@site.example", None, Some("2065550134"), false)]
#[case::type_alone("Email", "dana@site.example", Some("Phone"), None, false)]
#[case::type_and_value("Email", "dana@site.example", Some("Phone"), Some("2065550134"), true)]
#[case::another_telephone("Phone", "2065550134", Some("MobilePhone"), None, true)]
#[case::type_that_stays_unknown("Pager", "#2206", None, Some("#2207"), true)]
#[case::type_that_becomes_unknown("Phone", "2065550134", Some("Pager"), None, false)]
fn a_change_must_fit_the_contact_it_is_for(
    #[case] contact_type: &str,
    #[case] value: &str,
    #[case] new_type: Option<&str>,
    #[case] new_value: Option<&str>,
    #[case] valid: bool,
) {
    let contact = Contact::new(
        ContactId::new(8411).unwrap(),
        contact_type.into(),
        value,
        "2026-06-02".parse().unwrap(),
    );
    let mut change = ContactChange::new();
    if let Some(new_type) = new_type {
        change = change.contact_type(new_type.into());
    }
    if let Some(new_value) = new_value {
        change = change.value(new_value);
    }
    assert_eq!(change.check_for(&contact).is_ok(), valid);
    // What passes there may be sent.
    let sent = change.without_unchanged(&contact).request_for(&contact).unwrap();
    assert!(!valid || sent.check().is_ok());
}

/// A contact whose value does not fit its type, or whose type nobody knows.
fn odd(contact_type: &str, value: &str) -> Contact {
    let id = ContactId::new(8411).unwrap();
    Contact::new(id, contact_type.into(), value, "2026-06-02".parse().unwrap())
}

#[rstest]
#[case::a_value_of_old("Email", "a@x.example; b@x.example", None, true)]
#[case::a_type_of_old("Pager", "#2206", None, true)]
#[case::a_value_of_old_in_another_type("Email", "a@x.example; b@x.example", Some("Phone"), false)]
#[case::another_type_that_nobody_knows("Pager", "#2206", Some("Beeper"), false)]
fn what_a_contact_is_already_is_not_judged(
    #[case] contact_type: &str,
    #[case] value: &str,
    #[case] new_type: Option<&str>,
    #[case] valid: bool,
) {
    let contact = odd(contact_type, value);
    let same =
        ContactChange::new().contact_type(new_type.unwrap_or(contact_type).into()).value(value);
    assert_eq!(same.check_for(&contact).is_ok(), valid);
    let change = same.memo("Both partners");
    assert_eq!(change.check_for(&contact).is_ok(), valid);
    let sent = change.without_unchanged(&contact).request_for(&contact).unwrap();
    assert!(!valid || sent.check().is_ok());
}

#[test]
fn what_changes_is_judged_beside_what_does_not() {
    let contact = odd("Email", "a@x.example; b@x.example");
    let change = ContactChange::new().value("a@x.example; c@x.example");
    assert_eq!(change.check_for(&contact).unwrap_err().fields.len(), 1);
    let pager = odd("Pager", "#2206");
    let change = ContactChange::new().contact_type("Pager".into()).value("#2207");
    assert_eq!(change.check_for(&pager), Ok(()));
    assert!(ContactChange::new().check_for(&pager).is_err());
}

#[test]
fn a_selection_of_no_owner_never_lists_all() {
    fn refused<O: ContactOwner>(filter: ContactFilter<O>) {
        let member = [(O::LIST_MEMBER, "filter")];
        for block in filter.clone().owners([]).blocks(50) {
            assert_eq!(breaches(&block), pairs(&member));
        }
    }
    let time: Timestamp = "2026-06-01".parse().unwrap();
    refused(ContactFilter::<LocationId>::new());
    refused(ContactFilter::<LocationId>::new().created_before(time));
    refused(ContactFilter::<CustomerId>::new());
    refused(ContactFilter::<CustomerId>::new().modified_on_or_after(time));
    let customer = CustomerId::new(3380).unwrap();
    let filter = ContactFilter::new().owners([]).owners([customer]);
    assert_eq!(filter.check(), Ok(()));
}

#[test]
fn a_filter_by_a_blank_text_never_lists_all() {
    let people = PersonFilter::new().name("").title(" ").reference_id("\t");
    let people: Vec<_> = breaches(&people).into_iter().map(|(field, _)| field).collect();
    assert_eq!(people, ["name", "referenceId", "referenceId", "title"]);
    let methods = ContactMethodFilter::new().contact_type("".into()).value("").reference_id("");
    let blank = [("referenceId", "blank"), ("type", "blank"), ("value", "blank")];
    assert_eq!(breaches(&methods), pairs(&blank));
    let related = RelationshipFilter::new().entity_type("".into()).type_name("");
    assert_eq!(breaches(&related), pairs(&[("typeName", "blank"), ("typeSlug", "blank")]));
    for filter in [PersonFilter::new(), PersonFilter::new().name("Jonas").title("Lead")] {
        assert_eq!(filter.check(), Ok(()));
    }
}

#[test]
fn a_filter_of_owners_that_names_nobody_never_lists_all() {
    let ids = |count| (1..=count).map(|id| CustomerId::new(id).unwrap());
    let breach = |filter: OwnerFilter<CustomerId>| breaches(&filter);
    assert_eq!(breach(OwnerFilter::new().ids(ids(0))), pairs(&[("ids", "filter")]));
    assert_eq!(breach(OwnerFilter::new().ids(ids(50))), []);
    assert_eq!(breach(OwnerFilter::new().ids(ids(51))), pairs(&[("ids", "range")]));
    assert_eq!(breach(OwnerFilter::new().phone("none")), pairs(&[("phone", "shape")]));
    let blank = OwnerFilter::<LocationId>::new();
    let blank = blank.name("").street(" ").unit("").city("").state("").zip("").country("");
    let members = ["city", "country", "name", "state", "street", "unit", "zip"];
    assert_eq!(breaches(&blank), pairs(&members.map(|member| (member, "blank"))));

    let filter = OwnerFilter::new().city("Tacoma").ids(ids(101));
    let blocks = filter.blocks();
    let named: Vec<_> = blocks.iter().flat_map(|block| block.get_ids().unwrap()).collect();
    assert_eq!(named.len(), 101);
    assert!(named.is_sorted() && blocks.iter().all(|block| block.check().is_ok()));
    assert_eq!(serde_json::to_string(&blocks[2]).unwrap(), r#"{"ids":"101","city":"Tacoma"}"#);
    assert_eq!(OwnerFilter::<LocationId>::new().blocks(), [OwnerFilter::new()]);
}

/// As a form of an application, whose derived validation nests.
struct Form {
    change: ContactChange,
    rows: Vec<UpdateContactRequest>,
}

impl Validate for Form {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut errors = ValidationErrors::new();
        errors.add("note", ValidationError::new("missing"));
        errors.merge_self("change", self.change.validate());
        errors.merge_self("rows", self.rows.validate());
        Err(errors)
    }
}

#[test]
fn breaches_of_what_is_nested_are_named_by_their_way() {
    let form = Form {
        change: ContactChange::new().contact_type(ContactType::Email).value("Dana"),
        rows: vec![
            UpdateContactRequest::new().memo("Gate"),
            UpdateContactRequest::new(),
            UpdateContactRequest::new().memo("\0"),
        ],
    };
    assert_eq!(
        breaches(&form),
        pairs(&[
            ("change.value", "shape"),
            ("note", "missing"),
            ("rows[1]", "empty"),
            ("rows[2].memo", "control"),
        ]),
    );
}

#[test]
fn filters_of_locations_need_one_filter_at_least() {
    let time: Timestamp = "2026-06-01".parse().unwrap();
    let filter = ContactFilter::<LocationId>::new;
    let location = LocationId::new(62011).unwrap();
    assert_eq!(breaches(&filter()), pairs(&[("", "filter")]));
    assert_eq!(filter().created_before(time).check(), Ok(()));
    assert_eq!(filter().owners([location]).check(), Ok(()));
    assert_eq!(filter().owners([location]).modified_before(time).check(), Ok(()));
}

#[test]
fn filters_of_customers_are_ids_or_times_of_change() {
    let time: Timestamp = "2026-06-01".parse().unwrap();
    let filter = ContactFilter::<CustomerId>::new;
    let customer = CustomerId::new(3380).unwrap();
    assert_eq!(breaches(&filter()), pairs(&[("", "filter")]));
    assert_eq!(breaches(&filter().created_before(time)), pairs(&[("", "filter")]));
    let both = filter().owners([customer]).modified_before(time);
    assert_eq!(breaches(&both), pairs(&[("customerIds", "filter")]));
    assert_eq!(filter().owners([customer]).check(), Ok(()));
    let times = filter().modified_on_or_after(time).created_before(time);
    assert_eq!(times.check(), Ok(()));
}

#[rstest]
#[case(PageQuery::new(), &[])]
#[case(PageQuery::new().page(1).page_size(1), &[])]
#[case(PageQuery::new().page_size(5_000), &[])]
#[case(PageQuery::new().page(0).page_size(0), &["page", "pageSize"])]
#[case(PageQuery::new().page(-1).page_size(5_001), &["page", "pageSize"])]
fn pages_start_at_one_and_hold_up_to_5000(#[case] query: PageQuery, #[case] refused: &[&str]) {
    let members: Vec<_> = breaches(&query).into_iter().map(|(member, _)| member).collect();
    assert_eq!(members, refused);
}

#[test]
fn an_export_from_a_blank_token_is_refused() {
    let blank = ExportQuery::new().from(ExportFrom::Token(ContinuationToken::new(" ")));
    assert_eq!(breaches(&blank), pairs(&[("from", "blank")]));
    assert_eq!(ExportQuery::new().check(), Ok(()));
}

#[rstest]
#[case("(206) 555-0134 ext. 7", "2065550134")]
#[case("206-555-0134 EXTENSION 70", "2065550134")]
#[case("+1 206 555 0134x12", "2065550134")]
#[case("206.555.0134 #12", "2065550134")]
#[case("tel:+1-206-555-0134;ext=7", "2065550134")]
#[case("206-555-0134 (office 2)", "2065550134")]
#[case::a_local_number("555-0134 x123", "5550134")]
#[case::a_service_code("#31# 206 555 0134", "312065550134")]
#[case::letters_as_digits("1-800-FLOWERS", "1800")]
#[case::no_mark_no_extension("20655501347", "20655501347")]
fn a_number_is_found_without_its_extension(#[case] written: &str, #[case] key: &str) {
    for contact_type in ["Phone", "MobilePhone", "Fax", "Pager"] {
        assert_eq!(ContactType::from(contact_type).key(written), key);
    }
}

#[rstest]
#[case("Phone", "Dana@Site.example", "dana@site.example")]
#[case("Messenger", "Dana@Site.example", "dana@site.example")]
#[case("Messenger", "Dana", "Dana")]
#[case("Phone", "front desk", "")]
fn a_value_of_any_type_is_found_by_its_looks(
    #[case] contact_type: &str,
    #[case] value: &str,
    #[case] key: &str,
) {
    assert_eq!(ContactType::from(contact_type).key(value), key);
}

#[rstest]
#[case(ContactType::Phone, "(206) 555-0134", "+1 206 555 0134", true)]
#[case::an_echo_in_digits(ContactType::Phone, "(206) 555-0134 ext. 7", "20655501347", true)]
#[case::extensions_in_two_forms(
    ContactType::Fax,
    "+1 206 555 0134 x7",
    "(206) 555-0134 ext. 7",
    true
)]
#[case::two_extensions(ContactType::Phone, "206 555 0134 x7", "206 555 0134 x8", false)]
#[case::an_echo_without_extension(ContactType::Phone, "206 555 0134 x7", "2065550134", false)]
#[case(ContactType::Fax, "2065550134", "2065550135", false)]
#[case(ContactType::Phone, "12065550134", "2065550134", true)]
#[case::not_eleven_digits(ContactType::Phone, "1206555013", "206555013", false)]
#[case::eleven_digits_of_another_country(ContactType::Phone, "44206555013", "4206555013", false)]
#[case(ContactType::Phone, "reception", "back door", false)]
#[case::vanity_numbers(ContactType::Phone, "1-800-FLOWERS", "1-800-PLUMBER", false)]
#[case::vanity_endings(ContactType::Phone, "1-206-555-HELP", "1-206-555-TAXI", false)]
#[case::a_vanity_number(ContactType::Phone, "1-800-FLOWERS", "1-800-FLOWERS", true)]
#[case::an_echo_without_letters(ContactType::Phone, "1-800-FLOWERS", "1800", false)]
#[case::a_local_number(ContactType::Fax, "555-0134", "5550134", true)]
#[case::few_digits(ContactType::Phone, "12-34-56", "123456", true)]
#[case::other_few_digits(ContactType::Phone, "12-34-56", "123457", false)]
#[case::a_digit(ContactType::Phone, "(1)", "1", true)]
#[case::few_digits_and_an_extension(ContactType::Phone, "555 ext 12", "55512", true)]
#[case::few_digits_and_a_mark(ContactType::Fax, "555x12", "555 #12", true)]
#[case::letters_and_an_extension(ContactType::Phone, "800-TAXI ext 12", "800-HELP x12", false)]
#[case::addresses(ContactType::Phone, "unit5@site.example", "suite5@site.example", false)]
#[case(ContactType::Email, "Dana@Site.example ", "dana@site.example", true)]
#[case(ContactType::Email, "dana@site.example", "dan@site.example", false)]
#[case(ContactType::Other("Pager".to_owned()), "#A", "#a", false)]
fn values_are_the_same_by_digits_by_case_or_by_the_letter(
    #[case] contact_type: ContactType,
    #[case] one: &str,
    #[case] other: &str,
    #[case] same: bool,
) {
    assert_eq!(contact_type.same_value(one, other), same);
    assert_eq!(contact_type.same_value(other, one), same);
}

#[test]
fn a_landline_and_a_mobile_are_the_same_number_but_a_fax_is_not() {
    let contact = |contact_type| {
        let id = ContactId::new(1).unwrap();
        Contact::new(id, contact_type, "2065550134", "2026-06-02".parse().unwrap())
    };
    let request = CreateContactRequest::new(ContactType::Phone, "206-555-0134");
    assert!(request.is_same(&contact(ContactType::Phone)));
    assert!(request.is_same(&contact(ContactType::MobilePhone)));
    assert!(!request.is_same(&contact(ContactType::Fax)));
}

#[test]
fn what_a_request_holds_can_be_read_from_it() {
    let preferences =
        ContactPreferencesRequest::receiving(&[Preference::JobReminders, Preference::Invoices]);
    let create = CreateContactRequest::new(ContactType::Fax, "2065550190").memo("Back office");
    assert_eq!(create.get_contact_type(), &ContactType::Fax);
    assert_eq!(create.get_value(), "2065550190");
    assert_eq!(create.get_memo(), Some("Back office"));
    let update = UpdateContactRequest::new().preferences(preferences);
    assert_eq!(update.get_preferences(), Some(&preferences));
}

#[test]
fn what_the_service_had_before_may_be_restored_whatever_it_was() {
    let value = "a@site.example; b@site.example";
    let update = UpdateContactRequest::new()
        .contact_type(ContactType::Other("Pager".to_owned()))
        .value(value)
        .memo("Front\u{b}door");
    assert_eq!(update.check().unwrap_err().fields.len(), 2);
    assert!(update.check_with(Tolerance::Anything).is_ok());

    let create = CreateContactRequest::new(ContactType::Email, value);
    assert!(create.check().is_err());
    assert!(create.check_with(Tolerance::Anything).is_ok());

    let blank = CreateContactRequest::new(ContactType::Email, " ");
    assert!(blank.check_with(Tolerance::Anything).is_err());
    assert!(UpdateContactRequest::new().check_with(Tolerance::Anything).is_err());
}

#[rstest]
#[case::letters_of_any_script("jörg@firma.example", true)]
#[case::a_host_of_any_script("info@bücher.example", true)]
#[case::other_signs("jo–rg@firma.example", false)]
#[case::two_addresses("a@firma.example,b@firma.example", false)]
fn addresses_are_judged_alike_in_any_script(#[case] address: &str, #[case] fits: bool) {
    assert_eq!(email::check(address).is_ok(), fits);
}

#[test]
fn the_present_preferences_must_be_known_only_to_complete_some() {
    let some = PreferenceChange::new().marketing_updates(false);
    let all = some.complete_with(true);
    let change = |preferences| ContactChange::new().memo("Gate").preferences(preferences);
    assert!(!change(PreferenceChange::new()).needs_current());
    assert!(change(some).needs_current());
    assert!(change(all).needs_current(), "for their form");
    assert!(all.is_complete() && !some.is_complete());
    assert_eq!(change(some).get_preferences(), &some);
    assert!(!ContactChange::new().preferences(some).is_empty());
    assert!(!ContactChange::new().value("a@site.example").is_empty());
    assert!(ContactChange::new().preferences(PreferenceChange::new()).is_empty());
}

#[test]
fn a_contact_of_a_type_not_known_yet_takes_any_value_in_a_request_for_it() {
    let contact = |contact_type| {
        let id = ContactId::new(1).unwrap();
        let modified = "2026-06-02".parse().unwrap();
        Contact::new(id, contact_type, "@harbor", modified)
    };
    let change = ContactChange::new().value("@quay");
    let check_for = |contact_type| {
        let contact = contact(contact_type);
        let request = change.request_for(&contact).unwrap();
        request.check_with(request.tolerance_for(&contact))
    };
    assert!(check_for(ContactType::Other("Messenger".to_owned())).is_ok());
    assert!(check_for(ContactType::Fax).is_err());
}

#[test]
fn a_service_that_tells_neither_of_the_later_flags_knows_three() {
    let read = |more: &str| {
        let json = format!(
            r#"{{"jobRemindersEnabled":true,"marketingUpdatesEnabled":true,
            "invoiceStatementNotification":true{more}}}"#
        );
        serde_json::from_str::<ContactPreferences>(&json).unwrap().derived()
    };
    assert!(read(""));
    assert!(read(r#","invoiceNotification":null"#));
    assert!(!read(r#","invoiceNotification":true"#));
    assert!(!read(r#","statementNotification":true"#));
    assert!(!read(r#","invoiceNotification":true,"statementNotification":false"#));
}
