//! Several sites on one host, each with its certificate in another way: by ACME, made, from files, and none at first. They stand in the shop's
//! namespace, before its pods; beside them stand the sites of `diagnose`, whose causes take a minute to show.

use std::fs;
use std::net::Ipv6Addr;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Result, ensure};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::json;
use toml::{Table, Value};

use super::Context;
use super::diagnose;
use super::flow::{bedplate, ended, served};
use crate::bench::Bench;
use crate::rig::Record;
use crate::run::run;

/// Beside the project's own.
const INVENTORY: &str = "sites.toml";

/// Names of all of them, beside the shop's.
const NAMES: [&str; 5] = ["home.local", "www.home.local", "files.local", "later.example", "www.later.example"];

/// A site's playbook: its Ingress, which has no redirects but where `more` brings them, and what must be served.
struct Page {
    name: &'static str,
    domain: &'static str,
    tls: &'static str,
    more: &'static str,
    check: &'static str,
}

const HOME: Page = Page {
    name: "home",
    domain: "home.local",
    tls: "tls: [{hosts: [home.local, www.home.local], secretName: home-tls}]",
    more: "",
    check: "tls = \"self-signed\", certificate = \"home-tls\", redirect_from = [\"www.home.local\"], manage_redirects = true",
};
const FILES: Page = Page {
    name: "files",
    domain: "files.local",
    tls: "tls: [{hosts: [files.local], secretName: files-tls}]",
    more: "traefik.ingress.kubernetes.io/router.middlewares: shop-https@kubernetescrd",
    check: "tls = \"own-ca\", certificate = \"files-tls\", certificate_file = \"tls/files.pem\", key_file = \"tls/files.key\", ca_file = \"tls/ca.pem\"",
};
const OFF: Page = Page {
    name: "later",
    domain: "later.example",
    tls: "",
    more: "",
    check: "tls = \"off\", redirect_from = [\"www.later.example\"], manage_redirects = true",
};
const ON: Page = Page {
    tls: "tls: [{hosts: [later.example, www.later.example], secretName: later-tls}]",
    check: "certificate = \"later-tls\", redirect_from = [\"www.later.example\"], manage_redirects = true",
    ..OFF
};

/// What Traefik takes where nobody says otherwise, as a proxy of old days would have it.
const OLD_TLS: &str = "k3s kubectl apply -f - <<'EOF'
apiVersion: traefik.io/v1alpha1
kind: TLSOption
metadata: {name: default, namespace: kube-system}
spec: {minVersion: VersionTLS10}
EOF";

/// What no inventory removes.
const CLEAR: &str = "k3s kubectl -n shop delete --ignore-not-found ingress home files later
    k3s kubectl -n shop delete --ignore-not-found certificate later-tls
    k3s kubectl -n shop delete --ignore-not-found secret later-tls";

/// All are served and judged by the right roots, a second run is empty, TLS is turned on later, and what was ours goes by `--prune`.
pub fn sites(context: &Context) -> Result<()> {
    let bench = context.beside_stuck()?;
    records(bench, None)?;
    authority(bench)?;
    let seen = all(bench);
    bench.look(CLEAR)?;
    context.rig.records(&diagnose::records()?)?;
    seen?;
    ended(&bedplate(bench, &["bootstrap", "--prune", "--yes", "inventory.toml"])?, 0)?;
    let left = bench.look("k3s kubectl -n shop get ingressroutes,middlewares,secrets -l app.kubernetes.io/managed-by=bedplate -o name")?;
    ensure!(!left.contains("home") && !left.contains("later") && !left.contains("files"), "--prune leaves {left}");
    served(bench)
}

/// Every name leads to the host, and one of them by `more` elsewhere, too.
fn records(bench: &Bench<'_>, more: Option<Record>) -> Result<()> {
    let address = bench.host.address.parse()?;
    let own = NAMES.iter().map(|name| Record::A((*name).to_owned(), address));
    bench.rig.records(&diagnose::records()?.into_iter().chain(own).chain(more).collect::<Vec<_>>())
}

