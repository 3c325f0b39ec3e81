//! Settings from environment variables.

use std::{ffi::OsString, fmt};

use super::error::SettingsError;

/// The environment variables; an empty one counts as not set.
pub(super) struct Variables<'a>(pub(super) &'a dyn Fn(&str) -> Option<OsString>);

impl Variables<'_> {
    /// A text; `None` if it is not set or blank.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<String>, SettingsError> {
        match (self.0)(name).map(|value| value.into_string()) {
            None => Ok(None),
            Some(Ok(text)) => Ok(Some(text).filter(|text| !text.trim().is_empty())),
            Some(Err(_)) => {
                Err(SettingsError::Variable { name, reason: "it is not UTF-8".to_owned() })
            }
        }
    }

    /// A text that is read as something else.
    pub(super) fn parsed<V, E: fmt::Display>(
        &self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<V, E>,
    ) -> Result<Option<V>, SettingsError> {
        let value = self.text(name)?.map(|text| parse(text.trim()));
        value
            .transpose()
            .map_err(|error| SettingsError::Variable { name, reason: error.to_string() })
    }
}

/// Reads 1 or 0, in a few spellings.
pub(super) fn switch(text: &str) -> Result<bool, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "on" | "yes" => Ok(true),
        "0" | "false" | "off" | "no" => Ok(false),
        _ => Err("it takes 1 or 0"),
    }
}
