//! Promises that hold for every input.

#![allow(clippy::unwrap_used)] // In tests, also outside of the test functions.

use crm_models::*;
use proptest::prelude::*;

fn timestamp() -> impl Strategy<Value = Timestamp> {
    // From the year 1 to the year 9999, in the ticks of 100 nanoseconds that the service counts in.
    (-621_355_968_000_000_000_i128..2_534_023_008_000_000_000)
        .prop_map(|ticks| Timestamp::from_nanoseconds(ticks * 100).unwrap())
}

fn contact_type() -> impl Strategy<Value = ContactType> {
    prop_oneof![
        prop::sample::select(ContactType::KNOWN.to_vec()),
        ".*".prop_map(|text| ContactType::from(text.as_str())),
    ]
}

fn received() -> impl Strategy<Value = Vec<Preference>> {
    let settable = Preference::SETTABLE.to_vec();
    let count = 0..=settable.len();
    prop::sample::subsequence(settable, count)
}

fn preferences() -> impl Strategy<Value = ContactPreferences> {
    (received(), any::<bool>()).prop_map(|(received, three)| {
        let all = ContactPreferencesRequest::receiving(&received);
        match all.legacy_three_flags() {
            Ok(request) if three => request.into(),
            _ => all.into(),
        }
    })
}

prop_compose! {
    fn contact()(
        id in 1_i64..,
        contact_type in contact_type(),
        value in ".*",
        memo in prop::option::of(".*"),
        modified_on in timestamp(),
        created_on in prop::option::of(timestamp()),
        preferences in prop::option::of(preferences()),
    ) -> Contact {
        let mut contact =
            Contact::new(ContactId::new(id).unwrap(), contact_type, value, modified_on);
        contact.memo = memo;
        contact.created_on = created_on;
        contact.preferences = preferences;
        contact
    }
}

prop_compose! {
    fn address()(
        texts in any::<[String; 5]>(),
        unit in prop::option::of(".*"),
        // Ten-millionths of a degree, which is a centimetre.
        position in prop::option::of((-900_000_000..900_000_000, -1_800_000_000..1_800_000_000)),
    ) -> Address {
        let [street, city, state, zip, country] = texts;
        let mut address = Address::new(street, city, state, zip);
        address.unit = unit;
        address.country = country;
        let degrees = |ten_millionths: i32| f64::from(ten_millionths) / 1e7;
        address.latitude = position.map(|(latitude, _)| degrees(latitude));
        address.longitude = position.map(|(_, longitude)| degrees(longitude));
        address
    }
}

prop_compose! {
    fn customer()(
        id in 1_i64..,
        active: bool,
        name in ".*",
        customer_type in prop::option::of(".*"),
        address in address(),
        flags in prop::option::of(any::<[bool; 2]>()),
        modified_on in timestamp(),
        created_on in prop::option::of(timestamp()),
        merged_to_id in prop::option::of(1_i64..),
    ) -> Customer {
        let mut customer = Customer::new(CustomerId::new(id).unwrap(), name, modified_on);
        customer.active = active;
        customer.customer_type = customer_type.map(|text| CustomerType::from(text.as_str()));
        customer.address = address;
        customer.do_not_mail = flags.map(|[mail, _]| mail);
        customer.do_not_service = flags.map(|[_, service]| service);
        customer.created_on = created_on;
        customer.merged_to_id = merged_to_id.map(|id| CustomerId::new(id).unwrap());
        customer
    }
}

fn change() -> impl Strategy<Value = PreferenceChange> {
    prop::collection::vec((0..5, any::<bool>()), 0..6).prop_map(|steps| {
        let set = |change: PreferenceChange, (flag, on)| match flag {
            0 => change.job_reminders(on),
            1 => change.marketing_updates(on),
            2 => change.invoices(on),
            3 => change.statements(on),
            _ => change.invoices_and_statements(on),
        };
        steps.into_iter().fold(PreferenceChange::new(), set)
    })
}

