//! The use cases on the contacts of one location or one customer.

mod contacts;
mod create;
mod update;

pub use self::{contacts::OwnerContacts, create::Creation};
