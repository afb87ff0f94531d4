//! Where values of Secrets come from, and what becomes of them in the cluster.

mod encryption;
mod live;

use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::Context;
use super::flow::ended;
use crate::bench::{Kind, built};
use crate::build;
use crate::run::finish;

pub use encryption::encryption;
pub use live::live;

/// `.env` files are read as compose's own code reads them, or refused for a reason that is written down.
pub fn dotenv(_: &Context) -> Result<()> {
    let mut both = Command::new(built(Kind::Example, "dotenv")?);
    ended(&finish(both.arg(build::dotenv()?), Duration::from_secs(120))?, 0)
}
