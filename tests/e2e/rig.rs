//! The rig itself: what its hosts have and lack, and that nothing gets out.

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::Context;
use crate::rig::{Acme, Host, Record, ca_root, mirrored, plain, registry, secure, usual};
use crate::run::{finish, run};

/// A host is as a provider hands it over: three kinds of root, and nothing that bedplate should bring.
pub fn bare(context: &Context) -> Result<()> {
    let bench = context.shared()?;
    for program in ["k3s", "helm", "containerd", "runc", "kubectl"] {
        let found = bench.look(&format!("command -v {program} || true"))?;
        ensure!(found.is_empty(), "a bare host has {found}");
    }
    let sudo = |user: &str| -> Result<bool> {
        let look = format!("setpriv --reuid {user} --regid {user} --init-groups sudo -n true 2>/dev/null && echo yes || echo no");
        Ok(bench.look(&look)?.trim() == "yes")
    };
    ensure!(sudo("ops")?, "ops has to type a password");
    ensure!(!sudo("appuser")?, "appuser has sudo without a password");
    ensure!(bench.look("id -u appuser")?.trim() == "1000", "appuser is not user 1000");
    for user in ["root", "ops", "appuser"] {
        let options = format!("-oHostKeyAlias=rig -oStrictHostKeyChecking=accept-new {user}@{}", bench.host.address);
        let mut ssh = context.rig.operator.command("ssh");
        ssh.args(["-oBatchMode=yes", "-oUserKnownHostsFile=/dev/null", "-oLogLevel=ERROR"]).args(options.split(' '));
        ensure!(run(ssh.arg("id -un"))?.trim() == user, "ssh as {user} ends as somebody else");
    }
    Ok(())
}

/// Neither the operator nor a host reaches anything outside, by name or by address.
pub fn closed(context: &Context) -> Result<()> {
    let bench = context.shared()?;
    for url in ["https://example.com/", "http://192.0.2.1/", "https://1.1.1.1/", "http://[2001:db8::1]/"] {
        let curl = ["--silent", "--show-error", "--max-time", "3", url];
        let operator = finish(context.rig.operator.command("curl").args(curl), Duration::from_secs(10))?;
        ensure!(!operator.status.is_some_and(|status| status.success()), "the operator reached {url}");
        let host = finish(bench.host.exec()?.arg("curl").args(curl), Duration::from_secs(10))?;
        ensure!(!host.status.is_some_and(|status| status.success()), "the host reached {url}");
    }
    Ok(())
}

/// DNS says what it was told, at every address, to operator and host; and the truth again afterwards.
pub fn lies(context: &Context) -> Result<()> {
    let bench = context.shared()?;
    let ask = |at: &str| run(context.rig.operator.command("getent").args(["ahosts", at]));
    ensure!(ask("shop.example")?.contains(&bench.host.address), "shop.example is not at the first host");
    let name = || "shop.example".to_owned();
    context.rig.records(&[
        Record::A(name(), Ipv4Addr::new(203, 0, 113, 99)),
        Record::Aaaa(name(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7)),
        Record::Caa(name(), "issue".into(), "other-ca.example".into()),
    ])?;
    let told = (ask("shop.example"), bench.look("getent ahosts shop.example"), ask("www.shop.example"));
    context.rig.records(&usual())?;
    for seen in [told.0?, told.1?] {
        ensure!(seen.contains("203.0.113.99") && seen.contains("2001:db8::7"), "dns did not lie: {seen}");
    }
    ensure!(told.2.is_err(), "a name without a record was answered");
    ensure!(ask("shop.example")?.contains(&bench.host.address), "dns went on lying");
    Ok(())
}

/// Artifacts, registry and both authorities answer; over TLS to who trusts the rig's authority, and to nobody else.
pub fn mirror(context: &Context) -> Result<()> {
    let rig = context.rig;
    fs::write(mirrored(&rig.place)?.join("probe"), "here")?;
    let curl = |url: &str| run(rig.operator.command("curl").args(["--silent", "--show-error", "--fail", url]));
    for url in [plain(), secure()] {
        ensure!(curl(&format!("{url}/probe"))? == "here", "{url} serves something else");
        for pin in &rig.artifacts.pins {
            let head = run(rig.operator.command("curl").args(["-sSfI", &format!("{url}/{}", pin.path)]))?;
            ensure!(head.to_lowercase().contains(&format!("content-length: {}\r", pin.size)), "{}: {head}", pin.path);
        }
    }
    let other = run(Command::new("cat").arg(Acme::Staging.root(&rig.place)))?;
    ensure!(other != fs::read_to_string(ca_root(&rig.place))?, "one authority signs everything");
    let distrust = ["--silent", "--cacert", "/dev/null", &format!("{}/probe", secure())];
    ensure!(run(rig.operator.command("curl").args(distrust)).is_err(), "the mirror is trusted by anybody");
    for acme in Acme::ALL {
        ensure!(curl(&acme.directory())?.contains("newOrder"), "{} serves no directory", acme.directory());
    }
    for image in &rig.artifacts.images {
        let (path, tag) = image.name.rsplit_once(':').context("an image has a tag")?;
        let (_, path) = path.split_once('/').context("an image has a registry")?;
        ensure!(curl(&format!("{}/v2/{path}/tags/list", registry()))?.contains(tag), "{} is not there", image.name);
    }
    Ok(())
}

/// Two hosts boot side by side, reach each other, and share no cgroup.
pub fn neighbours(context: &Context) -> Result<()> {
    context.shared()?;
    let hosts = context.rig.hosts(2)?;
    let [first, second] = hosts.as_slice() else { anyhow::bail!("asked for two hosts, got {}", hosts.len()) };
    run(first.exec()?.args(["mkdir", "/sys/fs/cgroup/memory/probe"]))?;
    let seen = finish(second.exec()?.args(["ls", "/sys/fs/cgroup/memory/probe"]), Duration::from_secs(10))?;
    run(first.exec()?.args(["rmdir", "/sys/fs/cgroup/memory/probe"]))?;
    ensure!(!seen.status.is_some_and(|status| status.success()), "one host sees the other's cgroups");
    let greeting = format!("timeout 5 sh -c 'head -c 7 </dev/tcp/{}/22'", second.address).replace("sh -c", "bash -c");
    ensure!(run(first.exec()?.args(["sh", "-c", &greeting]))? == "SSH-2.0", "the hosts do not reach each other");
    second.discard()
}

/// A host that loses its power keeps its disk, leaves no process, device or cgroup, and boots again; one that is discarded
/// comes back as another.
pub fn kill(context: &Context) -> Result<()> {
    let host: Host = context.rig.fresh(2)?;
    let before = host.host_key()?;
    run(host.exec()?.args(["sh", "-c", "echo kept >/root/kept && echo kept >/var/lib/kept && sync"]))?;
    host.kill()?;
    ensure!(host.exec().is_err(), "a dead host takes commands");
    for hierarchy in fs::read_dir("/sys/fs/cgroup")? {
        let left = hierarchy?.path().join("bedplate-rig").join(&host.name);
        ensure!(!left.exists(), "{} is left of a dead host", left.display());
    }
    host.answers(&host.boot(&context.rig.operator)?)?;
    ensure!(run(host.exec()?.args(["cat", "/root/kept", "/var/lib/kept"]))? == "kept\nkept\n", "the disk was lost");
    ensure!(host.host_key()? == before, "the host key changed by a reboot");
    host.discard()?;
    let host = context.rig.fresh(2)?;
    ensure!(host.host_key()? != before, "a new host has the old one's key");
    host.discard()
}
