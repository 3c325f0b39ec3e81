//! Decisions about one change, given what is there now. Pure functions, shared by planning and
//! applying, so that what a plan announces and what a run does cannot differ.

pub(crate) mod judge;
pub(crate) mod stand_in;
pub(crate) mod step;
#[cfg(test)]
mod tests;
