//! The file of a change set, and how it came to be what it is.

use super::version_1;
use crate::database::Format;

pub(crate) const FORMAT: Format = Format {
    noun: "change set",
    application_id: 0x4352_4D53,
    migrations: &[include_str!("schema.sql"), include_str!("v2.sql")],
    convert: |connection, version| match version {
        2 => version_1::move_changes(connection),
        _ => Ok(()),
    },
};
