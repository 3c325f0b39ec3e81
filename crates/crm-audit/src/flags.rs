//! What is wrong with what a contact receives.

use crm_models::{Contact, ContactChange, PreferenceChange};

use crate::{fault::Fault, rule::Rule};

/// Hands what is wrong with the flags of a contact to `fault`.
pub(crate) fn examine(contact: &Contact, mut fault: impl FnMut(Fault)) {
    let Some(flags) = &contact.preferences else {
        return fault(Fault::tells(Rule::UnknownFlags, ""));
    };
    let (invoices, statements) = (flags.invoice_notification, flags.statement_notification);
    let combined = flags.invoice_statement_notification;
    if combined != (invoices && statements) {
        let word = |on| if on { "on" } else { "off" };
        let detail = format!(
            "invoices {}, statements {}, combined {}",
            word(invoices),
            word(statements),
            word(combined)
        );
        let same = PreferenceChange::new().invoices(invoices).statements(statements);
        let change = ContactChange::new().preferences(same);
        fault(Fault::tells(Rule::CombinedFlag, detail).proposes(change));
    }
}
