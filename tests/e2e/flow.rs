//! From a bare host to verified HTTPS, and again without touching anything.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::Context;
use super::line::{Slow, through};
use crate::bench::Bench;
use crate::relay::{Fault, Line};
use crate::rig::Acme;
use crate::run::{Ended, finish, run, until};

/// From nothing to the last check, on a busy machine.
const BOOTSTRAP: Duration = Duration::from_secs(600);

/// One look.
const LOOK: Duration = Duration::from_secs(120);

/// A bare host becomes a site on production; an independent client agrees.
pub fn fresh(context: &Context) -> Result<()> {
    served(context.converged()?)
}

/// A second run performs nothing, restarts nothing, and `plan` and `verify` agree.
pub fn twice(context: &Context) -> Result<()> {
    let bench = context.converged()?;
    let before = state(bench)?;
    unchanged(bench)?;
    ended(&bedplate(bench, &["plan", "inventory.toml"])?, 0)?;
    let verify = bedplate(bench, &["verify", "inventory.toml"])?;
    ended(&verify, 0)?;
    doors(&verify.stdout)?;
    let after = state(bench)?;
    ensure!(before == after, "it was touched\nbefore:\n{before}\nafter:\n{after}");
    Ok(())
}

/// Nothing stands between the rig's hosts and the operator, so what k3s opens is told: its own ports and the NodePorts of Traefik.
fn doors(verify: &str) -> Result<()> {
    let told = [
        "fact: 203.0.113.10 answers from outside on 80, 443, 6443, 10250, 3",
        "warning: 203.0.113.10 answers from outside on 6443 (API server);",
        "warning: 203.0.113.10 answers from outside on 10250 (kubelet);",
        " (NodePort of kube-system/traefik)",
    ];
    for line in told {
        ensure!(verify.contains(line), "verify lacks {line:?}:\n{verify}");
    }
    ensure!(!verify.contains("etcd"), "no etcd runs:\n{verify}");
    Ok(())
}

/// `bedplate tunnel` lets the operator's kubectl in behind a closed 6443, by the context that was merged for it.
pub fn tunnel(context: &Context) -> Result<()> {
    let bench = context.converged()?;
    let artifacts = &context.rig.artifacts;
    let k3s = artifacts.pins.iter().find(|pin| pin.name == "k3s").context("the rig has built a k3s")?;
    context.rig.operator.install(&artifacts.dir.join(&k3s.path))?;
    let kubectl = ["k3s", "kubectl", "--context", "shop", "get", "nodes", "--output", "name"];
    let open = bedplate(bench, &[&["tunnel", "inventory.toml", "--"], kubectl.as_slice()].concat())?;
    ended(&open, 0)?;
    ensure!(open.stdout.trim() == "node/droplet", "through the tunnel: {}", open.stdout);
    let closed = finish(context.rig.operator.command(kubectl[0]).args(&kubectl[1..]), LOOK)?;
    ensure!(!closed.status.is_some_and(|status| status.success()), "kubectl gets in without the tunnel");

    let relay = through(bench, Line { rtt: Duration::from_millis(1), rate: None })?;
    let mut broken = Slow::start(bench, &relay, &["tunnel", "inventory.toml"])?;
    until("the tunnel", LOOK, || Ok(broken.said()?.contains("Ctrl-C closes it").then_some(())))?;
    relay.strike(Fault::Cut);
    let broken = broken.ends(LOOK)?;
    ended(&broken, 69)?;
    ensure!(broken.stderr.contains("could not keep the tunnel open: the ssh session broke"), "{}", broken.stderr);

    let mut closed = Slow::spawn(bench, &["tunnel", "inventory.toml"])?;
    until("the tunnel", LOOK, || Ok(closed.said()?.contains("Ctrl-C closes it").then_some(())))?;
    closed.interrupt()?;
    let closed = closed.ends(LOOK)?;
    ended(&closed, 0)?;
    ensure!(closed.stderr.contains("the tunnel is closed"), "{}", closed.stderr);
    Ok(())
}

