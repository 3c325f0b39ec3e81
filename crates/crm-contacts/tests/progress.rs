//! A list that never ends is recognised, and one that goes on is left alone.

use crm_contacts::{Progress, Stall};

/// How many pages it takes until a stall is seen in this endless row of pages.
fn stalls_after(pages: impl Iterator<Item = u64>) -> usize {
    let mut progress = Progress::of_list();
    1 + pages.take_while(|page| progress.note([*page]).is_ok()).count()
}

#[test]
fn every_cycle_is_seen_wherever_it_begins_and_however_long_it_is() {
    for (start, length) in [(0, 1), (0, 2), (1, 2), (3, 3), (7, 5), (100, 1), (50, 40)] {
        let cycle = (start..start + length).cycle();
        let taken = stalls_after((0..start).chain(cycle)) as u64;
        let most = 8 * (start + length) + 4;
        assert!(taken <= most, "{start} and {length}: {taken}");
    }
}

#[test]
fn records_that_move_from_page_to_page_are_no_cycle() {
    let mut progress = Progress::of_list();
    for first in 0..10_000_u64 {
        // Each page begins with the last record of the one before.
        assert_eq!(progress.note(first..first + 2), Ok(()));
    }
    let mut pages = [1, 1, 2, 3, 3, 4, 5, 6, 6, 7].into_iter();
    let mut progress = Progress::of_list();
    assert!(pages.all(|page| progress.note([page]).is_ok()), "one record moved");
}

#[test]
fn empty_answers_are_counted_in_a_row() {
    let mut progress = Progress::of_list();
    for record in 0..50 {
        assert_eq!(progress.note([]), Ok(()));
        assert_eq!(progress.note([]), Ok(()));
        assert_eq!(progress.note([record]), Ok(()));
    }
    assert_eq!(progress.note([]), Ok(()));
    assert_eq!(progress.note([]), Ok(()));
    assert_eq!(progress.note([]), Err(Stall::Empty(3)));
}
