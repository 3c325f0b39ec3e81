//! Where the desk of an account is, or will be once something is put there.

use std::{
    cell::OnceCell,
    path::{Path, PathBuf},
};

use crm_bulk::Site;
use crm_values::Region;

use super::{card::Card, error::DeskError, folder::Desk};

/// Where the desk of an account is or will be. It is opened when something needs it, once.
#[derive(Debug)]
pub(crate) struct Whereabouts {
    site: Site,
    /// None where the user has no home.
    folder: Option<PathBuf>,
    desk: OnceCell<Desk>,
}

impl Whereabouts {
    /// The folder that the profile names, else one of this account's own below `desks`.
    pub(crate) fn new(site: Site, named: Option<PathBuf>, desks: Option<PathBuf>) -> Self {
        let folder = named.or_else(|| Some(desks?.join(folder_name(&site))));
        Self { site, folder, desk: OnceCell::new() }
    }

    /// The folder.
    pub(crate) fn folder(&self) -> Result<&Path, DeskError> {
        let folder = self.folder.as_deref().ok_or(DeskError::Homeless)?;
        if folder.is_absolute() {
            return Ok(folder);
        }
        // It would be another one in each folder that a command is run in.
        Err(DeskError::Relative { folder: folder.to_owned() })
    }

    /// The desk, if it has been begun.
    pub(crate) fn existing(&self) -> Result<Option<&Desk>, DeskError> {
        if self.desk.get().is_none() {
            if self.folder.is_none() {
                return Ok(None);
            }
            if let Some(desk) = Desk::open(self.folder()?, &self.site)? {
                let _ = self.desk.set(desk);
            }
        }
        Ok(self.desk.get())
    }

    /// The country of telephone numbers without a country code. The desk need not be begun for it.
    pub(crate) fn region(&self) -> Result<Region, DeskError> {
        let card = match (self.desk.get(), &self.folder) {
            (Some(desk), _) => return Ok(desk.region()),
            (None, Some(_)) => Card::read(self.folder()?)?,
            (None, None) => None,
        };
        Ok(card.and_then(|card| card.region).unwrap_or_default())
    }

    /// The desk, which is begun if need be.
    pub(crate) fn desk(&self) -> Result<&Desk, DeskError> {
        if let Some(desk) = self.existing()? {
            return Ok(desk);
        }
        let desk = Desk::open_or_create(self.folder()?, &self.site)?;
        Ok(self.desk.get_or_init(|| desk))
    }
}

/// The name of an account's folder: its tenant and the host, in characters that every file system
/// takes.
fn folder_name(site: &Site) -> String {
    let url = site.environment();
    let host = url.split_once("://").map_or(url, |(_, host)| host);
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    format!("{}-{}", site.tenant(), host.chars().map(plain).collect::<String>())
}

#[cfg(test)]
mod tests {
    use crm_models::TenantId;

    use super::*;

    #[test]
    fn each_account_has_a_folder_of_its_own() {
        for (url, name) in [
            ("https://api.servicetitan.io", "7-api.servicetitan.io"),
            ("http://127.0.0.1:8080/a", "7-127.0.0.1-8080-a"),
        ] {
            assert_eq!(folder_name(&Site::new(TenantId::new(7).unwrap(), url)), name);
        }
    }

    #[test]
    fn a_folder_that_depends_on_where_the_command_is_run_is_refused() {
        let site = Site::new(TenantId::new(7).unwrap(), "https://api.example.com");
        let named = Some(PathBuf::from("desk"));
        let error = Whereabouts::new(site, named, None).desk().unwrap_err();
        assert!(matches!(error, DeskError::Relative { .. }), "{error}");
    }
}
