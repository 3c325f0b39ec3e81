//! The country whose numbers are written without a country code.

use std::{fmt, str::FromStr};

use phonenumber::country;

use crate::numbering::Numbering;

/// The country whose telephone numbers are written without a country code, named by its two ISO
/// 3166 letters. [`Default`] is the United States.
///
/// ```
/// use crm_values::Region;
///
/// assert_eq!(Region::default().to_string(), "US");
/// assert_eq!("gb".parse::<Region>()?.to_string(), "GB");
/// assert!("XX".parse::<Region>().is_err());
/// # Ok::<(), crm_values::UnknownRegion>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Region(country::Id);

/// The error for a text that does not name a [`Region`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a region whose telephone numbers are known; give a two-letter code such as US")]
pub struct UnknownRegion;

impl Region {
    /// The United States.
    pub const US: Self = Self(country::US);

    pub(crate) fn id(self) -> country::Id {
        self.0
    }

    pub(crate) fn numbering(self) -> Option<&'static Numbering> {
        Numbering::of_region(self.0.as_ref())
    }
}

impl Default for Region {
    fn default() -> Self {
        Self::US
    }
}

impl FromStr for Region {
    type Err = UnknownRegion;

    fn from_str(text: &str) -> Result<Self, UnknownRegion> {
        let id = text.trim().to_ascii_uppercase().parse();
        let region = id.map(Self).map_err(|_| UnknownRegion)?;
        // Some ISO 3166 codes have no telephone numbers of their own.
        region.numbering().map(|_| region).ok_or(UnknownRegion)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.as_ref())
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Region({self})")
    }
}
