//! The use cases on the people of Contacts v2, their contact methods and relationships.

mod handle;
mod methods;
mod people;
mod update;

pub use self::{handle::PersonHandle, methods::MethodHandle, people::People};
