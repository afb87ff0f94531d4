//! nftables' rules. A reboot reads the file, and so what was proven.

use super::file;
use super::guard::Trial;
use crate::model::FileWrite;
use crate::remote::quote::quote;
use crate::remote::refusal::LoginRefusal;

/// How rules are tried. From the moment on when the file bears its name, the switch would enforce the same.
pub(super) fn trial(rules: &FileWrite) -> Trial {
    let path = quote(&rules.path);
    Trial {
        of: "rules",
        path: rules.path.clone(),
        ready: format!("{}nft -c -f \"$t\"\n", file::received(rules)),
        enforce: "nft -f \"$t\"\n".into(),
        back: format!("nft -f {path} || nft delete table inet bedplate"),
        keep: file::write(rules),
        settle: format!("nft -f {path}\n"),
        shuts: |refusal| matches!(refusal, LoginRefusal::NoAnswer | LoginRefusal::PortClosed),
        cure: "open in [firewall] the port on which the host's sshd listens, then run again",
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
