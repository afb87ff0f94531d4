//! What systemd knows of k3s' unit, and what it does when it is told.

use bedplate::model::{Failure, FileKind, Owner, UnitChange, UnitState};

use super::{CA, Host};

impl Host {
    /// systemd keeps a unit in memory while it runs or `multi-user.target` wants it; any other is read anew whenever it is looked at.
    fn kept(&self) -> bool {
        self.running() || self.enabled
    }

    pub(super) fn unit(&self, name: &str) -> Option<UnitState> {
        let file = self.files.get(&format!("/etc/systemd/system/{name}.service"))?;
        if name != self.name() {
            return Some(asleep());
        }
        let running = self.running();
        Some(UnitState {
            active: if running { "active" } else { "inactive" }.into(),
            sub: if running { "running" } else { "dead" }.into(),
            enabled: if self.enabled { "enabled" } else { "disabled" }.into(),
            needs_reload: self.kept() && file.modified > self.loaded,
            restarts: 0,
            job: false,
            started: self.active_since.unwrap_or(0),
        })
    }

    pub(super) fn change(&mut self, unit: &str, change: UnitChange) -> Result<(), Failure> {
        if change != UnitChange::Reload && self.unit(unit).is_none() {
            return Err(Failure::new(format!("change {unit}"), "unit not found", ""));
        }
        let now = self.tick();
        match change {
            UnitChange::Reload => self.loaded = now,
            // `systemctl enable` reloads systemd by itself.
            UnitChange::Enable => (self.enabled, self.loaded) = (true, now),
            UnitChange::Start if self.running() => {}
            UnitChange::Start | UnitChange::Restart => {
                if !self.kept() {
                    self.loaded = now;
                }
                self.active_since = Some(now);
                if self.serves() {
                    self.start_encrypting();
                    self.parents("/var/lib/rancher/k3s/server", Owner::Root.ids());
                    let data = self.files.contains_key("/var/lib/rancher/k3s/server");
                    if !data {
                        self.put("/var/lib/rancher/k3s/server", FileKind::Folder, Vec::new(), 0o700, (0, 0));
                    }
                    self.parents(CA, Owner::Root.ids());
                    self.put(CA, FileKind::File, b"a CA".into(), 0o644, (0, 0));
                    let kubeconfig = include_str!("k3s.yaml").as_bytes().to_vec();
                    self.parents("/etc/rancher/k3s/k3s.yaml", Owner::Root.ids());
                    self.put("/etc/rancher/k3s/k3s.yaml", FileKind::File, kubeconfig, 0o600, (0, 0));
                }
            }
        }
        Ok(())
    }
}

/// A unit that nobody has started: it is read anew whenever it is looked at.
fn asleep() -> UnitState {
    UnitState {
        active: "inactive".into(),
        sub: "dead".into(),
        enabled: "disabled".into(),
        needs_reload: false,
        restarts: 0,
        job: false,
        started: 0,
    }
}
