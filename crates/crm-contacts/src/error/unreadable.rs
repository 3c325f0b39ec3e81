//! Why a body could not be read.

use serde::de::DeserializeOwned;

/// Returns where a body is not what it should be, without any value from it.
pub(crate) fn why_unreadable<A: DeserializeOwned>(body: &[u8]) -> String {
    let text = match str::from_utf8(body) {
        Ok(text) => text,
        Err(error) => return format!("it is not UTF-8, after {} bytes", error.valid_up_to()),
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    match serde_path_to_error::deserialize::<_, A>(&mut deserializer) {
        Ok(_) => "something follows the JSON value".to_owned(),
        Err(error) => {
            let (path, error) = (error.path().to_string(), error.into_inner());
            let reason = match error.classify() {
                serde_json::error::Category::Eof => "it ends too early",
                serde_json::error::Category::Syntax => "it is not JSON",
                _ => "a member is missing or of another type",
            };
            let (line, column) = (error.line(), error.column());
            format!("{reason}, at `{path}`, line {line} column {column}")
        }
    }
}
