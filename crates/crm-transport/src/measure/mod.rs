//! What the layers count. Without the feature `metrics` each of these does nothing.

#[cfg(not(feature = "metrics"))]
mod off;
#[cfg(feature = "metrics")]
mod on;

#[cfg(not(feature = "metrics"))]
pub(crate) use off::*;
#[cfg(feature = "metrics")]
pub use on::describe_metrics;
#[cfg(feature = "metrics")]
pub(crate) use on::*;
