//! Answers that are still packed because the HTTP library did not unpack them.

use bytes::Bytes;
use http::{header, response::Parts};

use crate::error::{Delivery, TransportError, TransportErrorKind};

/// Returns the body of an answer, unpacked if that is possible, up to that many bytes.
///
/// Some servers pack answers although they were not asked to. The names of encodings are not
/// case-sensitive, and `x-gzip` is `gzip` (RFC 9110, section 8.4.1), of which reqwest knows only
/// one spelling. A refusal of which only the status matters need not be read.
///
/// # Errors
///
/// Returns the name of the encoding, where it cannot be undone.
pub(crate) fn unpacked(
    parts: &mut Parts,
    body: Bytes,
    most: usize,
) -> Result<Bytes, TransportError> {
    let Some(encoding) = parts.headers.get(header::CONTENT_ENCODING) else {
        return Ok(body);
    };
    let encoding = String::from_utf8_lossy(encoding.as_bytes()).to_ascii_lowercase();
    match encoding.trim() {
        _ if body.is_empty() => Ok(body),
        "" | "identity" => Ok(body),
        "gzip" | "x-gzip" => {
            let body = gunzip(&body, most)?;
            parts.headers.remove(header::CONTENT_ENCODING);
            parts.headers.remove(header::CONTENT_LENGTH);
            Ok(body)
        }
        other if parts.status.is_success() => {
            let name: String = other.chars().take(20).collect();
            Err(unreadable(format!(
                "it is compressed as {name:?}, which this client cannot decompress"
            )))
        }
        _ => Ok(body),
    }
}

fn gunzip(body: &[u8], most: usize) -> Result<Bytes, TransportError> {
    use std::io::Read;

    let mut unpacked = Vec::new();
    let one_more = u64::try_from(most).map_or(u64::MAX, |most| most.saturating_add(1));
    let mut decoder = flate2::read::MultiGzDecoder::new(body).take(one_more);
    decoder.read_to_end(&mut unpacked).map_err(unreadable)?;
    if unpacked.len() > most {
        let kind = TransportErrorKind::AnswerTooLarge;
        return Err(TransportError::new(kind, Delivery::Unknown));
    }
    Ok(unpacked.into())
}

fn unreadable(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> TransportError {
    TransportError::new(TransportErrorKind::UnreadableAnswer, Delivery::Unknown).with_source(reason)
}
