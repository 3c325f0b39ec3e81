//! What a program keeps as JSON between two runs is the same when it is read again.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Debug;

use crm_models::{
    Contact, ContactFilter, ContactMethodFilter, ContactMethodSort, ContactType, ContinuationToken,
    CustomerId, ExportFrom, ExportQuery, LocationId, OwnerFilter, OwnerSort, PageQuery,
    PersonFilter, PersonSort, RelatedEntityId, RelatedEntityType, RelationshipFilter,
    RelationshipSort, Sort, Timestamp, UserId, Whether,
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde::{Serialize, de::DeserializeOwned};

fn is_kept<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let json = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), value, "{json}");
}

/// Any point in time that can be written.
fn time() -> impl Strategy<Value = Timestamp> {
    (-62_135_596_800_i128..253_402_300_800, 0_i128..1_000_000_000)
        .prop_map(|(second, rest)| second * 1_000_000_000 + rest)
        .prop_filter_map("out of range", Timestamp::from_nanoseconds)
}

type Set<T> = fn(T, Timestamp) -> T;

/// A filter with some of these bounds in time.
fn within<T: Clone + Debug + 'static>(
    filter: T,
    bounds: &'static [Set<T>],
) -> impl Strategy<Value = T> {
    vec(option::of(time()), bounds.len()).prop_map(move |times| {
        let set = bounds.iter().zip(times);
        set.fold(filter.clone(), |filter, (bound, time)| match time {
            Some(time) => bound(filter, time),
            None => filter,
        })
    })
}

macro_rules! bounds {
    ($filter:ty) => {
        &[
            <$filter>::modified_before,
            <$filter>::modified_on_or_after,
            <$filter>::created_before,
            <$filter>::created_on_or_after,
        ]
    };
}

