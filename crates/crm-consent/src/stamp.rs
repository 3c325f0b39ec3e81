//! Time stamps of RFC 3161: an authority signs when it saw a digest.
//!
//! What an authority answers is read as far as it has to be known here that it answers this question.
//! Its signature is left to `openssl ts -verify`, which has a list of whom to trust.

use der::{AnyRef, Decode, Reader, SliceReader, Tag, TagNumber};
use jiff::civil::DateTime;

use crate::{
    error::ConsentError,
    hash::{Sha, random},
    seal::Seal,
};

/// A question to an authority for time stamps: when did it see this digest?
///
/// ```
/// use crm_consent::StampQuery;
///
/// let query = StampQuery::of(b"what is stamped")?;
/// assert_eq!(query.to_der().len(), 69);
/// assert!(query.read(b"<html>Not found</html>").is_err());
/// # Ok::<(), crm_consent::ConsentError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StampQuery {
    imprint: Sha,
    nonce: [u8; NONCE],
}

const NONCE: usize = 8;

/// What stands in a query before the digest: a sequence, version 1, and SHA-256 as the digest's kind.
const BEFORE_IMPRINT: [u8; 24] = [
    0x30, 0x43, 0x02, 0x01, 0x01, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65,
    0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
];
/// What stands between digest and nonce, and at the end: the certificates are asked for.
const BEFORE_NONCE: [u8; 2] = [0x02, 0x08];
const AFTER_NONCE: [u8; 3] = [0x01, 0x01, 0xff];

impl StampQuery {
    /// Asks for a time stamp of these bytes.
    ///
    /// # Errors
    ///
    /// Returns [`ConsentError::Random`] where the system gives no random numbers.
    pub fn of(bytes: &[u8]) -> Result<Self, ConsentError> {
        let Sha(random) = random().map_err(ConsentError::random)?;
        let mut nonce = [0; NONCE];
        nonce.copy_from_slice(&random[..NONCE]);
        // A number above zero that takes all eight bytes.
        nonce[0] = nonce[0] & 0x3f | 0x40;
        Ok(Self { imprint: Sha::of(bytes), nonce })
    }

    /// Asks for a time stamp of a seal, as its text is written to a file.
    ///
    /// # Errors
    ///
    /// Returns [`ConsentError::Random`] where the system gives no random numbers.
    pub fn of_seal(seal: &Seal) -> Result<Self, ConsentError> {
        Self::of(seal.to_string().as_bytes())
    }

    /// Returns the question as it is sent, with the type `application/timestamp-query`.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let parts: [&[u8]; 5] =
            [&BEFORE_IMPRINT, &self.imprint.0, &BEFORE_NONCE, &self.nonce, &AFTER_NONCE];
        parts.concat()
    }

    /// Reads what an authority answered, and returns when it says that it saw the bytes, in UTC.
    ///
    /// # Errors
    ///
    /// Returns [`InvalidStamp`] for a refusal and for an answer to another question. Whose signature
    /// it is and whether it holds is not looked at.
    pub fn read(&self, answer: &[u8]) -> Result<String, InvalidStamp> {
        let answer = Answer::read(answer)?;
        if answer.kind_of_imprint != SHA_256 || answer.imprint != self.imprint.0 {
            return Err(InvalidStamp::Imprint);
        }
        if answer.nonce != Some(&self.nonce) {
            return Err(InvalidStamp::Nonce);
        }
        if !answer.has_certificates {
            return Err(InvalidStamp::NoCertificate);
        }
        Ok(answer.time)
    }
}

/// Why what an authority answered is no time stamp of what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidStamp {
    /// It is no answer of RFC 3161.
    #[error("it is no answer to a query of RFC 3161")]
    Unreadable,

    /// The authority refuses.
    #[error("the authority refuses: {0}")]
    Refused(String),

    /// The stamp is of something else.
    #[error("the stamp is of another digest")]
    Imprint,

    /// The stamp may be an old one.
    #[error("the stamp answers another query: its nonce is not the one that was sent")]
    Nonce,

    /// Nobody could check the signature without asking around.
    #[error("the stamp comes without the certificates that were asked for")]
    NoCertificate,
}

impl From<der::Error> for InvalidStamp {
    fn from(_: der::Error) -> Self {
        Self::Unreadable
    }
}

/// `id-sha256`, `id-signedData` and `id-ct-TSTInfo`.
const SHA_256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const STAMP: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];

/// What of an answer has to be known.
struct Answer<'a> {
    kind_of_imprint: &'a [u8],
    imprint: &'a [u8],
    nonce: Option<&'a [u8]>,
    time: String,
    has_certificates: bool,
}

