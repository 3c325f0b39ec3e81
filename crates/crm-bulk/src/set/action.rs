//! What a change does to its record.

use std::collections::BTreeMap;

use crm_models::Preference;
use serde::Serialize;
use strum::IntoStaticStr;

use super::{
    carrier::Carrier,
    image::{Image, speaks_of_marketing},
    stand_in::StandIn,
    wanted::Wanted,
};

/// The action to carry out on a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[serde(tag = "action", content = "wanted", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Action {
    /// Changes members of a contact.
    Update(Wanted),
    /// Creates a contact, then sets its preferences if any are wanted.
    Create(Wanted),
    /// Deletes a contact; where another one is to stand in for it, only while that one does.
    Delete(Option<StandIn>),
    /// Sets preferences of a person's contact method, by name.
    MethodPreferences(BTreeMap<String, bool>),
}

impl Action {
    /// Returns `update`, `create`, `delete` or `method-preferences`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.into()
    }

    /// Returns the contact that has to stand in for the one that is deleted.
    #[must_use]
    pub fn stand_in(&self) -> Option<&StandIn> {
        match self {
            Self::Delete(stand_in) => stand_in.as_ref(),
            _ => None,
        }
    }

    /// Whether it turns marketing on for a record that has it off.
    pub(crate) fn turns_marketing_on(&self, before: Option<&Image>) -> bool {
        match (self, before) {
            (Self::Update(wanted), Some(Image::Contact(before))) => {
                let before =
                    before.preferences.map(|flags| flags.get(Preference::MarketingUpdates));
                let wanted = wanted.change.get_preferences().get(Preference::MarketingUpdates);
                before == Some(false) && wanted == Some(true)
            }
            (Self::MethodPreferences(wanted), Some(Image::Method(before))) => {
                let is_off = |name: &str| before.preferences.get(name) == Some(&Some(false));
                wanted.iter().any(|(name, on)| *on && speaks_of_marketing(name) && is_off(name))
            }
            _ => false,
        }
    }

    /// Returns the contact that has to carry the memo before it is taken from the one that is changed.
    #[must_use]
    pub fn carrier(&self) -> Option<&Carrier> {
        match self {
            Self::Update(wanted) => wanted.carrier.as_ref(),
            _ => None,
        }
    }

    /// Whether it is carried out only once what other changes of the set do is there.
    pub(crate) fn rests_on_others(&self) -> bool {
        self.stand_in().is_some() || self.carrier().is_some()
    }

    pub(crate) fn from_file(name: &str, wanted: Option<&str>) -> serde_json::Result<Option<Self>> {
        let wanted = wanted.unwrap_or("{}");
        Ok(Some(match name {
            "update" => Self::Update(serde_json::from_str(wanted)?),
            "create" => Self::Create(serde_json::from_str(wanted)?),
            "delete" => Self::Delete(None),
            "method-preferences" => Self::MethodPreferences(serde_json::from_str(wanted)?),
            _ => return Ok(None),
        }))
    }
}