proptest! {
    #[test]
    fn filters_of_contacts_are_kept(
        locations in within(ContactFilter::new(), bounds!(ContactFilter<LocationId>)),
        customers in within(ContactFilter::new(), bounds!(ContactFilter<CustomerId>)),
        owners in option::of(vec(1_i64.., 0..4)),
    ) {
        let Some(owners) = owners else {
            is_kept(&locations);
            is_kept(&customers);
            return Ok(());
        };
        is_kept(&locations.owners(owners.iter().map(|id| LocationId::constant(*id))));
        is_kept(&customers.owners(owners.iter().map(|id| CustomerId::constant(*id))));
    }

    #[test]
    fn filters_of_people_are_kept(
        people in within(PersonFilter::new(), bounds!(PersonFilter)),
        methods in within(ContactMethodFilter::new(), bounds!(ContactMethodFilter)),
        relationships in within(
            RelationshipFilter::new(),
            &[RelationshipFilter::created_before, RelationshipFilter::created_on_or_after],
        ),
        text in any::<String>(),
        archived in select(&[Whether::Yes, Whether::No, Whether::Any]),
        entity in 1_i64..,
    ) {
        is_kept(&people);
        is_kept(&people.name(&text).archived(archived).sort(Sort::ascending(PersonSort::Id)));
        is_kept(&methods);
        let methods = methods.value(&text).contact_type(ContactType::from(text.as_str()));
        is_kept(&methods.sort(Sort::descending(ContactMethodSort::CreatedOn)));
        is_kept(&relationships);
        let relationships = relationships.entity_type(RelatedEntityType::Location).type_name(text);
        let relationships = relationships.related_entity_id(RelatedEntityId::constant(entity));
        is_kept(&relationships.sort(Sort::ascending(RelationshipSort::Id)));
    }

    #[test]
    fn filters_of_owners_are_kept(
        customers in within(OwnerFilter::new(), bounds!(OwnerFilter<CustomerId>)),
        locations in within(OwnerFilter::new(), bounds!(OwnerFilter<LocationId>)),
        ids in vec(1_i64.., 0..4),
        text in any::<String>(),
        active in select(&[Whether::Yes, Whether::No, Whether::Any]),
    ) {
        is_kept(&customers);
        let customers = customers.name(&text).unit(&text).phone(&text).active(active);
        is_kept(&customers.ids(ids.iter().map(|id| CustomerId::constant(*id))));
        is_kept(&locations);
        let locations = locations.customer(CustomerId::constant(9107)).city(text);
        is_kept(&locations.sort(Sort::descending(OwnerSort::ModifiedOn)));
    }

    #[test]
    fn pages_and_places_of_exports_are_kept(
        page in option::of(any::<i32>()),
        size in option::of(any::<i32>()),
        total in any::<bool>(),
        time in time(),
        token in "[A-Za-z0-9+/=_-]{1,40}",
    ) {
        let query = PageQuery::new().include_total(total);
        let query = page.map_or(query, |page| query.page(page));
        is_kept(&size.map_or(query, |size| query.page_size(size)));
        let token = ContinuationToken::new(token);
        for from in [ExportFrom::Beginning, ExportFrom::Time(time), ExportFrom::Token(token)] {
            is_kept(&from);
            is_kept(&ExportQuery::new().from(from).include_recent_changes(total));
        }
    }

    /// Of either generation, with any flags, whatever else is unknown or null.
    #[test]
    fn contacts_are_kept(
        flags in vec(any::<bool>(), 5),
        members in select(&[0, 3, 4, 5]),
        memo in option::of(any::<String>()),
        created in option::of(time()),
        modified in time(),
        settings in select(&["null", "{}", r#"{"doNotText":true}"#, r#"{"phoneNumber":"81"}"#]),
        kind in any::<String>(),
    ) {
        let names = [
            "jobRemindersEnabled", "marketingUpdatesEnabled", "invoiceStatementNotification",
            "invoiceNotification", "statementNotification",
        ];
        let object: serde_json::Map<_, _> = names
            .into_iter()
            .zip(flags)
            .take(members)
            .map(|(name, on)| (name.to_owned(), on.into()))
            .collect();
        let contact = serde_json::json!({
            "id": 71204, "type": kind, "value": "8185550142", "memo": memo,
            "phoneSettings": serde_json::from_str::<serde_json::Value>(settings).unwrap(),
            "modifiedOn": modified, "createdOn": created,
            "preferences": (members > 0).then_some(object),
        });
        is_kept(&serde_json::from_value::<Contact>(contact).unwrap());
    }
}

#[test]
fn what_a_filter_does_not_know_is_refused() {
    fn refuses<T: DeserializeOwned>(json: &str) {
        assert!(serde_json::from_str::<T>(json).is_err(), "{json}");
    }
    refuses::<ContactFilter<LocationId>>(r#"{"modifiedOnAfter": "2026-11-01"}"#);
    refuses::<ContactFilter<LocationId>>(r#"{"customerIds": "77"}"#);
    refuses::<ContactFilter<CustomerId>>(r#"{"customerIds": "77,x"}"#);
    refuses::<ContactFilter<CustomerId>>(r#"{"customerIds": 77}"#);
    refuses::<PersonFilter>(r#"{"archived": "True"}"#);
    refuses::<PersonFilter>(r#"{"sort": "ModifiedOn"}"#);
    refuses::<PersonFilter>(r#"{"sort": "+Name"}"#);
    refuses::<ContactMethodFilter>(r#"{"contactType": "Email"}"#);
    refuses::<RelationshipFilter>(r#"{"modifiedBefore": "2026-11-01"}"#);
    refuses::<OwnerFilter<CustomerId>>(r#"{"customerId": 77}"#);
    refuses::<OwnerFilter<LocationId>>(r#"{"phone": "8185550142"}"#);
    refuses::<OwnerFilter<LocationId>>(r#"{"ids": "77;78"}"#);
    refuses::<OwnerFilter<LocationId>>(r#"{"locationIds": "77"}"#);
    refuses::<PageQuery>(r#"{"size": 50}"#);
    refuses::<ExportQuery>(r#"{"token": "1nventedT0ken"}"#);
}

#[test]
fn ids_convert_both_ways() {
    assert_eq!(i64::from(LocationId::try_from(55_021).unwrap()), 55_021);
    let user: UserId = "4102".parse().unwrap();
    assert_eq!((user, i64::from(user)), (UserId::from(4102), 4102));
    assert_eq!(user.to_string(), "4102");
    let error = "4l02".parse::<UserId>().unwrap_err();
    assert_eq!(error.to_string(), "`4l02` is not a user id: it must be a whole number");
}

#[test]
#[should_panic = "not a location id: it must be a positive whole number"]
fn a_constant_id_must_be_one() {
    let _ = LocationId::constant(std::hint::black_box(0));
}
