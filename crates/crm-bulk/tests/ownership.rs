//! Two processes and one set; a set whose file is deleted, moved, linked, copied, or whose
//! process is stopped. Its own main: it starts itself again as the processes that apply.
#![allow(clippy::unwrap_used, reason = "a test fails so")]

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use common::{
    child::{self, LEASE, Run},
    wishes::{a_world, apply_the_rest, assert_done_once, assert_nothing_begun, assert_sound},
    *,
};
use crm_bulk::{BulkError, ChangeSet, Parted, State};
use crm_sandbox::{Fault, FaultPlan, FaultRule};

fn main() {
    child::main(async {
        let only = std::env::args().nth(1);
        let mut passed = 0;
        macro_rules! test {
            ($($name:ident)*) => {
                $(if only.as_deref().is_none_or(|only| stringify!($name).contains(only)) {
                    println!("test {}", stringify!($name));
                    $name().await;
                    passed += 1;
                })*
            };
        }
        test!(
            what_lies_beside_a_set_lets_nobody_in
            a_run_that_waits_for_the_service_keeps_its_set
        );
        #[cfg(unix)]
        test!(
            of_two_names_of_a_set_one_is_applied
            of_two_names_that_are_applied_at_once_one_is_applied
            a_set_whose_index_was_removed_lets_nobody_in
            a_set_that_is_overwritten_ends_the_run_and_what_was_in_flight_is_listed
            a_set_that_another_program_makes_shorter_loses_nothing
            a_second_name_ends_the_run
            a_set_that_is_moved_ends_the_run_and_goes_on_under_its_new_name
            a_set_that_is_deleted_ends_the_run_and_what_was_in_flight_is_listed
            a_set_without_its_journal_says_so_and_how_to_cure_it
            a_set_whose_journal_another_program_brought_home_goes_on
            a_set_whose_journal_is_damaged_says_so_and_nothing_is_sent
            a_journal_that_holds_all_that_was_committed_is_no_damaged_one
            a_copy_with_its_journal_is_not_applied_beside_the_original
            a_stopped_process_loses_its_set_and_begins_nothing_when_it_wakes
            a_stopped_process_keeps_what_must_not_be_sent_twice
            a_process_that_was_stopped_goes_on_when_nobody_took_its_set
        );
        passed
    });
}

fn journal(set: &Path) -> PathBuf {
    beside(set, "-wal")
}

#[cfg(unix)]
fn index(set: &Path) -> PathBuf {
    beside(set, "-shm")
}

fn beside(set: &Path, end: &str) -> PathBuf {
    let mut name = set.as_os_str().to_owned();
    name.push(end);
    name.into()
}

async fn what_lies_beside_a_set_lets_nobody_in() {
    let (world, set) = a_world(20).await;
    let lock = world.path("set.crm.lock");
    fs::write(&lock, "").unwrap();
    let first = Run::start(&world, &set, "first").begun().await;
    fs::remove_file(&lock).unwrap();
    let second = Run::start(&world, &set, "second").end().await;
    assert!(second.reason().contains("is already being applied"), "{second:?}");
    let first = first.end().await;
    assert_eq!(first.reason(), "Complete", "{first:?}");
    assert_done_once(&world);
    assert!(!lock.exists() && !journal(&set).exists());
}

async fn a_run_that_waits_for_the_service_keeps_its_set() {
    let (world, set) = a_world(20).await;
    let full = Fault::TooManyRequests { seconds: 4, retry_after: true };
    let first = Run::start(&world, &set, "first").begun().await;
    world.sandbox.inject(FaultPlan::new().rule(FaultRule::new(full).times(u32::MAX)));
    tokio::time::sleep(2 * LEASE).await;
    let second = Run::start(&world, &set, "second").end().await;
    assert!(second.reason().contains("is already being applied"), "{second:?}");
    world.sandbox.inject(FaultPlan::new());
    let first = first.end().await;
    assert_eq!(first.reason(), "Complete", "{first:?}");
    assert_done_once(&world);
}

