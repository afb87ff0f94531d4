//! The least that asking can cost: the very scripts that bedplate runs on a host, by one cold `ssh HOST sh -s`, side by side for several.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::setting::{LISTENING, Network, Setting};
use crate::run::run;

/// What stands behind each question where several make one script.
const BEHIND: &str = "\n) </dev/null\nprintf";

/// What bedplate asks of a host.
pub struct Probe {
    /// Questions to the server, to an agent.
    pub questions: [usize; 2],
}

impl Probe {
    /// Lets bedplate look once through sshds that write down what they are told, and makes scripts of it: `probe-1` for the server,
    /// `probe-2` for an agent.
    pub fn overhear(setting: &Setting<'_>) -> Result<Self> {
        let lines = [(1, 250), (2, 250)];
        let network = setting.lines("overheard", &lines, LISTENING)?;
        let mut look = setting.bedplate(&["verify", &network.inventory]);
        // What it finds is not the matter here; an agent is not converged.
        crate::run::finish(&mut look, std::time::Duration::from_secs(120))?;
        let mut questions = [0, 0];
        for (number, questions) in (1..=2).zip(&mut questions) {
            let told = setting.bench.look(&format!("cat /root/told.{number}; rm /root/told.{number}"))?;
            let scripts = scripts(&told);
            ensure!(!scripts.is_empty(), "nothing was overheard of host {number}:\n{told}");
            *questions = scripts.iter().map(|script| script.matches(BEHIND).count().max(1)).sum();
            let probe: String = scripts.iter().map(|script| format!("(\n{script}\n) 2>/dev/null </dev/null\n")).collect();
            let path = setting.bench.project.path(format!("probe-{number}"));
            fs::write(&path, format!("export LC_ALL=C TZ=UTC\n{probe}exit 0\n"))?;
            setting.bench.rig.operator.own(&path, 0o644)?;
        }
        let known = setting.bench.project.path("known_hosts");
        fs::write(&known, format!("127.0.*.* {}\n", setting.bench.host.host_key()?))?;
        setting.bench.rig.operator.own(&known, 0o644)?;
        Ok(Self { questions })
    }
}

/// The floor on these hosts.
pub fn command(setting: &Setting<'_>, network: &Network) -> Command {
    let script = "for address; do
            probe=probe-2; [ \"$address\" != \"$1\" ] || probe=probe-1
            ssh -oBatchMode=yes -oStrictHostKeyChecking=yes -oUserKnownHostsFile=known_hosts \"root@$address\" sh -s <\"$probe\" >/dev/null &
        done; wait";
    let mut command = setting.bench.program("bash", &["-c", script, "floor"]);
    command.args(&network.addresses);
    command
}

/// The scripts in what a worker was told: a line `script-length payload-length cap`, then the script.
fn scripts(told: &str) -> Vec<String> {
    let mut scripts = Vec::new();
    let mut rest = told;
    while let Some((line, behind)) = rest.split_once('\n') {
        let words: Option<Vec<usize>> = line.split(' ').map(|word| word.parse().ok()).collect();
        rest = behind;
        if let Some([length, 0, _]) = words.as_deref()
            && let Some(script) = rest.get(..*length)
        {
            scripts.push(script.to_owned());
            rest = &rest[*length..];
        }
    }
    scripts
}

/// The slowest of a few reads of the API, as a request from the host itself sees it, seconds.
pub fn slowest_read(setting: &Setting<'_>) -> Result<f64> {
    let raw = "cd /tmp; k=/etc/rancher/k3s/k3s.yaml
        for f in certificate-authority-data client-certificate-data client-key-data; do sed -n \"s/^ *$f: //p\" $k | base64 -d >$f; done
        for path in /readyz '/api/v1/namespaces/cert-manager/secrets?labelSelector=owner%3Dhelm' /apis/apps/v1/namespaces/kube-system/deployments; do
          curl --silent --output /dev/null --write-out '%{time_starttransfer} %{time_appconnect}\\n' --cacert certificate-authority-data \
            --cert client-certificate-data --key client-key-data \"https://127.0.0.1:6443$path\"
        done; rm -f certificate-authority-data client-certificate-data client-key-data";
    let times = run(setting.bench.host.exec()?.args(["sh", "-c", raw]))?;
    let read = |line: &str| Some(line.split_once(' ')?.0.parse::<f64>().ok()? - line.split_once(' ')?.1.parse::<f64>().ok()?);
    times.lines().filter_map(read).max_by(f64::total_cmp).context("no read of the API was timed")
}

#[cfg(test)]
mod tests {
    use super::scripts;

    #[test]
    fn scripts_are_found_between_nonces() {
        assert_eq!(scripts("bedplate-x\nbedplate-x\n7 0 99\necho hi3 0 99\nid\n"), ["echo hi", "id\n"]);
        assert!(scripts("bedplate-x\n").is_empty());
    }
}
