//! How often sshd is troubled, counted by sshd itself.

use std::ops::RangeInclusive;

use anyhow::{Context as _, Result, ensure};

use super::Context;
use super::flow::{bedplate, ended};
use super::ssh_causes::{Config, Sshd, known};
use crate::bench::Bench;
use crate::rig::Host;
use crate::run::run;

/// The handshake, the page, and what leads there: from http, and from the other name by both.
const VISITS: usize = 6;

/// One connection carries a whole run, in at most three sessions, one channel to the API server and one for each visit that the host pays its own
/// site. Where sshd opens no channels that is said, and says nothing of the site. Three hosts behind a jump host share one connection to it.
pub fn counted(context: &Context) -> Result<()> {
    let first = context.converged()?;
    let shut = Sshd::set(first, "AllowTcpForwarding no")?;
    let verify = bedplate(first, &["verify", "inventory.toml"])?;
    drop(shut);
    ended(&verify, 1)?;
    let told = "whether the host itself reaches https://shop.example was not looked at: sshd forwards no ports (AllowTcpForwarding)";
    ensure!(verify.stdout.contains(told), "verify lacks {told:?}:\n{}", verify.stdout);
    let _log = Sshd::set(first, "LogLevel DEBUG1")?;
    for verb in ["verify", "plan", "bootstrap"] {
        let log = Log::from_now(&first.host)?;
        ended(&bedplate(first, &[verb, "inventory.toml"])?, 0)?;
        log.judge(verb, "ctype session", 1..=3)?;
        log.judge(verb, "target 127.0.0.1 port 6443", 1..=1)?;
        log.judge(verb, "target 203.0.113.10 port ", VISITS..=VISITS)?;
        log.judge(verb, "Connection from ", 1..=1)?;
    }

    let mut behind = Bench::fresh(context.rig, 2)?;
    let agents = behind.agents(3..=4)?;
    let hosts: Vec<&Host> = agents.iter().chain([&behind.host]).collect();
    let addresses: Vec<&str> = hosts.iter().map(|host| host.address.as_str()).collect();
    let _known = known(first)?;
    let _config = Config::write(first, &format!("Host {}\n  ProxyJump ops@{}\n", addresses.join(" "), first.host.address))?;
    let jump = Log::from_now(&first.host)?;
    let logs = hosts.iter().map(|host| Log::from_now(host)).collect::<Result<Vec<_>>>()?;
    ended(&bedplate(&behind, &["plan", "inventory.toml"])?, 2)?;
    jump.judge("the way to three hosts", "Connection from ", 1..=1)?;
    jump.judge("the way to three hosts", "ctype direct-tcpip", 3..=3)?;
    for log in &logs {
        log.judge("a host behind the jump host", "Accepted publickey for ", 1..=1)?;
    }
    hosts.into_iter().try_for_each(Host::discard)
}

/// What a host's sshd writes from a moment on.
struct Log<'a> {
    host: &'a Host,
    /// A line of ours among its own.
    mark: String,
}

impl<'a> Log<'a> {
    fn from_now(host: &'a Host) -> Result<Self> {
        let mark = format!("mark {:016x}", fastrand::u64(..));
        run(host.exec()?.args(["logger", "--tag", "sshd", &mark]))?;
        Ok(Self { host, mark })
    }

    /// Demands that `text` was written so often.
    fn judge(&self, what: &str, text: &str, wanted: RangeInclusive<usize>) -> Result<()> {
        let all = run(self.host.exec()?.args(["sh", "-c", "journalctl --sync; journalctl --output=cat --identifier=sshd"]))?;
        let (_, log) = all.rsplit_once(&self.mark).with_context(|| format!("{} is not in the journal of {}", self.mark, self.host.name))?;
        let seen = log.matches(text).count();
        ensure!(wanted.contains(&seen), "{what}: {} logged \"{text}\" {seen} times instead of {wanted:?}\n{log}", self.host.name);
        Ok(())
    }
}
