//! `crm preferences`: what people receive through their contact methods.

use clap::Subcommand;
use crm_contacts::Difference;
use crm_models::{MethodPreference, PreferenceType};

use super::{args::MethodArgs, ledger::OverrideArgs};
use crate::{error::CliError, session::Session, status::Status, write_guard::Planned};

/// What can be done with the preferences of contact methods.
#[derive(Debug, Subcommand)]
pub(crate) enum Preferences {
    /// List the preferences that exist; the others take their names
    Types,

    /// List all preferences of a contact method
    List {
        #[command(flatten)]
        of: MethodArgs,
    },

    /// Show one preference
    Get {
        #[command(flatten)]
        of: MethodArgs,

        /// The preference's name: `list` has them
        name: String,
    },

    /// Set one preference
    Set {
        #[command(flatten)]
        of: MethodArgs,

        /// The preference's name: `list` has them
        name: String,

        /// The new value: true or false (or on, off, yes, no) for a preference of data type Bool
        value: String,

        #[command(flatten)]
        consent: OverrideArgs,
    },
}

impl Preferences {
    pub(crate) async fn run(self, session: &Session<'_>) -> Result<Status, CliError> {
        let (service, output) = (&session.service, session.output);
        match self {
            Self::Types => {
                let records = output.records::<PreferenceType>()?;
                records.all(service.people().preference_types().await?)?;
            }
            Self::List { of } => {
                let records = output.records::<MethodPreference>()?;
                records.all(of.handle(service).preferences().await?)?;
            }
            Self::Get { of, name } => {
                let records = output.records()?;
                records.one(&of.handle(service).preference(&name).await?)?;
            }
            Self::Set { of, name, value, consent } => {
                let records = output.records()?;
                let method = of.handle(service);
                let before = method.preference(&name).await?;
                let update = before
                    .set_to(&value)
                    .map_err(|error| CliError::Usage(format!("{error}; nothing was sent")))?;
                consent.of_preference(session, &of, &before, update.get_value()).await?;
                session.service.transport().announce(Planned {
                    subject: of.to_string(),
                    differences: vec![Difference::new(
                        before.name,
                        before.value.as_deref(),
                        Some(update.get_value()),
                    )],
                });
                records.one(&method.set_preference(&name, update).await?)?;
            }
        }
        Ok(Status::Done)
    }
}
