//! A contact with what was found, for programs.

use crm_audit::{Examined, Finding, Mending, Proposal};
use crm_bulk::NamedOwner;
use crm_models::{Contact, ContactId};
use serde::Serialize;

use crate::output::records;

/// A contact at which something was found, as it should be: `crm plan` takes it for a row.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    rules: String,
    is_new: bool,
    found: String,
    owner_kind: &'static str,
    owner_id: i64,
    owner_name: Option<String>,
    owner_town: Option<String>,
    present_type: String,
    present_value: String,
    /// From here on the row of a plan. Where a rule only tells, it has the type that the contact has,
    /// which asks for nothing.
    action: &'static str,
    customer_id: Option<i64>,
    location_id: Option<i64>,
    contact_id: i64,
    same_as: Option<i64>,
    #[serde(rename = "type")]
    contact_type: Option<String>,
    value: Option<String>,
    memo: Option<String>,
    preferences: Flags,
    /// Why it is to be so, by all rules together.
    why: Option<String>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Flags {
    invoice_notification: Option<bool>,
    statement_notification: Option<bool>,
}

records! {
    Entry {
        "rules", "isNew", "found", "ownerKind", "ownerId", "ownerName", "ownerTown", "presentType",
        "presentValue", "action", "customerId", "locationId", "contactId", "sameAs", "type",
        "value", "memo", "preferences.invoiceNotification", "preferences.statementNotification", "why",
    }
}

/// The names of the rules that found something at a contact, or that propose a change of it.
pub(super) fn rules_of(examined: &Examined, contact: ContactId) -> String {
    let concerns = |finding: &&Finding| {
        finding.contact == contact || finding.proposals.iter().any(|it| it.contact == contact)
    };
    let mut names: Vec<_> =
        examined.findings.iter().filter(concerns).map(|finding| finding.rule.name()).collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

impl Entry {
    /// A contact of an owner, which is `new` if one of its findings is.
    pub(super) fn of(
        examined: &Examined,
        contact: &Contact,
        proposal: Option<&Proposal>,
        is_new: bool,
    ) -> Self {
        let owner = examined.owner;
        let named = examined.details.as_ref().map(NamedOwner::known);
        let (name, town) = named.map(|named| (named.name, named.town)).unwrap_or_default();
        let known = |text: String| Some(text).filter(|text| !text.is_empty());
        let of_contact = examined.findings.iter().filter(|finding| finding.contact == contact.id);
        let found: Vec<_> = of_contact.map(in_words).collect();
        let present = contact.contact_type.as_str();
        let mut entry = Self {
            rules: rules_of(examined, contact.id),
            is_new,
            found: found.join("; "),
            owner_kind: owner.kind(),
            owner_id: owner.get(),
            owner_name: known(name),
            owner_town: known(town),
            present_type: present.to_owned(),
            present_value: contact.value.clone(),
            action: "update",
            customer_id: owner.customer().map(Into::into),
            location_id: owner.location().map(Into::into),
            contact_id: contact.id.get(),
            same_as: None,
            contact_type: None,
            value: None,
            memo: None,
            preferences: Flags::default(),
            why: proposal.map(|proposal| proposal.why.clone()),
        };
        match proposal.map(|proposal| &proposal.mending) {
            None => entry.contact_type = Some(present.to_owned()),
            Some(Mending::Delete { same_as }) => {
                entry.action = "delete";
                entry.same_as = Some(same_as.get());
            }
            Some(Mending::Update(change)) => {
                if change.get_value().is_some() {
                    entry.action = "rewrite";
                }
                let flags = change.get_preferences();
                entry.contact_type = change.get_contact_type().map(|kind| kind.as_str().to_owned());
                entry.value = change.get_value().map(str::to_owned);
                entry.memo = change.get_memo().map(str::to_owned);
                entry.preferences = Flags {
                    invoice_notification: flags.get_invoices(),
                    statement_notification: flags.get_statements(),
                };
            }
        }
        entry
    }
}

/// What was found, with the details that there are.
pub(super) fn in_words(finding: &Finding) -> String {
    let title = finding.rule.title();
    match finding.detail.as_str() {
        "" => title.to_owned(),
        detail => format!("{title}: {detail}"),
    }
}