proptest! {
    #[test]
    fn a_date_time_is_read_as_it_was_written(time in timestamp()) {
        prop_assert_eq!(time.to_string().parse(), Ok(time));
        let json = serde_json::to_string(&time).unwrap();
        prop_assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), time);
        prop_assert!(json.ends_with("Z\"") && !(json.contains('.') && json.ends_with("0Z\"")));
    }

    #[test]
    fn a_system_time_survives(seconds in 0..4_102_444_800_u64, nanoseconds in 0..1_000_000_000_u32) {
        let time = std::time::UNIX_EPOCH + std::time::Duration::new(seconds, nanoseconds);
        prop_assert_eq!(Timestamp::from(time).to_system_time(), Some(time));
    }

    #[test]
    fn a_contact_is_read_as_it_was_written(contact in contact()) {
        let json = serde_json::to_string(&contact).unwrap();
        prop_assert_eq!(serde_json::from_str::<Contact>(&json).unwrap(), contact);
    }

    #[test]
    fn preferences_are_made_of_a_request_as_they_are_read_from_it(
        received in received(),
        legacy: bool,
    ) {
        let all = ContactPreferencesRequest::receiving(&received);
        let request = all.legacy_three_flags().ok().filter(|_| legacy).unwrap_or(all);
        let read = serde_json::from_value(serde_json::to_value(request).unwrap()).unwrap();
        prop_assert_eq!(ContactPreferences::from(request), read);
    }

    #[test]
    fn an_owned_contact_is_read_as_it_was_written(contact in contact(), owner in 1_i64.., active: bool) {
        let item = ExportedContact::new(CustomerId::new(owner).unwrap(), contact, active);
        let json = serde_json::to_string(&item).unwrap();
        prop_assert_eq!(serde_json::from_str::<ExportedCustomerContact>(&json).unwrap(), item);
    }

    #[test]
    fn a_customer_is_read_as_it_was_written(customer in customer()) {
        let json = serde_json::to_string(&customer).unwrap();
        prop_assert_eq!(serde_json::from_str::<Customer>(&json).unwrap(), customer);
    }

    #[test]
    fn a_location_is_read_as_it_was_written(customer in customer(), id in 1_i64..) {
        let id = LocationId::new(id).unwrap();
        let mut location = Location::new(id, customer.id, customer.name, customer.modified_on);
        location.address = customer.address;
        location.created_on = customer.created_on;
        location.merged_to_id = customer.merged_to_id.map(|_| id);
        let json = serde_json::to_string(&location).unwrap();
        prop_assert_eq!(serde_json::from_str::<Location>(&json).unwrap(), location);
    }

    #[test]
    fn an_owner_is_never_called_nothing(customer in customer()) {
        prop_assert!(!customer.display_name().trim().is_empty());
    }

    #[test]
    fn ids_are_read_as_they_were_written(number in 1_i64.., guid: u128) {
        let id = LocationId::new(number).unwrap();
        prop_assert_eq!(id.to_string().parse(), Ok(id));
        let id = PersonId::from(uuid::Uuid::from_u128(guid));
        prop_assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
    }

    #[test]
    fn what_is_sent_never_contradicts_itself(
        change in change(),
        current in prop::option::of(preferences()),
    ) {
        let three = current.is_some_and(|current| current.derived());
        match change.apply_to(current.as_ref()) {
            Ok(request) => {
                let json = serde_json::to_value(request).unwrap();
                prop_assert_eq!(json.as_object().unwrap().len(), if three { 3 } else { Preference::ALL.len() });
                let flag = |name: &str| json[name].as_bool();
                let both = flag("invoiceNotification").zip(flag("statementNotification"));
                prop_assert_eq!(both.is_none(), three);
                if let Some((invoices, statements)) = both {
                    let combined = flag("invoiceStatementNotification");
                    prop_assert_eq!(combined, Some(invoices && statements));
                }
                prop_assert_eq!(
                    serde_json::from_value::<ContactPreferencesRequest>(json).unwrap(),
                    request
                );
            }
            Err(PreferencesError::Inseparable) => prop_assert!(three),
            Err(_) => prop_assert!(current.is_none() && !change.is_complete()),
        }
    }

    #[test]
    fn a_flag_that_is_not_named_is_kept(change in change(), current in preferences()) {
        let request = match change.apply_to(Some(&current)) {
            Err(PreferencesError::Inseparable) => return Ok(()),
            request => request.unwrap(),
        };
        for flag in Preference::SETTABLE {
            let expected = change.get(flag).unwrap_or(current.get(flag));
            prop_assert_eq!(request.get(flag), expected, "{:?}", flag);
        }
    }

    #[test]
    fn a_change_to_what_a_contact_is_already_changes_nothing(contact in contact()) {
        let mut change = ContactChange::new()
            .contact_type(contact.contact_type.clone())
            .value(&contact.value)
            .memo(contact.memo.clone().unwrap_or_default());
        if let Some(current) = &contact.preferences {
            change = change.preferences(
                PreferenceChange::new()
                    .job_reminders(current.job_reminders_enabled)
                    .marketing_updates(current.marketing_updates_enabled)
                    .invoices(current.invoice_notification)
                    .statements(current.statement_notification),
            );
        }
        prop_assert!(change.without_unchanged(&contact).is_empty());
    }

    #[test]
    fn a_phone_key_does_not_depend_on_punctuation(digits in "[2-9][0-9]{9}") {
        let (area, exchange, line) = (&digits[..3], &digits[3..6], &digits[6..]);
        let written = format!("+1 ({area}) {exchange}-{line}");
        prop_assert_eq!(phone::key(&written), digits);
    }

    #[test]
    fn validation_takes_any_text(value in ".*", memo in ".*", contact_type in contact_type()) {
        let request = CreateContactRequest::new(contact_type, value).memo(memo);
        if let Err(error) = request.check() {
            prop_assert!(!error.fields.is_empty());
            prop_assert_eq!(error.to_string().lines().count(), 1);
        }
    }

    #[test]
    fn no_bytes_break_a_problem(status in 400_u16..600, body: Vec<u8>) {
        let problem = Problem::read(status, &body);
        prop_assert_eq!(problem.status, status);
        prop_assert!(!problem.to_string().is_empty());
    }

    #[test]
    fn no_bytes_break_a_page_or_a_batch(body: Vec<u8>) {
        prop_assert!(serde_json::from_slice::<Page<Contact>>(&body).is_err());
        prop_assert!(serde_json::from_slice::<ExportBatch<ExportedLocationContact>>(&body).is_err());
        prop_assert!(serde_json::from_slice::<Page<Customer>>(&body).is_err());
    }

    #[test]
    fn a_damaged_page_is_refused_or_read(position in 0..400_usize, byte: u8) {
        let mut body = br#"{"page":1,"pageSize":50,"hasMore":true,"totalCount":1,"data":[{"id":8411,
            "type":"MobilePhone","value":"2065550134","memo":null,"phoneSettings":{"phoneNumber":
            "2065550134","doNotText":false},"modifiedOn":"2026-06-02T09:41:27.1039486Z",
            "preferences":{"jobRemindersEnabled":true,"marketingUpdatesEnabled":false,
            "invoiceStatementNotification":false}}]}"#
            .to_vec();
        let position = position % body.len();
        body[position] = byte;
        if let Ok(page) = serde_json::from_slice::<Page<Contact>>(&body) {
            prop_assert!(page.data.iter().all(|contact| contact.id.get() > 0));
        }
    }

    #[test]
    fn any_text_is_a_date_time_or_is_refused(text in ".*") {
        if let Ok(time) = text.parse::<Timestamp>() {
            prop_assert_eq!(time.to_string().parse(), Ok(time));
        }
    }
}
