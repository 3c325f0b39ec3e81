//! What a transport carries.

use bytes::Bytes;

/// A request. Its URI is path and query only: the host belongs to the transport, so no caller and
/// no answer can send credentials elsewhere.
pub type Request = http::Request<Bytes>;

/// An answer of any status, with its complete body.
pub type Response = http::Response<Bytes>;