/// Runs the tool as the operator.
pub fn bedplate(bench: &Bench<'_>, arguments: &[&str]) -> Result<Ended> {
    let waits = ["bootstrap", "--probe"].iter().any(|word| arguments.contains(word));
    let limit = if waits { BOOTSTRAP } else { LOOK };
    finish(&mut bench.bedplate(arguments), limit)
}

/// Demands an exit code, and shows what was said if it was another.
pub fn ended(run: &Ended, code: i32) -> Result<()> {
    let seen = run.status.and_then(|status| status.code());
    ensure!(seen == Some(code), "exit {seen:?} instead of {code}\n{}\n{}", run.stdout, run.stderr);
    Ok(())
}

/// Another run finds nothing to do. Where pods were replaced a moment ago Traefik may still wait for one that is gone: a run waits for the
/// site, and `plan` does not.
pub fn unchanged(bench: &Bench<'_>) -> Result<()> {
    let run = bedplate(bench, &["bootstrap", "inventory.toml"])?;
    ended(&run, 0)?;
    ensure!(run.stdout.contains("nothing was changed, nothing was restarted"), "{}", run.stdout);
    Ok(())
}

/// What a visitor must get, asked by curl with nothing but the production root.
pub fn served(bench: &Bench<'_>) -> Result<()> {
    let apex = bench.visit("https://shop.example/")?;
    ensure!(apex.starts_with("HTTP/2 200") && apex.contains("<title>Shop</title>"), "the apex says {apex}");
    let www = bench.visit("https://www.shop.example/some/path")?.to_lowercase();
    ensure!(www.starts_with("http/2 301") && www.contains("location: https://shop.example/some/path"), "www says {www}");
    let plain = bench.visit("http://shop.example/")?.to_lowercase();
    ensure!(plain.starts_with("http/1.1 301") || plain.starts_with("http/1.1 308"), "plain http says {plain}");
    ensure!(plain.contains("location: https://shop.example/"), "plain http leads elsewhere: {plain}");
    let mut openssl = bench.rig.operator.command("sh");
    let script = "openssl s_client -connect shop.example:443 -servername shop.example -verify_return_error -CAfile \"$0\" </dev/null 2>/dev/null \
                  | openssl x509 -noout -ext subjectAltName";
    let names = run(openssl.args(["-c", script]).arg(Acme::Production.root(&bench.rig.place)))?;
    ensure!(names.contains("DNS:shop.example") && names.contains("DNS:www.shop.example"), "the certificate is for {names}");
    Ok(())
}

/// What a run that touches nothing leaves as it is: processes, pods, releases, Secrets, files. cert-manager clears its solvers away in its
/// own time.
fn state(bench: &Bench<'_>) -> Result<String> {
    let all = "-A --no-headers --sort-by=.metadata.uid -o custom-columns=NS:.metadata.namespace,NAME:.metadata.name,UID:.metadata.uid";
    bench.look(&format!(
        "set -e
         systemctl show k3s -p ExecMainStartTimestampMonotonic -p NRestarts
         k3s kubectl get pods -l '!acme.cert-manager.io/http01-solver' {all},RESTARTS:.status.containerStatuses[*].restartCount
         k3s kubectl get secrets {all},VERSION:.metadata.resourceVersion
         k3s kubectl get deployments,networkpolicies,ingresses -l '!acme.cert-manager.io/http01-solver' {all},GENERATION:.metadata.generation
         KUBECONFIG=/etc/rancher/k3s/k3s.yaml helm list -A --no-headers | awk '{{print $1, $2, $3}}'
         find /etc/rancher/k3s/config.yaml /etc/systemd/system/k3s.service /usr/local/bin /home/appuser/.kube -printf '%p %i %C@ %m %u\\n' | sort"
    ))
}

/// An application's pods, without those that are about to go.
pub fn pods(bench: &Bench<'_>, name: &str) -> Result<String> {
    bench.look(&format!(
        "k3s kubectl -n shop get pods --no-headers -o custom-columns=NAME:.metadata.name,UID:.metadata.uid,GONE:.metadata.deletionTimestamp \
         | awk '/^{name}-/ && $3 == \"<none>\" {{ print $2 }}' | sort"
    ))
}
