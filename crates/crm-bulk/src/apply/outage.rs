//! When the service is out of order: more writes would only multiply what is wrong already.

use std::collections::VecDeque;

/// After this many writes in a row without an answer it is an outage. Each of them has to be read
/// back later and may have been carried out; a third of a second's calls are enough of these.
const IN_A_ROW: usize = 20;

/// So many writes are looked back on, a second's worth at the vendor's limit. When half of them
/// have no answer, it is an outage too: a service that answers every other write never fails often
/// enough in a row.
const LAST: usize = 60;

/// The last writes, and which of them had an answer.
#[derive(Debug, Default)]
pub(super) struct Outage {
    last: VecDeque<bool>,
    unanswered_in_a_row: usize,
}

impl Outage {
    /// Takes note of a write. Returns whether too many had no answer, so that it is an outage.
    pub(super) fn note(&mut self, answered: bool) -> bool {
        self.unanswered_in_a_row = if answered { 0 } else { self.unanswered_in_a_row + 1 };
        if self.last.len() == LAST {
            self.last.pop_front();
        }
        self.last.push_back(answered);
        let unanswered = self.last.iter().filter(|answered| !**answered).count();
        self.unanswered_in_a_row >= IN_A_ROW || unanswered >= LAST / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many writes it takes to call it an outage.
    fn notes(answered: impl Iterator<Item = bool>) -> Option<usize> {
        let mut outage = Outage::default();
        let mut writes = answered.take(1_000);
        let last = writes.position(|answered| outage.note(answered))?;
        Some(last + 1)
    }

    #[test]
    fn twenty_in_a_row_without_an_answer_are_an_outage() {
        assert_eq!(notes(std::iter::repeat(false)), Some(20));
        let late = (0..).map(|write| write < 100);
        assert_eq!(notes(late), Some(120));
        let interrupted = (0..).map(|write| write % 20 == 19 || write >= 25);
        assert_eq!(notes(interrupted), None, "one of them had an answer");
    }

    #[test]
    fn half_of_the_last_sixty_are_an_outage_and_fewer_are_none() {
        assert_eq!(notes((0..).map(|write| write % 2 == 0)), Some(60));
        assert_eq!(notes((0..).map(|write| write % 2 == 0 || write % 60 == 1)), None);
        assert_eq!(notes((0..).map(|write| write % 4 > 0)), None);
    }
}
