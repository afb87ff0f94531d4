//! Who logs in how: settings that would lock us out are taken back, by the run or by a boot; good ones stay, and hold against others' files.

use std::fs;
use std::time::Duration;

use anyhow::{Result, ensure};
use toml::Table;

use super::Context;
use super::flow::{bedplate, ended, served};
use super::line::Slow;
use super::ssh_causes::{Config, Sshd};
use crate::bench::Bench;
use crate::project::merge;
use crate::run::{finish, until};

/// From a run's start to settings that hold.
const TRIED: Duration = Duration::from_secs(60);

/// Lets `ops` in without a password. Whoever comes with a key waits, which gives the test its time. Of a refusal's time sshd makes up to
/// twice as much (openssh-portable: auth2.c, ensure_minimum_time_since), and ssh gives up after 12 s.
const EMPTY: &str = "PermitEmptyPasswords yes\nAuthorizedKeysCommand /usr/bin/sleep 4\nAuthorizedKeysCommandUser nobody";
const NO_KEY: &str = "passwd -q -d ops && mv /home/ops/.ssh/authorized_keys /home/ops/.ssh/away";
const KEY: &str = "usermod -p '!' ops && mv /home/ops/.ssh/away /home/ops/.ssh/authorized_keys";
/// While something is tried, and what of it is left.
const UNPROVEN: &str = "ls /etc/tmpfiles.d/bedplate-sshd.conf >/dev/null 2>&1 && sshd -T | grep '^passwordauthentication no' || true";
const LEFT: &str = "ls -A /etc/ssh/sshd_config.d /etc/tmpfiles.d | grep bedplate || true
    systemctl list-units --all --plain --no-legend 'bedplate-switch-*'";
/// As nothing had been.
const CLEAR: &str = "systemctl stop 'bedplate-switch-*.timer'; cd /etc/ssh/sshd_config.d
    rm -f 00-bedplate.conf 50-cloud-init.conf 60-other.conf /etc/tmpfiles.d/bedplate-sshd.conf; systemctl reload ssh";

/// A user who comes in by a password is not shut out, be the run killed and the host booted or not, and the session lives. Where we come in by a
/// key passwords and root are shut out, whatever cloud-init says; what others let in again is found.
pub fn sshd(context: &Context) -> Result<()> {
    let bench = context.converged()?;
    bench.look(NO_KEY)?;
    let locked = locked_out(bench);
    bench.look(KEY)?;
    let closed = locked.and_then(|()| closed(bench));
    let cleared = bench.look(CLEAR);
    closed?;
    cleared?;
    ended(&bedplate(bench, &["bootstrap", "inventory.toml"])?, 0)?;
    served(bench)
}

/// Writes the project's inventory with something more as another file.
fn inventory(bench: &Bench<'_>, name: &str, more: &str) -> Result<()> {
    let mut inventory = bench.project.inventory.clone();
    merge(&mut inventory, &more.parse::<Table>()?);
    let file = bench.project.path(name);
    fs::write(&file, toml::to_string(&inventory)?)?;
    bench.rig.operator.own(&file, 0o644)
}

