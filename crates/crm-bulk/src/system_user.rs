//! Who runs this process.

/// Returns the name of the user whose process this is, as the system knows it, whatever the
/// environment says. A user without a name, as in a container, is `uid` and its number.
#[must_use]
pub fn system_user() -> String {
    whoami::fallible::username().unwrap_or_else(|_| {
        #[cfg(unix)]
        let user = format!("uid {}", rustix::process::geteuid().as_raw());
        #[cfg(not(unix))]
        let user = "unknown".to_owned();
        user
    })
}