#[cfg(unix)]
async fn of_two_names_of_a_set_one_is_applied() {
    let (world, set) = a_world(20).await;
    let link = world.path("link.crm");
    fs::hard_link(&set, &link).unwrap();
    let first = Run::start(&world, &set, "first").begun().await;
    let told = ChangeSet::open(&link).err().unwrap();
    let BulkError::Parted { how: Parted::Linked(name), .. } = &told else {
        panic!("{told}");
    };
    assert_eq!(*name, set.canonicalize().unwrap());
    let second = Run::start(&world, &link, "second").end().await;
    assert!(second.reason().contains("second name"), "{second:?}");
    assert_eq!(first.end().await.reason(), "Complete");
    assert_done_once(&world);
    assert_sound(&link);
    assert_eq!(ChangeSet::open(&link).unwrap().totals().unwrap().open(), 0);
}

/// Each of them would make a journal of its own, before the other one has marked the set.
#[cfg(unix)]
async fn of_two_names_that_are_applied_at_once_one_is_applied() {
    for delay in [0, 0, 3, 10] {
        let (world, set) = a_world(20).await;
        let link = world.path("link.crm");
        fs::hard_link(&set, &link).unwrap();
        let first = Run::start(&world, &set, "first");
        tokio::time::sleep(Duration::from_millis(delay)).await;
        let second = Run::start(&world, &link, "second");
        // The loser does not wait for as long as a lease lasts.
        let ends = [first.end().await, second.end().await];
        let complete = |end: &child::End| end.reason() == "Complete";
        assert_eq!(ends.iter().filter(|end| complete(end)).count(), 1, "{ends:?}");
        let loser = ends.iter().find(|end| !complete(end)).unwrap();
        let refused = ["is already being applied", "second name"];
        assert!(refused.iter().any(|why| loser.reason().contains(why)), "{ends:?}");
        assert_done_once(&world);
        for name in [&set, &link] {
            assert_sound(name);
            assert_eq!(ChangeSet::open(name).unwrap().totals().unwrap().open(), 0);
        }
    }
}

/// The index shows other processes how far the journal goes: with a new one they would see no sign
/// of life of the owner, and write over what it wrote.
#[cfg(unix)]
async fn a_set_whose_index_was_removed_lets_nobody_in() {
    let (world, set) = a_world(20).await;
    let first = Run::start(&world, &set, "first").begun().await;
    fs::remove_file(index(&set)).unwrap();
    let told = ChangeSet::open(&set).err().unwrap();
    assert!(matches!(told, BulkError::Parted { how: Parted::Unindexed, .. }), "{told}");
    // As any tool does that looks into the set: it makes an index of its own.
    let tool = rusqlite::Connection::open(&set).unwrap();
    let count = "SELECT count(*) FROM planned";
    let _: i64 = tool.query_row(count, [], |row| row.get(0)).unwrap();
    assert!(index(&set).exists());
    let second = Run::start(&world, &set, "second").end().await;
    assert!(second.reason().contains("was removed"), "{second:?}");
    let first = first.end().await;
    assert_eq!(first.reason(), "Complete", "{first:?}");
    drop(tool);
    assert_done_once(&world);
    assert_sound(&set);

    // With both gone it looks as after a run that ended in good order.
    let (world, set) = a_world(20).await;
    let first = Run::start(&world, &set, "first").begun().await;
    fs::remove_file(journal(&set)).unwrap();
    fs::remove_file(index(&set)).unwrap();
    let second = Run::start(&world, &set, "second").end().await;
    assert!(second.reason().contains("was removed"), "{second:?}");
    assert_eq!(first.end().await.reason(), "Complete");
    assert_done_once(&world);
    assert_sound(&set);

    // With nobody at work on it, a new index is made.
    let (world, set) = a_world(20).await;
    Run::start(&world, &set, "first").begun().await.kill();
    fs::remove_file(index(&set)).unwrap();
    assert!(states(&set).contains(&State::Done));
    apply_the_rest(&world, &set).await;
    assert_done_once(&world);
}

