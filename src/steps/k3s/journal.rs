//! What k3s' journal says of a start that does not succeed, by its known messages (contract §2.15).

/// A message's telling part, and what cures it.
const KNOWN: &[(&str, &str)] = &[
    ("failed to validate kubelet configuration", "look at `kubelet-arg` in [k3s]; on cgroup v1 it must hold \"fail-cgroupv1=false\""),
    (
        "kubelet is configured to not run on a host using cgroup v1",
        "boot with systemd.unified_cgroup_hierarchy=1, or add \"fail-cgroupv1=false\" to `kubelet-arg` in [k3s]",
    ),
    ("failed to find memory cgroup", "add `cgroup_memory=1 cgroup_enable=memory` to the kernel's command line and reboot"),
    ("no default routes found", "give the host a default route; a dummy one will do"),
    ("address already in use", "another program holds a port that k3s needs: stop it"),
    ("bootstrap data already found and encrypted with different token", "put the old token back into [k3s], or remove k3s with its data"),
    ("critical configuration value mismatch between servers", "the critical flags of all servers must be equal"),
    ("token CA hash does not match", "the token is another cluster's"),
    ("Node password rejected", "delete the stale Node object or its secret <host>.node-password.k3s in kube-system"),
    ("newer than datastore and could cause a cluster outage", "remove the files that it names and start k3s again"),
    ("flag provided but not defined", "remove that key from [k3s]"),
    (
        "Waiting to retrieve agent configuration; server is not ready",
        "see that the server runs, and that its port 6443 can be reached from this host",
    ),
];

/// The line that tells most, and a cure.
pub struct Diagnosis {
    /// A known message, else k3s' last fatal one, else the last line; empty if there is none.
    pub line: String,
    /// What to do.
    pub cure: String,
}

/// Reads the last lines of a unit's journal, the newest known message first.
pub fn diagnose(journal: &str, unit: &str) -> Diagnosis {
    let known = |line: &str| KNOWN.iter().find(|(message, _)| line.contains(message)).map(|(_, cure)| (*cure).to_owned());
    let told = journal.lines().rev().find_map(|line| known(line).map(|cure| Diagnosis { line: line.trim().to_owned(), cure }));
    let lines = || journal.lines().rev().map(str::trim).filter(|line| !line.is_empty());
    told.unwrap_or_else(|| Diagnosis {
        // k3s' own last word, before what systemd says of its end.
        line: lines().find(|line| line.contains("level=fatal")).or_else(|| lines().next()).unwrap_or_default().to_owned(),
        cure: format!("read `journalctl -u {unit}` on the host"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_message_counts_more_than_the_last_line() {
        let told = diagnose("a\nfatal: failed to find memory cgroup (v2)\nk3s.service: Scheduled restart job\n", "k3s");
        assert_eq!(told.line, "fatal: failed to find memory cgroup (v2)");
        assert!(told.cure.contains("cgroup_enable=memory"), "{}", told.cure);
    }

    #[test]
    fn an_unknown_failure_shows_its_last_line() {
        assert_eq!(diagnose("a\nb\n\n", "k3s").line, "b");
        assert_eq!(diagnose("level=fatal msg=why\nk3s.service: Failed\n", "k3s").line, "level=fatal msg=why");
        assert_eq!(diagnose("", "k3s-agent").line, "");
    }
}
