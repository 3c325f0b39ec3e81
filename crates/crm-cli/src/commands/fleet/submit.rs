//! `crm fleet submit` and `crm fleet cancel`: what workers are to carry out.

use clap::Args;
use crm_bulk::{system_user, visible};
use crm_fleet::Submission;

use super::server::ServerArg;
use crate::{error::CliError, output::Output, status::Status};

/// Have workers carry out a set on the server, as it is now
///
/// A set that has another digest by the time it is begun is held, as is one for which there are no
/// credentials or whose run was stopped for a reason that does not pass; `crm fleet sets` says why.
/// Submitting it again lets it go on.
#[derive(Debug, Args)]
pub(crate) struct Submit {
    /// The name of the set on the server
    set: String,

    #[command(flatten)]
    server: ServerArg,

    /// Carry it out only if somebody else approved it exactly as it is
    #[arg(long)]
    require_approval: bool,

    /// Begin it before sets with a higher number
    #[arg(long, value_name = "N", default_value = "0", allow_negative_numbers = true)]
    priority: i16,
}

/// Have no worker begin anything more of a set; what is in flight is finished
#[derive(Debug, Args)]
pub(crate) struct Cancel {
    /// The name of the set on the server
    set: String,

    #[command(flatten)]
    server: ServerArg,
}

impl Submit {
    pub(crate) async fn run(self, output: &Output) -> Result<Status, CliError> {
        let server = self.server.connect().await?;
        let set = server.set(&self.set).await?;
        let mut submission = Submission::new().priority(self.priority);
        if self.require_approval {
            submission = submission.require_approval();
        }
        server.submit(&set, submission, &system_user()).await?;
        output.done("submitted", &visible(&set.name))?;
        Ok(Status::Done)
    }
}

impl Cancel {
    pub(crate) async fn run(self, output: &Output) -> Result<Status, CliError> {
        let server = self.server.connect().await?;
        let set = server.set(&self.set).await?;
        if !server.cancel(&set, &system_user()).await? {
            let state = set.job.as_deref().unwrap_or("not submitted");
            return Err(CliError::Usage(format!(
                "{}: is {state}, so there is nothing to cancel",
                set.name
            )));
        }
        output.done("cancelled", &visible(&set.name))?;
        Ok(Status::Done)
    }
}
