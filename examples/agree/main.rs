//! Holds the fake host of the golden cases against a real one: the same actions on both must end in the same answers.
//! `agree host INVENTORY` wants a bare host, `agree api INVENTORY` a converged one. Prints each difference; exit 1 if there is any.
//! An example because it must run as the rig's operator, inside the rig's network, where `cargo test` does not; `fake_agrees` runs it.

mod api;
#[allow(dead_code, reason = "the crash loops use more of it")]
#[path = "../../tests/fake/mod.rs"]
mod fake;
mod host;
mod plain;
mod twins;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use bedplate::cli::{Only, Session, Target};
use bedplate::model::Failure;
use twins::Twins;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [part @ ("host" | "api"), inventory] = arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] else {
        eprintln!("usage: agree host|api INVENTORY");
        return ExitCode::from(64);
    };
    match agree(part, inventory.into()).await {
        Ok(0) => ExitCode::SUCCESS,
        Ok(differences) => {
            println!("the fake differs from the real one in {differences} ways");
            ExitCode::FAILURE
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// In how many ways they differed.
async fn agree(part: &str, inventory: PathBuf) -> Result<usize, Failure> {
    let session = Session::open(&Target { inventory, consents: BTreeSet::new() }, &Only::default())?;
    session.live.lock().await?;
    let mut twins = Twins::new(&session.live, session.server.clone());
    match part {
        "host" => host::agree(&mut twins).await?,
        _ => api::agree(&mut twins).await?,
    }
    session.live.release().await;
    println!("{} actions, {} answers compared", twins.actions, twins.answers);
    Ok(twins.differences.len())
}
