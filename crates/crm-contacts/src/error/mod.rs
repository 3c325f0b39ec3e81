//! What can go wrong, distinguished by what the caller can do about it.

mod advice;
mod contacts_error;
mod echo;
mod refusal;
mod site;
mod text;
mod unreadable;

pub(crate) use self::unreadable::why_unreadable;
pub use self::{
    advice::Advice,
    contacts_error::ContactsError,
    echo::Echo,
    refusal::{Refusal, RefusalKind},
    site::CallSite,
};
