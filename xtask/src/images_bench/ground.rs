//! Where it is measured: a converged host of the rig with a zstd and a registry of its own, at the end of a line that counts.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use toml::{Table, Value};

use super::fleet::Fleet;
use crate::converge_bench::setting::{Setting, unpack};
use crate::converge_bench::stopwatch::{Sample, Watch, time};
use crate::relay::{Line, Relay};
use crate::rig::{Rig, within};
use crate::run::{run, run_within};

/// The archive that the inventory names, and what peers send.
pub const ARCHIVE: &str = "dist/bench.tar";
/// How its image is called.
pub const IMAGE: &str = "bench/image:1";
/// Of the usual line, milliseconds.
pub const NEAR: u8 = 50;
/// Names one host, at the end of the line.
pub const INVENTORY: &str = "bench.toml";
/// Packs Debian's, which hosts of the rig lack.
pub const ZSTD: &str = "tar -cf - -C /usr/bin zstd";
/// For the slowest.
const ENOUGH: Duration = Duration::from_secs(1800);
/// How peers log in, without a word; what they send is their standard input or named in the script.
const SSH: &str = "-oBatchMode=yes -oStrictHostKeyChecking=yes -oUserKnownHostsFile=known_hosts";
/// Debian's, on the host: reached from there and through its sshd only.
const REGISTRY: &str = "version: 0.1\nstorage: {filesystem: {rootdirectory: /var/lib/registry}}\nhttp: {addr: 127.0.0.1:5000}\n";

/// What lies there, by name.
const IMAGES: &str = "k3s ctr images ls -q | sort";
/// How often the line is looked at.
const GLANCE: Duration = Duration::from_millis(10);

/// Everything that is measured against.
pub struct Ground<'a> {
    pub setting: Setting<'a>,
    relay: Relay,
}

/// Who moves an image or a file.
#[derive(Clone, Copy, PartialEq)]
pub enum Who {
    Bedplate,
    /// `docker save | zstd | ssh … ctr images import`.
    Pipe,
    /// `skopeo copy` to a registry on the host, and a pull from there.
    Skopeo,
    Scp,
    Sftp,
    /// Nobody: a login, and nothing else.
    Login,
}

/// What one run took.
#[derive(Clone, Copy)]
pub struct Cost {
    /// To the host.
    pub bytes: f64,
    pub seconds: f64,
    /// Seconds in which all but the first and the last hundredth of the bytes passed.
    pub line: f64,
}

impl Who {
    /// As the table names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bedplate => "bedplate",
            Self::Pipe => "pipe",
            Self::Skopeo => "skopeo",
            Self::Scp => "scp",
            Self::Sftp => "sftp",
            Self::Login => "login",
        }
    }

    /// A shell script whose first argument is the host.
    fn script(self) -> String {
        match self {
            Self::Bedplate => format!("bedplate images push {INVENTORY} bench"),
            Self::Pipe => format!("zstd -3 -qc {ARCHIVE} | ssh {SSH} root@$1 'zstd -dqc | k3s ctr -n k8s.io images import - >/dev/null'"),
            Self::Skopeo => format!(
                "ssh {SSH} -fNMS ./peer -oExitOnForwardFailure=yes -L 5099:127.0.0.1:5000 root@$1 || exit
                 skopeo --insecure-policy copy --quiet --dest-tls-verify=false docker-archive:{ARCHIVE} docker://127.0.0.1:5099/{IMAGE} &&
                 ssh -S ./peer root@$1 'k3s ctr -n k8s.io images pull --plain-http 127.0.0.1:5000/{IMAGE} >/dev/null'
                 code=$?; ssh -S ./peer -O exit x 2>/dev/null; exit $code"
            ),
            Self::Scp => format!("scp {SSH} -q dist/file root@$1:/root/file"),
            Self::Sftp => format!("echo 'put dist/file /root/file' | sftp {SSH} -q -b - root@$1"),
            Self::Login => format!("ssh {SSH} root@$1 true"),
        }
    }
}

