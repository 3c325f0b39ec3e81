//! Who has a number or an address now, as far as the service can be asked.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crm_models::{
    Contact, ContactFilter, ContactMethod, ContactMethodFilter, ContactRelationship, Customer,
    CustomerId, Location, LocationId, OwnerDetails, OwnerFilter, Person, PersonId,
    RelatedEntityType, RelationshipFilter, Whether, phone,
};
use crm_transport::Transport;
use futures_util::TryStreamExt;

use crate::{
    error::{ContactsError, RefusalKind},
    operations::owner::Owner,
    paged::PagedOperation,
    paging::List,
    service::ContactsService,
};

/// The size of the pages of the lists.
const PAGE: i32 = 500;

/// Who has a number or an address, as the service says now.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Holders {
    /// Customers that the service selects by the number, or to whom one of the people is related.
    pub customers: Vec<Holder<Customer>>,
    /// Locations of these customers with a contact that has it, and those to which one of the people
    /// is related.
    pub locations: Vec<Holder<Location>>,
    /// People with a contact method that has it.
    pub people: Vec<PersonHolder>,
    /// Whether there are more customers or people than were asked for.
    pub more: bool,
    /// What the service cannot be asked, or did not say.
    pub unseen: Vec<Unseen>,
}

/// A customer or a location, with the contacts that have the number or address.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Holder<D> {
    /// The customer or location itself.
    pub details: D,
    /// Its contacts that have it. None if the service compares in another way, or only a person who
    /// is related to it has it.
    pub contacts: Vec<Contact>,
}

/// A person, with the contact methods that have the number or address.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PersonHolder {
    /// The person.
    pub person: Person,
    /// The methods that have it.
    pub methods: Vec<ContactMethod>,
    /// What the person is related to.
    pub related: Vec<ContactRelationship>,
}

/// What an answer of the service leaves open.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unseen {
    /// Numbers that only a location has: locations cannot be asked by number.
    NumbersOfLocationsAlone,
    /// E-mail addresses of customers and locations: neither can be asked by address.
    AddressesOfOwners,
    /// Contacts of bookings, which can be asked by the booking alone.
    Bookings,
    /// Values that are stored in another form, if the service compares them as they are written: how
    /// it compares is not documented.
    OtherForms,
    /// A list that the service did not give, with the reason: a scope is missing, or it is older.
    Refused(String),
    /// As many records as could not be read.
    Unreadable(usize),
}

impl Unseen {
    /// Returns its name: `addresses-of-owners`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NumbersOfLocationsAlone => "numbers-of-locations-alone",
            Self::AddressesOfOwners => "addresses-of-owners",
            Self::Bookings => "bookings",
            Self::OtherForms => "other-forms",
            Self::Refused(_) => "refused",
            Self::Unreadable(_) => "unreadable",
        }
    }
}

impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NumbersOfLocationsAlone => {
                "contacts of locations whose customer does not have the number"
            }
            Self::AddressesOfOwners => {
                "e-mail addresses of customers and locations to which no person with it is related"
            }
            Self::Bookings => "contacts of bookings",
            Self::OtherForms => {
                "values that are stored in another form: how the service compares is not documented"
            }
            Self::Refused(why) => why,
            Self::Unreadable(1) => "1 record that cannot be read",
            Self::Unreadable(records) => {
                return write!(f, "{records} records that cannot be read");
            }
        })
    }
}

