//! Blocking work on a thread of its own, for a future that waits for it.
//!
//! Files and databases are read and written by calls that block, which on an executor's thread would
//! hold up everybody else's tasks. So all that works on a file for long is done here; the caller's
//! task does only what has to be there: it sends the requests ([`with_service`]), and
//! polls the caller's own futures ([`alongside`]).

mod calls;
mod thread;

pub use self::thread::idle;
pub use self::{
    calls::{Caller, with_service},
    thread::{Stop, Working, alongside, on_thread, when_ended},
};
