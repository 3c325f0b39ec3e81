#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod cell;
mod characters;
mod email;
mod invalid_value;
mod link;
mod new_value;
mod numbering;
mod phone;
mod readings;
mod region;
mod search;

pub use self::{
    cell::check_cell,
    characters::{digits, is_invisible},
    email::Email,
    invalid_value::InvalidValue,
    link::without_scheme,
    new_value::{Extensions, NewValue, NewValues, memo_with_extension},
    phone::{Phone, PhoneReader, is_assigned},
    readings::Readings,
    region::{Region, UnknownRegion},
    search::{Needle, Traces, lookup_names},
};

/// The version of the data and rules by which numbers are read. Values read with other data, or by
/// an earlier version of these rules, may have other keys: store this text next to keys, and read
/// again when it differs.
///
/// ```
/// assert!(crm_values::DATA.contains("libphonenumber"));
/// ```
pub const DATA: &str = "crm-values 2, libphonenumber 9.0.33";
