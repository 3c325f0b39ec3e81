//! Where records are in the vendor's application, by a form that the profile has: nothing is known
//! of the vendor's own addresses.

use crate::{
    error::CliError,
    globals::Globals,
    settings::{Profile, profile},
};

/// The form of the addresses, with `{kind}` and `{id}`.
#[derive(Debug)]
pub(super) struct App(String);

/// Why there is no form.
#[derive(Debug, thiserror::Error)]
enum NoForm {
    #[error(
        "--open needs to know the form of the application's addresses: add app = \
         \"https://…/{{kind}}/{{id}}\" to {0}"
    )]
    Missing(String),
    #[error("`app` of {profile}: {reason}")]
    Wrong { profile: String, reason: &'static str },
}

impl App {
    /// The form in the profile of this command.
    pub(super) fn of(globals: &Globals) -> Result<Self, CliError> {
        let profile = if globals.sandbox { Profile::default() } else { profile(globals)? };
        Self::in_profile(&profile).map_err(|none| CliError::Usage(none.to_string()))
    }

    fn in_profile(profile: &Profile) -> Result<Self, NoForm> {
        let name = || match &profile.name {
            Some(name) => format!("the profile {name}"),
            None => "a profile, which takes no part here".to_owned(),
        };
        let form = profile.app.as_deref().ok_or_else(|| NoForm::Missing(name()))?;
        let wrong = |reason| Err(NoForm::Wrong { profile: name(), reason });
        let is_web = ["https://", "http://"].iter().any(|scheme| form.starts_with(scheme));
        let rest = form.replace("{kind}", "").replace("{id}", "");
        match form {
            _ if !is_web => wrong("an address begins with https://"),
            // Without it a customer and a location with the same number would be one.
            _ if !form.contains("{kind}") => wrong("{kind} is missing: customer or location"),
            _ if !form.contains("{id}") => wrong("{id} is missing"),
            _ if rest.contains(['{', '}']) => wrong("only {kind} and {id} are filled in"),
            form => Ok(Self(form.to_owned())),
        }
    }

    /// The address of a customer or a location.
    pub(super) fn url(&self, kind: &str, id: i64) -> String {
        self.0.replace("{kind}", kind).replace("{id}", &id.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(form: &str) -> Result<App, NoForm> {
        App::in_profile(&Profile { app: Some(form.to_owned()), ..Profile::default() })
    }

    #[test]
    fn kind_and_id_are_filled_in() {
        let app = app("https://go.example/#/{kind}/{id}?from=crm").unwrap();
        assert_eq!(app.url("location", 2001), "https://go.example/#/location/2001?from=crm");
    }

    #[test]
    fn a_form_that_names_no_record_is_refused_with_the_reason() {
        for (form, reason) in [
            ("go.example/{kind}/{id}", "https://"),
            ("javascript:{kind}{id}", "https://"),
            ("https://go.example/customer/{id}", "{kind}"),
            ("https://go.example/{kind}", "{id}"),
            ("https://go.example/{tenant}/{kind}/{id}", "only {kind}"),
        ] {
            let error = app(form).unwrap_err().to_string();
            assert!(error.contains(reason), "{form}: {error}");
        }
        let missing = App::in_profile(&Profile::default()).unwrap_err().to_string();
        assert!(missing.contains("app = "), "{missing}");
    }
}
