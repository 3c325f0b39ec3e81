//! The desk: the folder of one tenant on one host, with its mirror, its change sets and what was
//! recorded of single updates.
//!
//! Several commands may work in it at once: a set is put under its name only when it is whole and
//! only where no other has it, and the databases have SQLite's own locks.

mod card;
mod chronicle;
mod copies;
mod elsewhere;
mod error;
mod event;
mod evidence;
mod facts;
mod flags;
mod folder;
mod forget;
mod history;
mod holding;
mod past;
mod place;
mod places;
mod read_back;
mod recorder;
mod reverses;
mod sets;
mod standing;
mod turned_off;
mod updates;
mod whereabouts;

pub(crate) use self::{
    card::Keep,
    chronicle::OfOwner,
    copies::{bytes_in, whole},
    error::DeskError,
    event::Event,
    folder::Desk,
    forget::Sought,
    history::{History, Subject},
    holding::Holding,
    past::{Notes, Past},
    places::{Place, Places},
    read_back::ReadBacks,
    recorder::{Recorder, members},
    sets::{NewSet, name_of, undated},
    standing::{SetEntry, Standing, size},
    turned_off::{SetTold, TurnedOff},
    updates::Member,
    whereabouts::Whereabouts,
};
