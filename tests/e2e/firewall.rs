//! The doors of a host that serves a site: rules that would lock us out are taken back, whoever dies on the way; good ones stay.

use std::fs;
use std::time::Duration;

use anyhow::{Result, ensure};
use toml::{Table, Value};

use super::Context;
use super::flow::{bedplate, ended, served};
use super::line::Slow;
use super::probe::barred;
use super::ssh_causes::{Config, Sshd};
use super::tls::foreign;
use crate::bench::Bench;
use crate::project::merge;
use crate::run::{finish, until};

/// From a run's start to rules that hold.
const ARMED: Duration = Duration::from_secs(60);
/// What nobody proves is gone by then.
const TAKEN_BACK: Duration = Duration::from_secs(100);

/// Where ssh reaches the host by another port than the inventory knows of: what [firewall] leaves open is not where we come in.
const ASIDE: &str = "Host aside\n  HostName 203.0.113.10\n  Port 2222\n";
const TABLE: &str = "nft list table inet bedplate 2>/dev/null || true";
/// As nothing had been.
const CLEAR: &str = "systemctl stop 'bedplate-switch-*.timer'; systemctl -q disable bedplate-firewall
    rm -rf /etc/bedplate /etc/systemd/system/bedplate-firewall.service; systemctl daemon-reload; nft delete table inet bedplate || true";

/// Rules that forget the port by which we come in do not stay, be the run killed or not, and the session lives; right ones do, pods talk, and
/// what is tampered with is found. They hold after a reboot.
pub fn firewall(context: &Context) -> Result<()> {
    let bench = context.converged()?;
    let walled = locked_out(bench).and_then(|()| walled(bench));
    let cleared = bench.look(CLEAR);
    walled?;
    cleared?;
    ended(&bedplate(bench, &["bootstrap", "inventory.toml"])?, 0)?;
    served(bench)
}

/// Writes the project's inventory with [firewall] as another file.
fn inventory(bench: &Bench<'_>, name: &str, address: &str) -> Result<()> {
    let mut inventory = bench.project.inventory.clone();
    let host: Table = format!("address = \"{address}\"\npublic_ip = \"{}\"", bench.host.address).parse()?;
    let open: Table = "[firewall]\nopen = [\"22/tcp\", \"80/tcp\", \"443/tcp\"]".parse()?;
    merge(&mut inventory, &Table::from_iter([("hosts".to_owned(), Value::Array(vec![host.into()]))]));
    merge(&mut inventory, &open);
    let file = bench.project.path(name);
    fs::write(&file, toml::to_string(&inventory)?)?;
    bench.rig.operator.own(&file, 0o644)
}

fn locked_out(bench: &Bench<'_>) -> Result<()> {
    let _sshd = Sshd::set(bench, "Port 22\nPort 2222")?;
    let _config = Config::write(bench, ASIDE)?;
    inventory(bench, "aside.toml", "aside")?;

    let mut run = Slow::spawn(bench, &["bootstrap", "aside.toml"])?;
    until("rules to be tried", ARMED, || Ok(bench.look(TABLE)?.contains("dport").then_some(())))?;
    run.shoot()?;
    // Nobody comes in, and nobody is left to mend it.
    let key = bench.rig.operator.key();
    let mut knock = bench.rig.operator.command("ssh");
    knock.args(["-o", "BatchMode=yes", "-o", "ConnectTimeout=3", "-o", "StrictHostKeyChecking=no", "-i"]).arg(key);
    let shut = finish(knock.args(["ops@aside", "true"]), ARMED)?;
    ensure!(shut.stderr.contains("timed out"), "port 2222 is not shut: {}", shut.stderr);
    // That takes its time, in which port 22 serves others.
    let meanwhile = foreign::taken_over(bench).and_then(|()| barred(bench));
    until("the switch to fall", TAKEN_BACK, || Ok(bench.look(TABLE)?.is_empty().then_some(())))?;
    meanwhile?;

    let run = bedplate(bench, &["bootstrap", "aside.toml"])?;
    ended(&run, 1)?;
    for word in ["firewall: could not enforce", "no new ssh connection came in, so it was taken back", "cure: open in [firewall]"] {
        ensure!(run.stderr.contains(word), "`{word}` is not said:\n{}", run.stderr);
    }
    let left = bench.look(&format!("{TABLE}; ls -A /etc/bedplate; systemctl list-units --all --plain --no-legend 'bedplate-*'"))?;
    ensure!(left.is_empty(), "it is not as it was: {left}");
    let log = bench.look("tail -n 1 /var/log/bedplate/actions.log")?;
    ensure!(log.contains("done: take back /etc/bedplate/firewall.nft"), "the session did not outlive the rules: {log}");
    served(bench)
}

