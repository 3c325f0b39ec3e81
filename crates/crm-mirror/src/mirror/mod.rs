//! A file of a tenant's contacts, their owners and people, to select from, to compare with and to find
//! somebody in.

mod age;
mod by_owner;
mod contacts;
mod coverage;
mod differences;
mod feed;
mod file;
mod find;
mod keys;
mod look_up;
mod open;
mod owners;
mod people;
mod row;
mod stage;
#[cfg(test)]
mod tests;
mod text;
mod told;
mod unreadable;
mod update;
mod version_1;

pub use self::{
    coverage::{Coverage, PeopleReach, Reach},
    differences::{Happened, Observed},
    feed::{Feed, FeedState},
    file::Mirror,
    find::{By, Found, Hit, TooShort},
    keys::Keyed,
    look_up::Known,
    owners::KnownOwner,
    people::PersonHit,
};
