//! Inventories of any shape, as text: what users write.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

const NAMESPACES: [&str; 3] = ["shop", "blog", "data"];
const KEYS: [&str; 6] = [
    "secrets-encryption = true",
    "tls-san = [\"203.0.113.10\"]",
    "disable = [\"metrics-server\"]",
    "node-label = [\"a=b\"]",
    "kubelet-arg = [\"max-pods=50\"]",
    "https-listen-port = 6444",
];
const ENV: [&str; 4] = ["GOOGLE_CLIENT_ID", "RESEND_API_KEY", "EMAIL_FROM", "ADMIN_EMAILS"];
const AGENT_KEYS: [&str; 3] = ["labels = { disk = \"ssd\" }", "taints = [\"dedicated=db:NoSchedule\"]", "node_ip = \"10.0.0.2\""];
const REGISTRIES: &str = "[registries.mirrors.\"docker.io\"]\nendpoint = [\"http://203.0.113.1:5000\"]\n";

/// How a release is seen from outside.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Face {
    None,
    Plain,
    Acme,
}

#[derive(Clone, Debug)]
pub struct Shape {
    user: &'static str,
    source: &'static str,
    access: &'static str,
    keys: Vec<&'static str>,
    registries: bool,
    images: usize,
    jwt_keys: Vec<&'static str>,
    secrets: Vec<(&'static str, Vec<&'static str>, bool)>,
    releases: Vec<(&'static str, Face)>,
    hello: bool,
    agents: Vec<(&'static str, Vec<&'static str>)>,
}

pub fn shapes() -> impl Strategy<Value = Shape> {
    let secret = (select(&NAMESPACES[..]), subsequence(&ENV[..], 0..=ENV.len()), any::<bool>());
    let release = (select(&NAMESPACES[..]), select(&[Face::None, Face::Plain, Face::Acme][..]));
    let host =
        (select(&["root", "appuser"][..]), select(&["upstream", "https://mirror.example/k3s"][..]), select(&["tunnel", "direct"][..]));
    let cluster = (subsequence(&KEYS[..], 0..=KEYS.len()), any::<bool>(), 0..3usize);
    let application = (vec(select(&NAMESPACES[..]), 0..3), vec(secret, 0..4), vec(release, 0..4), any::<bool>());
    let agent = (select(&["root", "appuser"][..]), subsequence(&AGENT_KEYS[..], 0..=AGENT_KEYS.len()));
    let agents = prop_oneof![2 => Just(Vec::new()), 1 => vec(agent, 1..3)];
    (host, cluster, application, agents).prop_map(|(host, cluster, application, agents)| {
        let ((user, source, access), (keys, registries, images)) = (host, cluster);
        let (jwt_keys, secrets, releases, hello) = application;
        Shape { user, source, access, keys, registries, images, jwt_keys, secrets, releases, hello, agents }
    })
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user, source, access, .. } = self;
        writeln!(f, "name = \"any\"\nsource = \"{source}\"\n[[hosts]]\nname = \"droplet\"\naddress = \"203.0.113.10\"\nuser = \"{user}\"")?;
        for (n, (user, keys)) in self.agents.iter().enumerate() {
            let (number, keys) = (n + 11, keys.join("\n"));
            writeln!(f, "[[hosts]]\nname = \"agent{n}\"\naddress = \"203.0.113.{number}\"\nrole = \"agent\"\nuser = \"{user}\"\n{keys}")?;
        }
        writeln!(f, "[versions]\nk3s = \"v1.35.5+k3s1\"\nhelm = \"v4.2.4\"\ncert-manager = \"v1.21.1\"")?;
        writeln!(f, "[k3s]\n{}", self.keys.join("\n"))?;
        writeln!(f, "[kubeconfig]\npath = \"~/.kube/config\"\naccess = \"{access}\"")?;
        writeln!(f, "[acme]\nemail = \"ops@shop.example\"")?;
        if self.registries {
            f.write_str(REGISTRIES)?;
        }
        if self.hello {
            writeln!(f, "[playbooks.hello]\ndomain = \"hello.example\"")?;
        }
        writeln!(f, "[images]")?;
        (0..self.images).try_for_each(|n| writeln!(f, "image{n} = \"dist/image{n}.tar\""))?;
        for (n, namespace) in self.jwt_keys.iter().enumerate() {
            writeln!(f, "[[jwt_keys]]\nsecret = \"keys{n}\"\nnamespace = \"{namespace}\"")?;
        }
        for (n, (namespace, allow, public)) in self.secrets.iter().enumerate() {
            writeln!(f, "[[secrets]]\nname = \"secret{n}\"\nnamespace = \"{namespace}\"\nenv_file = \".env\"\nallow = {allow:?}")?;
            if *public {
                writeln!(f, "public = {{ LOGIN = \"true\" }}")?;
            }
        }
        for (n, (namespace, face)) in self.releases.iter().enumerate() {
            writeln!(
                f,
                "[[releases]]\nname = \"release{n}\"\nnamespace = \"{namespace}\"\nchart = \"chart{n}\"\nvalues = [\"values{n}.yaml\"]"
            )?;
            if *face == Face::Acme {
                writeln!(f, "issuer_value = \"ingress.clusterIssuer\"")?;
            }
        }
        for (n, (_, face)) in self.releases.iter().enumerate().filter(|(_, (_, face))| *face != Face::None) {
            let tls = if *face == Face::Acme { format!("tls = \"acme\"\ncertificate = \"tls{n}\"") } else { "tls = \"off\"".into() };
            writeln!(
                f,
                "[[sites]]\ndomain = \"site{n}.example\"\nredirect_from = [\"www.site{n}.example\"]\nrelease = \"release{n}\"\n{tls}"
            )?;
            writeln!(f, "checks = [{{ path = \"/\", status = 200, title = \"Site {n}\" }}]")?;
        }
        Ok(())
    }
}
