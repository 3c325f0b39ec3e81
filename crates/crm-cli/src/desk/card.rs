//! `desk.toml`: whose the desk is, and what its owner chose.

use std::{fs, io, io::Write, path::Path};

use crm_bulk::Site;
use crm_models::TenantId;
use crm_values::Region;
use jiff::tz::Offset;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::error::DeskError;

/// The file's name.
pub(super) const NAME: &str = "desk.toml";

const HEADER: &str = "\
# The desk of one tenant on one host; `crm desk show` tells about it. tenant and host are not to be
# changed. You may add:
#   name = \"…\"                what people call it
#   keep_sets = \"24 months\"   what `crm desk prune` keeps; it removes nothing by itself
#   region = \"GB\"             the country of telephone numbers without a country code; else US
#   keep_differences = \"24 months\"   what others changed; older ones go when the mirror is updated
";

/// What the desk says of itself.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Card {
    tenant: TenantId,
    /// The base URL of the API.
    host: String,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// How long sets are kept that are over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) keep_sets: Option<Keep>,
    /// The country of telephone numbers without a country code.
    #[serde(
        default,
        deserialize_with = "read_region",
        serialize_with = "write_region",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) region: Option<Region>,
    /// How long is kept what others changed, if not for [`DIFFERENCES`].
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_differences: Option<Keep>,
}

fn read_region<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Region>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let region = text.parse();
    region.map(Some).map_err(|unknown| D::Error::custom(format!("region `{text}` {unknown}")))
}

fn write_region<S: Serializer>(region: &Option<Region>, serializer: S) -> Result<S::Ok, S::Error> {
    region.map(|region| region.to_string()).serialize(serializer)
}

/// How long is kept what others changed.
const DIFFERENCES: &str = "24 months";

/// A time for which something is kept, as people write it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Keep {
    text: String,
    span: jiff::Span,
}

impl TryFrom<String> for Keep {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.parse::<jiff::Span>() {
            Ok(span) if span.is_positive() => Ok(Self { text, span }),
            _ => Err(format!("`{text}` is not a time such as `24 months` or `90 days`")),
        }
    }
}

impl From<Keep> for String {
    fn from(keep: Keep) -> Self {
        keep.text
    }
}

impl Keep {
    /// The time as it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Until when something is too old to be kept; none where that is before the calendar begins.
    pub(crate) fn before(&self, now: jiff::Timestamp) -> Option<jiff::Timestamp> {
        let then = Offset::UTC.to_datetime(now).checked_sub(self.span).ok()?;
        Offset::UTC.to_timestamp(then).ok()
    }
}

impl Card {
    pub(super) fn new(site: &Site) -> Self {
        Self {
            tenant: site.tenant(),
            host: site.environment().to_owned(),
            name: None,
            keep_sets: None,
            region: None,
            keep_differences: None,
        }
    }

    /// Reads the card of a folder, if it has one.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, DeskError> {
        let path = folder.join(NAME);
        match fs::read_to_string(&path) {
            Ok(text) => match toml::from_str(&text) {
                Ok(card) => Ok(Some(card)),
                Err(error) => Err(DeskError::Card { path, reason: error.message().to_owned() }),
            },
            // Where a file lies in the way no desk is either.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(None)
            }
            Err(source) => Err(DeskError::io(&path, "read", source)),
        }
    }

    /// Puts it into a folder, as a whole.
    pub(super) fn write(&self, folder: &Path) -> Result<(), DeskError> {
        let path = folder.join(NAME);
        let text = toml_edit::ser::to_string(self)
            .map_err(|error| DeskError::Card { path: path.clone(), reason: error.to_string() })?;
        // Two commands may begin a desk at once, so that the unfinished file has a name of its own.
        let written =
            tempfile::Builder::new().prefix(".").tempfile_in(folder).and_then(|mut file| {
                write!(file, "{HEADER}{text}")?;
                file.as_file().sync_all()?;
                Ok(file.persist(&path)?)
            });
        written.map(drop).map_err(|source| DeskError::io(&path, "written", source))
    }

    /// How long is kept what others changed, as it was written.
    pub(crate) fn keeps_differences(&self) -> &str {
        self.keep_differences.as_ref().map_or(DIFFERENCES, Keep::as_str)
    }

    /// Before when what others changed is too old to be kept.
    pub(crate) fn differences_before(&self, now: jiff::Timestamp) -> Option<jiff::Timestamp> {
        let usual = || Keep::try_from(DIFFERENCES.to_owned()).ok();
        self.keep_differences.clone().or_else(usual)?.before(now)
    }

    /// The tenant on the host that the desk belongs to.
    pub(crate) fn site(&self) -> Site {
        Site::new(self.tenant, &self.host)
    }

    /// Refuses the desk of another tenant or host.
    pub(super) fn admit(&self, site: &Site, folder: &Path) -> Result<(), DeskError> {
        if self.site() == *site {
            return Ok(());
        }
        Err(DeskError::Another {
            folder: folder.to_owned(),
            theirs: Box::new(self.site()),
            ours: Box::new(site.clone()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_keep_is_read_as_people_write_it() {
        let now: jiff::Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
        for (text, then) in [("24 months", "2024-11-29"), ("90 days", "2026-08-31")] {
            let keep = Keep::try_from(text.to_owned()).unwrap();
            assert!(keep.before(now).unwrap().to_string().starts_with(then), "{text}");
        }
        for text in ["", "long", "-3 months", "24", "0 days"] {
            assert!(Keep::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn what_a_card_must_not_say_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let card = "tenant = 7\nhost = \"https://a.example\"\nkeep_sets = \"for ever\"\n";
        fs::write(folder.path().join(NAME), card).unwrap();
        let error = Card::read(folder.path()).unwrap_err();
        assert!(error.to_string().contains("for ever"), "{error}");
    }
}
