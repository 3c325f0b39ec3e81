//! How many changes a second are claimed and settled on a server, one after another and many at a time,
//! when nothing is sent in between. It moves a set to the server that nobody wants to apply any more.
//!
//! ```sh
//! cargo run --release -p crm-fleet --example commits -- postgres://crm@localhost/fleet set.crm
//! ```

use std::{
    error::Error,
    time::{Duration, Instant},
};

use crm_bulk::{Change, ChangeSet, Claim, Cursor, Expected, Lease, State, Store, Which};
use crm_fleet::{Server, ServerStore};
use futures_util::{StreamExt, TryStreamExt, stream};

/// How long each way is measured.
const TIME: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(file)) = (arguments.next(), arguments.next()) else {
        return Err("name a server and a set".into());
    };
    let server = Server::connect(&url).await?;
    let begun = Instant::now();
    let set = server.push(ChangeSet::open(&file)?, &file).await?.set;
    println!("{} changes pushed in {:.1?}", set.changes, begun.elapsed());

    let store = server.store(&set);
    let lease = store.take("a measurement").await?;
    let begun = Instant::now();
    store.check(&lease).await?;
    println!("checked in {:.1?}", begun.elapsed());
    let begun = Instant::now();
    store.digest(&lease).await?;
    println!("compared with its digest in {:.1?}", begun.elapsed());

    let (mut waiting, mut cursor) = (Vec::new(), Cursor::default());
    loop {
        let (block, next) = store.next_block(&lease, cursor, Which::Open).await?;
        if block.is_empty() {
            break;
        }
        waiting.extend(block.into_iter().map(|loaded| loaded.change));
        cursor = next;
    }
    for at_once in [1, 16, 64, 256] {
        let begun = Instant::now();
        let settled = stream::iter(std::iter::from_fn(|| waiting.pop()))
            .take_while(|_| std::future::ready(begun.elapsed() < TIME))
            .map(|change| carry_out(&store, &lease, change))
            .buffer_unordered(at_once)
            .try_fold(0_u32, async |count, ()| Ok(count + 1));
        let count = settled.await?;
        let rate = f64::from(count) / begun.elapsed().as_secs_f64();
        println!("{at_once:>4} at a time: {rate:>8.0} a second ({count} changes)");
    }
    store.leave().await;
    Ok(())
}

/// Does with a change what a run does, without a write.
async fn carry_out(
    store: &ServerStore,
    lease: &Lease,
    change: Change,
) -> Result<(), Box<dyn Error>> {
    let expected = Expected::of(&change);
    let mut claimed = change;
    claimed.outcome.attempts += 1;
    match store.claim(lease, expected, claimed.into(), None).await? {
        Claim::Won(mut change) => {
            change.outcome.state = State::Done;
            store.settle(lease, change).await?;
            Ok(())
        }
        Claim::Lost => Err("somebody else has claims too".into()),
    }
}