impl<T: Transport> ContactsService<T> {
    /// Asks the service who has a number or an address: customers by `phone`, contact methods of
    /// people by their value, what these people are related to, and then the contacts of those
    /// customers and of their locations. A scope that is missing ends nothing; what is not seen for
    /// want of it is in [`unseen`](Holders::unseen), as is all that the API cannot be asked.
    ///
    /// `forms` are the ways in which the service may store the value, the likeliest first; `is_same`
    /// says whether a stored value is the one that is meant. At most `limit` customers and `limit`
    /// people are looked at.
    ///
    /// ```
    /// # use crm_contacts::{ContactsError, ContactsService, transport::Transport};
    /// use crm_contacts::models::{OwnerDetails, phone};
    ///
    /// # async fn example<T: Transport>(contacts: ContactsService<T>) -> Result<(), ContactsError> {
    /// let is_same = |stored: &str| phone::key(stored) == "8185550142";
    /// let holders = contacts.who_has(&["8185550142"], 50, is_same).await?;
    /// for holder in &holders.customers {
    ///     println!("{}: {} contacts", holder.details.display_name(), holder.contacts.len());
    /// }
    /// for unseen in &holders.unseen {
    ///     println!("not seen: {unseen}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`call`](Self::call), but for the refusals that are
    /// [`Unseen::Refused`].
    pub async fn who_has(
        &self,
        forms: &[impl AsRef<str>],
        limit: usize,
        is_same: impl Fn(&str) -> bool,
    ) -> Result<Holders, ContactsError> {
        let forms: Vec<&str> = forms.iter().map(AsRef::as_ref).collect();
        let is_address = forms.iter().any(|form| form.contains('@'));
        let mut search = Search { service: self, limit, more: false, unseen: Vec::new() };
        let mut customers =
            if is_address { BTreeMap::new() } else { search.customers(&forms).await? };
        let people = search.people(&forms, &is_same).await?;
        let related: Vec<_> = people.iter().flat_map(|holder| &holder.related).collect();
        let of_customers = search.related::<CustomerId>(&related).await?;
        let of_locations = search.related::<LocationId>(&related).await?;
        customers.extend(of_customers);
        let mut locations = search.locations(customers.keys().copied()).await?;
        locations.extend(of_locations.clone());

        let customers = search.with_contacts(customers, &is_same).await?;
        let mut locations = search.with_contacts(locations, &is_same).await?;
        locations.retain(|holder| {
            !holder.contacts.is_empty() || of_locations.contains_key(&holder.details.id)
        });
        let of_owners =
            if is_address { Unseen::AddressesOfOwners } else { Unseen::NumbersOfLocationsAlone };
        let mut unseen = vec![of_owners, Unseen::Bookings, Unseen::OtherForms];
        unseen.append(&mut search.unseen);
        Ok(Holders { customers, locations, people, more: search.more, unseen })
    }
}

/// One search, and what it could not see so far.
struct Search<'a, T> {
    service: &'a ContactsService<T>,
    limit: usize,
    more: bool,
    unseen: Vec<Unseen>,
}

