//! Paths, as routes, probes and polls name them.

use crate::config::error::quoted;
use crate::config::read::Refusal;

/// A path that a request can have.
pub(super) fn parse_path(text: &str) -> Result<&str, Refusal> {
    let refuse = |remedy: &str| Err(Refusal::new(format!("{} is not a path", quoted(text)), remedy));
    match text {
        _ if !text.starts_with('/') => refuse("begin it with `/`"),
        _ if text.contains(['?', '#']) => refuse("end it before the `?` or `#`"),
        _ if !text.chars().all(|c| c.is_ascii_graphic()) => refuse("percent-encode what is not visible ASCII"),
        _ if text.split('/').any(|segment| segment == "." || segment == "..") => {
            refuse("write it without `.` and `..`: requests that have them are refused")
        }
        _ => Ok(text),
    }
}