fn all(bench: &Bench<'_>) -> Result<()> {
    write(bench, &[HOME, FILES, OFF])?;
    ended(&bedplate(bench, &["verify", INVENTORY])?, 1)?;
    ended(&bedplate(bench, &["bootstrap", INVENTORY])?, 0)?;
    rests(bench)?;
    let verify = bedplate(bench, &["verify", INVENTORY])?;
    ended(&verify, 0)?;
    for told in [
        "fact: home.local and www.home.local: ECDSA 256 certificate by CN=bedplate",
        "fact: files.local: ECDSA 256 certificate by CN=own",
        ", over TLS 1.3",
    ] {
        ensure!(verify.stdout.contains(told), "verify lacks {told:?}:\n{}", verify.stdout);
    }
    ensure!(!verify.stdout.contains("itself") && !verify.stdout.contains("still takes"), "verify says:\n{}", verify.stdout);
    amiss(bench)?;
    home(bench)?;
    let files = get(bench, "https://files.local/", &bench.project.path("tls/ca.pem"))?;
    ensure!(files.starts_with("http/2 200"), "files.local says {files}");
    leads(&bench.visit("http://www.later.example/a?b=c")?, "http://later.example/a?b=c")?;
    ensure!(bench.visit("http://later.example/")?.starts_with("HTTP/1.1 200"), "plain http is not served");
    served(bench)?;

    aged(bench)?;
    write(bench, &[HOME, FILES, ON])?;
    let later = bedplate(bench, &["bootstrap", INVENTORY])?;
    ended(&later, 0)?;
    let renewed = "make a certificate for home.local, www.home.local as secret shop/home-tls";
    ensure!(later.stderr.contains(renewed), "it does not {renewed}:\n{}\n{}", later.stdout, later.stderr);
    rests(bench)?;
    home(bench)?;
    ensure!(bench.visit("https://later.example/")?.starts_with("HTTP/2 200"), "later.example is not served");
    for from in ["http://later.example", "http://www.later.example", "https://www.later.example"] {
        leads(&bench.visit(&format!("{from}/a?b=c"))?, "https://later.example/a?b=c")?;
    }
    served(bench)
}

/// A way that leads out and not in again, an IPv6 address that nobody has, and old versions of TLS: all are told, and no site fails for them.
fn amiss(bench: &Bench<'_>) -> Result<()> {
    let rule = format!("OUTPUT -p tcp -d {} --dport 443 -j DROP", bench.host.address);
    bench.look(&format!("iptables -w -t raw -I {rule}; {OLD_TLS}"))?;
    records(bench, Some(Record::Aaaa("home.local".into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7))))?;
    let verify = bedplate(bench, &["verify", INVENTORY]);
    records(bench, None)?;
    bench.look(&format!("iptables -w -t raw -D {rule}; k3s kubectl -n kube-system delete tlsoption default"))?;
    let verify = verify?;
    ended(&verify, 0)?;
    ensure!(verify.stdout.contains("https://home.local at 2001:db8::7, where DNS leads, too"), "{}", verify.stdout);
    for site in ["shop.example", "home.local", "files.local"] {
        for told in [
            format!("visitors are served, but the host itself gets no answer from https://{site} at {}", bench.host.address),
            format!("{site} still takes TLS 1.0 and TLS 1.1"),
        ] {
            ensure!(verify.stdout.contains(&told), "verify lacks {told:?}:\n{}", verify.stdout);
        }
    }
    half_way(bench)
}

/// A way that leads out and in again for https alone.
fn half_way(bench: &Bench<'_>) -> Result<()> {
    let rule = format!("OUTPUT -p tcp -d {} --dport 80 -j DROP", bench.host.address);
    bench.look(&format!("iptables -w -t raw -I {rule}"))?;
    let verify = bedplate(bench, &["verify", INVENTORY]);
    bench.look(&format!("iptables -w -t raw -D {rule}"))?;
    let verify = verify?;
    ended(&verify, 0)?;
    for name in ["shop.example", "home.local", "files.local"] {
        let told = format!("the site is not what visitors see: GET http://{name}/bedplate-probe: nothing answers");
        ensure!(verify.stdout.contains(&told), "verify lacks {told:?}:\n{}", verify.stdout);
    }
    Ok(())
}

/// Puts into the made certificate's place one that ends in a month.
fn aged(bench: &Bench<'_>) -> Result<()> {
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let mut leaf = CertificateParams::new(vec!["home.local".to_owned(), "www.home.local".to_owned()])?;
    leaf.not_after = (SystemTime::now() + Duration::from_secs(30 * 24 * 3600)).into();
    let leaf = leaf.signed_by(&key, &ca)?;
    let data = json!({ "stringData": { "tls.crt": leaf.pem(), "tls.key": key.serialize_pem(), "ca.crt": ca.pem() } });
    bench.look(&format!("k3s kubectl -n shop patch secret home-tls --type=merge --patch-file=/dev/stdin <<'EOF'\n{data}\nEOF")).map(drop)
}

