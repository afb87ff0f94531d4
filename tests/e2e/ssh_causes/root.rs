//! Accounts that are not let in, and sudo that does not let them up.

use std::fs;

use anyhow::{Result, ensure};

use super::edit;
use crate::bench::Bench;
use crate::e2e::Context;
use crate::e2e::bad_input::{broken, refusal, refused};

/// A wrong sudo password: tried once, since more tries may lock the account.
pub fn password(context: &Context) -> Result<()> {
    let bench = broken(context)?;
    let tries = || -> Result<usize> {
        let script = "journalctl --sync; journalctl --quiet --identifier=sudo --output=cat --grep='incorrect password' || true";
        Ok(bench.look(script)?.lines().count())
    };
    fs::write(bench.project.path("rig/sudo-password"), "not-the-one\n")?;
    let before = tries()?;
    let words = ["droplet: could not become root as appuser@203.0.113.10: sudo did not take the password\n", "cure: check the password"];
    let error = refused(&bench, "plan", 77, &words)?;
    ensure!(error.lines().count() == 2 && !error.contains("not-the-one"), "more than a line and its cure: {error}");
    ensure!(tries()? == before + 1, "the wrong password was tried {} times", tries()? - before);
    Ok(())
}

/// sudo wants a password, and there is neither a terminal nor a file.
pub fn password_wanted(context: &Context) -> Result<()> {
    let bench = broken(context)?;
    let mut command = bench.rig.operator.command("bedplate");
    let words = ["sudo asks for a password, and nobody is there to type it\n", "cure: run it in a terminal, or name a file"];
    refusal(command.args(["plan", "inventory.toml"]).current_dir(&bench.project.folder), 77, &words).map(drop)
}

/// The right password of somebody who may not.
pub fn sudoers(context: &Context) -> Result<()> {
    let bench = user(context, "guest", "")?;
    bench.look(&format!("echo 'guest:{}' | chpasswd", bench.host.sudo_password()?))?;
    let words = [
        "could not become root as guest@",
        "the login user may not use sudo (guest is not in the sudoers file",
        "cure: add the user to the sudo group as root",
    ];
    refused(&bench, "plan", 77, &words).map(drop)
}

/// A sudo that runs nothing without a terminal.
pub fn requiretty(context: &Context) -> Result<()> {
    let bench = user(context, "typist", "")?;
    bench.look("printf 'Defaults:typist requiretty\\ntypist ALL=(ALL:ALL) NOPASSWD: ALL\\n' >/etc/sudoers.d/typist")?;
    refused(&bench, "plan", 77, &["sudo insists on a terminal (requiretty)\n", "cure: remove `Defaults requiretty`"]).map(drop)
}

/// sudo has to write down what it runs, and there is no room.
pub fn disk_full(context: &Context) -> Result<()> {
    let bench = user(context, "full", "")?;
    bench.look(
        "printf 'Defaults:full log_output\\nfull ALL=(ALL:ALL) NOPASSWD: ALL\\n' >/etc/sudoers.d/full
         mkdir -p /var/log/sudo-io && mount -t tmpfs -o nr_inodes=1 tmpfs /var/log/sudo-io",
    )?;
    let ended = refused(&bench, "plan", 77, &["sudo ended with 1 and said nothing", "cure: see on the host whether a disk is full"]);
    bench.look("umount /var/log/sudo-io; rm -f /etc/sudoers.d/full")?;
    ended.map(drop)
}

/// An account that has expired, and a host that is not ready for users yet.
pub fn account(context: &Context) -> Result<()> {
    let mut bench = user(context, "expired", "--expiredate 2001-01-01")?;
    let words =
        ["sshd took the key, but does not let the user in: Your account has expired", "cure: see on the host whether the account expired"];
    refused(&bench, "plan", 77, &words)?;
    edit(&mut bench, |host| drop(host.insert("user".into(), "ops".into())))?;
    bench.look("echo 'still starting' >/run/nologin")?;
    let ended =
        refused(&bench, "plan", 77, &["sshd took the key, but does not let the user in: still starting\n", "right after its start"]);
    bench.look("rm /run/nologin")?;
    ended.map(drop)
}

/// Login shells that run nothing, with a word and without.
pub fn nologin(context: &Context) -> Result<()> {
    for (name, shell) in [("nologin", "/usr/sbin/nologin"), ("false", "/bin/false")] {
        let bench = user(context, name, &format!("--shell {shell}"))?;
        let words = [
            &format!("could not become root as {name}@")[..],
            "the user's login shell runs no commands\n",
            "cure: give the user a shell as root",
        ];
        refused(&bench, "plan", 77, &words)?;
    }
    Ok(())
}

/// A password that must be changed before anything runs.
pub fn password_expired(context: &Context) -> Result<()> {
    let bench = user(context, "stale", "")?;
    bench.look("echo stale:stale | chpasswd; chage -d 0 stale")?;
    let words = ["the login user's password has expired", "cure: log in once with `ssh -t` and change it"];
    refused(&bench, "plan", 77, &words).map(drop)
}

/// A new user of the shared host whom the operator's key opens, as the inventory's login user.
fn user<'a>(context: &Context<'a>, name: &str, options: &str) -> Result<Bench<'a>> {
    let mut bench = broken(context)?;
    bench.look(&format!(
        "useradd --create-home --shell /bin/bash {options} {name} && \
         install -d -o {name} -g {name} -m 700 /home/{name}/.ssh && \
         install -o {name} -g {name} -m 600 /home/appuser/.ssh/authorized_keys /home/{name}/.ssh/"
    ))?;
    edit(&mut bench, |host| drop(host.insert("user".into(), name.into())))?;
    Ok(bench)
}