impl<'a> Ground<'a> {
    /// Boots and bootstraps the host.
    pub fn made(rig: &'a Rig, program: &Path) -> Result<Self> {
        let mut setting = Setting::converged(rig, program)?;
        unpack(&setting.bench.host, &format!("{ZSTD} docker-registry"), "/usr/local/bin")?;
        let serve = format!(
            "printf '{}' >/root/registry.yml; systemd-run --quiet --unit=registry /usr/local/bin/docker-registry serve /root/registry.yml",
            REGISTRY.replace('\n', "\\n")
        );
        setting.bench.look(&format!("{serve}\n{}", noted()))?;
        let known = setting.bench.project.path("known_hosts");
        fs::write(&known, format!("127.0.*.* {}\n", setting.bench.host.host_key()?))?;
        rig.operator.own(&known, 0o644)?;
        let images = Table::from_iter([("bench".to_owned(), Value::from(ARCHIVE))]);
        setting.bench.project.inventory.insert("images".into(), images.into());
        let relay = line(&setting, NEAR)?;
        Ok(Self { setting, relay })
    }

    /// A line of so many milliseconds there and back.
    pub fn stretch(&mut self, rtt: u8) -> Result<()> {
        self.relay = line(&self.setting, rtt)?;
        Ok(())
    }

    /// Bytes a second, each way and connection.
    pub fn pace(&self, rate: Option<u64>) {
        self.relay.pace(rate);
    }

    /// Lets somebody send what lies at [`ARCHIVE`].
    pub fn send(&self, who: Who) -> Result<Cost> {
        let mut command =
            self.setting.bench.program("bash", &["-o", "pipefail", "-c", &who.script(), who.name(), &self.relay.address.ip().to_string()]);
        let (before, begun, over) = (self.relay.passed(), Instant::now(), AtomicBool::new(false));
        let passed = || (begun.elapsed().as_secs_f64(), (self.relay.passed() - before) as f64);
        let (ran, glances) = std::thread::scope(|scope| {
            let glances = scope.spawn(|| {
                let mut glances = vec![passed()];
                while !over.load(Ordering::SeqCst) {
                    std::thread::sleep(GLANCE);
                    glances.push(passed());
                }
                glances
            });
            let ran = run_within(&mut command, ENOUGH);
            over.store(true, Ordering::SeqCst);
            (ran, glances.join())
        });
        ran?;
        let glances = glances.map_err(|_| anyhow!("looking at the line panicked"))?;
        let (seconds, bytes) = passed();
        let when = |share: f64| glances.iter().find(|(_, passed)| *passed >= share * bytes).map_or(seconds, |(at, _)| *at);
        Ok(Cost { bytes, seconds, line: when(0.99) - when(0.01) })
    }

    /// A push by another inventory.
    pub fn timed(&self, inventory: &str) -> Result<Sample> {
        let sample = time(&mut self.setting.bedplate(&["images", "push", inventory, "bench"]), Watch::Time)?;
        ensure!(sample.code == 0, "bedplate images push {inventory} ended with {}", sample.code);
        Ok(sample)
    }

    /// The host as one of several.
    pub fn fleet(&mut self, hosts: u8, rtt: u8) -> Result<Fleet> {
        Fleet::made(&mut self.setting, hosts, rtt)
    }

    /// As if nothing had ever been sent.
    pub fn forget(&self) -> Result<()> {
        self.setting.bench.look(&forgotten())?;
        let home = self.setting.bench.rig.operator.home();
        run(Command::new("rm").arg("-rf").arg(home.join(".cache/bedplate/layers")).arg(home.join(".local/share/containers"))).map(drop)
    }

    /// Makes this the archive that is sent.
    pub fn put(&self, archive: &Path) -> Result<()> {
        let path = self.setting.bench.project.path(ARCHIVE);
        fs::copy(archive, &path)?;
        self.setting.bench.rig.operator.own(&path, 0o644)
    }
}

/// Lists what lies there by name, and notes it.
pub fn noted() -> String {
    format!("{IMAGES} >/root/images")
}

/// Removes what was not noted. The CRI has names of its own for what was imported.
pub fn forgotten() -> String {
    format!(
        "{IMAGES} | comm -13 /root/images - | xargs -r k3s ctr images rm --sync >/dev/null
         rm -rf /var/lib/registry /root/file /var/lib/bedplate/spool"
    )
}

fn line(setting: &Setting<'_>, rtt: u8) -> Result<Relay> {
    let address = format!("127.0.{rtt}.1");
    let listen: SocketAddr = format!("{address}:22").parse()?;
    let server: SocketAddr = format!("{}:22", setting.bench.host.address).parse()?;
    setting.inventory(INVENTORY, &[address])?;
    let line = Line { rtt: Duration::from_millis(rtt.into()), rate: None };
    Ok(within(move || Relay::start(listen, server, line))??)
}
