//! The preferences of contacts of locations and customers.
//!
//! The API answers with [`ContactPreferences`] and wants a [`ContactPreferencesRequest`], which is
//! always complete. What somebody wants changed is a [`PreferenceChange`]. Each of the three is one
//! value for each [`Preference`], and code that treats all preferences alike walks
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
