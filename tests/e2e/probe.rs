//! The challenge probe: nothing is ordered before a responder like cert-manager's solver was reached by the site's name. The site is the
//! playbook's page, in a namespace of its own on the converged host.

mod verify;

use std::fs;
use std::net::Ipv4Addr;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use toml::{Table, Value};

pub use verify::{barred, verify};

use super::Context;
use super::flow::{bedplate, ended, served};
use crate::bench::Bench;
use crate::rig::{Acme, Record, usual};
use crate::run::until;

const DOMAIN: &str = "probe.example";
/// Beside the project's own.
const INVENTORY: &str = "probe.toml";
/// From a start to a responder, on a busy machine.
const BEGUN: Duration = Duration::from_secs(60);
/// What a responder consists of, wherever it is; nobody else's Jobs and Ingresses bear the label.
const LEFT: &str = "k3s kubectl get jobs,pods,services,ingresses -A -o name -l app.kubernetes.io/managed-by=bedplate
    for namespace in probe shop; do k3s kubectl -n $namespace get pods -o name -l batch.kubernetes.io/controller-uid; done";
/// Traefik may go everywhere but to solvers: what a default-deny policy of the ingress' own namespace comes to.
const SHUT: &str = "k3s kubectl apply -f - <<'EOF'
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: no-solvers, namespace: kube-system}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/name: traefik}}
  policyTypes: [Egress]
  egress: [{ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 1, endPort: 8088}, {protocol: TCP, port: 8090, endPort: 65535}]}]
EOF";
const OPEN: &str = "k3s kubectl -n kube-system delete --ignore-not-found networkpolicy no-solvers";

/// Another web server has port 80: told before anything is put up.
pub fn other_server(context: &Context) -> Result<()> {
    on_site(context, |site| {
        let rule = "PREROUTING -p tcp -d 203.0.113.10 --dport 80 -j REDIRECT --to-ports 8882";
        let answer = r"HTTP/1.1 404 Not Found\r\nServer: nginx/1.22.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        site.bench.look(&format!(
            "printf '%b' '{answer}' >/run/probe-server
             systemd-run --quiet --unit=probe-server socat TCP-LISTEN:8882,fork,reuseaddr SYSTEM:'read -r asked; cat /run/probe-server; timeout 1 cat >/dev/null'
             iptables -w -t nat -I {rule}"
        ))?;
        let told = bedplate(site.bench, &["plan", "--step", "challenge-probe", INVENTORY]);
        site.bench.look(&format!("iptables -w -t nat -D {rule}; systemctl stop probe-server; rm /run/probe-server"))?;
        let told = told?;
        ended(&told, 2)?;
        let words = "another web server (nginx/1.22.1) answers 404 on port 80 of 203.0.113.10";
        ensure!(told.stdout.contains(words), "{words:?} is not said:\n{}", told.stdout);
        site.nothing_ordered()
    })
}

/// A CAA record names another CA than Let's Encrypt: told before anything is put up. Pebble reads no such records, so nobody is asked for an order.
pub fn caa(context: &Context) -> Result<()> {
    on_site(context, |site| {
        let bench = site.bench;
        let mut inventory: Table = fs::read_to_string(bench.project.path(INVENTORY))?.parse()?;
        let acme = inventory["acme"].as_table_mut().context("it has [acme]")?;
        for authority in ["staging", "production"] {
            acme.remove(authority).with_context(|| format!("it has [acme.{authority}]"))?;
        }
        fs::write(bench.project.path(INVENTORY), toml::to_string(&inventory)?)?;
        let mut records = records();
        records.push(Record::Caa(DOMAIN.into(), "issue".into(), "other.example".into()));
        context.rig.records(&records)?;
        let told = bedplate(bench, &["plan", "--step", "challenge-probe", INVENTORY])?;
        ended(&told, 1)?;
        let words = format!("CAA of {DOMAIN} lets no certificate of Let's Encrypt be issued for {DOMAIN}");
        ensure!(told.stdout.contains(&words), "{words:?} is not said:\n{}", told.stdout);
        site.nothing_ordered()
    })
}

/// Traefik may not go to solvers: the run ends with that before anything is put up, and has ordered nothing.
pub fn policy(context: &Context) -> Result<()> {
    on_site(context, |site| {
        site.bench.look(SHUT)?;
        let run = bedplate(site.bench, &["bootstrap", INVENTORY]);
        site.bench.look(OPEN)?;
        let run = run?;
        ended(&run, 1)?;
        let words = "networkpolicy kube-system/no-solvers keeps Traefik from cert-manager's solvers in probe (TCP 8089)";
        ensure!(run.stderr.contains(words), "{words:?} is not said:\n{}\n{}", run.stdout, run.stderr);
        site.nothing_ordered()
    })
}