impl<'a> Answer<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, InvalidStamp> {
        let mut response = Parts::of(AnyRef::from_der(bytes)?, Tag::Sequence)?;
        admit_status(response.next(Tag::Sequence)?)?;
        let mut token = Parts::of(response.next(Tag::Sequence)?, Tag::Sequence)?;
        token.is(SIGNED_DATA)?;
        let mut content = Parts::of(token.next(explicit(0))?, explicit(0))?;
        // Version, kinds of digests, the content, its certificates.
        let mut signed = Parts::of(content.next(Tag::Sequence)?, Tag::Sequence)?;
        signed.next(Tag::Integer)?;
        signed.next(Tag::Set)?;
        let mut content = Parts::of(signed.next(Tag::Sequence)?, Tag::Sequence)?;
        let has_certificates =
            signed.maybe(explicit(0))?.is_some_and(|all| !all.value().is_empty());
        content.is(STAMP)?;
        let mut content = Parts::of(content.next(explicit(0))?, explicit(0))?;
        let stamp = AnyRef::from_der(content.next(Tag::OctetString)?.value())?;

        // Version, policy, the digest with its kind, a serial number, when.
        let mut stamp = Parts::of(stamp, Tag::Sequence)?;
        stamp.next(Tag::Integer)?;
        stamp.next(Tag::ObjectIdentifier)?;
        let mut digest = Parts::of(stamp.next(Tag::Sequence)?, Tag::Sequence)?;
        let mut kind = Parts::of(digest.next(Tag::Sequence)?, Tag::Sequence)?;
        let kind_of_imprint = kind.next(Tag::ObjectIdentifier)?.value();
        let imprint = digest.next(Tag::OctetString)?.value();
        stamp.next(Tag::Integer)?;
        let time = time(stamp.next(Tag::GeneralizedTime)?.value())?;
        // How exact it is, and whether stamps are in order.
        stamp.maybe(Tag::Sequence)?;
        stamp.maybe(Tag::Boolean)?;
        let nonce = stamp.maybe(Tag::Integer)?.map(AnyRef::value);
        Ok(Self { kind_of_imprint, imprint, nonce, time, has_certificates })
    }
}

/// Refuses a refusal, with the reasons that it gives.
fn admit_status(status: AnyRef<'_>) -> Result<(), InvalidStamp> {
    let mut status = Parts::of(status, Tag::Sequence)?;
    // 0 is granted, 1 granted with changes.
    let code = status.next(Tag::Integer)?.value();
    if matches!(code, [0 | 1]) {
        return Ok(());
    }
    let mut said = Vec::new();
    if let Some(texts) = status.maybe(Tag::Sequence)? {
        let mut texts = Parts::of(texts, Tag::Sequence)?;
        while let Some(text) = texts.maybe(Tag::Utf8String)? {
            // One line, whatever it is.
            let text = String::from_utf8_lossy(text.value());
            said.push(text.replace(char::is_control, " "));
        }
    }
    if let Some(bits) = status.maybe(Tag::BitString)? {
        said.extend(failures(bits.value()).map(str::to_owned));
    }
    if said.is_empty() {
        said.push(format!("status {}", hex::encode(code)));
    }
    Err(InvalidStamp::Refused(said.join(", ")))
}

/// What the bits of a refusal say, which follow the number of those that are not used.
fn failures(bits: &[u8]) -> impl Iterator<Item = &'static str> {
    const FAILURES: [(usize, &str); 8] = [
        (0, "it does not know the digest's kind"),
        (2, "it does not allow the query"),
        (5, "it cannot read the query"),
        (14, "it has no time"),
        (15, "it does not know the policy"),
        (16, "it does not know the extension"),
        (17, "it cannot say more"),
        (25, "it is out of order"),
    ];
    let is_set =
        |bit: usize| bits.get(1 + bit / 8).is_some_and(|byte| byte << (bit % 8) & 0x80 != 0);
    FAILURES.into_iter().filter(move |(bit, _)| is_set(*bit)).map(|(_, what)| what)
}

/// A time such as `20261129120000.25Z`, in the form of all others.
fn time(text: &[u8]) -> Result<String, InvalidStamp> {
    let text = str::from_utf8(text).map_err(|_| InvalidStamp::Unreadable)?;
    let time = DateTime::strptime("%Y%m%d%H%M%S%.fZ", text);
    time.map(|time| format!("{time}Z")).map_err(|_| InvalidStamp::Unreadable)
}

