//! Names as the host's own resolver sees them.

use std::net::IpAddr;

use super::reply;
use crate::model::{Answer, Reply};
use crate::remote::frame::Output;
use crate::remote::quote::quote;

/// `-A`: both families, whichever the host has itself.
pub(super) fn script(name: &str) -> String {
    format!("timeout --foreground 15 getent -A ahosts {}", quote(name))
}

/// A line an address and a kind of socket. getent says 2 for a name that it can't find, whatever the reason.
pub(super) fn parse(output: &Output) -> Answer {
    if output.status == 2 {
        return Answer::Absent;
    }
    reply(output, |text| {
        let mut found = Vec::new();
        for line in text.lines() {
            let address: IpAddr = line.split_whitespace().next()?.split('%').next()?.parse().ok()?;
            if !found.contains(&address) {
                found.push(address);
            }
        }
        Some(Reply::Addresses(found))
    })
}

#[cfg(test)]
mod tests {
    use super::super::{failed, printed};
    use super::*;

    #[test]
    fn addresses_once_each() {
        let text = "203.0.113.10    STREAM azat.test\n203.0.113.10    DGRAM  \n203.0.113.10    RAW    \n2001:db8::1     STREAM \n2001:db8::1     DGRAM  \n";
        let found = ["203.0.113.10", "2001:db8::1"].map(|text| text.parse().unwrap()).to_vec();
        assert_eq!(parse(&printed(text)), Answer::Present(Reply::Addresses(found)));
    }

    #[test]
    fn an_unknown_name_is_absent_and_a_slow_resolver_unreadable() {
        assert_eq!(parse(&failed(2, "")), Answer::Absent);
        assert_eq!(parse(&failed(124, "")), Answer::Unreadable("no answer in time".into()));
    }
}
