//! A server and its agents.

use std::time::Duration;

use anyhow::{Result, bail, ensure};

use super::Context;
use super::flow::{bedplate, ended, served};
use crate::bench::Bench;
use crate::rig::Host;
use crate::run::{run, until};

/// A web server on the third host, behind a service that visitors reach on every host; and any pod on the first one.
const PODS: &str = r#"
apiVersion: v1
kind: Pod
metadata: {name: far, labels: {app: far}}
spec:
  nodeName: droplet-3
  containers:
  - {name: web, image: "rancher/mirrored-library-busybox:1.37.0", command: [/sh, -c, "mkdir /www; echo here >/www/index.html; exec /httpd -f -p 8080 -h /www"]}
---
apiVersion: v1
kind: Service
metadata: {name: far}
spec: {type: LoadBalancer, selector: {app: far}, ports: [{port: 8099, targetPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: near}
spec:
  nodeName: droplet
  terminationGracePeriodSeconds: 0
  containers: [{name: web, image: "rancher/mirrored-library-busybox:1.37.0", command: [/httpd, -f, -p, "8080"]}]
"#;

/// Three hosts at once, one of them dead: the others converge. It comes back and joins, and nobody else is touched; the next run changes
/// nothing. A pod on it answers through its service. A host that was installed anew is known again under its old name.
pub fn three(context: &Context) -> Result<()> {
    let mut bench = Bench::fresh(context.rig, 1)?;
    let agents = bench.agents(2..=3)?;
    let [early, late] = agents.as_slice() else { bail!("asked for two agents, got {}", agents.len()) };

    late.kill()?;
    let partly = bedplate(&bench, &["bootstrap", "inventory.toml"])?;
    ended(&partly, 3)?;
    ensure!(partly.stdout.contains(&late.name), "the dead host is not named\n{}", partly.stdout);
    served(&bench)?;
    ready(&bench, "droplet droplet-2")?;
    let before = (started(&bench.host)?, started(early)?);

    late.answers(&late.boot(&context.rig.operator)?)?;
    ended(&bedplate(&bench, &["bootstrap", "inventory.toml"])?, 0)?;
    ready(&bench, "droplet droplet-2 droplet-3")?;
    ensure!(before == (started(&bench.host)?, started(early)?), "a third host restarts k3s on the others");
    let again = bedplate(&bench, &["bootstrap", "inventory.toml"])?;
    ended(&again, 0)?;
    ensure!(again.stdout.contains("nothing was changed, nothing was restarted"), "{}", again.stdout);
    ended(&bedplate(&bench, &["plan", "inventory.toml"])?, 0)?;
    across(&bench)?;

    bench.agents(2..=2)?;
    ended(&bedplate(&bench, &["bootstrap", "inventory.toml"])?, 0)?;
    ready(&bench, "droplet droplet-2 droplet-3")
}

/// Demands these nodes, and that all are ready.
fn ready(bench: &Bench<'_>, names: &str) -> Result<()> {
    let columns = r#"jsonpath={range .items[*]}{.metadata.name}={.status.conditions[?(@.type=="Ready")].status} {end}"#;
    let seen = bench.look(&format!("k3s kubectl get nodes -o '{columns}'"))?;
    let wanted: String = names.split(' ').map(|name| format!("{name}=True ")).collect();
    ensure!(seen == wanted, "the nodes are {seen}");
    Ok(())
}

/// When k3s was started last, and how often systemd had to.
fn started(host: &Host) -> Result<String> {
    run(host.exec()?.args(["systemctl", "show", "k3s", "k3s-agent", "--property=Id,ExecMainStartTimestampMonotonic,NRestarts"]))
}

/// A visitor of each host, and a pod of another, get the answer of a pod.
fn across(bench: &Bench<'_>) -> Result<()> {
    bench.look(&format!(
        "k3s kubectl apply -f - <<'END'\n{PODS}\nEND\nk3s kubectl wait --for=condition=Ready pod/far pod/near --timeout=60s"
    ))?;
    for number in 10..=12 {
        let url = format!("http://203.0.113.{number}:8099/");
        let ask = || Ok(run(bench.rig.operator.command("curl").args(["--silent", "--max-time", "5", &url])).ok());
        let page = until(&format!("{url} to answer"), Duration::from_secs(20), ask)?;
        ensure!(page == "here\n", "{url} says {page}");
    }
    // By the host's curl in the pod's network: the pod's own wget dies of looking up names without a C library's files.
    let seen = bench.look(
        "id=$(k3s kubectl get pod near -o 'jsonpath={.status.containerStatuses[0].containerID}')
         pid=$(k3s ctr tasks ls | awk -v id=\"${id#containerd://}\" '$1 == id { print $2 }')
         to=$(k3s kubectl get service far -o 'jsonpath={.spec.clusterIP}')
         nsenter --target \"$pid\" --net curl --silent --show-error --max-time 5 \"http://$to:8099/\"",
    )?;
    ensure!(seen == "here\n", "a pod gets {seen}");
    bench.look("k3s kubectl delete pod/far pod/near service/far --now").map(drop)
}
