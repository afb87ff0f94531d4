//! Login shells of all kinds: a look says the same, and a file arrives the same.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::Context;
use super::flow::ended;
use crate::bench::{Bench, Kind, built};
use crate::run::finish;

/// One look, or what `agree` does on a host.
const LIMIT: Duration = Duration::from_secs(120);

/// Prints like a login that wants to be seen: half a line, words that look like ours, a complaint.
const NOISE: &str = r"printf 'Welcome!\nbedplate- 1 0\nbedplate-0123456789abcdef0123456789abcdef CjAK  x\n'; echo oops >&2; umask 077; printf 'no end of line'";

/// What a user of the host has, and what each is called.
const LOGINS: [(&str, &str); 4] = [
    (
        "fish",
        "chsh -s /usr/bin/fish appuser; mkdir -p ~appuser/.config/fish; echo 'echo hello from fish' >~appuser/.config/fish/config.fish",
    ),
    ("csh", "chsh -s /bin/tcsh appuser; echo 'echo hello from csh; umask 077' >~appuser/.cshrc"),
    ("noisy bash", "chsh -s /bin/bash appuser; cat /tmp/noise >~appuser/.bashrc"),
    (
        "noisy sshd",
        "printf 'Banner /tmp/noise\nSetEnv LANG=C.UTF-8 LC_ALL=C.UTF-8 LANGUAGE=de\n' >/etc/ssh/sshd_config.d/00-test.conf
         cp /tmp/noise /etc/motd; sed -i 's/^Subsystem/#&/' /etc/ssh/sshd_config; sshd -t && systemctl reload ssh; rm ~appuser/.bashrc",
    ),
];

/// fish, csh, noise at login, a banner and a MOTD, no sftp, German words, umask 077: each gives the plan that a quiet bash gives, to the letter,
/// and the files that the fake host predicts.
pub fn shells(context: &Context) -> Result<()> {
    let bench = Bench::fresh(context.rig, 2)?;
    context.rig.operator.install(&built(Kind::Example, "agree")?)?;
    bench.look(&format!(
        "rm -f ~appuser/.bashrc; cat >/tmp/noise <<'END'\n{NOISE}\nEND\nsystemctl mask --now systemd-tmpfiles-clean.timer"
    ))?;
    let quiet = plan(&bench)?;
    for (name, change) in LOGINS {
        bench.look(change)?;
        let seen = plan(&bench).with_context(|| name.to_owned())?;
        ensure!(seen == quiet, "{name} says\n{seen}\nand a quiet bash\n{quiet}");
    }
    // The shell that is least like `sh`, behind the noisiest sshd.
    bench.look("chsh -s /usr/bin/fish appuser")?;
    let run = finish(&mut bench.program("agree", &["host", "inventory.toml"]), LIMIT)?;
    ended(&run, 0).context("agree host")?;
    let german = bench.look("su -s /bin/sh appuser -c 'LC_ALL=C.UTF-8 LANGUAGE=de stat /nowhere 2>&1 || true'")?;
    ensure!(german.contains("fehlgeschlagen"), "nothing here speaks German: {german}");
    bench.host.discard()
}

/// What a plan says, but how much of the disk is free: others write there meanwhile.
fn plan(bench: &Bench<'_>) -> Result<String> {
    let run = finish(&mut bench.bedplate(&["plan", "inventory.toml"]), LIMIT)?;
    ended(&run, 2)?;
    let (before, after) = run.stdout.split_once(" GB free").context("the plan does not tell what is free")?;
    Ok(format!("{}{after}", before.trim_end_matches(|digit: char| digit.is_ascii_digit())))
}