fn walled(bench: &Bench<'_>) -> Result<()> {
    inventory(bench, "walled.toml", &bench.host.address)?;
    let before = bench.look("systemctl show k3s -p ExecMainStartTimestampMonotonic")?;
    ended(&bedplate(bench, &["bootstrap", "walled.toml"])?, 0)?;
    let again = bedplate(bench, &["bootstrap", "walled.toml"])?;
    ended(&again, 0)?;
    ensure!(again.stdout.contains("nothing was changed, nothing was restarted"), "{}", again.stdout);
    let verify = bedplate(bench, &["verify", "walled.toml"])?;
    ended(&verify, 0)?;
    ensure!(verify.stdout.contains("203.0.113.10 answers from outside on 80 and 443;"), "other doors are open:\n{}", verify.stdout);
    ensure!(before == bench.look("systemctl show k3s -p ExecMainStartTimestampMonotonic")?, "k3s was restarted");
    talk(bench)?;

    bench.look("nft insert rule inet bedplate doors tcp dport 6443 accept")?;
    let verify = bedplate(bench, &["verify", "walled.toml"])?;
    ended(&verify, 1)?;
    for word in ["table inet bedplate is not as in /etc/bedplate/firewall.nft", "on 6443 (API server), which [firewall] closes"] {
        ensure!(verify.stdout.contains(word), "`{word}` is not said:\n{}", verify.stdout);
    }
    ended(&bedplate(bench, &["bootstrap", "walled.toml"])?, 0)?;

    bench.reboot()?;
    let table = bench.look(TABLE)?;
    ensure!(table.contains("tcp dport { 22, 80, 443 } accept") && !table.contains("6443"), "after a reboot: {table}");
    ended(&bedplate(bench, &["bootstrap", "walled.toml"])?, 0)?;
    let plan = bedplate(bench, &["plan", "walled.toml"])?;
    ended(&plan, 0)?;
    ensure!(!plan.stdout.contains("fell over"), "a boot is taken for a crash:\n{}", plan.stdout);
    talk(bench)
}

/// Visitors get the site, by pods on both sides of a service. A pod gets the API server, which is the host, and the host's own address.
fn talk(bench: &Bench<'_>) -> Result<()> {
    served(bench)?;
    let seen = bench.look(
        "id=$(k3s kubectl -n kube-system get pod -l app.kubernetes.io/name=traefik -o 'jsonpath={.items[0].status.containerStatuses[0].containerID}')
         pid=$(k3s ctr tasks ls | awk -v id=\"${id#containerd://}\" '$1 == id { print $2 }')
         for url in https://10.43.0.1/readyz http://203.0.113.10/; do
           nsenter --target \"$pid\" --net curl --insecure --silent --output /dev/null --max-time 5 --write-out '%{http_code} ' \"$url\" || true
         done",
    )?;
    let codes: Vec<&str> = seen.split_whitespace().collect();
    ensure!(codes.len() == 2 && !codes.contains(&"000"), "a pod gets nothing from the host: {seen}");
    Ok(())
}
