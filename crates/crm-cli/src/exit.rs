//! The exit codes, which scripts branch on.

/// How a command ended, in one number. The codes are part of the interface: the long help and the
/// README document them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Done = 0,
    Local = 1,
    Usage = 2,
    Refused = 3,
    Credentials = 4,
    Unreachable = 5,
    Unknown = 6,
    Conflict = 7,
    Differs = 8,
    NothingFound = 9,
    Consent = 10,
    Held = 11,
    Interrupted = 130,
    Terminated = 143,
}

/// What the commands of this build mean by it.
const HELD: &str = if cfg!(feature = "fleet") {
    "crm consent run: a limit held a set back, or it waits for an approval; nothing of it was \
     written; crm fleet watch: the set was held or cancelled, and it says why"
} else {
    "crm consent run: a limit held a set back, or it waits for an approval; nothing of it was written"
};

impl Exit {
    /// Each code with what it means, for people.
    const ALL: [(Self, &str); 14] = [
        (Self::Done, "done, or nothing to do"),
        (Self::Local, "a file or this machine failed"),
        (
            Self::Usage,
            "usage, settings or input are wrong, or a write was not allowed; nothing was written",
        ),
        (
            Self::Refused,
            "the API refused, also for want of a scope or the right app key; the same call will \
             be refused again",
        ),
        (
            Self::Credentials,
            "client id, secret or token were refused, or auth check may read nothing",
        ),
        (
            Self::Unreachable,
            "no answer, none that can be read, or not available for now; the call changed nothing",
        ),
        (
            Self::Unknown,
            "a write may or may not have been carried out, also where its answer cannot be read; \
             look before repeating",
        ),
        (
            Self::Conflict,
            "changed by somebody else, or in conflict with the record's state; changes of a set that \
             cannot be made and were not sent",
        ),
        (
            Self::Differs,
            "written, but the answer is not what was asked for, or no longer so when read back",
        ),
        (Self::NothingFound, "a search found nothing"),
        (
            Self::Consent,
            "the consent ledger: a wish to be left alone stands or held changes back, a deadline has \
             passed, rows could not be read, or the ledger was altered",
        ),
        (Self::Held, HELD),
        (
            Self::Interrupted,
            "interrupted by Ctrl-C; where there is a state file, run it again to continue",
        ),
        (Self::Terminated, "ended by SIGTERM; as with 130"),
    ];

    /// All codes, the worst last.
    const BY_WEIGHT: [Self; 14] = [
        Self::Done,
        Self::NothingFound,
        Self::Held,
        Self::Consent,
        Self::Usage,
        Self::Unreachable,
        Self::Credentials,
        Self::Refused,
        Self::Local,
        Self::Conflict,
        Self::Differs,
        Self::Unknown,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// How a command ended that did the same for several accounts: as the worst of them. A search has
    /// found something if it has for one.
    pub(crate) fn of_several(exits: impl Iterator<Item = Self>) -> Self {
        let mut exits: Vec<_> = exits.collect();
        if exits.contains(&Self::Done) {
            exits.retain(|exit| *exit != Self::NothingFound);
        }
        let weight = |exit: &Self| Self::BY_WEIGHT.iter().position(|one| one == exit);
        exits.into_iter().max_by_key(weight).unwrap_or(Self::Done)
    }

    /// The table of the long help.
    pub(crate) fn help() -> String {
        let lines = Self::ALL.map(|(exit, meaning)| format!("  {:>3}  {meaning}\n", exit as u8));
        format!("Exit codes:\n{}", lines.concat())
    }

    /// The kind of failure, in one word for programs.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Local => "local",
            Self::Usage => "usage",
            Self::Refused => "refused",
            Self::Credentials => "credentials",
            Self::Unreachable => "unreachable",
            Self::Unknown => "outcome-unknown",
            Self::Conflict => "conflict",
            Self::Differs => "differs",
            Self::NothingFound => "nothing-found",
            Self::Consent => "consent",
            Self::Held => "held",
            Self::Interrupted | Self::Terminated => "interrupted",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_several_counts_and_one_that_found_something_is_enough() {
        use Exit::{Done, Local, NothingFound, Unknown, Unreachable, Usage};

        for (exits, worst) in [
            (&[Done, Unreachable, Done][..], Unreachable),
            (&[Unknown, Local, Unreachable], Unknown),
            (&[Local, Usage], Local),
            (&[NothingFound, Done], Done),
            (&[NothingFound, NothingFound], NothingFound),
            (&[], Done),
        ] {
            assert_eq!(Exit::of_several(exits.iter().copied()), worst, "{exits:?}");
        }
        for (exit, _) in Exit::ALL {
            assert!(Exit::BY_WEIGHT.contains(&exit), "{exit:?}");
        }
    }

    #[test]
    fn every_exit_code_is_in_the_help_and_in_the_readme() {
        let help = Exit::help();
        assert_eq!(help.lines().count(), Exit::ALL.len() + 1);
        assert!(help.contains("  130  interrupted"), "{help}");
        let readme = include_str!("../README.md");
        for (exit, meaning) in Exit::ALL {
            let row = format!("| {} | {meaning}", exit as u8);
            assert!(readme.contains(&row), "the README lacks: {row}");
        }
    }
}
