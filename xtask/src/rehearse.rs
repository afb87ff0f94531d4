//! The whole way on a throwaway host: from nothing to the https page.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::bench::Bench;
use crate::rig::Rig;

/// What happens to the rig when the rehearsal is over.
#[derive(Clone, Copy, PartialEq)]
pub enum Afterwards {
    /// Take it down.
    Down,
    /// Leave it up, to look around.
    Keep,
}

/// Builds everything, boots a fresh host, runs `bedplate bootstrap` and `bedplate verify` against it as the operator, and
/// shows the page that a visitor gets.
pub fn rehearse(afterwards: Afterwards, source: Option<&Path>) -> Result<()> {
    let rig = Rig::up(source)?;
    let done = play(&rig);
    drop(rig);
    match afterwards {
        Afterwards::Keep => println!("the rig stays up: cargo xtask rig ssh droplet, cargo xtask rig down"),
        Afterwards::Down => Rig::down()?,
    }
    done
}

fn play(rig: &Rig) -> Result<()> {
    let bench = Bench::fresh(rig, 1)?;
    println!("inventory.example.toml, with this overlay:\n\n{}", bench.overlay()?);
    for verb in ["bootstrap", "verify"] {
        println!("$ bedplate {verb} inventory.toml");
        let status = bench.bedplate(&[verb, "inventory.toml"]).status()?;
        ensure!(status.success(), "bedplate {verb}: {status}");
    }
    println!("$ curl https://shop.example/\n{}", bench.visit("https://shop.example/")?);
    Ok(())
}
