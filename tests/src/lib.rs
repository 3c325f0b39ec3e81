//! Tests of the whole workspace. The tests are in `tests/`; the code of the book's chapters is
//! compiled here, as doctests.

#[cfg(doctest)]
mod book {
    #[doc = include_str!("../../docs/src/update.md")]
    struct Update;
    #[doc = include_str!("../../docs/src/lists.md")]
    struct Lists;
    #[doc = include_str!("../../docs/src/exports.md")]
    struct Exports;
    #[doc = include_str!("../../docs/src/people.md")]
    struct People;
    #[doc = include_str!("../../docs/src/errors.md")]
    struct Errors;
    #[doc = include_str!("../../docs/src/transport.md")]
    struct Transport;
    #[doc = include_str!("../../docs/src/testing.md")]
    struct Testing;
}
