//! Tests of the whole workspace. The tests are in `tests/`; the code of the book's chapters is
//! compiled here, as doctests.

#[cfg(doctest)]
mod book {
    #[doc = include_str!("../../docs/src/transport.md")]
    struct Transport;
    #[doc = include_str!("../../docs/src/testing.md")]
    struct Testing;
}
