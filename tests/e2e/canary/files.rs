//! Files, on the host and on the operator's side.

use std::fs::File;
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};

use super::needles::{Needles, canary};
use super::sources::FILES;
use crate::bench::Bench;

/// Where a pod's secrets must lie while it lives, on any Kubernetes: how such a path begins and ends or goes on, and why. All else on
/// the host is searched; so is the datastore, which is encrypted.
const PODS: [(&str, &str, &str); 3] = [
    ("/var/lib/kubelet/pods/", "/volumes/kubernetes.io~secret/", "kubelet mounts Secrets as files, on tmpfs"),
    ("/run/k3s/containerd/io.containerd.runtime.v2.task/", "/config.json", "the OCI runtime reads a pod's environment there"),
    ("/var/lib/rancher/k3s/agent/containerd/io.containerd.metadata.v1.bolt/", "meta.db", "containerd's record of its containers"),
];

/// No file of the host but a pod's own.
pub fn host(bench: &Bench<'_>, needles: &Needles) -> Result<()> {
    let (planted, value) = (["/root/planted", "/run/planted", "/var/lib/planted", "/tmp/planted"], canary());
    let mut all = Needles::default();
    all.add("planted", &value);
    bench.look(&format!("for file in {}; do echo {value} >$file; done", planted.join(" ")))?;
    let script = "for folder in /*; do case $folder in /proc | /sys | /dev) ;; *) set -- \"$@\" $folder ;; esac; done; \
                  timeout 300 grep -rlasF -D skip -f - -- \"$@\" /dev/shm";
    let found = grep(bench.host.exec()?.args(["sh", "-c", script]), &all)?;
    bench.look(&format!("rm {}", planted.join(" ")))?;
    for file in planted {
        ensure!(found.iter().any(|path| path == file), "the search does not find {file}");
    }
    let found = grep(bench.host.exec()?.args(["sh", "-c", script]), needles)?;
    let is = |path: &str, (begins, holds, _): &(&str, &str, &str)| path.starts_with(begins) && path.contains(holds);
    let others: Vec<&str> = found.iter().map(String::as_str).filter(|path| !PODS.iter().any(|pods| is(path, pods))).collect();
    ensure!(others.is_empty(), "secrets lie in files of the host:\n{}", others.join("\n"));
    for pods in &PODS {
        ensure!(found.iter().any(|path| is(path, pods)), "{}…{} holds no secret: {} no longer?", pods.0, pods.1, pods.2);
    }
    Ok(())
}

/// No file of the operator's but those that values come from, and the password's.
pub fn operator(bench: &Bench<'_>, needles: &Needles) -> Result<()> {
    let own = FILES.map(|name| bench.project.path(name).display().to_string());
    let script = "exec 3<&0; { find \"$0\" -type f -print0; find /tmp /var/tmp /dev/shm /run -user bedplate-op -type f -print0; } 2>/dev/null \
                  | timeout 300 xargs -0 grep -lasF -f /dev/fd/3 --";
    let found = grep(Command::new("sh").args(["-c", script]).arg(bench.rig.operator.home()), needles)?;
    for file in &own {
        ensure!(found.contains(file), "the search does not find {file}");
    }
    let others: Vec<_> = found.iter().filter(|path| !own.contains(path)).map(String::as_str).collect();
    ensure!(others.is_empty(), "secrets lie in files of the operator's:\n{}", others.join("\n"));
    Ok(())
}

/// Runs a `grep` that reads its patterns from standard input; the files that it names.
fn grep(command: &mut Command, needles: &Needles) -> Result<Vec<String>> {
    let patterns: File = needles.patterns()?;
    let ended = command.stdin(Stdio::from(patterns)).output()?;
    // 1: nothing found. 2, and from xargs 123: a file went away while it was searched.
    let code = ended.status.code();
    ensure!(matches!(code, Some(0..=2 | 123)), "the search ended with {code:?}: {}", String::from_utf8_lossy(&ended.stderr));
    Ok(String::from_utf8_lossy(&ended.stdout).lines().map(str::to_owned).collect())
}
