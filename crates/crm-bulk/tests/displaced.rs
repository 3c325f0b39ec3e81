//! While a set is applied, at a random moment its file is moved, linked or deleted, or its process
//! is stopped for longer than its lease while another one takes the set. Nothing is lost, nothing
//! is doubled, nothing is begun afterwards, and what was in flight is listed.
//!
//! The number of runs is 6, or what `CRM_BULK_RUNS` says: 100 for the promise of the documentation.
//! `CRM_BULK_SEED` repeats them.
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
fn main() {
    common::child::main(async {
        let number = |name: &str| -> Option<u64> {
            std::env::var(name).ok().and_then(|text| text.parse().ok())
        };
        let seed: u64 = number("CRM_BULK_SEED").unwrap_or_else(|| fastrand::u64(..));
        let runs = usize::try_from(number("CRM_BULK_RUNS").unwrap_or(6)).unwrap();
        println!("{runs} runs, CRM_BULK_SEED={seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        let mut seen = runs::Seen::default();
        for run in 0..runs {
            runs::one(runs::Act::ALL[run % 4], random.fork(), &mut seen).await;
        }
        println!("  {seen:?}");
        seen.check(runs);
        runs
    });
}

#[cfg(unix)]
mod runs {
    use std::{
        fs,
        path::Path,
        time::{Duration, SystemTime},
    };

    use crm_bulk::{ChangeSet, State};

    use crate::common::{
        child::{LEASE, Run},
        wishes, *,
    };

    #[derive(Debug, Clone, Copy, PartialEq)]
    pub enum Act {
        Move,
        Link,
        Delete,
        Stop,
    }

    impl Act {
        pub const ALL: [Self; 4] = [Self::Move, Self::Link, Self::Delete, Self::Stop];
    }

    /// What the acts met with.
    #[derive(Debug, Default)]
    pub struct Seen {
        /// Runs that were still going on.
        hit: usize,
        /// Changes that were in flight then.
        in_flight: usize,
        /// Stopped processes whose set another one took.
        superseded: usize,
    }

    impl Seen {
        pub fn check(&self, runs: usize) {
            assert!(self.hit >= runs / 2, "most acts came too late");
            assert!(runs == 0 || self.in_flight > 0, "no act hit anything");
        }
    }

    pub async fn one(act: Act, mut random: fastrand::Rng, seen: &mut Seen) {
        let (world, set) = wishes::a_world(random.u64(1..=30)).await;
        let run = Run::start(&world, &set, "first").begun().await;
        tokio::time::sleep(Duration::from_millis(random.u64(..300))).await;
        let left = match act {
            Act::Stop => return stop(&world, &set, run, seen).await,
            Act::Move => Some(world.path("moved.crm")),
            Act::Link => Some(world.path("linked.crm")),
            Act::Delete => None,
        };
        match (&left, act) {
            (Some(new), Act::Move) => fs::rename(&set, new).unwrap(),
            (Some(new), _) => fs::hard_link(&set, new).unwrap(),
            (None, _) => fs::remove_file(&set).unwrap(),
        }
        let since = SystemTime::now();
        let end = run.end().await;
        println!("  {act:?}: {}, {} in flight", end.reason(), end.lost().len());
        wishes::assert_nothing_begun(&world, since, &end);
        wishes::assert_nothing_doubled(&world);
        let was_over = end.reason() == "Complete";
        assert!(was_over || end.reason().starts_with("Displaced"), "{end:?}");
        seen.hit += usize::from(!was_over);
        seen.in_flight += end.lost().len();
        if let Some(left) = left {
            finish(&world, &left).await;
        }
    }

    /// Stops the process for longer than its lease; meanwhile another one takes the set.
    async fn stop(world: &World, set: &Path, run: Run, seen: &mut Seen) {
        run.stop();
        let second = Run::start(world, set, "second").end().await;
        tokio::time::sleep(LEASE).await;
        let since = SystemTime::now();
        run.wake();
        let first = run.end().await;
        println!("  Stop: {}, then {}", second.reason(), first.reason());
        if ["Complete", "StoppedOwner"].contains(&second.reason()) {
            wishes::assert_nothing_begun(world, since, &first);
            wishes::assert_nothing_doubled(world);
            seen.superseded += usize::from(first.reason() == "Superseded");
        } else {
            // It was stopped within a transaction: nobody can take the set. While it only reads, the
            // epoch can be raised, but not brought into the main file.
            let (told, ended) = (second.reason(), first.reason());
            let is_written = told.contains("is already being applied");
            let is_read = told.contains("another program keeps reading it");
            assert!(is_written || is_read, "{second:?}");
            assert!(ended == "Complete" || is_read && ended == "Superseded", "{first:?}");
        }
        seen.hit += 1;
        seen.in_flight += first.lost().len();
        finish(world, set).await;
    }

    /// Applies what is left, and then its undo.
    async fn finish(world: &World, set: &Path) {
        wishes::apply_the_rest(world, set).await;
        wishes::assert_done_once(world);
        assert!(states(set).iter().all(|state| *state == State::Done));
        let undo = world.path("undo.crm");
        let summary = ChangeSet::open(set).unwrap().undo(&undo).await.unwrap();
        assert_eq!(summary.planned, changes(set).len() as u64);
        wishes::apply_the_rest(world, &undo).await;
        assert_eq!(2 * world.stored().len(), changes(set).len());
    }
}
