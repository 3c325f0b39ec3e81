//! Encrypted connections to PostgreSQL, by the TLS library that also encrypts those to the service.

use std::{
    io,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::{FutureExt, future::BoxFuture};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{
        CertificateDer, ServerName, UnixTime,
        pem::{self, PemObject},
    },
};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::{
    Socket,
    tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream},
};
use tokio_rustls::{TlsConnector, client};

/// Which servers are trusted, as `sslmode` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// `require`: whoever answers.
    Anyone,
    /// `verify-ca`: who has a certificate of a trusted authority, for whatever host.
    Authority,
    /// `verify-full`: who has one for the host that is named.
    Host,
}

/// Encrypts connections to servers that are trusted.
#[derive(Clone)]
pub(super) struct Tls(TlsConnector);

/// Why nothing can be encrypted.
#[derive(Debug, thiserror::Error)]
pub(super) enum TlsError {
    #[error("the file of sslrootcert cannot be read: {0}")]
    Authorities(pem::Error),

    #[error("the file of sslrootcert has no certificate in it")]
    NoAuthority,

    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

impl Tls {
    /// Trusts servers by the authorities whose certificates are in a file, else by those that the system
    /// trusts.
    pub(super) fn new(trust: Trust, authorities: Option<&Path>) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions()?;
        let config = match (trust, authorities) {
            (Trust::Host, Some(path)) => builder.with_root_certificates(roots(path)?),
            (Trust::Host, None) => builder.with_platform_verifier()?,
            (Trust::Authority | Trust::Anyone, _) => {
                let authorities = authorities.map(|path| of_authorities(path, &provider));
                let verifier = Lenient { authorities: authorities.transpose()?, provider };
                builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
            }
        };
        Ok(Self(TlsConnector::from(Arc::new(config.with_no_client_auth()))))
    }
}

fn roots(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(TlsError::Authorities)? {
        roots.add(certificate.map_err(TlsError::Authorities)?)?;
    }
    if roots.is_empty() { Err(TlsError::NoAuthority) } else { Ok(roots) }
}

fn of_authorities(
    path: &Path,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, TlsError> {
    let roots = Arc::new(roots(path)?);
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider));
    verifier.build().map_err(|error| TlsError::Setup(rustls::Error::General(error.to_string())))
}

/// Trusts a server whatever its host is called: any, or one with a certificate of these authorities.
#[derive(Debug)]
struct Lenient {
    authorities: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        use rustls::Error::InvalidCertificate;

        let Some(authorities) = &self.authorities else {
            return Ok(ServerCertVerified::assertion());
        };
        match authorities.verify_server_cert(certificate, chain, host, ocsp, now) {
            // The name is compared last: all the rest is good.
            Err(InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl MakeTlsConnect<Socket> for Tls {
    type Stream = Encrypted;
    type TlsConnect = ToHost;
    type Error = rustls::pki_types::InvalidDnsNameError;

    fn make_tls_connect(&mut self, host: &str) -> Result<ToHost, Self::Error> {
        let host = ServerName::try_from(host.to_owned())?;
        Ok(ToHost { connector: self.0.clone(), host })
    }
}

/// A connection to one host that is to be encrypted.
pub(super) struct ToHost {
    connector: TlsConnector,
    host: ServerName<'static>,
}

impl TlsConnect<Socket> for ToHost {
    type Stream = Encrypted;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Encrypted>>;

    fn connect(self, socket: Socket) -> Self::Future {
        let Self { connector, host } = self;
        async move { connector.connect(host, socket).await.map(Encrypted).map_err(explain) }.boxed()
    }
}

/// Says what to do about a certificate that is not trusted.
fn explain(error: io::Error) -> io::Error {
    use CertificateError::{BadSignature, NotValidForName, NotValidForNameContext, UnknownIssuer};

    let told = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
    match told {
        // An authority of the same name has another key.
        Some(rustls::Error::InvalidCertificate(UnknownIssuer | BadSignature)) => io::Error::other(
            "its certificate is not of an authority that is trusted: name the authority's own with \
             `sslrootcert=FILE`",
        ),
        Some(rustls::Error::InvalidCertificate(
            NotValidForName | NotValidForNameContext { .. },
        )) => io::Error::other(
            "its certificate is for another host: use the name that is in it, or \
                 `sslmode=verify-ca` with `sslrootcert=FILE`",
        ),
        _ => error,
    }
}

/// An encrypted connection.
pub(super) struct Encrypted(client::TlsStream<Socket>);

impl TlsStream for Encrypted {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
