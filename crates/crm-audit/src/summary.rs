//! What an audit comes to, in numbers.

use crm_models::Timestamp;

use crate::{
    finding::Examined,
    rule::{Rule, Rules},
};

/// What an audit comes to, in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// As of when the contacts were known.
    pub known_at: Timestamp,
    /// The contacts that were examined.
    pub contacts: u64,
    /// The customers and locations with a contact.
    pub owners: u64,
    /// The contacts for which a change or a deletion is proposed.
    pub proposals: u64,
    rules: Rules,
    found: [u64; Rule::ALL.len()],
}

impl Summary {
    pub(crate) fn new(rules: Rules, known_at: Timestamp) -> Self {
        let found = [0; Rule::ALL.len()];
        Self { known_at, contacts: 0, owners: 0, proposals: 0, rules, found }
    }

    pub(crate) fn add(&mut self, examined: &Examined) {
        for finding in &examined.findings {
            self.found[finding.rule as usize] += 1;
        }
        self.proposals += examined.proposals().len() as u64;
    }

    /// Returns the rules that were asked, each with how many contacts it found.
    pub fn by_rule(&self) -> impl Iterator<Item = (Rule, u64)> {
        self.rules.iter().map(|rule| (rule, self.found(rule)))
    }

    /// Returns how many contacts a rule found.
    #[must_use]
    pub fn found(&self, rule: Rule) -> u64 {
        self.found[rule as usize]
    }

    /// Returns how many findings there are of all rules together.
    #[must_use]
    pub fn findings(&self) -> u64 {
        self.found.iter().sum()
    }
}
