//! DNS records, by the operator's resolver and by public ones. The hosts file is never read: it hides what visitors get.

use std::net::{IpAddr, Ipv4Addr};

use hickory_resolver::ResolverBuilder;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};

use crate::model::{Answer, RecordKind, Reply, Resolver};

use super::refusal::told;

/// Resolvers that anybody may ask: Cloudflare, Google, Quad9.
const PUBLIC: [Ipv4Addr; 3] = [Ipv4Addr::new(1, 1, 1, 1), Ipv4Addr::new(8, 8, 8, 8), Ipv4Addr::new(9, 9, 9, 9)];

/// The two views of DNS; an error is why there is none.
pub struct Resolvers {
    system: Result<TokioResolver, String>,
    public: Result<TokioResolver, String>,
}

impl Resolvers {
    /// Reads `/etc/resolv.conf`; asks nothing yet.
    pub fn new() -> Self {
        Self {
            system: TokioResolver::builder_tokio().and_then(built).map_err(|error| told(&error)),
            public: asking(PUBLIC.map(IpAddr::V4)),
        }
    }

    /// All records of a kind. `NXDOMAIN` is absent, none of that kind an empty list, silence and `SERVFAIL` unreadable.
    pub async fn records(&self, name: &str, kind: RecordKind, resolver: Resolver) -> Answer {
        let resolver = match resolver {
            Resolver::System => &self.system,
            Resolver::Public => &self.public,
        };
        match resolver {
            Ok(resolver) => records(resolver, name, kind).await,
            Err(reason) => Answer::Unreadable(reason.clone()),
        }
    }
}

fn asking(servers: impl IntoIterator<Item = IpAddr>) -> Result<TokioResolver, String> {
    let servers = servers.into_iter().map(NameServerConfig::udp_and_tcp).collect();
    let config = ResolverConfig::from_name_servers(servers);
    built(TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())).map_err(|error| told(&error))
}

fn built(mut builder: ResolverBuilder<TokioRuntimeProvider>) -> Result<TokioResolver, NetError> {
    let options = builder.options_mut();
    options.use_hosts_file = ResolveHosts::Never;
    // A question is asked anew because its answer may have changed.
    options.cache_size = 0;
    builder.build()
}

async fn records(resolver: &TokioResolver, name: &str, kind: RecordKind) -> Answer {
    let wanted = match kind {
        RecordKind::A => RecordType::A,
        RecordKind::Aaaa => RecordType::AAAA,
        RecordKind::Caa => RecordType::CAA,
    };
    // The dot keeps the search list of resolv.conf out.
    match resolver.lookup(format!("{name}."), wanted).await {
        Ok(found) => {
            let mut texts: Vec<_> = found.answers().iter().filter_map(|record| text(&record.data, wanted)).collect();
            texts.sort();
            Answer::Present(Reply::Records(texts))
        }
        Err(error) if error.is_nx_domain() => Answer::Absent,
        Err(error) if error.is_no_records_found() => Answer::Present(Reply::Records(Vec::new())),
        Err(error) => Answer::Unreadable(told(&error)),
    }
}

/// A record of the wanted type, leaving out the aliases that led to it.
fn text(data: &RData, wanted: RecordType) -> Option<String> {
    (data.record_type() == wanted).then(|| data.to_string())
}

#[cfg(test)]
#[path = "dns_tests.rs"]
mod tests;
