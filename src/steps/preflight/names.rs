//! DNS of every site, as the operator, the host and, where a CA must find it, the public resolvers see it. A mismatch stops no step but the
//! certificate's.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::findings::Findings;
use crate::inventory::{Host, Inventory, Site, Tls};
use crate::model::{Finding, HostQuestion, Missing, OutsideQuestion, Question, RecordKind, Resolver, View, Why};

const KINDS: [RecordKind; 2] = [RecordKind::A, RecordKind::Aaaa];
const RESOLVERS: [(Resolver, &str); 2] = [(Resolver::System, "by this machine's resolver"), (Resolver::Public, "by public resolvers")];

/// Cloudflare's proxies, as published by Cloudflare (IP ranges).
const PROXIES: [&str; 22] = [
    "103.21.244.0/22",
    "103.22.200.0/22",
    "103.31.4.0/22",
    "104.16.0.0/13",
    "104.24.0.0/14",
    "108.162.192.0/18",
    "131.0.72.0/22",
    "141.101.64.0/18",
    "162.158.0.0/15",
    "172.64.0.0/13",
    "173.245.48.0/20",
    "188.114.96.0/20",
    "190.93.240.0/20",
    "197.234.240.0/22",
    "198.41.128.0/17",
    "2400:cb00::/32",
    "2405:8100::/32",
    "2405:b500::/32",
    "2606:4700::/32",
    "2803:f800::/32",
    "2a06:98c0::/29",
    "2c0f:f248::/32",
];

/// What one resolver says of a name.
type Told = Result<BTreeSet<IpAddr>, String>;

/// Every name, and who must find it.
fn names(inventory: &Inventory) -> impl Iterator<Item = (&str, Audience)> {
    inventory.sites.iter().flat_map(|site| site.names().map(|name| (name, Audience::of(site))))
}

/// Who must find a site.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Audience {
    /// A CA as well.
    World,
    /// Its visitors, who may know it by multicast DNS or a hosts file.
    Visitors,
}

impl Audience {
    fn of(site: &Site) -> Self {
        if site.tls == Tls::Acme { Self::World } else { Self::Visitors }
    }

    fn resolvers(self) -> &'static [(Resolver, &'static str)] {
        match self {
            Self::World => &RESOLVERS,
            Self::Visitors => &RESOLVERS[..1],
        }
    }
}

/// What must be known of each name.
pub fn questions(inventory: &Inventory, seen: &View<'_>) -> Vec<Question> {
    let mut questions = Vec::new();
    for (name, audience) in names(inventory) {
        questions.push(seen.ask(HostQuestion::Resolve(name.into())));
        for (resolver, _) in audience.resolvers() {
            questions.extend(KINDS.map(|kind| Question::Outside(OutsideQuestion::Dns { name: name.into(), kind, resolver: *resolver })));
        }
    }
    questions
}

/// One warning a name that does not lead to this host, and to it alone; IPv6 addresses of its own are as good.
///
/// # Errors
/// A question was not asked.
pub fn resolve(inventory: &Inventory, host: &Host, seen: &View<'_>, findings: &mut Findings) -> Result<(), Missing> {
    let Some(wanted) = host.visible_ip() else {
        if !inventory.sites.is_empty() {
            let cure = format!("set `public_ip` of {}", host.name);
            findings.warn("nothing says which address visitors find, so DNS was not compared", cure);
        }
        return Ok(());
    };
    let own: BTreeSet<IpAddr> = seen.facts()?.addresses.iter().copied().filter(is_public_six).collect();
    for (name, audience) in names(inventory) {
        let mut told = Vec::new();
        for (resolver, whose) in audience.resolvers() {
            told.push((public(seen, name, *resolver)?, *whose));
        }
        told.push((readable(seen.resolved(name).map(|found| found.into_iter().flatten().copied().collect()))?, "on the host"));
        if audience == Audience::Visitors {
            told.retain(|(told, _)| told.as_ref().is_ok_and(|found| !found.is_empty()));
        }
        if let Some(Finding { what, cure }) = judge(name, audience, (wanted, &own), &told) {
            findings.warn(what, cure);
        }
    }
    Ok(())
}

/// A and AAAA of a name by one of the operator's resolvers.
fn public(seen: &View<'_>, name: &str, resolver: Resolver) -> Result<Told, Missing> {
    let mut all = BTreeSet::new();
    for kind in KINDS {
        let found =
            seen.records(name, kind, resolver).map(|records| records.into_iter().flatten().filter_map(|text| text.parse().ok()).collect());
        match readable(found)? {
            Ok(found) => all.extend::<BTreeSet<IpAddr>>(found),
            Err(reason) => return Ok(Err(reason)),
        }
    }
    Ok(Ok(all))
}

/// A resolver that does not answer is a finding, not an end.
fn readable(answer: Result<BTreeSet<IpAddr>, Missing>) -> Result<Told, Missing> {
    match answer {
        Ok(found) => Ok(Ok(found)),
        Err(Missing { why: Why::Unreadable(reason), .. }) => Ok(Err(reason)),
        Err(missing) => Err(missing),
    }
}

/// What is amiss with a name; none: it leads to `wanted`, and at most to `own` addresses besides, whomever one asks.
fn judge(name: &str, audience: Audience, (wanted, own): (IpAddr, &BTreeSet<IpAddr>), told: &[(Told, &str)]) -> Option<Finding> {
    let wrong: Vec<String> =
        told.iter().filter_map(|(told, whose)| amiss(told, wanted, own).map(|what| format!("{what} {whose}"))).collect();
    if wrong.is_empty() {
        return None;
    }
    let proxied = told.iter().filter_map(|(told, _)| told.as_ref().ok()).flatten().any(is_proxy);
    let cure = if proxied {
        "Cloudflare proxies it: switch the record to DNS only, or the CA never reaches the host".to_owned()
    } else {
        let waits = if audience == Audience::World { "; its certificate waits for that" } else { "" };
        format!("point its records at {wanted} and delete others, AAAA too{waits}")
    };
    Some(Finding::new(format!("{name} must lead to {wanted} alone, but {}", wrong.join(", ")), cure))
}

fn amiss(told: &Told, wanted: IpAddr, own: &BTreeSet<IpAddr>) -> Option<String> {
    let found = match told {
        Err(reason) => return Some(format!("can't be resolved ({reason})")),
        Ok(found) if found.is_empty() => return Some("has no address".into()),
        Ok(found) => found,
    };
    let leads = |ip: &IpAddr| *ip == wanted || own.contains(ip) && found.contains(&wanted);
    let others: Vec<_> = found.iter().filter(|ip| !leads(ip)).map(IpAddr::to_string).collect();
    (!others.is_empty()).then(|| format!("is {}", others.join(" and ")))
}

/// Of the Internet's own (RFC 4291: 2000::/3).
fn is_public_six(ip: &IpAddr) -> bool {
    matches!(ip, IpAddr::V6(six) if six.segments()[0] >> 13 == 1)
}

fn is_proxy(ip: &IpAddr) -> bool {
    PROXIES.iter().filter_map(|text| text.parse::<IpNet>().ok()).any(|network| network.contains(ip))
}
