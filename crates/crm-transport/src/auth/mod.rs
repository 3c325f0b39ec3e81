//! OAuth 2.0 client credentials: one token, shared by all callers, refreshed before it expires.

#[cfg(feature = "token-cache")]
mod cache;
mod endpoint;
mod failure;
mod source;
mod token;

use async_trait::async_trait;
use http::StatusCode;

#[cfg(feature = "token-cache")]
pub use self::cache::TokenCache;
pub use self::source::{Auth, TokenInfo};
use crate::{
    call::Call,
    error::TransportError,
    message::{Request, Response},
    replay::Replay,
    transport::Transport,
};

/// A transport that adds the access token and the app key to every request.
///
/// An answer 401 drops the token, and the request is sent once more with a new one. While a new
/// token does not help, the answer is passed on unchanged, and the next token is asked for after a
/// pause that grows to half a minute.
///
/// A refusal may quote what it was sent: each has the [`Secrets`](crate::Secrets) of its call in
/// its extensions, and the text of an error that passes is scrubbed of them. Made by
/// [`TransportExt::with_auth`](crate::TransportExt::with_auth).
#[derive(Debug, Clone)]
pub struct WithAuth<T> {
    inner: T,
    auth: Auth,
}

impl<T: Transport> WithAuth<T> {
    pub(crate) fn new(inner: T, auth: Auth) -> Self {
        Self { inner, auth }
    }
}

#[async_trait]
impl<T: Transport> Transport for WithAuth<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.send_unboxed(request).await
    }

    fn send_unboxed(
        &self,
        request: Request,
    ) -> impl Future<Output = Result<Response, TransportError>> + Send {
        async move {
            let auth = &self.auth.0;
            let token = auth.token(Call::of(&request)).await?;
            let replay = Replay::of(&request);
            // A block of its own: the first answer is gone before the second request waits.
            {
                let result = self.inner.send_unboxed(token.authorize(request)).await;
                // Nearly every call ends here; a success quotes nothing that it was sent.
                if result.as_ref().is_ok_and(|answer| answer.status().is_success()) {
                    return result;
                }
                let response = token.guard(result)?;
                if response.status() != StatusCode::UNAUTHORIZED || !auth.refuse(&token) {
                    return Ok(response);
                }
            }
            tracing::debug!("the token was refused; asking for another");
            let again = replay.into_request();
            let token = auth.token(Call::of(&again)).await?;
            let mut again = token.authorize(again);
            Call::of_mut(&mut again).resend_count += 1;
            let response = token.guard(self.inner.send_unboxed(again).await)?;
            auth.tried_another(response.status() != StatusCode::UNAUTHORIZED);
            Ok(response)
        }
    }
}
