//! TCP sockets in LISTEN.

use std::net::{IpAddr, Ipv6Addr};

use super::reply;
use crate::model::{Answer, Listener, Reply};
use crate::remote::frame::Output;

pub(super) const SCRIPT: &str = "timeout --foreground 20 ss -H -tlnp";

/// `LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=1,fd=3))` (iproute2: misc/ss.c).
pub(super) fn parse(output: &Output) -> Answer {
    reply(output, |text| text.lines().map(listener).collect::<Option<Vec<_>>>().map(Reply::Listeners))
}

fn listener(line: &str) -> Option<Listener> {
    let mut words = line.split_whitespace();
    let (address, port) = words.nth(3)?.rsplit_once(':')?;
    let process = line.split_once("((\"").and_then(|(_, rest)| rest.split_once('"')).map_or("", |(name, _)| name);
    Some(Listener { address: any_or(address)?, port: port.parse().ok()?, process: process.to_owned() })
}

/// `*` is any address of both families; a scope stands behind `%`, IPv6 in brackets.
fn any_or(address: &str) -> Option<IpAddr> {
    if address == "*" {
        return Some(Ipv6Addr::UNSPECIFIED.into());
    }
    address.trim_start_matches('[').split(['%', ']']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::{failed, printed};
    use super::*;

    #[test]
    fn all_forms_of_addresses() {
        let text = concat!(
            "LISTEN 0      128          0.0.0.0:22        0.0.0.0:*    users:((\"sshd\",pid=712,fd=3))                  \n",
            "LISTEN 0      4096   127.0.0.53%lo:53        0.0.0.0:*    users:((\"systemd-resolve\",pid=500,fd=14))\n",
            "LISTEN 0      511             [::]:80           [::]:*    users:((\"nginx\",pid=9,fd=7),(\"nginx\",pid=8,fd=7))\n",
            "LISTEN 0      4096               *:6443            *:*    users:((\"k3s-server\",pid=900,fd=12))\n",
            "LISTEN 0      4096  [fe80::1]%eth0:546          [::]:*\n",
        );
        let Answer::Present(Reply::Listeners(found)) = parse(&printed(text)) else { panic!() };
        let seen: Vec<_> = found.iter().map(|one| (one.address.to_string(), one.port, one.process.as_str())).collect();
        assert_eq!(
            seen,
            [
                ("0.0.0.0".into(), 22, "sshd"),
                ("127.0.0.53".into(), 53, "systemd-resolve"),
                ("::".into(), 80, "nginx"),
                ("::".into(), 6443, "k3s-server"),
                ("fe80::1".to_owned(), 546, ""),
            ]
        );
    }

    #[test]
    fn without_ss_it_is_unreadable() {
        let missing = failed(127, "timeout: failed to run command 'ss': No such file or directory\n");
        assert!(matches!(parse(&missing), Answer::Unreadable(why) if why.contains("'ss'")));
        assert_eq!(parse(&printed("")), Answer::Present(Reply::Listeners(vec![])));
    }
}