/// What ssh says to somebody who comes with nothing, or with the operator's key.
fn knock(bench: &Bench<'_>, user: &str, options: &[&str]) -> Result<String> {
    let mut ssh = bench.rig.operator.command("ssh");
    ssh.args(["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]);
    // An sshd that reads its settings anew does not listen for a moment.
    ssh.args(["-o", "ConnectionAttempts=5"]);
    let ended = finish(ssh.args(options).arg(format!("{user}@{}", bench.host.address)).arg("echo in"), TRIED)?;
    Ok(ended.stdout + &ended.stderr)
}

fn locked_out(bench: &Bench<'_>) -> Result<()> {
    let _sshd = Sshd::set(bench, EMPTY)?;
    inventory(bench, "empty.toml", "hosts = [{ user = \"ops\" }]\nsshd = { password_authentication = false }")?;

    let mut run = Slow::spawn(bench, &["bootstrap", "empty.toml"])?;
    until("settings to be tried", TRIED, || Ok((!bench.look(UNPROVEN)?.is_empty()).then_some(())))?;
    run.shoot()?;
    // Nobody is left to mend it.
    bench.reboot()?;
    let said = knock(bench, "ops", &["-o", "PubkeyAuthentication=no"])?;
    ensure!(said == "in\n", "a boot did not let ops in again: {said}");

    let run = bedplate(bench, &["bootstrap", "empty.toml"])?;
    ended(&run, 1)?;
    for word in [
        "sshd: could not enforce",
        "no new ssh connection came in, so it was taken back (sshd accepted none of the keys offered",
        "cure: come in by a key",
    ] {
        ensure!(run.stderr.contains(word), "`{word}` is not said:\n{}", run.stderr);
    }
    let left = bench.look(LEFT)?;
    ensure!(left.is_empty(), "it is not as it was: {left}");
    let log = bench.look("tail -n 1 /var/log/bedplate/actions.log")?;
    ensure!(log.contains("done: take back /etc/ssh/sshd_config.d/00-bedplate.conf"), "the session did not outlive the settings: {log}");
    let said = knock(bench, "ops", &["-o", "PubkeyAuthentication=no"])?;
    ensure!(said == "in\n", "ops is shut out: {said}");

    // What somebody wrote and sshd has not read yet.
    bench.look("echo 'DenyUsers ops' >/etc/ssh/sshd_config.d/60-other.conf")?;
    let run = bedplate(bench, &["bootstrap", "empty.toml"])?;
    bench.look("rm /etc/ssh/sshd_config.d/60-other.conf")?;
    ended(&run, 1)?;
    ensure!(run.stderr.contains("no new ssh connection comes in, also now that it was taken back"), "{}", run.stderr);
    Ok(())
}

fn closed(bench: &Bench<'_>) -> Result<()> {
    inventory(bench, "closed.toml", "sshd = { password_authentication = false, root_login = \"no\" }")?;
    bench.look("echo 'PasswordAuthentication yes' >/etc/ssh/sshd_config.d/50-cloud-init.conf; systemctl reload ssh")?;
    let methods = || knock(bench, "appuser", &["-o", "PubkeyAuthentication=no"]);
    let said = methods()?;
    ensure!(said.contains("(publickey,password)"), "passwords are not taken before: {said}");

    // A port of the user's own, which two logins can't both have.
    let forward = Config::write(bench, "LocalForward 127.0.0.1:7443 127.0.0.1:6443\nExitOnForwardFailure yes\n")?;
    ended(&bedplate(bench, &["bootstrap", "closed.toml"])?, 0)?;
    drop(forward);
    let again = bedplate(bench, &["bootstrap", "closed.toml"])?;
    ended(&again, 0)?;
    ensure!(again.stdout.contains("nothing was changed, nothing was restarted"), "{}", again.stdout);
    let said = methods()?;
    ensure!(said.contains("(publickey)"), "passwords are taken: {said}");
    let said = knock(bench, "root", &[])?;
    ensure!(said.contains("Permission denied"), "root comes in: {said}");
    let effect = bench.look("sshd -T | grep -cE '^(passwordauthentication|kbdinteractiveauthentication|permitrootlogin) no'")?;
    ensure!(effect.trim() == "3", "sshd -T says otherwise: {effect}");
    let left = bench.look(LEFT)?;
    ensure!(left == "00-bedplate.conf\n", "more than the settings is left: {left}");

    bench.look(
        "printf 'Match User appuser\\n  PasswordAuthentication yes\\n' >/etc/ssh/sshd_config.d/60-other.conf; systemctl reload ssh",
    )?;
    let verify = bedplate(bench, &["verify", "closed.toml"])?;
    ended(&verify, 1)?;
    ensure!(verify.stdout.contains("sshd takes the password of appuser, though"), "{}", verify.stdout);
    bench.look("rm /etc/ssh/sshd_config.d/60-other.conf; systemctl reload ssh")?;
    ended(&bedplate(bench, &["plan", "closed.toml"])?, 0)
}
