//! The machine itself: system, cgroups, size, clock.

use super::findings::Findings;
use crate::inventory::{Inventory, Role};
use crate::model::{HostFacts, Privilege};
use crate::steps::artifact;
use crate::steps::k3s::items;

/// What a server of 2 GB and an agent of 512 MB show as `MemTotal`, bytes (k3s-docs:installation/requirements; the kernel keeps some).
const MEMORY: (u64, u64) = (1_800_000_000, 450_000_000);

/// Bytes free below which images don't fit for long, and below which k3s itself does not.
const DISK: (u64, u64) = (10 << 30, 2 << 30);

/// Seconds of skew from which logs mislead, and from which ACME and TLS break.
const SKEW: (u64, u64) = (60, 300);

/// The system on which bedplate is tried, and its version.
const TRIED: (&str, &str) = ("debian", "12");

/// Operating system, machine, and how root is reached.
pub fn system(facts: &HostFacts, findings: &mut Findings) {
    let HostFacts { os, os_version, machine, .. } = facts;
    if !facts.systemd {
        findings.fail("systemd does not run this host", "use a system that systemd boots, e.g. Debian or Ubuntu");
    }
    if artifact::arch(machine).is_none() {
        findings.fail(format!("there is no k3s for {machine}"), "use a machine of the kind x86_64, aarch64 or armv7l");
    }
    if TRIED != (os, os_version) {
        findings.warn(format!("bedplate was never tried on {os} {os_version}"), "Debian 12 is known to work");
    }
    let gigabytes = |bytes: u64| bytes / 1_000_000_000;
    findings.fact(format!(
        "{os} {os_version} on {machine}, {} processors, {} GB of memory, {} GB free",
        facts.cpus,
        gigabytes(facts.memory),
        gigabytes(facts.disk_free)
    ));
    findings.fact(match facts.privilege {
        Privilege::Root => "root by login".to_owned(),
        Privilege::Sudo => format!("root by sudo, as {}", facts.user),
        Privilege::SudoPassword => format!("root by sudo with a password, as {}", facts.user),
    });
}

/// kubelet 1.35 refuses cgroup v1 unless told otherwise.
pub fn cgroups(facts: &HostFacts, inventory: &Inventory, findings: &mut Findings) {
    let told = items(&inventory.k3s, "kubelet-arg").contains(&"fail-cgroupv1=false");
    let strict = minor(&inventory.versions.k3s).is_none_or(|minor| minor >= 35);
    match facts.cgroup {
        0 => findings.fail("no cgroup hierarchy is mounted at /sys/fs/cgroup", "boot with systemd.unified_cgroup_hierarchy=1"),
        1 if strict && !told => findings.fail(
            "the host runs cgroup v1, which kubelet refuses from 1.35 on",
            "boot with systemd.unified_cgroup_hierarchy=1, or add kubelet-arg = [\"fail-cgroupv1=false\"] to [k3s]",
        ),
        _ => {}
    }
}

/// `v1.35.5+k3s1` -> 35.
fn minor(version: &str) -> Option<u32> {
    version.split('.').nth(1)?.parse().ok()
}

/// Memory and disk.
pub fn size(facts: &HostFacts, role: Role, findings: &mut Findings) {
    let (least, whom, cure) = match role {
        Role::Server => (MEMORY.0, "a server", "give it 2 GB, or switch parts off with `disable` in [k3s]"),
        Role::Agent => (MEMORY.1, "an agent", "give it 512 MB, and more for its pods"),
    };
    if facts.memory < least {
        findings.warn(format!("{} MB of memory is little for {whom}", facts.memory / 1_000_000), cure);
    }
    let free = format!("{} MB are free under /var/lib/rancher", facts.disk_free / 1_000_000);
    if facts.disk_free < DISK.1 {
        findings.fail(free, "free at least 2 GiB; 10 GiB is comfortable");
    } else if facts.disk_free < DISK.0 {
        findings.warn(free, "10 GiB is comfortable: kubelet deletes images when the disk fills up");
    }
}

/// The host's clock against the operator's.
pub fn clock(facts: &HostFacts, findings: &mut Findings) {
    let skew = facts.clock_skew.unsigned_abs();
    let way = if facts.clock_skew < 0 { "behind" } else { "ahead of" };
    let what = format!("the host's clock is {skew} s {way} this machine's");
    let cure = "set the clock that is wrong, e.g. `timedatectl set-ntp true`";
    if skew > SKEW.1 {
        findings.fail(what, cure);
    } else if skew > SKEW.0 {
        findings.warn(what, cure);
    }
}
