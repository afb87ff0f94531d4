//! The rig's DNS, which says what a test wants it to say.

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};

use anyhow::Result;
use rustix::process::Signal;

use super::daemon::Daemon;
use super::network::{BRIDGE, RESOLVERS, inside};
use super::place::Place;

const NAME: &str = "dnsmasq";

/// One record, answered at the bridge and at the public resolvers' addresses.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// A name's IPv4 address.
    A(String, Ipv4Addr),
    /// A name's IPv6 address.
    Aaaa(String, Ipv6Addr),
    /// Which authority may issue for a name: tag (`issue`, `issuewild`, `iodef`) and value, see RFC 8659.
    Caa(String, String, String),
}

/// Makes these the only records that exist; every other name is answered by NXDOMAIN. Nothing is cached, so what is asked
/// afterwards gets the new answer.
pub fn set(place: &Place, records: &[Record]) -> Result<()> {
    let path = place.folder("dns")?.join("dnsmasq.conf");
    let text = config(records);
    let running = Daemon::find(place, NAME)?;
    if let Some(daemon) = running {
        if fs::read_to_string(&path).is_ok_and(|old| old == text) {
            return Ok(());
        }
        daemon.end(place, Signal::TERM)?;
    }
    fs::write(&path, text)?;
    let mut dnsmasq = inside("dnsmasq");
    dnsmasq.arg("--keep-in-foreground").arg(format!("--conf-file={}", path.display()));
    Daemon::start(place, NAME, &dnsmasq)?.listens(place, 53)
}

fn config(records: &[Record]) -> String {
    let mut lines: Vec<String> =
        ["bind-interfaces", "no-resolv", "no-hosts", "cache-size=0", "user=root", "local=/#/", "pid-file="].map(String::from).into();
    lines.extend([BRIDGE].iter().chain(&RESOLVERS).map(|address| format!("listen-address={address}")));
    lines.extend(records.iter().map(|record| match record {
        Record::A(name, address) => format!("host-record={name},{address}"),
        Record::Aaaa(name, address) => format!("host-record={name},{address}"),
        Record::Caa(name, tag, value) => format!("caa-record={name},0,{tag},{value}"),
    }));
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_as_dnsmasq_writes_them() {
        let name = "shop.example".to_owned();
        let text = config(&[
            Record::A(name.clone(), Ipv4Addr::new(203, 0, 113, 10)),
            Record::Aaaa(name.clone(), Ipv6Addr::LOCALHOST),
            Record::Caa(name, "issue".into(), "ca.example".into()),
        ]);
        let records = "host-record=shop.example,203.0.113.10\nhost-record=shop.example,::1\n\
                       caa-record=shop.example,0,issue,ca.example\n";
        assert!(text.ends_with(records), "{text}");
        assert!(text.contains("\nlisten-address=203.0.113.1\nlisten-address=1.1.1.1\n"), "{text}");
    }
}
