//! A contact as the mirror gives it: with the key by which its value is compared.

use crm_mirror::keys::{Keys, is_unreadable};
use crm_models::Contact;

use crate::words::Words;

/// A contact with its key.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) contact: Contact,
    keys: Keys,
    /// Whether its value stands for none. Such values are not compared: those who have none have
    /// nothing in common.
    pub(crate) is_placeholder: bool,
}

impl Record {
    pub(crate) fn new(contact: Contact, keys: Keys, words: &Words) -> Self {
        let is_placeholder = words.is_placeholder(&contact.value);
        Self { contact, keys, is_placeholder }
    }

    /// The digits of a number or the folded form of an address, if it can be read.
    pub(crate) fn key(&self) -> Option<&str> {
        (!is_unreadable(&self.keys.key)).then_some(&*self.keys.key)
    }

    /// The key by which the value is compared with others.
    pub(crate) fn comparable(&self) -> Option<&str> {
        self.key().filter(|_| !self.is_placeholder)
    }

    /// The second reading of digits alone.
    pub(crate) fn otherwise(&self) -> Option<&str> {
        self.keys.otherwise.as_deref()
    }
}
