//! What a question looks at, in the words of an error. No value stands in it.

use std::fmt;

use super::question::{ApiQuestion, HostQuestion, OperatorQuestion, OutsideQuestion, Question, Tool, Visit};

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host, question) => write!(f, "{question} on {host}"),
            Self::Api(question) => question.fmt(f),
            Self::HelmDryRun(host, upgrade) => write!(f, "helm's dry run of {} on {host}", upgrade.name),
            Self::Outside(question) => question.fmt(f),
            Self::Hairpin(host, visit) => write!(f, "{visit} from {host}"),
            Self::Operator(question) => question.fmt(f),
        }
    }
}

impl fmt::Display for HostQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Facts => f.write_str("the machine"),
            Self::Listeners => f.write_str("listening ports"),
            Self::Stat(path) | Self::Digest(path) | Self::Content(path) => f.write_str(path),
            Self::Unit(unit) => write!(f, "unit {unit}"),
            Self::Version(Tool::K3s) => f.write_str("the version of k3s"),
            Self::Version(Tool::Helm) => f.write_str("the version of helm"),
            Self::Images | Self::Blobs | Self::Former(_) => f.write_str("containerd's images"),
            Self::Journal(unit) => write!(f, "the journal of {unit}"),
            Self::Rules(path) => write!(f, "the nftables rules of {path}"),
            Self::Encryption => f.write_str("k3s' keys for Secrets"),
            Self::Sshd => f.write_str("sshd's settings"),
            Self::Resolve(name) => write!(f, "the addresses of {name}"),
            Self::Get { url, address } => write!(f, "{url} at {address}"),
        }
    }
}

impl fmt::Display for ApiQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("the API server"),
            Self::Object(object) => object.fmt(f),
            Self::List { of, .. } | Self::Metadata { of, .. } => write!(f, "objects of kind {}", of.kind),
            Self::Secret { namespace, name } => write!(f, "secret {namespace}/{name}"),
            Self::Release { namespace, name } => write!(f, "release {namespace}/{name}"),
            Self::Login { login, .. } | Self::AnyPassword(login) => {
                write!(f, "the login of {} at pod {}/{}", login.user, login.namespace, login.pod)
            }
            Self::DryRun(manifest) => write!(f, "what applying {} would change", manifest.object()),
        }
    }
}

impl fmt::Display for OutsideQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns { name, .. } => write!(f, "DNS of {name}"),
            Self::OldTls { name, address } => write!(f, "TLS versions of {name} at {address}"),
            Self::Knock { address, port } => write!(f, "port {port} of {address}"),
            Self::Visit(visit) => visit.fmt(f),
        }
    }
}

impl fmt::Display for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Served { name, address, .. } => write!(f, "the certificate of {name} at {address}"),
            Self::Get { url, address, .. } => write!(f, "{url} at {address}"),
        }
    }
}

impl fmt::Display for OperatorQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kubeconfig(path) | Self::Chart(path) | Self::File(path) => path.display().fmt(f),
            Self::Image(source, _) => source.fmt(f),
            Self::Values(_) => f.write_str("values files"),
            Self::EnvFiles(_) => f.write_str(".env files"),
            Self::Output(program) => program.fmt(f),
            Self::Pin(artifact) => write!(f, "the pin of {artifact}"),
            Self::Clock => f.write_str("the clock"),
            Self::Zone => f.write_str("the time zone"),
        }
    }
}
