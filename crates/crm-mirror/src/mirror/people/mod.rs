//! People of Contacts v2, and their numbers and addresses. No feed tells them, so two lists are
//! followed in its place.

mod columns;
mod find;
mod follow;
mod listed;
mod look_up;
mod marketing;
mod rows;
mod sweep;
#[cfg(test)]
mod tests;
mod walk;

pub use self::find::PersonHit;
