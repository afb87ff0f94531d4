//! Command lines and environments of whatever runs while we watch.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Result, anyhow};

/// Between two looks. A process that lives shorter may be missed, so what recurs is seen and what happens once may not be.
const PAUSE: Duration = Duration::from_millis(4);

/// What was seen: on this machine, which is the operator's side, and through it in all hosts.
#[derive(Default)]
pub struct Seen {
    pub looks: usize,
    pub arguments: BTreeSet<Vec<u8>>,
    /// Each behind its command line. Those of pods are left out: a pod's environment is where its secrets belong.
    pub environments: BTreeSet<Vec<u8>>,
}

/// Looks as long as it lives.
pub struct Watch {
    alive: Arc<()>,
    thread: JoinHandle<Seen>,
}

impl Watch {
    pub fn start() -> Self {
        let alive = Arc::new(());
        let other = Arc::downgrade(&alive);
        let thread = std::thread::spawn(move || {
            let mut seen = Seen::default();
            let mut known = BTreeMap::new();
            while other.strong_count() > 0 {
                seen.look(&mut known);
                std::thread::sleep(PAUSE);
            }
            seen
        });
        Self { alive, thread }
    }

    pub fn stop(self) -> Result<Seen> {
        drop(self.alive);
        self.thread.join().map_err(|_| anyhow!("the watch panicked"))
    }
}

impl Seen {
    /// One look at everything. `known` holds each process' last command line: the environment changes with it.
    fn look(&mut self, known: &mut BTreeMap<String, Vec<u8>>) {
        self.looks += 1;
        let Ok(processes) = fs::read_dir("/proc") else { return };
        for process in processes.flatten() {
            let name = process.file_name().to_string_lossy().into_owned();
            if !name.starts_with(|first: char| first.is_ascii_digit()) {
                continue;
            }
            // One that ends meanwhile was seen, or will not be.
            let Ok(arguments) = fs::read(process.path().join("cmdline")) else { continue };
            if arguments.is_empty() || known.get(&name) == Some(&arguments) {
                continue;
            }
            // Asked last: a container's program replaces the one that put it into its pod.
            if let (Ok(environment), Some(false)) = (fs::read(process.path().join("environ")), in_pod(&process.path())) {
                self.environments.insert([arguments.as_slice(), b"\0", &environment].concat());
            }
            self.arguments.insert(arguments.clone());
            known.insert(name, arguments);
        }
    }
}

/// By the cgroup that kubelet makes for all pods; none: the process has ended.
fn in_pod(process: &Path) -> Option<bool> {
    fs::read_to_string(process.join("cgroup")).ok().map(|cgroups| cgroups.contains("/kubepods"))
}
