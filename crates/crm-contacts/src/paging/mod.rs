//! Lists page by page, as streams of pages or of items.

mod list;
mod pages;

pub use self::list::List;
