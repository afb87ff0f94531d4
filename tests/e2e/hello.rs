//! The hello playbook alone: a first HTTPS page without an application of one's own.

use std::net::Ipv4Addr;

use anyhow::{Context as _, Result, ensure};
use toml::{Table, Value};

use super::Context;
use super::flow::{bedplate, ended};
use crate::bench::Bench;
use crate::rig::{Record, usual};

const DOMAIN: &str = "hello.example";

/// A second bare host ends with a page over HTTPS that names it.
pub fn fresh_hello(context: &Context) -> Result<()> {
    let mut bench = Bench::fresh(context.rig, 2)?;
    reduce(&mut bench.project.inventory, &bench.host.name, &bench.host.address).context("the example has another shape")?;
    bench.project.save(&context.rig.operator)?;
    let address: Ipv4Addr = bench.host.address.parse()?;
    let mut records = usual();
    records.push(Record::A(DOMAIN.to_owned(), address));
    context.rig.records(&records)?;
    let shown = page(&bench);
    context.rig.records(&usual())?;
    bench.host.discard()?;
    shown
}

fn page(bench: &Bench<'_>) -> Result<()> {
    ended(&bedplate(bench, &["bootstrap", "inventory.toml"])?, 0)?;
    let page = bench.visit(&format!("https://{DOMAIN}/"))?;
    ensure!(page.starts_with("HTTP/2 200") && page.contains(&format!("hello from {}", bench.host.name)), "it says {page}");
    let plain = bench.visit(&format!("http://{DOMAIN}/"))?.to_lowercase();
    ensure!(plain.contains(&format!("location: https://{DOMAIN}/")), "plain http says {plain}");
    ended(&bedplate(bench, &["plan", "inventory.toml"])?, 0)
}

/// Takes the application out of the inventory, and puts the playbook in.
fn reduce(inventory: &mut Table, name: &str, address: &str) -> Option<()> {
    for table in ["images", "jwt_keys", "secrets", "releases", "sites"] {
        inventory.remove(table)?;
    }
    let host = inventory.get_mut("hosts")?.get_mut(0)?.as_table_mut()?;
    host.insert("name".into(), name.into());
    host.insert("public_ip".into(), address.into());
    inventory.get_mut("k3s")?.as_table_mut()?.insert("tls-san".into(), vec![address].into());
    let hello = Table::from_iter([("domain".to_owned(), Value::from(DOMAIN))]);
    inventory.insert("playbooks".into(), Value::Table(Table::from_iter([("hello".to_owned(), Value::Table(hello))])));
    Some(())
}