/// Its own CA vouches for it and nobody else does; its redirects are ours, and leave the challenge's path alone.
fn home(bench: &Bench<'_>) -> Result<()> {
    let ca = bench.project.path("tls/home-ca.pem");
    fs::write(&ca, bench.look("k3s kubectl -n shop get secret home-tls -o jsonpath='{.data.ca\\.crt}' | base64 -d")?)?;
    bench.project.save(&bench.rig.operator)?;
    let page = get(bench, "https://home.local/", &ca)?;
    ensure!(page.starts_with("http/2 200"), "home.local says {page}");
    for from in ["http://home.local", "http://www.home.local", "https://www.home.local"] {
        leads(&get(bench, &format!("{from}/a?b=c"), &ca)?, "https://home.local/a?b=c")?;
    }
    let challenge = get(bench, "http://home.local/.well-known/acme-challenge/token", &ca)?;
    ensure!(!challenge.contains("location:"), "the challenge's path says {challenge}");
    ensure!(bench.visit("https://home.local/").is_err(), "the production roots vouch for home.local");
    Ok(())
}

fn rests(bench: &Bench<'_>) -> Result<()> {
    let again = bedplate(bench, &["bootstrap", INVENTORY])?;
    ended(&again, 0)?;
    ensure!(again.stdout.contains("nothing was changed, nothing was restarted"), "{}", again.stdout);
    Ok(())
}

/// Headers and body in lower case, as a visitor gets them who trusts that file alone.
fn get(bench: &Bench<'_>, url: &str, roots: &Path) -> Result<String> {
    let mut curl = bench.rig.operator.command("curl");
    curl.args(["--silent", "--show-error", "--include", "--max-time", "10", "--cacert"]);
    Ok(run(curl.arg(roots).arg(url))?.to_lowercase())
}

fn leads(answer: &str, to: &str) -> Result<()> {
    let answer = answer.to_lowercase();
    let first = answer.lines().next().unwrap_or_default();
    ensure!(first.contains(" 301") && answer.contains(&format!("location: {to}\r")), "a redirect to {to} is expected: {answer}");
    Ok(())
}

/// A CA of the user's, and what it issued.
fn authority(bench: &Bench<'_>) -> Result<()> {
    let mut own = CertificateParams::default();
    own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    own.distinguished_name.push(DnType::CommonName, "own");
    let own = CertifiedIssuer::self_signed(own, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let leaf = CertificateParams::new(vec!["files.local".to_owned()])?.signed_by(&key, &own)?;
    fs::create_dir_all(bench.project.path("tls"))?;
    for (name, text) in [("ca.pem", own.pem()), ("files.pem", leaf.pem()), ("files.key", key.serialize_pem())] {
        fs::write(bench.project.path("tls").join(name), text)?;
    }
    Ok(())
}

/// The project's inventory with these sites, each by a playbook of its own.
fn write(bench: &Bench<'_>, pages: &[Page]) -> Result<()> {
    let mut inventory = bench.project.inventory.clone();
    fs::create_dir_all(bench.project.path("playbooks"))?;
    let mut books = Table::new();
    for Page { name, domain, tls, more, check } in pages {
        let book = format!(
            "[[steps]]\nmanifest = '''\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: {name}\n  namespace: shop\n  \
             annotations: {{{more}}}\nspec:\n  ingressClassName: traefik\n  {tls}\n  rules: [{{host: {domain}, http: {{paths: [{{path: /, \
             pathType: Prefix, backend: {{service: {{name: web, port: {{name: http}}}}}}}}]}}}}]\n'''\n\n[[steps]]\n\
             check = {{ release = \"{name}\", domain = \"{domain}\", {check}, checks = [{{ path = \"/\" }}] }}\n"
        );
        fs::write(bench.project.path(format!("playbooks/{name}.toml")), book)?;
        books.insert((*name).to_owned(), Value::Table(Table::new()));
    }
    inventory.insert("playbooks".into(), Value::Table(books));
    fs::write(bench.project.path(INVENTORY), toml::to_string(&inventory)?)?;
    bench.project.save(&bench.rig.operator)
}
