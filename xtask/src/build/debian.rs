//! What the node and its images carry from Debian: runc, the CNI plugins, busybox; and an old containerd for one test.
//!
//! Debian's runc needs libseccomp2 on the host, which every systemd there depends on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::cache::{Cache, Key};
use crate::run::run;

const PACKAGES: [&str; 3] = ["runc", "containernetworking-plugins", "busybox-static"];
/// Files of the packages, by name in the node's `bin`.
pub const FILES: [(&str, &str); 5] = [
    ("runc", "usr/sbin/runc"),
    ("bridge", "usr/lib/cni/bridge"),
    ("host-local", "usr/lib/cni/host-local"),
    ("portmap", "usr/lib/cni/portmap"),
    ("loopback", "usr/lib/cni/loopback"),
];

/// Static, so that an image needs nothing else.
pub const BUSYBOX: &str = "bin/busybox";

/// Downloads and unpacks the packages unless they are in the cache; the folder that they are unpacked in.
pub fn unpack(cache: &Cache) -> Result<PathBuf> {
    let wanted: Vec<&str> = FILES.iter().map(|(_, path)| *path).chain([BUSYBOX]).collect();
    entry(cache, "debian", &PACKAGES, &wanted)
}

/// The same of containerd 1.6, of which no more than `usr/bin` is wanted.
pub fn containerd() -> Result<PathBuf> {
    let folder = entry(&Cache::open()?, "debian-containerd", &["containerd"], &["usr/bin/containerd", "usr/bin/ctr"])?;
    Ok(folder.join("usr/bin"))
}

fn entry(cache: &Cache, name: &str, packages: &[&str], wanted: &[&str]) -> Result<PathBuf> {
    let key = packages.iter().chain(wanted).fold(Key::default(), |key, text| key.text(text));
    cache.entry(name, key, |out| {
        let debs = out.join("debs");
        fs::create_dir(&debs).with_context(|| format!("make {}", debs.display()))?;
        if download(packages, &debs).is_err() {
            // A fresh machine has no package lists yet.
            run(Command::new("apt-get").args(["-qq", "update"]))?;
            download(packages, &debs)?;
        }
        for deb in fs::read_dir(&debs)? {
            run(Command::new("dpkg-deb").arg("-x").arg(deb?.path()).arg(out))?;
        }
        fs::remove_dir_all(&debs)?;
        match wanted.iter().find(|path| !out.join(path).is_file()) {
            Some(path) => bail!("the packages {} hold no {path}", packages.join(", ")),
            None => Ok(()),
        }
    })
}

fn download(packages: &[&str], debs: &Path) -> Result<()> {
    let mut apt = Command::new("apt-get");
    apt.args(["-qq", "-o", "APT::Sandbox::User=root", "download"]);
    run(apt.args(packages).current_dir(debs)).map(drop)
}
