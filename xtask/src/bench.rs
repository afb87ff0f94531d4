//! One server, its agents if any, and one project, side by side: what a test or a rehearsal works on.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::project::{Project, overlay};
use crate::rig::{Acme, Host, Rig};
use crate::run::{run, until};

/// From a boot to a site that answers.
const LET_IN: Duration = Duration::from_secs(90);

/// A host with a project that describes it.
pub struct Bench<'a> {
    /// What it stands on.
    pub rig: &'a Rig,
    /// Fresh when the bench was made.
    pub host: Host,
    /// In the operator's home.
    pub project: Project,
}

impl<'a> Bench<'a> {
    /// The host of that number on a new disk, and a new project for it; whoever used it before has lost both. The tool is
    /// built first.
    pub fn fresh(rig: &'a Rig, number: u8) -> Result<Self> {
        rig.operator.install(&built(Kind::Bin, "bedplate")?)?;
        let host = rig.fresh(number)?;
        let project = Project::scratch(rig, &host, &host.name)?;
        Ok(Self { rig, host, project })
    }

    /// The hosts of these numbers on new disks, as agents of this one's cluster.
    pub fn agents(&mut self, numbers: RangeInclusive<u8>) -> Result<Vec<Host>> {
        let agents = numbers.map(|number| self.rig.fresh(number)).collect::<Result<Vec<_>>>()?;
        for agent in &agents {
            self.project.describe_agent(agent)?;
        }
        self.project.save(&self.rig.operator)?;
        Ok(agents)
    }

    /// `bedplate` in the project's folder, as the operator, knowing the sudo password: for `run`, `finish` or `status`.
    pub fn bedplate(&self, arguments: &[&str]) -> Command {
        self.program("bedplate", arguments)
    }

    /// The same of another program that was installed for the operator.
    pub fn program(&self, name: &str, arguments: &[&str]) -> Command {
        let password = format!("BEDPLATE_SUDO_PASSWORD_FILE={}", self.project.path("rig/sudo-password").display());
        let mut command = self.rig.operator.command("env");
        command.arg(password).arg(name).args(arguments).current_dir(&self.project.folder);
        command
    }

    /// What a visitor gets who trusts the production root only: headers and body, or an error.
    pub fn visit(&self, url: &str) -> Result<String> {
        let mut curl = self.rig.operator.command("curl");
        curl.args(["--silent", "--show-error", "--include", "--max-time", "10", "--cacert"]);
        run(curl.arg(Acme::Production.root(&self.rig.place)).arg(url))
    }

    /// Runs a shell script in the host as root, past the tool under test; its standard output.
    pub fn look(&self, script: &str) -> Result<String> {
        run(self.host.exec()?.args(["sh", "-c", script]))
    }

    /// Pulls the plug of the host and boots it, until it gets an answer itself where visitors of its site come in. Who came from outside before that
    /// would have left a connection to Traefik's former pod, into which one from the same port falls for two minutes (conntrack's `SYN_SENT`).
    pub fn reboot(&self) -> Result<()> {
        self.host.kill()?;
        self.host.answers(&self.host.boot(&self.rig.operator)?)?;
        let visit = format!("curl -sk -o /dev/null --max-time 5 https://{} && echo answered || true", self.host.address);
        until("visitors to be let in after a boot", LET_IN, || Ok((self.look(&visit)? == "answered\n").then_some(())))
    }

    /// What the project's inventory says otherwise than the example, as TOML.
    pub fn overlay(&self) -> Result<String> {
        Ok(toml::to_string(&overlay(&self.host.address, &self.host.host_key()?, &self.rig.artifacts.pins))?)
    }
}

/// Kinds of programs, as cargo tells them apart.
#[derive(Clone, Copy)]
pub enum Kind {
    /// What users get.
    Bin,
    /// What only the rig runs.
    Example,
}

/// Builds a program of the package `bedplate`; cargo puts it beside this one, examples in a folder of their own.
pub fn built(kind: Kind, name: &str) -> Result<PathBuf> {
    let (flag, folder) = match kind {
        Kind::Bin => ("--bin", ""),
        Kind::Example => ("--example", "examples"),
    };
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "bedplate", flag, name])
        .current_dir(crate::rig::clone())
        .status()?;
    ensure!(status.success(), "cargo build: {status}");
    let here = std::env::current_exe()?;
    Ok(here.parent().context("a program lies in a folder")?.join(folder).join(name))
}