/// The tag of a member that the standard gives this number.
fn explicit(number: u32) -> Tag {
    Tag::ContextSpecific { constructed: true, number: TagNumber(number) }
}

/// The parts of something that is made of parts, one after the other.
struct Parts<'a>(SliceReader<'a>);

impl<'a> Parts<'a> {
    fn of(whole: AnyRef<'a>, tag: Tag) -> Result<Self, InvalidStamp> {
        if whole.header().tag() != tag {
            return Err(InvalidStamp::Unreadable);
        }
        Ok(Self(SliceReader::new(whole.value())?))
    }

    /// The next part, if it has this tag.
    fn maybe(&mut self, tag: Tag) -> Result<Option<AnyRef<'a>>, InvalidStamp> {
        if self.0.is_finished() || Tag::peek(&self.0)? != tag {
            return Ok(None);
        }
        Ok(Some(self.0.decode()?))
    }

    fn next(&mut self, tag: Tag) -> Result<AnyRef<'a>, InvalidStamp> {
        self.maybe(tag)?.ok_or(InvalidStamp::Unreadable)
    }

    /// Refuses another identifier than this one.
    fn is(&mut self, identifier: &[u8]) -> Result<(), InvalidStamp> {
        let found = self.next(Tag::ObjectIdentifier)?;
        if found.value() == identifier { Ok(()) } else { Err(InvalidStamp::Unreadable) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `openssl ts -reply` answers.
    const GRANTED: &[u8] = include_bytes!("../tests/examples/granted.tsr");
    const UNCERTIFIED: &[u8] = include_bytes!("../tests/examples/uncertified.tsr");
    const REFUSED: &[u8] = include_bytes!("../tests/examples/refused.tsr");

    /// The query that it answers.
    fn query() -> StampQuery {
        StampQuery { imprint: Sha::of(b"what is stamped"), nonce: *b"ABCDEFGH" }
    }

    #[test]
    fn a_stamp_is_read_as_openssl_writes_it() {
        assert_eq!(query().read(GRANTED).unwrap(), "2026-11-29T16:47:59Z");
        assert_eq!(query().read(UNCERTIFIED), Err(InvalidStamp::NoCertificate));
        let refused = query().read(REFUSED).unwrap_err().to_string();
        for said in ["Message digest algorithm is not supported", "does not know the digest's kind"]
        {
            assert!(refused.contains(said), "{refused}");
        }
    }

    #[test]
    fn a_stamp_of_something_else_or_for_somebody_else_is_none() {
        let other = StampQuery { imprint: Sha::of(b"something else"), ..query() };
        assert_eq!(other.read(GRANTED), Err(InvalidStamp::Imprint));
        let other = StampQuery { nonce: *b"ABCDEFGI", ..query() };
        assert_eq!(other.read(GRANTED), Err(InvalidStamp::Nonce));
    }

    #[test]
    fn what_is_cut_off_or_no_answer_at_all_is_refused() {
        for end in 0..GRANTED.len() {
            assert_eq!(query().read(&GRANTED[..end]), Err(InvalidStamp::Unreadable), "{end} bytes");
        }
        let longer = [GRANTED, b"more"].concat();
        for wrong in [&longer[..], b"<!doctype html><html></html>", &query().to_der(), &[0x30; 99]]
        {
            assert_eq!(query().read(wrong), Err(InvalidStamp::Unreadable));
        }
    }

    /// Whatever an authority sends, this ends, and says no time that is none.
    #[test]
    fn any_byte_may_be_another_one() {
        for at in 0..GRANTED.len() {
            for bit in 0..8 {
                let mut bytes = GRANTED.to_vec();
                bytes[at] ^= 1 << bit;
                if let Ok(time) = query().read(&bytes) {
                    assert!(time.parse::<jiff::Timestamp>().is_ok(), "{time}");
                }
            }
        }
    }

    #[test]
    fn no_two_queries_are_the_same() {
        let (one, other) = (StampQuery::of(b"a").unwrap(), StampQuery::of(b"a").unwrap());
        assert_ne!(one, other);
        for query in [one, other] {
            let der = query.to_der();
            assert_eq!((der.len(), usize::from(der[1]) + 2), (69, 69));
            assert!((0x40..0x80).contains(&der[58]), "the nonce is a positive number of 8 bytes");
        }
    }

    #[test]
    fn a_time_may_have_fractions() {
        assert_eq!(time(b"20261129164759.25Z").unwrap(), "2026-11-29T16:47:59.25Z");
        for wrong in ["20261129164759", "20261329164759Z", "20261129164759+0100", ""] {
            assert!(time(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
