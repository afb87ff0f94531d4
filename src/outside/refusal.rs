//! Why nothing came back, in words.

use std::error::Error;
use std::io::{self, ErrorKind};

use super::PATIENCE;
use crate::model::{causes, chain};

/// No answer within the deadline.
pub fn silence() -> String {
    format!("timeout: no answer within {} s", PATIENCE.as_secs())
}

/// An error and what lies beneath it, in one line; a refused connection comes first in it.
pub fn told(error: &(dyn Error + 'static)) -> String {
    let said = chain(error);
    let is_refused =
        causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).any(|error| error.kind() == ErrorKind::ConnectionRefused);
    if is_refused { format!("refused: {said}") } else { said }
}
