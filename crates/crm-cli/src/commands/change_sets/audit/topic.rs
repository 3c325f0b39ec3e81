//! What is asked about an audit instead of one.

use std::path::PathBuf;

use clap::Subcommand;
use crm_audit::Rule;

use super::{explain, thresholds};
use crate::{error::CliError, globals::Globals, output::Output, status::Status};

/// What is asked about an audit.
#[derive(Debug, Subcommand)]
pub(crate) enum Topic {
    /// Say what rules mean, how certain they are, and what they propose
    Explain {
        /// The rules; without them all
        #[arg(value_name = "RULE")]
        rules: Vec<Rule>,
    },

    /// Write the thresholds with their defaults as a new file, to be changed
    Thresholds {
        /// The file; without it the desk's audit.toml, which every audit takes
        file: Option<PathBuf>,
    },
}

impl Topic {
    pub(crate) fn answer(&self, globals: &Globals, output: &Output) -> Result<Status, CliError> {
        match self {
            Self::Explain { rules } if rules.is_empty() => explain::write(&Rule::ALL, output),
            Self::Explain { rules } => explain::write(rules, output),
            Self::Thresholds { file } => thresholds::write(file.as_deref(), globals, output),
        }
    }
}