#[cfg(unix)]
async fn a_set_that_is_overwritten_ends_the_run_and_what_was_in_flight_is_listed() {
    let (world, set) = a_world(20).await;
    let run = Run::start(&world, &set, "first").begun().await;
    // As a shell or `cp` does, which keeps the file and its locks. By a process of its own.
    let other = std::process::Command::new("truncate").args(["-s", "100"]).arg(&set).status();
    assert!(other.unwrap().success());
    let overwritten = SystemTime::now();
    let end = run.end().await;
    assert_eq!(end.reason(), "Displaced(Overwritten)", "{end:?}");
    assert_nothing_begun(&world, overwritten, &end);
    assert_eq!(fs::metadata(&set).unwrap().len(), 100, "it is left alone");
    assert!(!journal(&set).exists(), "no other set may get this journal");
}

#[cfg(unix)]
async fn a_set_that_another_program_makes_shorter_loses_nothing() {
    let (world, set) = a_world(20).await;
    let tool = rusqlite::Connection::open(&set).unwrap();
    let free = "CREATE TABLE free AS SELECT zeroblob(4000000) AS bytes; DROP TABLE free";
    tool.execute_batch(free).unwrap();
    let before = fs::metadata(&set).unwrap().len();
    let run = Run::start(&world, &set, "first").begun().await;
    tool.busy_timeout(Duration::from_secs(10)).unwrap();
    tool.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    assert!(fs::metadata(&set).unwrap().len() < before);
    drop(tool);
    let end = run.end().await;
    assert_eq!(end.reason(), "Displaced(Overwritten)", "{end:?}");
    apply_the_rest(&world, &set).await;
    assert_done_once(&world);
    assert!(states(&set).iter().all(|state| *state == State::Done));
}

#[cfg(unix)]
async fn a_second_name_ends_the_run() {
    let (world, set) = a_world(20).await;
    let run = Run::start(&world, &set, "first").begun().await;
    fs::hard_link(&set, world.path("link.crm")).unwrap();
    let linked = SystemTime::now();
    let end = run.end().await;
    assert_eq!(end.reason(), "Displaced(Linked)", "{end:?}");
    assert_nothing_begun(&world, linked, &end);
    apply_the_rest(&world, &world.path("link.crm")).await;
    assert_done_once(&world);
}

#[cfg(unix)]
async fn a_set_that_is_moved_ends_the_run_and_goes_on_under_its_new_name() {
    let (world, set) = a_world(20).await;
    let run = Run::start(&world, &set, "first").begun().await;
    let new = world.path("new.crm");
    fs::rename(&set, &new).unwrap();
    let moved = SystemTime::now();
    let end = run.end().await;
    assert_eq!(end.reason(), "Displaced(Moved)", "{end:?}");
    assert_nothing_begun(&world, moved, &end);
    assert!(!journal(&set).exists(), "nothing is left under the old name");
    let recorded = states(&new);
    assert!(recorded.contains(&State::Done) && !recorded.contains(&State::InFlight));
    apply_the_rest(&world, &new).await;
    assert_done_once(&world);
    let undo = ChangeSet::open(&new).unwrap().undo(world.path("undo.crm")).await;
    assert_eq!(undo.unwrap().planned, changes(&new).len() as u64);
}

#[cfg(unix)]
async fn a_set_that_is_deleted_ends_the_run_and_what_was_in_flight_is_listed() {
    let (world, set) = a_world(20).await;
    let run = Run::start(&world, &set, "first").begun().await;
    fs::remove_file(&set).unwrap();
    let deleted = SystemTime::now();
    let end = run.end().await;
    assert_eq!(end.reason(), "Displaced(Deleted)", "{end:?}");
    assert_nothing_begun(&world, deleted, &end);
    assert!(!journal(&set).exists(), "no other set may get this journal");
}

