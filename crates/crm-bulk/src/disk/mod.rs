//! Files of this crate on the disk: which file a name means, its lock, its journal, and files that
//! are there as a whole or not at all. Nothing here knows what is in them.

pub(crate) mod archive;
pub(crate) mod atomic_file;
pub(crate) mod file_id;
pub(crate) mod run_mark;
pub(crate) mod watch;
