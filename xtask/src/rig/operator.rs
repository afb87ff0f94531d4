//! The one who types `bedplate`: a Unix user of its own, because ssh takes its home from the password file, with the rig's
//! network, the rig's resolver and the rig's authority among the system's roots.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::ca::Ca;
use super::network::{BRIDGE, inside};
use super::place::{Place, clone};
use crate::run::{finish, run};

const USER: &str = "bedplate-op";
const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// The operator's side of the rig.
pub struct Operator {
    /// Its folder: home, programs, resolver, roots.
    folder: PathBuf,
    /// As the password file has it.
    uid: u32,
}

impl Operator {
    /// Makes user, home and key, if they are not there.
    pub fn up(place: &Place, ca: &Ca) -> Result<Self> {
        let folder = place.folder("operator")?;
        let home = folder.join("home");
        if uid()?.is_none() {
            let mut useradd = Command::new("useradd");
            useradd.args(["--system", "--user-group", "--shell", "/bin/bash", "--home-dir"]).arg(&home).arg(USER);
            run(&mut useradd)?;
        }
        let operator = Self { uid: uid()?.context("useradd made no user")?, folder };
        fs::write(operator.folder.join("resolv.conf"), format!("nameserver {BRIDGE}\n"))?;
        let roots = [fs::read(SYSTEM_ROOTS)?, fs::read(&ca.root)?].concat();
        fs::write(operator.folder.join("roots.pem"), roots)?;
        fs::create_dir_all(operator.folder.join("bin"))?;
        fs::create_dir_all(home.join(".ssh"))?;
        operator.own(&home, 0o755)?;
        operator.own(&home.join(".ssh"), 0o700)?;
        if !operator.key().exists() {
            run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", USER, "-f"]).arg(operator.key()))?;
            operator.own(&operator.key(), 0o600)?;
            operator.own(&operator.public_key(), 0o644)?;
        }
        Ok(operator)
    }

    /// The one that `up` made.
    pub fn find(place: &Place) -> Result<Self> {
        let uid = uid()?.context("the rig is down: cargo xtask rig up")?;
        Ok(Self { folder: place.state.join("operator"), uid })
    }

    /// Removes the user; nothing of it may run any more. Its files go with the state folder.
    pub fn down() -> Result<()> {
        if uid()?.is_some() {
            run(Command::new("userdel").arg(USER))?;
        }
        Ok(())
    }

    /// `program`, run as the operator: its home the working folder, nothing in the environment but what a login shell has.
    pub fn command(&self, program: &str) -> Command {
        let mut command = inside("unshare");
        command.args(["--mount", "sh"]).arg(clone().join("tests/rig/operator.sh"));
        command.arg(&self.folder).arg(USER).arg(program);
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", self.folder.join("bin").display());
        command.current_dir(self.home()).env_clear().env("PATH", path).env("HOME", self.home()).env("USER", USER);
        command.env("LANG", "C.UTF-8").env("TERM", std::env::var_os("TERM").unwrap_or_else(|| "dumb".into()));
        command
    }

    /// Copies `program` where the operator's PATH finds it: the clone may lie where this user can't look.
    pub fn install(&self, program: &Path) -> Result<()> {
        let name = program.file_name().context("a program has a file name")?;
        let to = self.folder.join("bin").join(name);
        // A running program can't be written, but it can be replaced.
        let fresh = to.with_extension("new");
        fs::copy(program, &fresh).with_context(|| format!("copying {}", program.display()))?;
        fs::set_permissions(&fresh, Permissions::from_mode(0o755))?;
        fs::rename(&fresh, &to)?;
        Ok(())
    }

    /// Gives `path` to the operator, with that mode.
    pub fn own(&self, path: &Path, mode: u32) -> Result<()> {
        chown(path, Some(self.uid), Some(self.uid)).with_context(|| format!("giving {} away", path.display()))?;
        Ok(fs::set_permissions(path, Permissions::from_mode(mode))?)
    }

    /// Gives all that lies in `folder` to the operator.
    pub fn own_all(&self, folder: &Path) -> Result<()> {
        run(Command::new("chown").args(["--recursive", "--no-dereference", &format!("{0}:{0}", self.uid)]).arg(folder)).map(drop)
    }

    /// How many packets the operator's programs have sent since the first call, to whomever.
    pub fn packets(&self) -> Result<u64> {
        let owner = self.uid.to_string();
        let rule = ["OUTPUT", "--match", "owner", "--uid-owner", &owner];
        let counted = finish(inside("iptables").arg("--check").args(rule), Duration::from_secs(10))?;
        if !counted.status.is_some_and(|status| status.success()) {
            run(inside("iptables").arg("--insert").args(rule))?;
        }
        let listing = run(inside("iptables").args(["--list", "OUTPUT", "1", "--numeric", "--verbose", "--exact"]))?;
        let count = listing.split_whitespace().next().context("iptables lists nothing")?;
        Ok(count.parse()?)
    }

    /// The home folder.
    pub fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// The private ssh key.
    pub fn key(&self) -> PathBuf {
        self.home().join(".ssh/id_ed25519")
    }

    /// The public ssh key, which every host accepts.
    pub fn public_key(&self) -> PathBuf {
        self.key().with_extension("pub")
    }
}

fn uid() -> Result<Option<u32>> {
    let users = fs::read_to_string("/etc/passwd")?;
    let line = users.lines().find_map(|line| line.strip_prefix(USER)?.strip_prefix(':'));
    Ok(line.and_then(|line| line.split(':').nth(1)?.parse().ok()))
}