#[cfg(unix)]
async fn a_set_without_its_journal_says_so_and_how_to_cure_it() {
    let (world, set) = a_world(20).await;
    Run::start(&world, &set, "first").begun().await.kill();
    let real = set.canonicalize().unwrap();
    let how = |set: &Path| match ChangeSet::open(set) {
        Err(BulkError::Parted { how, .. }) => Some(how),
        _ => None,
    };
    let done = |set: &Path| states(set).iter().filter(|state| **state == State::Done).count();
    let before = done(&set);
    assert!(before > 0);
    assert!(journal(&set).exists(), "looking at a set leaves its journal alone");

    let copy = world.path("copy.crm");
    fs::copy(&set, &copy).unwrap();
    assert_eq!(how(&copy), Some(Parted::Copied(real.clone())));
    assert_eq!(how(&copy), Some(Parted::Copied(real.clone())), "asking twice makes no journal");
    let told = ChangeSet::open(&copy).unwrap_err().to_string();
    assert!(told.contains("use the original, ") && !told.contains("-wal"), "{told}");
    let end = Run::start(&world, &copy, "copy").end().await;
    assert!(end.reason().contains("copied without its whole journal"), "{end:?}");
    fs::copy(journal(&set), journal(&copy)).unwrap();
    assert_eq!(done(&copy), before);

    let link = world.path("link.crm");
    fs::hard_link(&set, &link).unwrap();
    assert_eq!(how(&link), Some(Parted::Linked(real.clone())));
    fs::remove_file(&link).unwrap();

    let new = world.path("new.crm");
    fs::rename(&set, &new).unwrap();
    assert_eq!(how(&new), Some(Parted::Moved(real)));
    let aside = world.path("aside");
    fs::rename(journal(&set), &aside).unwrap();
    fs::rename(&new, &set).unwrap();
    assert_eq!(how(&set), Some(Parted::Lost));
    fs::rename(&set, &new).unwrap();
    fs::rename(&aside, journal(&new)).unwrap();
    assert_eq!(done(&new), before);
    apply_the_rest(&world, &new).await;
    assert_done_once(&world);
}

/// A journal as it lies beside a killed set, and the places in it.
#[cfg(unix)]
struct Frames {
    bytes: Vec<u8>,
    /// How many frames the index says were committed.
    committed: usize,
}

#[cfg(unix)]
impl Frames {
    const HEADER: usize = 32;
    const FRAME: usize = 24 + 4096;

    fn of(set: &Path) -> Self {
        let index = fs::read(index(set)).unwrap();
        let committed = u32::from_ne_bytes(index[16..20].try_into().unwrap()) as usize;
        let bytes = fs::read(journal(set)).unwrap();
        assert!(committed > 1 && bytes.len() >= Self::place(committed + 1));
        Self { bytes, committed }
    }

    /// Where this frame begins; the first is 1.
    const fn place(frame: usize) -> usize {
        Self::HEADER + (frame - 1) * Self::FRAME
    }

    fn cut(&self, at: usize) -> Vec<u8> {
        self.bytes[..at].to_vec()
    }

    fn flipped(&self, at: usize) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        bytes[at] ^= 0x10;
        bytes
    }
}

