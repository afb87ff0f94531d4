//! `[firewall]`: the doors of every host that are open to everybody.

use std::collections::BTreeSet;

use serde::Deserialize;

/// What comes from other nodes, from pods, and in answer to what the host asked gets in besides.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Firewall {
    /// Ports with their protocols: `"22/tcp"`, `"51820/udp"`.
    pub open: Vec<String>,
}

/// Ports have one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `22/tcp`.
    Tcp,
    /// `51820/udp`.
    Udp,
}

impl Firewall {
    /// Open TCP ports.
    #[must_use]
    pub fn tcp(&self) -> BTreeSet<u16> {
        self.ports(Protocol::Tcp)
    }

    /// Open UDP ports.
    #[must_use]
    pub fn udp(&self) -> BTreeSet<u16> {
        self.ports(Protocol::Udp)
    }

    fn ports(&self, wanted: Protocol) -> BTreeSet<u16> {
        self.open.iter().filter_map(|text| door(text)).filter(|(_, protocol)| *protocol == wanted).map(|(port, _)| port).collect()
    }
}

/// `22/tcp` -> 22 and TCP.
pub(super) fn door(text: &str) -> Option<(u16, Protocol)> {
    let (port, protocol) = text.split_once('/')?;
    let protocol = match protocol {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        _ => return None,
    };
    let plain = port.bytes().all(|byte| byte.is_ascii_digit());
    port.parse().ok().filter(|port| plain && *port > 0).map(|port| (port, protocol))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_is_a_port_and_its_protocol() {
        assert_eq!(door("22/tcp"), Some((22, Protocol::Tcp)));
        assert_eq!(door("65535/udp"), Some((65535, Protocol::Udp)));
        for text in ["22", "22/", "/tcp", "0/tcp", "65536/tcp", "+22/tcp", "22/sctp", " 22/tcp", "22/TCP", "ssh/tcp"] {
            assert_eq!(door(text), None, "{text}");
        }
    }
}
