//! Wishes and what they are about, as arguments.

use clap::ValueEnum;
use crm_consent::{Scope, Wish};

/// For what kinds of messages a wish counts.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum ScopeArg {
    Marketing,
    All,
}

impl From<ScopeArg> for Scope {
    fn from(scope: ScopeArg) -> Self {
        match scope {
            ScopeArg::Marketing => Self::Marketing,
            ScopeArg::All => Self::All,
        }
    }
}

/// A wish.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum WishArg {
    /// To be left alone
    Out,
    /// To be written to
    In,
}

impl From<WishArg> for Wish {
    fn from(wish: WishArg) -> Self {
        match wish {
            WishArg::Out => Self::Out,
            WishArg::In => Self::In,
        }
    }
}
