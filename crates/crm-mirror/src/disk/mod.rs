//! Files on the disk: which file a name means, its lock, its journal, and files that are there as a
//! whole or not at all. Nothing here knows what is in them.

pub mod archive;
pub mod atomic_file;
pub mod file_id;
pub mod journal;
pub mod journal_end;
pub mod room;
