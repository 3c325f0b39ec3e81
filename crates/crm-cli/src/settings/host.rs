//! The servers: an environment of the vendor, or two URLs.

use std::fmt;

use super::error::SettingsError;
use crate::globals::{Globals, Vendor};

/// The servers: always API and token endpoint together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    Vendor(Vendor),
    Custom { api_url: String, auth_url: String },
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vendor(Vendor::Production) => "production",
            Self::Vendor(Vendor::Integration) => "integration",
            Self::Custom { api_url, .. } => api_url,
        })
    }
}

impl Host {
    /// The servers that one place gives: an environment or two URLs, nothing in between.
    pub(crate) fn given(
        place: &'static str,
        vendor: Option<Vendor>,
        api_url: Option<String>,
        auth_url: Option<String>,
    ) -> Result<Option<Self>, SettingsError> {
        match (vendor, api_url, auth_url) {
            (vendor, None, None) => Ok(vendor.map(Self::Vendor)),
            (None, Some(api_url), Some(auth_url)) => Ok(Some(Self::Custom { api_url, auth_url })),
            (Some(_), ..) => Err(SettingsError::TwoHosts(place)),
            (None, ..) => Err(SettingsError::HalfHost(place)),
        }
    }

    /// The vendor's environment, if it is one.
    pub(crate) fn vendor(&self) -> Option<Vendor> {
        match self {
            Self::Vendor(vendor) => Some(*vendor),
            Self::Custom { .. } => None,
        }
    }

    /// The two URLs, if it is no environment of the vendor: of the API and of the token endpoint.
    pub(crate) fn urls(&self) -> Option<[&str; 2]> {
        match self {
            Self::Vendor(_) => None,
            Self::Custom { api_url, auth_url } => Some([api_url, auth_url]),
        }
    }

    /// The servers that the options give; their grammar admits nothing in between.
    pub(crate) fn of_options(globals: &Globals) -> Option<Self> {
        match (&globals.api_url, &globals.auth_url) {
            (Some(api_url), Some(auth_url)) => {
                Some(Self::Custom { api_url: api_url.clone(), auth_url: auth_url.clone() })
            }
            _ => globals.environment.map(Self::Vendor),
        }
    }
}
