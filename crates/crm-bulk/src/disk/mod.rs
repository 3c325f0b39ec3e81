//! The file of a change set on the disk: whether it is where its run began, with its journal.

pub(crate) mod run_mark;
pub(crate) mod watch;
