//! What a contact of a location or a customer receives.
//!
//! The API answers with [`ContactPreferences`] and wants [`ContactPreferencesRequest`], always
//! complete; what somebody wants changed is a [`PreferenceChange`]. All three are one value for each
//! [`Preference`], and everything that can be said of all preferences alike walks
//! [`Preference::ALL`].

mod answer;
mod change;
mod flag;
mod request;
mod values;

pub use self::{
    answer::ContactPreferences,
    change::{PreferenceChange, PreferencesError},
    flag::Preference,
    request::ContactPreferencesRequest,
};
