//! Tests of the whole workspace. The tests are in `tests/`; the code of the README and of the book's
//! chapters is compiled here, as doctests.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

#[cfg(doctest)]
mod book {
    #[doc = include_str!("../../docs/src/start.md")]
    struct Start;
    #[doc = include_str!("../../docs/src/concepts.md")]
    struct Concepts;
    #[doc = include_str!("../../docs/src/update.md")]
    struct Update;
    #[doc = include_str!("../../docs/src/lists.md")]
    struct Lists;
    #[doc = include_str!("../../docs/src/exports.md")]
    struct Exports;
    #[doc = include_str!("../../docs/src/people.md")]
    struct People;
    #[doc = include_str!("../../docs/src/mirror.md")]
    struct Mirror;
    #[doc = include_str!("../../docs/src/change-sets.md")]
    struct ChangeSets;
    #[doc = include_str!("../../docs/src/service.md")]
    struct Service;
    #[doc = include_str!("../../docs/src/errors.md")]
    struct Errors;
    #[doc = include_str!("../../docs/src/transport.md")]
    struct Transport;
    #[doc = include_str!("../../docs/src/testing.md")]
    struct Testing;
    #[doc = include_str!("../../docs/src/ci.md")]
    struct Ci;
    #[doc = include_str!("../../docs/src/opt-out-job.md")]
    struct OptOutJob;
    #[doc = include_str!("../../docs/src/operations.md")]
    struct Operations;
    #[doc = include_str!("../../docs/src/security.md")]
    struct Security;
    #[doc = include_str!("../../docs/src/architecture.md")]
    struct Architecture;
    #[doc = include_str!("../../docs/src/decisions.md")]
    struct Decisions;
}