impl<T: Transport> Search<'_, T> {
    /// The customers whose contacts have the number, says the service. Deactivated ones too: their
    /// contacts are still called.
    async fn customers(
        &mut self,
        forms: &[&str],
    ) -> Result<BTreeMap<CustomerId, Customer>, ContactsError> {
        let numbers: BTreeSet<String> = forms.iter().map(|form| phone::key(form)).collect();
        let mut found = BTreeMap::new();
        for number in numbers {
            let filter = OwnerFilter::new().phone(number).active(Whether::Any);
            let listed = self.told(self.service.customers().list(filter), self.limit).await?;
            found.extend(listed.into_iter().map(|customer| (customer.id, customer)));
        }
        self.more |= found.len() > self.limit;
        Ok(found.into_iter().take(self.limit).collect())
    }

    /// The people with a contact method that is the same, and what they are related to.
    async fn people(
        &mut self,
        forms: &[&str],
        is_same: &impl Fn(&str) -> bool,
    ) -> Result<Vec<PersonHolder>, ContactsError> {
        let mut methods: BTreeMap<PersonId, Vec<ContactMethod>> = BTreeMap::new();
        for form in forms.iter().copied().collect::<BTreeSet<_>>() {
            let filter = ContactMethodFilter::new().value(form);
            let list = self.service.people().contact_methods(filter);
            // Whether a part of a value is enough for the service is not documented.
            let listed = self.told(list, self.limit).await?;
            for method in listed.into_iter().filter(|method| is_same(&method.value)) {
                let of_person = methods.entry(method.contact_id).or_default();
                if of_person.iter().all(|known| known.id != method.id) {
                    of_person.push(method);
                }
            }
        }
        self.more |= methods.len() > self.limit;
        let mut people = Vec::new();
        for (id, methods) in methods.into_iter().take(self.limit) {
            let handle = self.service.person(id);
            let person = match handle.get().await {
                Ok(person) => person,
                // Deleted meanwhile.
                Err(error) if error.is_not_found() => continue,
                Err(error) => return Err(error),
            };
            let list = handle.relationships(RelationshipFilter::new());
            let related = match self.told(list, usize::MAX).await {
                // The same, in operations on relationships.
                Err(error) if error.refusal_kind() == Some(RefusalKind::Conflict) => continue,
                related => related?,
            };
            people.push(PersonHolder { person, methods, related });
        }
        Ok(people)
    }

    /// The owners of one kind that people are related to.
    async fn related<O: Owner>(
        &mut self,
        related: &[&ContactRelationship],
    ) -> Result<BTreeMap<O, O::Details>, ContactsError>
    where
        O::Details: OwnerDetails<Id = O>,
    {
        let of_kind = related
            .iter()
            .filter(|relation| relation.entity_type() == RelatedEntityType::from(O::NOUN));
        let ids =
            of_kind.filter_map(|relation| relation.related_entity_id.to_string().parse().ok());
        let list = self.service.owners::<O>().with_ids(ids);
        let listed = self.told(list, usize::MAX).await?;
        Ok(listed.into_iter().map(|details| (details.id(), details)).collect())
    }

    /// All locations of these customers.
    async fn locations(
        &mut self,
        customers: impl Iterator<Item = CustomerId>,
    ) -> Result<BTreeMap<LocationId, Location>, ContactsError> {
        let mut found = BTreeMap::new();
        for customer in customers {
            let filter = OwnerFilter::new().customer(customer).active(Whether::Any);
            let listed = self.told(self.service.locations().list(filter), usize::MAX).await?;
            found.extend(listed.into_iter().map(|location| (location.id, location)));
        }
        Ok(found)
    }

    /// Owners with those of their contacts that are the same.
    async fn with_contacts<O: Owner>(
        &mut self,
        owners: BTreeMap<O, O::Details>,
        is_same: &impl Fn(&str) -> bool,
    ) -> Result<Vec<Holder<O::Details>>, ContactsError> {
        let mut contacts: BTreeMap<O, Vec<Contact>> = BTreeMap::new();
        if !owners.is_empty() {
            let filter = ContactFilter::new().owners(owners.keys().copied());
            let listed = self.told(self.service.changed(filter), usize::MAX).await?;
            for found in listed.into_iter().filter(|found| is_same(&found.value)) {
                contacts.entry(found.owner).or_default().push(found.contact);
            }
        }
        let holders = owners.into_iter().map(|(id, details)| Holder {
            details,
            contacts: contacts.remove(&id).unwrap_or_default(),
        });
        Ok(holders.collect())
    }

    /// The records of a list, until there are more than `most`. What cannot be read, and a list that
    /// the service does not give, is unseen.
    async fn told<P: PagedOperation>(
        &mut self,
        list: List<T, P>,
        most: usize,
    ) -> Result<Vec<P::Item>, ContactsError> {
        let mut pages = list.page_size(PAGE).set_aside().pages();
        let (mut told, mut unreadable) = (Vec::new(), 0);
        loop {
            match pages.try_next().await {
                Ok(Some(page)) => {
                    told.extend(page.data);
                    unreadable += page.unreadable.len();
                    if told.len() > most {
                        break;
                    }
                }
                Ok(None) => break,
                Err(error) if error.is_not_given() => {
                    self.not_seen(Unseen::Refused(error.to_string()));
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        if unreadable > 0 {
            self.not_seen(Unseen::Unreadable(unreadable));
        }
        Ok(told)
    }

    fn not_seen(&mut self, unseen: Unseen) {
        if !self.unseen.contains(&unseen) {
            self.unseen.push(unseen);
        }
    }
}
