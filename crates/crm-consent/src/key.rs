//! The keys that sign a ledger.

use std::{fmt, ops::Deref};

use ed25519_dalek::{
    Signer, SigningKey, VerifyingKey,
    pkcs8::{
        DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, KeypairBytes,
        spki::der::pem::LineEnding,
    },
};

use crate::{
    error::ConsentError,
    hash::{Sha, random},
};

/// A text that is no Ed25519 key in PEM form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is no {0}")]
pub struct InvalidKey(&'static str);

/// A private key of Ed25519, which signs [seals](crate::Seal). Whoever has it can sign again.
///
/// [`Debug`] shows only of which key it is, and its memory is wiped when it is dropped.
///
/// ```
/// use crm_consent::SealingKey;
///
/// let key = SealingKey::generate()?;
/// let kept = key.to_pem();
/// let read = SealingKey::from_pem(&kept)?;
/// assert_eq!(read.public(), key.public());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SealingKey(SigningKey);

impl SealingKey {
    /// Makes a new key from the system's random numbers.
    ///
    /// # Errors
    ///
    /// Returns [`ConsentError::Random`] where the system gives none.
    pub fn generate() -> Result<Self, ConsentError> {
        let Sha(seed) = random().map_err(ConsentError::random)?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// Reads a key from PKCS#8 in PEM form, as `openssl genpkey -algorithm ed25519` writes it.
    ///
    /// # Errors
    ///
    /// Returns [`InvalidKey`], which shows nothing of the text.
    pub fn from_pem(pem: &str) -> Result<Self, InvalidKey> {
        let key = SigningKey::from_pkcs8_pem(pem.trim_start());
        key.map(Self).map_err(|_| InvalidKey("private key of Ed25519 (PKCS#8 in PEM form)"))
    }

    /// Writes the key as PKCS#8 in PEM form. The text is wiped when it is dropped.
    #[must_use]
    pub fn to_pem(&self) -> impl Deref<Target = String> + use<> {
        // Without the public key, which OpenSSL refuses there.
        let pair = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        let pem = pair.to_pkcs8_pem(LineEnding::LF);
        pem.unwrap_or_else(|error| unreachable!("32 bytes can be written: {error}"))
    }

    /// Returns its public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    pub(crate) fn sign(&self, text: &str) -> [u8; 64] {
        self.0.sign(text.as_bytes()).to_bytes()
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingKey({})", self.public().fingerprint())
    }
}

/// A public key of Ed25519, by which everybody can check what its private key signed.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads a key from PEM form, as `openssl pkey -pubout` writes it.
    ///
    /// # Errors
    ///
    /// Returns [`InvalidKey`] for a text that is none.
    pub fn from_pem(pem: &str) -> Result<Self, InvalidKey> {
        let key = VerifyingKey::from_public_key_pem(pem.trim_start());
        key.map(Self).map_err(|_| InvalidKey("public key of Ed25519 (SPKI in PEM form)"))
    }

    /// Writes the key in PEM form, as `openssl pkeyutl -verify -rawin -pubin` reads it.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let pem = self.0.to_public_key_pem(LineEnding::LF);
        pem.unwrap_or_else(|error| unreachable!("32 bytes can be written: {error}"))
    }

    /// Returns the SHA-256 of the key in DER form, which names it.
    #[must_use]
    pub fn fingerprint(&self) -> Sha {
        let der = self.0.to_public_key_der();
        Sha::of(der.unwrap_or_else(|error| unreachable!("{error}")).as_bytes())
    }

    /// Whether this is a signature of the key, by the strict rules, which all readers share.
    pub(crate) fn signed(&self, text: &str, signature: &[u8; 64]) -> bool {
        self.0.verify_strict(text.as_bytes(), &signature.into()).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.fingerprint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8410, section 10.3 and 10.1.
    const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
        -----END PRIVATE KEY-----\n";
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
        -----END PUBLIC KEY-----\n";

    #[test]
    fn keys_are_written_as_they_are_read_and_openssl_writes_them() {
        let key = SealingKey::from_pem(PRIVATE).unwrap();
        assert_eq!(*key.to_pem(), PRIVATE);
        assert_eq!(key.public().to_pem(), PUBLIC);
        assert_eq!(PublicKey::from_pem(PUBLIC).unwrap(), key.public());
        let signature = key.sign("text");
        assert!(key.public().signed("text", &signature));
        assert!(!key.public().signed("texts", &signature));
    }

    #[test]
    fn what_is_no_key_is_refused_and_nothing_shows_one() {
        let secret = PRIVATE.lines().nth(1).unwrap();
        for wrong in ["", secret, PUBLIC, &PRIVATE.replace("VhC", "Vh"), &PRIVATE.replace('M', "N")]
        {
            let error = SealingKey::from_pem(wrong).unwrap_err();
            assert!(!format!("{error} {error:?}").contains(&secret[..8]), "{error}");
        }
        assert!(PublicKey::from_pem(PRIVATE).is_err());
        let shown = format!("{:?}", SealingKey::from_pem(PRIVATE).unwrap());
        assert!(!shown.contains("d4ee72") && !shown.contains("212, 238"), "{shown}");
    }
}
