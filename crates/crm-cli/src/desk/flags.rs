//! What the members of records say of preferences, whoever wrote them down.

use crm_bulk::speaks_of_marketing;
use crm_models::Preference;

use super::updates::Member;

/// Whether marketing is received after members became what they are, if one of them says so.
pub(super) fn marketing(members: &[Member]) -> Option<bool> {
    marketing_of(members, |member| member.after.as_deref())
}

/// The same of what they were before.
pub(super) fn marketing_before(members: &[Member]) -> Option<bool> {
    marketing_of(members, |member| member.before.as_deref())
}

fn marketing_of(members: &[Member], side: impl Fn(&Member) -> Option<&str>) -> Option<bool> {
    let is_marketing = |flag: Preference| flag == Preference::MarketingUpdates;
    flags(members, side).find_map(|(flag, is_on)| is_marketing(flag).then_some(is_on))
}

/// What one side of members says of each preference. Several of a contact method speak of marketing: one
/// that is on is enough.
pub(super) fn flags<'m>(
    members: &'m [Member],
    side: impl Fn(&'m Member) -> Option<&'m str>,
) -> impl Iterator<Item = (Preference, bool)> {
    let told: Vec<_> = members
        .iter()
        .filter_map(|member| {
            let is_on = match side(member)? {
                "on" | "true" => true,
                "off" | "false" => false,
                _ => return None,
            };
            Some((preference(&member.field)?, is_on))
        })
        .collect();
    Preference::SETTABLE.into_iter().filter_map(move |flag| {
        let of_it = || told.iter().filter(|(of, _)| *of == flag);
        of_it().next().map(|_| (flag, of_it().any(|(_, is_on)| *is_on)))
    })
}

/// The preference that a member is, by the words that sets use, its name in the API, or that of a contact
/// method.
pub(super) fn preference(field: &str) -> Option<Preference> {
    let is_it = |flag: &Preference| {
        flag.words() == field || flag.api_names().contains(&field) || flag.option() == field
    };
    let named = Preference::SETTABLE.into_iter().find(is_it);
    named.or_else(|| speaks_of_marketing(field).then_some(Preference::MarketingUpdates))
}
