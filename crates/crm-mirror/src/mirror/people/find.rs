//! People among what was found.

use std::collections::HashSet;

use crm_models::{ContactMethod, Person, PersonId};

use crate::{error::MirrorError, mirror::file::Mirror};

/// A person who was found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PersonHit {
    /// Who it is.
    pub id: PersonId,
    /// The person, if their list has told them.
    pub person: Option<Person>,
    /// The number or address; `None` for a person who has none.
    pub method: Option<ContactMethod>,
}

impl Mirror {
    /// The people with these numbers and addresses, in the order of the methods' ids, and whether
    /// there are more than the limit.
    pub(in crate::mirror) fn people_with(
        &self,
        mut methods: Vec<ContactMethod>,
        limit: usize,
    ) -> Result<(Vec<PersonHit>, bool), MirrorError> {
        methods.sort_by_key(|method| (method.contact_id, method.id));
        methods.dedup_by_key(|method| method.id);
        let more = methods.len() > limit;
        methods.truncate(limit);
        let hits = methods.into_iter().map(|method| self.person_hit(method));
        Ok((hits.collect::<Result<_, _>>()?, more))
    }

    /// The people in these rows with all they have, and the methods in those that are asked for if
    /// the people are no more than the limit; and whether there are more.
    pub(in crate::mirror) fn people_of(
        &self,
        people: Vec<i64>,
        methods: impl FnOnce() -> Result<Vec<i64>, MirrorError>,
        limit: usize,
    ) -> Result<(Vec<PersonHit>, bool), MirrorError> {
        let (mut hits, mut seen) = (Vec::new(), HashSet::new());
        for row in people {
            for person in self.people("WHERE id = ?", [row])? {
                let methods = self.methods_of(person.id)?;
                let id = person.id;
                let of = |method| PersonHit { id, person: Some(person.clone()), method };
                if methods.is_empty() {
                    hits.push(of(None));
                }
                for method in methods {
                    seen.insert(method.id);
                    hits.push(of(Some(method)));
                }
            }
            if hits.len() > limit {
                break;
            }
        }
        let methods = if hits.len() > limit { Vec::new() } else { methods()? };
        for row in methods {
            if hits.len() > limit {
                break;
            }
            for method in self.methods("WHERE id = ?", [row])? {
                if seen.insert(method.id) {
                    hits.push(self.person_hit(method)?);
                }
            }
        }
        let more = hits.len() > limit;
        hits.truncate(limit);
        Ok((hits, more))
    }

    fn person_hit(&self, method: ContactMethod) -> Result<PersonHit, MirrorError> {
        let id = method.contact_id;
        Ok(PersonHit { id, person: self.person(id)?, method: Some(method) })
    }
}
