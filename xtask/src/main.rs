//! The house's own chores: the rig, the rehearsal, the tests.

mod bench;
mod build;
mod capture;
mod converge_bench;
#[path = "../../tests/e2e/mod.rs"]
mod e2e;
mod images_bench;
mod matrix;
mod packages;
mod project;
mod rehearse;
mod relay;
mod rig;
mod run;
mod test;

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use converge_bench::{Wanted, converge};
use images_bench::images;
use rehearse::{Afterwards, rehearse};
use rig::{Host, Operator, Place, Rig};

#[derive(Parser)]
#[command(name = "xtask", about)]
enum Chore {
    /// Build what the rig serves, and show it
    Build,
    /// Bootstrap a throwaway host with the real tool, end with the https page
    Rehearse {
        /// Leave the rig up afterwards
        #[arg(long)]
        keep: bool,
        #[command(flatten)]
        released: Released,
    },
    /// Run every test; as root, and with nothing left out in silence
    Test {
        /// Only tests on the rig whose name begins so; may be given several times
        #[arg(long)]
        only: Vec<String>,
        #[command(flatten)]
        released: Released,
    },
    /// Interrupt every kind of action in every way; `test` tries a sample of it
    Matrix {
        /// Only cases whose name begins so
        #[arg(long)]
        only: Option<String>,
        /// Only this: kill, cut, silent or reboot
        #[arg(long, value_parser = e2e::matrix::Fault::named)]
        fault: Option<e2e::matrix::Fault>,
    },
    /// Print what a rig's host has of a namespace's certificates, as the answers of a golden case
    Capture {
        /// droplet, droplet-2 …
        host: String,
        /// Where the certificate lies
        namespace: String,
    },
    /// Throwaway hosts and what they need of the internet
    #[command(subcommand)]
    Rig(RigChore),
    /// Measure, on the rig
    #[command(subcommand)]
    Bench(BenchChore),
}

#[derive(Args)]
struct Released {
    /// Serve the released files in this folder, laid out as on the upstream sites, instead of what the rig builds
    #[arg(long, value_name = "FOLDER")]
    source: Option<PathBuf>,
}

#[derive(Subcommand)]
enum BenchChore {
    /// What a look at converged hosts costs, beside the floor and beside what people use today
    Converge {
        /// Only rows whose id begins so
        #[arg(long)]
        only: Option<String>,
        /// Runs of bedplate and of the floor; the median counts
        #[arg(long, default_value_t = 7)]
        runs: usize,
        /// Runs of a peer on one host; a third of them on ten, one on fifty; 0: peers are left out
        #[arg(long, default_value_t = 7)]
        peer_runs: usize,
    },
    /// What a push of images costs, in bytes on the line and in seconds, beside the floor and beside what people use today
    Images {
        /// Only rows whose id begins so
        #[arg(long)]
        only: Option<String>,
        /// Runs of bedplate; the median counts
        #[arg(long, default_value_t = 3)]
        runs: usize,
        /// Runs of a peer; 0: peers are left out
        #[arg(long, default_value_t = 1)]
        peer_runs: usize,
    },
}

#[derive(Subcommand)]
enum RigChore {
    /// Boot hosts; what runs already is left alone
    Up {
        /// How many, side by side
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=5))]
        hosts: u8,
    },
    /// Log in to a host as the operator does
    Ssh {
        /// droplet, droplet-2 …
        name: String,
        /// root, ops or appuser
        #[arg(long, default_value = "appuser")]
        user: String,
        /// What to run there instead of a shell
        #[arg(last = true)]
        command: Vec<String>,
    },
    /// Run a program in a host as root, without ssh
    Exec {
        /// droplet, droplet-2 …
        name: String,
        /// The program and its arguments
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Show what runs
    Status,
    /// End everything, and remove all but the caches
    Down,
}

fn main() -> ExitCode {
    match Chore::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Chore {
    fn run(self) -> Result<()> {
        match self {
            Self::Build => {
                print!("{}", build::artifacts(build::Former::Kept)?);
                Ok(())
            }
            Self::Rehearse { keep, released } => {
                rehearse(if keep { Afterwards::Keep } else { Afterwards::Down }, released.source.as_deref())
            }
            Self::Test { only, released } => test::test(&only, released.source.as_deref()),
            Self::Matrix { only, fault } => matrix::matrix(only.as_deref(), fault),
            Self::Capture { host, namespace } => capture::capture(&host, &namespace),
            Self::Rig(chore) => chore.run(),
            Self::Bench(BenchChore::Converge { only, runs, peer_runs }) => converge(&Wanted { only, runs, peer_runs }),
            Self::Bench(BenchChore::Images { only, runs, peer_runs }) => images(&Wanted { only, runs, peer_runs }),
        }
    }
}

impl RigChore {
    fn run(self) -> Result<()> {
        match self {
            Self::Up { hosts } => up(hosts),
            Self::Ssh { name, user, command } => ssh(&name, &user, &command),
            Self::Exec { name, command } => {
                let host = Host::named(&Place::here()?, &name)?;
                Err(host.exec()?.args(command).exec().into())
            }
            Self::Status => Rig::status(),
            Self::Down => Rig::down(),
        }
    }
}

fn up(hosts: u8) -> Result<()> {
    let rig = Rig::up(None)?;
    for host in rig.hosts(hosts)? {
        println!("{} answers at {}", host.name, host.address);
    }
    Ok(())
}

fn ssh(name: &str, user: &str, command: &[String]) -> Result<()> {
    let place = Place::here()?;
    let host = Host::named(&place, name)?;
    let operator = Operator::find(&place)?;
    let mut ssh = operator.command("ssh");
    // The rig knows the key, and the operator's own known_hosts stays as the tests want it.
    let known = host.folder().join("known_hosts");
    std::fs::write(&known, format!("{} {}\n", host.address, host.host_key()?))?;
    ssh.arg(format!("-oUserKnownHostsFile={}", known.display())).arg("-oStrictHostKeyChecking=yes");
    Err(ssh.arg(format!("{user}@{}", host.address)).args(command).exec().into())
}
