//! Certificates by themselves: how many orders they take, what visitors see while they change, and what a CA's moods do to them.

mod again;
pub mod foreign;
mod renew;

use std::fs;

use anyhow::{Context as _, Result, ensure};

pub use again::refused;
pub use renew::{Renewal, moody, orders, renew, renewal, site};

use super::Context;
use super::drift::orders as taken;
use super::flow::{bedplate, ended, served};
use super::visitor::{self, Visit};
use crate::bench::Bench;
use crate::rig::Acme;

/// What the first bootstrap of the shared host took at the CAs, and what a visitor who trusts both of them saw meanwhile.
pub struct First {
    orders: [usize; 2],
    visits: Vec<Visit>,
}

/// The first bootstrap.
pub fn first(bench: &Bench<'_>) -> Result<First> {
    let both = bench.rig.place.folder("ca")?.join("both-roots.pem");
    let roots = Acme::ALL.iter().map(|acme| Ok(fs::read_to_string(acme.root(&bench.rig.place))?)).collect::<Result<Vec<_>>>()?;
    fs::write(&both, roots.concat())?;
    let before = counted(bench)?;
    let (run, visits) = visitor::during(bench, "https://shop.example/", &both, || bedplate(bench, &["bootstrap", "inventory.toml"]))?;
    ended(&run, 0)?;
    let after = counted(bench)?;
    Ok(First { orders: [after[0] - before[0], after[1] - before[1]], visits })
}

/// Orders at the staging and the production CA, by their own logs.
fn counted(bench: &Bench<'_>) -> Result<[usize; 2]> {
    Ok([taken(bench, Acme::Staging)?, taken(bench, Acme::Production)?])
}

/// From the first visit that was served until the end of the bootstrap there is no gap, while the certificate changes from one CA to the other.
pub fn promote(context: &Context) -> Result<()> {
    let bench = context.converged()?;
    let visits = &context.first()?.visits;
    let begun = visits.iter().position(Visit::is_well).context("nobody was served during the bootstrap")?;
    let since = &visits[begun..];
    let failed: Vec<&Visit> = since.iter().filter(|visit| !visit.is_well()).collect();
    ensure!(failed.is_empty(), "{} of {} visits failed after the first that was served: {failed:?}", failed.len(), since.len());
    let mut serials: Vec<&str> = since.iter().map(|visit| visit.serial.as_str()).collect();
    serials.dedup();
    ensure!(
        serials.len() == 2,
        "the visitor saw {} certificates one after the other in {} visits: {serials:?}",
        serials.len(),
        since.len()
    );
    served(bench)
}