#[cfg(unix)]
async fn a_set_whose_journal_is_damaged_says_so_and_nothing_is_sent() {
    let (world, set) = a_world(20).await;
    Run::start(&world, &set, "first").begun().await.kill();
    let frames = Frames::of(&set);
    let last = frames.committed;
    let place = Frames::place;
    let damaged = [
        ("cut within its header", frames.cut(20)),
        ("cut before its first frame", frames.cut(place(1))),
        ("cut within its first frame", frames.cut(place(1) + 100)),
        ("cut in the middle", frames.cut(place(last / 2 + 1))),
        ("cut within its last frame", frames.cut(place(last + 1) - 1)),
        ("cut before its last frame", frames.cut(place(last))),
        ("a salt in its header", frames.flipped(17)),
        ("the page size in its header", frames.flipped(10)),
        ("the number of its first page", frames.flipped(place(1) + 3)),
        ("a salt of a frame", frames.flipped(place(2) + 8)),
        ("a checksum of a frame", frames.flipped(place(2) + 20)),
        ("a page in the middle", frames.flipped(place(last / 2) + 24 + 2_000)),
        ("the last byte that was committed", frames.flipped(place(last + 1) - 1)),
    ];
    world.sandbox.clear_log();
    for (how, bytes) in damaged {
        fs::write(journal(&set), &bytes).unwrap();
        // Whoever looks leaves the evidence for the next one.
        for _ in 0..2 {
            let told = ChangeSet::open(&set).err().unwrap_or_else(|| panic!("{how} is not told"));
            assert!(
                matches!(told, BulkError::Parted { how: Parted::Damaged, .. }),
                "{how}: {told}"
            );
        }
        let end = Run::start(&world, &set, "second").end().await;
        assert!(end.reason().contains("is cut short or damaged"), "{how}: {end:?}");
    }
    // What the killed process sent last may be answered only now; a new process that sends anything
    // asks for a token first.
    let tokens = world.sandbox.log().iter().filter(|call| call.operation == "Token").count();
    assert_eq!(tokens, 0, "nothing is sent");

    // A copy of it has an original that may be whole.
    let copy = world.path("copy.crm");
    fs::copy(&set, &copy).unwrap();
    fs::copy(index(&set), index(&copy)).unwrap();
    fs::write(journal(&copy), frames.cut(place(last))).unwrap();
    let told = ChangeSet::open(&copy).unwrap_err();
    assert!(matches!(told, BulkError::Parted { how: Parted::Copied(_), .. }), "{told}");

    // The cure: the journal as it was. Looking at the set makes a new index, which tells as well.
    fs::write(journal(&set), &frames.bytes).unwrap();
    assert!(states(&set).contains(&State::Done));
    fs::write(journal(&set), frames.flipped(place(last))).unwrap();
    let told = ChangeSet::open(&set).unwrap_err();
    assert!(matches!(told, BulkError::Parted { how: Parted::Damaged, .. }), "{told}");
    fs::write(journal(&set), &frames.bytes).unwrap();
    apply_the_rest(&world, &set).await;
    assert_done_once(&world);
    let undo = ChangeSet::open(&set).unwrap().undo(world.path("undo.crm")).await;
    assert_eq!(undo.unwrap().planned, changes(&set).len() as u64);
}

#[cfg(unix)]
async fn a_journal_that_holds_all_that_was_committed_is_no_damaged_one() {
    let (world, set) = a_world(20).await;
    Run::start(&world, &set, "first").begun().await.kill();
    let frames = Frames::of(&set);
    let before = fs::read(index(&set)).unwrap();
    let is_whole = |what: &str| match ChangeSet::open(&set) {
        Ok(_) => {}
        Err(error) => panic!("{what}: {error}"),
    };
    let restore = || {
        fs::write(journal(&set), &frames.bytes).unwrap();
        fs::write(index(&set), &before).unwrap();
    };
    let flip = |at: usize| {
        let mut index = before.clone();
        index[at] ^= 1;
        index
    };

    // Killed within a commit, whose frames are not all there.
    let begun = [frames.cut(Frames::place(frames.committed + 1)), vec![7; 5_000]].concat();
    fs::write(journal(&set), begun).unwrap();
    is_whole("what was not committed");
    restore();
    // Killed while the index was written, which holds its header twice; or before it was.
    for (what, index_bytes) in [
        ("copies that differ", flip(16)),
        ("a cut index", before[..50].to_vec()),
        ("an empty index", Vec::new()),
        ("an index of zeros", vec![0; before.len()]),
    ] {
        fs::write(index(&set), index_bytes).unwrap();
        fs::write(journal(&set), frames.cut(Frames::place(frames.committed))).unwrap();
        is_whole(what);
        restore();
    }
    // The index of an earlier state: of a journal that was begun anew since, or of fewer frames.
    let tool = rusqlite::Connection::open(&set).unwrap();
    tool.execute_batch("PRAGMA wal_checkpoint(RESTART); UPDATE owner SET beat = beat + 1").unwrap();
    let keep = rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
    tool.set_db_config(keep, true).unwrap();
    drop(tool);
    fs::write(index(&set), &before).unwrap();
    is_whole("another journal");

    // After a failure of power the index may be newer than the journal: it is never synced.
    let tool = rusqlite::Connection::open(&set).unwrap();
    let of_another_boot = "UPDATE owner SET boot = 'another'; PRAGMA wal_checkpoint(FULL);
        UPDATE owner SET beat = beat + 1; UPDATE owner SET beat = beat + 1";
    tool.execute_batch(of_another_boot).unwrap();
    tool.set_db_config(keep, true).unwrap();
    drop(tool);
    let frames = Frames::of(&set);
    fs::write(journal(&set), frames.cut(Frames::place(frames.committed))).unwrap();
    is_whole("after the machine was started again");
    apply_the_rest(&world, &set).await;
    assert_done_once(&world);
}

