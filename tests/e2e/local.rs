//! bedplate on the host itself, without ssh.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::Context;
use super::flow::ended;
use crate::bench::{Bench, Kind, built};
use crate::rig::{mirrored, plain};
use crate::run::{Ended, finish, run};

/// From nothing to a node that is ready, on a busy machine.
const LIMIT: Duration = Duration::from_secs(300);

/// What travels to the host by way of the mirror, and is gone from there afterwards.
const PARCEL: &str = "local.tar";

/// The login user of a host turns it into a cluster with a sudo password, and again without touching anything; kubectl works at once.
pub fn local(context: &Context) -> Result<()> {
    let mut bench = Bench::fresh(context.rig, 2)?;
    let host =
        bench.project.inventory.get_mut("hosts").and_then(|hosts| hosts.get_mut(0)?.as_table_mut()).context("the example has a host")?;
    host.retain(|key, _| key == "name" || key == "address");
    host.insert("connection".into(), "local".into());
    for table in ["images", "jwt_keys", "secrets", "releases", "sites", "acme"] {
        bench.project.inventory.remove(table).with_context(|| format!("the example has no {table}"))?;
    }
    bench.project.save(&context.rig.operator)?;
    let parcel = mirrored(&context.rig.place)?.join(PARCEL);
    let tool = built(Kind::Bin, "bedplate")?;
    let folder = bench.project.folder.parent().context("a project lies in a home")?;
    let mut pack = Command::new("tar");
    pack.arg("-cf").arg(&parcel).arg("-C").arg(tool.parent().context("a program lies in a folder")?).arg("bedplate");
    run(pack.arg("-C").arg(folder).arg(&bench.host.name))?;
    let unpack = format!("curl -sSf {}/{PARCEL} | tar -xC /home/appuser && chown -R appuser: /home/appuser", plain());
    let unpacked = bench.look(&unpack);
    fs::remove_file(&parcel)?;
    unpacked?;

    ended(&here(&bench, "../bedplate bootstrap")?, 0)?;
    let again = here(&bench, "../bedplate bootstrap")?;
    ended(&again, 0)?;
    ensure!(again.stdout.contains("nothing was changed, nothing was restarted"), "{}", again.stdout);
    ended(&here(&bench, "../bedplate plan && ../bedplate verify")?, 0)?;
    let nodes = here(&bench, "kubectl --kubeconfig ~/.kube/config --context shop get nodes -o name")?;
    ensure!(nodes.stdout.trim() == "node/droplet", "kubectl says {} {}", nodes.stdout, nodes.stderr);
    let tunnel = here(&bench, "../bedplate tunnel && ../bedplate tunnel -- kubectl get nodes -o name")?;
    ended(&tunnel, 0)?;
    ensure!(tunnel.stdout.trim() == "node/droplet" && tunnel.stderr.contains("is this machine"), "{} {}", tunnel.stdout, tunnel.stderr);
    // While another run holds the lock.
    let refused = finish(bench.host.exec()?.args(["flock", "/run/bedplate.lock"]).args(as_login(&bench, "../bedplate bootstrap")), LIMIT)?;
    ended(&refused, 75)?;
    bench.host.discard()
}

fn here(bench: &Bench<'_>, script: &str) -> Result<Ended> {
    finish(bench.host.exec()?.args(as_login(bench, script)), LIMIT)
}

/// A script in the project's folder on the host, as its login user.
fn as_login(bench: &Bench<'_>, script: &str) -> [String; 5] {
    let folder = format!("/home/appuser/{}", bench.host.name);
    let script = format!("cd {folder} && export BEDPLATE_SUDO_PASSWORD_FILE={folder}/rig/sudo-password && {script}");
    ["runuser".into(), "-l".into(), "appuser".into(), "-c".into(), script]
}