/// A run is shot with its responder up; the next one goes on with that, orders once at each CA, and leaves nothing of it.
pub fn killed(context: &Context) -> Result<()> {
    on_site(context, |site| {
        let bench = site.bench;
        let mut run = bench.bedplate(&["bootstrap", INVENTORY]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let up = until("a responder", BEGUN, || {
            let seen = bench.look("k3s kubectl -n probe get jobs -o jsonpath='{.items[*].metadata.uid}'")?;
            Ok((!seen.is_empty()).then_some(seen))
        });
        run.kill()?;
        run.wait()?;
        let up = up?;
        site.nothing_ordered()?;
        freed(bench)?;
        ended(&bedplate(bench, &["bootstrap", INVENTORY])?, 0)?;
        let log = bench.look("cat /var/log/bedplate/actions.log")?;
        // From the first responder to what it holds up: what the probe takes, of both sites.
        let told = log.lines().filter(|line| ["probe", "helm upgrade"].iter().any(|word| line.contains(word)));
        println!("probe: {up}\n{}", told.collect::<Vec<_>>().join("\n"));
        ensure!(bench.visit(&format!("https://{DOMAIN}/"))?.starts_with("HTTP/2 200"), "{DOMAIN} is not served");
        let left = until("its objects to be collected", Duration::from_secs(45), || {
            let left = bench.look(LEFT)?;
            Ok(left.trim().is_empty().then_some(()))
        });
        left.with_context(|| bench.look(LEFT).unwrap_or_default())?;
        let made = site.orders()?;
        ensure!(made == [1, 1], "{made:?} orders were made at staging and production");
        let again = bedplate(bench, &["bootstrap", INVENTORY])?;
        ended(&again, 0)?;
        ensure!(again.stdout.contains("nothing was changed, nothing was restarted"), "{}", again.stdout);
        ensure!(site.orders()? == made, "a second run ordered");
        Ok(())
    })
}

/// The site, and what the CAs had been asked before it.
struct Site<'a> {
    bench: &'a Bench<'a>,
    before: [usize; 2],
}

impl Site<'_> {
    /// Orders since, at staging and at production.
    fn orders(&self) -> Result<[usize; 2]> {
        let [staging, production] = asked(self.bench)?;
        Ok([staging - self.before[0], production - self.before[1]])
    }

    fn nothing_ordered(&self) -> Result<()> {
        let made = self.orders()?;
        ensure!(made == [0, 0], "{made:?} orders were made at staging and production");
        let ingress = self.bench.look("k3s kubectl -n probe get ingress hello --ignore-not-found -o name")?;
        ensure!(ingress.is_empty(), "the site's Ingress is there already");
        Ok(())
    }
}

fn freed(bench: &Bench<'_>) -> Result<()> {
    until("the lock to be free", BEGUN, || {
        let free = bench.look("timeout 1 flock /run/bedplate.lock true && echo free || true")?;
        Ok((free.trim() == "free").then_some(()))
    })
}

fn asked(bench: &Bench<'_>) -> Result<[usize; 2]> {
    Ok([Acme::Staging.orders(&bench.rig.place)?, Acme::Production.orders(&bench.rig.place)?])
}

/// Makes the site's inventory and name; takes all of it away again.
fn on_site(context: &Context, test: impl FnOnce(&Site<'_>) -> Result<()>) -> Result<()> {
    let bench = context.converged()?;
    bench.look("k3s kubectl wait --for=delete --timeout=60s namespace/probe")?;
    context.rig.records(&records())?;
    write(bench)?;
    let ended = test(&Site { bench, before: asked(bench)? });
    // Its page would have half a minute to end.
    bench.look("k3s kubectl delete --ignore-not-found --wait=false namespace probe")?;
    context.rig.records(&usual())?;
    ended?;
    served(bench)
}

fn records() -> Vec<Record> {
    let mut records = usual();
    records.push(Record::A(DOMAIN.into(), Ipv4Addr::new(203, 0, 113, 10)));
    records
}

fn write(bench: &Bench<'_>) -> Result<()> {
    let mut inventory = bench.project.inventory.clone();
    for table in ["images", "jwt_keys", "secrets", "releases", "sites"] {
        inventory.remove(table);
    }
    let hello: Table =
        [("domain", DOMAIN), ("namespace", "probe")].into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
    inventory.insert("playbooks".into(), Value::Table(Table::from_iter([("hello".to_owned(), Value::Table(hello))])));
    fs::write(bench.project.path(INVENTORY), toml::to_string(&inventory)?)?;
    bench.rig.operator.own_all(&bench.project.folder)?;
    bench.rig.operator.own(&bench.project.path("rig/sudo-password"), 0o600)?;
    bench.rig.operator.own(&bench.project.path(".env"), 0o600)
}