#[cfg(unix)]
async fn a_set_whose_journal_another_program_brought_home_goes_on() {
    let (world, set) = a_world(20).await;
    Run::start(&world, &set, "first").begun().await.kill();
    // As any tool does that looks into the set.
    assert_sound(&set);
    assert!(!journal(&set).exists());
    let done = |set: &Path| {
        let states = states(set).into_iter();
        states.filter(|state| *state == State::Done).count()
    };
    assert!(done(&set) > 0);
    let moved = world.path("moved.crm");
    fs::rename(&set, &moved).unwrap();
    assert!(done(&moved) > 0);
    apply_the_rest(&world, &moved).await;
    assert_done_once(&world);
}

#[cfg(unix)]
async fn a_copy_with_its_journal_is_not_applied_beside_the_original() {
    let (world, set) = a_world(20).await;
    let first = Run::start(&world, &set, "first").begun().await;
    let copy = world.path("copy.crm");
    fs::copy(&set, &copy).unwrap();
    fs::copy(journal(&set), journal(&copy)).unwrap();
    let second = Run::start(&world, &copy, "second").end().await;
    assert!(second.reason().contains("is a copy of"), "{second:?}");
    assert_eq!(first.end().await.reason(), "Complete");
    assert_done_once(&world);
}

#[cfg(unix)]
async fn a_stopped_process_loses_its_set_and_begins_nothing_when_it_wakes() {
    let (world, set) = a_world(20).await;
    let stopped = Run::start(&world, &set, "first").begun().await;
    stopped.stop();
    // One that was stopped within a transaction keeps the file: then nobody can take it.
    let second = Run::start(&world, &set, "second").end().await;
    if !["Complete", "StoppedOwner"].contains(&second.reason()) {
        let refused = ["is already being applied", "another program keeps reading it"];
        assert!(refused.iter().any(|why| second.reason().contains(why)), "{second:?}");
        stopped.wake();
        let stopped = stopped.end().await;
        assert!(["Complete", "Superseded"].contains(&stopped.reason()), "{stopped:?}");
        apply_the_rest(&world, &set).await;
        return assert_done_once(&world);
    }
    let woken = SystemTime::now();
    stopped.wake();
    let stopped = stopped.end().await;
    assert_eq!(stopped.reason(), "Superseded", "{stopped:?}");
    assert_nothing_begun(&world, woken, &stopped);
    apply_the_rest(&world, &set).await;
    assert_done_once(&world);
}

/// It may have been stopped between its last look at the clock and the moment that a request leaves.
#[cfg(unix)]
async fn a_stopped_process_keeps_what_must_not_be_sent_twice() {
    let (world, set) = a_world(20).await;
    let lost = FaultRule::new(Fault::ResetAfterRequest).method("POST").path("/contacts");
    world.sandbox.inject(FaultPlan::new().rule(lost.times(u32::MAX)));
    let stopped = Run::start(&world, &set, "first").begun().await;
    let unanswered = |run: &Run| run.text().lines().any(|line| line.ends_with(" unknown"));
    while !unanswered(&stopped) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stopped.stop();
    world.sandbox.inject(FaultPlan::new());
    let second = Run::start(&world, &set, "second").end().await;
    assert_eq!(second.reason(), "StoppedOwner", "{second:?}");
    let totals = ChangeSet::open(&set).unwrap().totals().unwrap();
    assert!(totals.count(State::may_be_sent) > 0 && totals.in_state(State::Planned) == 0);
    // It need not go on for that.
    stopped.kill();
    apply_the_rest(&world, &set).await;
    assert_done_once(&world);
}

#[cfg(unix)]
async fn a_process_that_was_stopped_goes_on_when_nobody_took_its_set() {
    let (world, set) = a_world(20).await;
    let run = Run::start(&world, &set, "first").begun().await;
    run.stop();
    tokio::time::sleep(LEASE + Duration::from_millis(500)).await;
    run.wake();
    let end = run.end().await;
    assert_eq!(end.reason(), "Complete", "{end:?}");
    assert_done_once(&world);
}
