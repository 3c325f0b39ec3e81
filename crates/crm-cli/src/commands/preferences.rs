//! `crm preferences`: what people receive through their contact methods.

use clap::{Args, Subcommand};
use crm_models::{
    ContactMethodId, MethodPreference, PersonId, PreferenceType, UpdateMethodPreferenceRequest,
};

use crate::{error::CliError, session::Session};

/// What can be done with the preferences of contact methods.
#[derive(Debug, Subcommand)]
pub(crate) enum Preferences {
    /// List the preferences that exist; the others take their names
    Types,

    /// List all preferences of a contact method
    List {
        #[command(flatten)]
        of: Method,
    },

    /// Show one preference
    Get {
        #[command(flatten)]
        of: Method,

        /// The preference's name: `list` has them
        name: String,
    },

    /// Set one preference
    Set {
        #[command(flatten)]
        of: Method,

        /// The preference's name: `list` has them
        name: String,

        /// The new value: true or false for a preference of data type Bool
        value: String,
    },
}

/// A contact method of a person.
#[derive(Debug, Args)]
pub(crate) struct Method {
    /// The person's id
    person: PersonId,

    /// The contact method's id
    method: ContactMethodId,
}

impl Preferences {
    pub(crate) async fn run(self, session: &Session<'_>) -> Result<(), CliError> {
        let (service, output) = (&session.service, session.output);
        let handle = |of: &Method| service.person(of.person).method(of.method);
        match self {
            Self::Types => {
                let mut records = output.records::<PreferenceType>()?;
                for kind in service.people().preference_types().await? {
                    records.push(&kind)?;
                }
                records.finish()
            }
            Self::List { of } => {
                let mut records = output.records::<MethodPreference>()?;
                for preference in handle(&of).preferences().await? {
                    records.push(&preference)?;
                }
                records.finish()
            }
            Self::Get { of, name } => {
                let records = output.records()?;
                records.one(&handle(&of).preference(&name).await?)
            }
            Self::Set { of, name, value } => {
                let records = output.records()?;
                let update = UpdateMethodPreferenceRequest::new(value);
                records.one(&handle(&of).set_preference(&name, update).await?)
            }
        }
    }
}
