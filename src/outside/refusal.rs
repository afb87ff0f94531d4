//! Why nothing came back, in words.

use std::error::Error;
use std::io::{self, ErrorKind};

use super::PATIENCE;

/// No answer within the deadline.
pub fn silence() -> String {
    format!("timeout: no answer within {} s", PATIENCE.as_secs())
}

/// An error and what lies beneath it, in one line; a refused connection comes first in it.
pub fn told(error: &(dyn Error + 'static)) -> String {
    let causes = || std::iter::successors(Some(error), |&error| error.source());
    let mut text = String::new();
    if causes().filter_map(|cause| cause.downcast_ref::<io::Error>()).any(|error| error.kind() == ErrorKind::ConnectionRefused) {
        text.push_str("refused");
    }
    for said in causes().map(ToString::to_string) {
        if !text.contains(&said) {
            let separator = if text.is_empty() { "" } else { ": " };
            text = text + separator + &said;
        }
    }
    text
}
