//! The CA refuses a name, the cause is cured, and the next bootstrap asks anew: an hour before cert-manager would; meanwhile the other CA falls
//! silent for a while.

use std::fs;
use std::net::Ipv6Addr;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use toml::{Table, Value};

use super::super::Context;
use super::super::flow::{bedplate, ended};
use super::counted;
use crate::bench::Bench;
use crate::rig::{Acme, Record, usual};
use crate::run::{Ended, until};

const DOMAIN: &str = "again.example";
const INVENTORY: &str = "again.toml";
/// From the Ingress to the CA's word.
const REFUSED: Duration = Duration::from_secs(120);
/// What failed just now is not asked for anew.
const PAUSE: Duration = Duration::from_secs(60);

/// From the start of a run to its order at the production CA.
const SILENT: Duration = Duration::from_secs(180);
/// Since when the production CA owes an answer, seconds.
const UNHEARD: &str = r#"made=$(k3s kubectl -n hello get orders.acme.cert-manager.io -o jsonpath='{range .items[?(@.spec.issuerRef.name=="letsencrypt-production")]}{.status.state}@{.metadata.creationTimestamp}{end}' | sed -n 's/^@//p')
[ -z "$made" ] || echo $(($(date +%s) - $(date -d "$made" +%s)))"#;

/// What bedplate would not do: an order while the name's IPv6 address leads nowhere.
const ORDER: &str = "k3s kubectl create namespace hello && k3s kubectl apply -f - <<'EOF'
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: hello, namespace: hello, annotations: {cert-manager.io/cluster-issuer: letsencrypt-staging}}
spec:
  ingressClassName: traefik
  tls: [{hosts: [again.example], secretName: hello-tls}]
  rules: [{host: again.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: hello, port: {name: http}}}}]}}]
EOF";

/// While the cause is there a run orders nothing; once it is cured it asks anew, and goes on to production.
pub fn refused(context: &Context) -> Result<()> {
    let bench = context.converged()?;
    inventory(bench).context("the example has another shape")?;
    let tried = asked_anew(bench);
    bench.rig.records(&usual())?;
    // Its page would have half a minute to end.
    bench.look("k3s kubectl delete --ignore-not-found --wait=false namespace hello")?;
    tried
}

fn asked_anew(bench: &Bench<'_>) -> Result<()> {
    let before = counted(bench)?;
    records(bench, Some(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7)))?;
    bench.look(ORDER)?;
    let status =
        |field: &str| bench.look(&format!("k3s kubectl -n hello get certificate hello-tls -o jsonpath={{.status.{field}}} || true"));
    until("the CA to refuse the name", REFUSED, || Ok((status("failedIssuanceAttempts")?.trim() == "1").then_some(())))?;
    let ill = bedplate(bench, &["bootstrap", INVENTORY])?;
    ended(&ill, 1)?;
    ensure!(format!("{}{}", ill.stdout, ill.stderr).contains("2001:db8::7"), "the cause is not named:\n{}\n{}", ill.stdout, ill.stderr);
    let one = [before[0] + 1, before[1]];
    ensure!(counted(bench)? == one, "orders at first: {before:?}, after a run that could not go well: {:?}", counted(bench)?);

    records(bench, None)?;
    let age = format!("echo $(($(date +%s) - $(date -d '{}' +%s)))", status("lastFailureTime")?.trim());
    until("the failure to lie back", PAUSE, || Ok((bench.look(&age)?.trim().parse::<i64>()? > 30).then_some(())))?;
    let well = while_silent(bench, || bedplate(bench, &["bootstrap", INVENTORY]))?;
    ended(&well, 0)?;
    let said = format!("{}{}", well.stdout, well.stderr);
    ensure!(said.contains("have certificate hello/hello-tls issued anew"), "it was not asked for anew:\n{said}");
    let all = [one[0] + 1, one[1] + 1];
    ensure!(counted(bench)? == all, "orders at first: {before:?}, at the end: {:?}", counted(bench)?);
    let page = bench.visit(&format!("https://{DOMAIN}/"))?;
    ensure!(page.starts_with("HTTP/2 200") && page.contains("hello from"), "it says {page}");
    ended(&bedplate(bench, &["plan", INVENTORY])?, 0)
}

/// The production CA says nothing when it is asked for the order, and comes to itself while the run waits.
fn while_silent(bench: &Bench<'_>, bootstrap: impl FnOnce() -> Result<Ended> + Send) -> Result<Ended> {
    let silence = Acme::Production.silenced(&bench.rig.place)?;
    thread::scope(|scope| {
        let run = scope.spawn(bootstrap);
        let heard = until("an order that nobody answers", SILENT, || {
            let age = bench.look(UNHEARD)?;
            ensure!(!run.is_finished(), "the run did not wait for the CA");
            Ok(age.trim().parse::<i64>().is_ok_and(|age| age >= 5).then_some(()))
        });
        drop(silence);
        let run = run.join().map_err(|_| anyhow!("the run panicked"))?;
        heard.with_context(|| run.as_ref().map(|run| run.stderr.clone()).unwrap_or_default())?;
        run
    })
}

fn records(bench: &Bench<'_>, six: Option<Ipv6Addr>) -> Result<()> {
    let mut records = usual();
    records.push(Record::A(DOMAIN.into(), bench.host.address.parse()?));
    records.extend(six.map(|six| Record::Aaaa(DOMAIN.into(), six)));
    bench.rig.records(&records)
}

/// The hello playbook alone, beside the project's own inventory.
fn inventory(bench: &Bench<'_>) -> Result<()> {
    let mut inventory = bench.project.inventory.clone();
    for table in ["images", "jwt_keys", "secrets", "releases", "sites"] {
        inventory.remove(table).with_context(|| format!("there is no {table}"))?;
    }
    let hello = Table::from_iter([("domain".to_owned(), Value::from(DOMAIN))]);
    inventory.insert("playbooks".into(), Value::Table(Table::from_iter([("hello".to_owned(), Value::Table(hello))])));
    let path = bench.project.path(INVENTORY);
    fs::write(&path, toml::to_string(&inventory)?)?;
    bench.rig.operator.own(&path, 0o644)
}
