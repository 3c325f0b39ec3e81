//! What is wrong with one contact, before it becomes a finding.

use crm_models::{ContactChange, ContactId};

use crate::{
    finding::{Finding, Mending, Proposal},
    rule::Rule,
};

/// A fault of one contact.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) rule: Rule,
    detail: String,
    change: Option<ContactChange>,
}

impl Fault {
    pub(crate) fn tells(rule: Rule, detail: impl Into<String>) -> Self {
        Self { rule, detail: detail.into(), change: None }
    }

    /// The same, mended by a change of this very contact.
    pub(crate) fn proposes(self, change: ContactChange) -> Self {
        Self { change: Some(change), ..self }
    }

    pub(crate) fn at(self, contact: ContactId) -> Finding {
        let Self { rule, detail, change } = self;
        let why = || format!("{rule}: {}", rule.title());
        let mending = change.map(Mending::Update);
        let proposal = mending.map(|mending| Proposal { contact, mending, why: why() });
        let proposals = proposal.into_iter().collect();
        Finding { rule, contact, detail, proposals }
    }
}
