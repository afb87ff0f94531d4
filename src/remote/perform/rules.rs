//! nftables' rules. A reboot reads the file, and so what was proven; what is tried lies in no file.

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
        ready: format!("{}printf '%s\\n' \"$r\" | nft -c -f -\n", received(rules.content.bytes())),
        enforce: "printf '%s\\n' \"$r\" | nft -f -\n".into(),
        back: format!("nft -f {path} || nft delete table inet bedplate"),
        keep: file::write(rules),
        settle: format!("nft -f {path}\n"),
        shuts: |refusal| matches!(refusal, LoginRefusal::NoAnswer | LoginRefusal::PortClosed),
        cure: "open in [firewall] the port on which the host's sshd listens, then run again",
    }
}

/// Takes the payload into `$r`, without newlines at its end. One that was cut short has another size.
fn received(rules: &[u8]) -> String {
    let size = rules.len() - rules.iter().rev().take_while(|&&byte| byte == b'\n').count();
    format!("r=$(cat)\n[ \"${{#r}}\" = {size} ] || {{ echo 'not all bytes arrived' >&2; exit 1; }}\n")
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
