//! A worker that can be stopped at any time: it takes updates from stdin, finishes what is in
//! flight when it is told to stop, and gives back the lines that it did not begin.
//!
//! ```sh
//! echo "2001 3001 Gate code 4411" | cargo run -p crm-contacts --example graceful_shutdown
//! ```
//!
//! Stopped by Ctrl-C, the lines on stdout are those to feed in next time.

mod connect;

use std::{
    error::Error,
    io::{self, BufRead},
    time::Duration,
};

use crm_contacts::{
    ContactsError, ContactsService,
    models::{ContactChange, ContactId, LocationId},
    transport::Transport,
};
use tokio::{task::JoinSet, time::timeout};

/// How many updates are on their way at once; the transport keeps the rate.
const AT_ONCE: usize = 8;
/// How long a stop waits for them.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let lines: Vec<String> = io::stdin().lock().lines().collect::<Result<_, _>>()?;
    let contacts = connect::connect()?;
    let mut waiting = lines.into_iter();
    let mut in_flight = JoinSet::new();
    let mut tally = Tally::default();
    let mut stop = std::pin::pin!(tokio::signal::ctrl_c());

    loop {
        while in_flight.len() < AT_ONCE
            && let Some(line) = waiting.next()
        {
            in_flight.spawn(update(contacts.clone(), line));
        }
        tokio::select! {
            biased;
            _ = &mut stop => break,
            finished = in_flight.join_next() => match finished {
                Some(finished) => tally.count(finished?),
                None => break,
            },
        }
    }
    // Nothing new is begun; dropping what is in flight would leave its outcome unknown.
    let rest = async {
        while let Some(finished) = in_flight.join_next().await {
            tally.count(finished?);
        }
        Ok::<_, tokio::task::JoinError>(())
    };
    let in_time = timeout(PATIENCE, rest).await;

    let not_begun: Vec<_> = waiting.collect();
    eprintln!(
        "{} done, {} failed, {} to look at, {} not begun",
        tally.done,
        tally.failed,
        tally.unknown + in_flight.len(),
        not_begun.len()
    );
    for line in not_begun {
        println!("{line}");
    }
    in_time.map_err(|_| "not all answers came in time")??;
    Ok(())
}

async fn update<T: Transport>(
    contacts: ContactsService<T>,
    line: String,
) -> (String, Result<(), Box<dyn Error + Send + Sync>>) {
    let outcome = async {
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().ok_or("a line is location, contact and memo");
        let location: LocationId = word()?.parse()?;
        let contact: ContactId = word()?.parse()?;
        let change = ContactChange::new().memo(word()?);
        contacts.location(location).update(contact, &change).await?;
        Ok(())
    };
    let outcome = outcome.await;
    (line, outcome)
}

#[derive(Default)]
struct Tally {
    done: usize,
    failed: usize,
    unknown: usize,
}

impl Tally {
    fn count(&mut self, (line, outcome): (String, Result<(), Box<dyn Error + Send + Sync>>)) {
        let Err(error) = outcome else {
            self.done += 1;
            return;
        };
        eprintln!("{line}: {error}");
        match error.downcast_ref::<ContactsError>() {
            Some(error) if error.outcome_is_unknown() => self.unknown += 1,
            _ => self.failed += 1,
        }
    }
}
