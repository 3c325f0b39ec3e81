//! The lines of a shell by which a stranger checks a proof, from the file of its data alone.

use crm_consent::Written;

use crate::output::quoted;

/// Makes the hash of a record, and its commitment.
pub(super) fn record(first: &Written, file: &str) -> String {
    let file = quoted(file);
    let hash = format!("jq -j '.records[0].over' {file} | sha256sum");
    match first.personal {
        Some(_) => format!("{hash}\njq -j '.records[0].personal' {file} | sha256sum"),
        None => hash,
    }
}

/// Checks the signature of a seal, and prints the fingerprint of its key.
pub(super) fn signature(place: usize, file: &str) -> String {
    let of = |member: &str| format!("jq -j '.seals[{place}].{member}' {}", quoted(file));
    format!(
        "{} > key.pem\n{} > signed.txt\n{} | openssl base64 -d -A > signature.bin\n\
         openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in signed.txt -sigfile signature.bin\n\
         openssl pkey -pubin -in key.pem -outform DER | sha256sum",
        of("publicKey"),
        of("signed"),
        of("signature")
    )
}

/// Checks the time stamp of a seal, which is over the seal as it was written: with its signature.
pub(super) fn stamp(place: usize, file: &str) -> String {
    let file = quoted(file);
    format!(
        "jq -j '.seals[{place}] | .signed + \"signature: \" + .signature + \"\\n\"' {file} > seal.txt\n\
         jq -j '.seals[{place}].stamp.answer' {file} | openssl base64 -d -A > stamp.tsr\n\
         openssl ts -verify -data seal.txt -in stamp.tsr -CAfile root.pem\n\
         openssl ts -reply -in stamp.tsr -text"
    )
}
