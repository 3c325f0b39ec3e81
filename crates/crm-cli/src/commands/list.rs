//! Lists: how much of one is shown, and showing it item by item.

use clap::Args;
use crm_contacts::{List, PagedOperation};
use crm_transport::Transport;
use futures_util::TryStreamExt;

use crate::{
    commands::args::whole,
    error::CliError,
    output::{Record, note},
    progress::Progress,
    session::Session,
};

/// How much of a list is shown.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Show up to N
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = whole(0_usize, None), conflicts_with = "all")]
    limit: usize,

    /// Show all of them
    #[arg(long)]
    all: bool,

    /// Request N at a time, 1 to 5000
    #[arg(long, value_name = "N", value_parser = whole(1, Some(5_000)))]
    page_size: Option<i32>,
}

/// How many items a page of a long list has: few calls, and still quick answers.
const PAGE: usize = 500;

impl ListArgs {
    /// Writes the list; says so on stderr where it is cut short. As JSON each record is as the
    /// service wrote it, with the members that are new to us.
    pub(super) async fn show<T: Transport, P: PagedOperation<Item: Record>>(
        &self,
        session: &Session<'_>,
        list: List<T, P>,
    ) -> Result<(), CliError> {
        if session.output.is_whole_json() {
            return self.show_as(session, list.with_json(), |item| item).await;
        }
        self.show_as(session, list, |item| item).await
    }

    /// Writes the list, each item as the record that `record` makes of it.
    pub(super) async fn show_as<T: Transport, P: PagedOperation, R: Record>(
        &self,
        session: &Session<'_>,
        list: List<T, P>,
        record: impl Fn(P::Item) -> R,
    ) -> Result<(), CliError> {
        let limit = if self.all { usize::MAX } else { self.limit };
        let mut records = session.output.records::<R>()?;
        // One more than is shown tells whether there is more, without a further call.
        let page = limit.saturating_add(1).min(PAGE) as i32;
        let mut list = list.page_size(self.page_size.unwrap_or(page));
        if limit >= PAGE {
            list = list.prefetch();
        }
        let progress = Progress::new("records");
        let mut pages = list.set_aside().pages();
        let mut shown = 0;
        loop {
            let page = match pages.try_next().await {
                Ok(Some(page)) => page,
                Ok(None) => return Ok(records.finish()?),
                Err(error) => {
                    // What came before it is shown all the same, if somebody reads on.
                    let _ = records.interrupt();
                    return Err(error.into());
                }
            };
            for item in page.data {
                if shown == limit {
                    records.if_none("none shown");
                    records.finish()?;
                    note(format!("cut short after {limit}: see more with --limit N or --all"));
                    return Ok(());
                }
                records.push(&record(item))?;
                shown += 1;
                progress.advance(1);
            }
            for unreadable in page.unreadable {
                records.if_none("none that can be read");
                note(format!("not shown, since it cannot be read: {unreadable}"));
            }
        }
    }
}
