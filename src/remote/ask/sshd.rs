//! How sshd is run, and what it takes from whom by its files (`sshd -T`).

use std::collections::BTreeSet;

use super::reply;
use crate::model::{Answer, PermitRootLogin, Reply, SSHD_DROP_IN, SSHD_UNPROVEN, STRANGER, SshdFacts};
use crate::remote::frame::Output;
use crate::remote::quote::quote;

/// Somebody whom no `Match` names, root and the login user are asked about, each as one who comes from an address of nobody's (RFC 5737). Where
/// `Match` asks for them `sshd -T` wants to be told the local address and port, too.
pub(super) fn script() -> String {
    format!(
        r#"
command -v sshd >/dev/null || exit 44
for u in ssh.service sshd.service ssh.socket sshd.socket; do
  if systemctl is-active --quiet $u; then echo "unit $u"; break; fi
done
[ ! -e {unproven} ] || echo unproven
set -f
grep -iE '^[[:space:]]*(include|match)[[:space:]=]' /etc/ssh/sshd_config | tr '="' '  ' | while read -r k v; do
  case $k in [Mm]*) break;; esac
  for p in $v; do
    case $p in /*) ;; *) p=/etc/ssh/$p;; esac
    case {drop_in} in $p) echo includes; break 2;; esac
  done
done
for u in {STRANGER} root "${{SUDO_USER:-$(id -un)}}"; do
  t=$(timeout --foreground 10 sshd -T -C "user=$u,host=192.0.2.1,addr=192.0.2.1,laddr=192.0.2.2,lport=22" 2>&1) || {{ printf '%s\n' "$t" >&2; exit 1; }}
  echo "user $u"
  printf '%s\n' "$t" | grep -E '^((password|kbdinteractive|challengeresponse)authentication|permitrootlogin) '
done
"#,
        unproven = quote(SSHD_UNPROVEN),
        drop_in = quote(SSHD_DROP_IN),
    )
}

pub(super) fn parse(output: &Output) -> Answer {
    reply(output, |text| facts(text).map(Reply::Sshd))
}

fn facts(text: &str) -> Option<SshdFacts> {
    let mut facts =
        SshdFacts { unit: None, unproven: false, includes: false, passwords: BTreeSet::new(), root_login: PermitRootLogin::Yes };
    let mut user = None;
    for line in text.lines() {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("unit", unit) => facts.unit = Some(unit.to_owned()),
            ("unproven", _) => facts.unproven = true,
            ("includes", _) => facts.includes = true,
            ("user", of) => user = Some(of),
            ("permitrootlogin", may) if user == Some("root") => {
                facts.root_login = match may {
                    "no" => PermitRootLogin::No,
                    // The former is the name until OpenSSH 7.0, which `-T` still prints in 9.2.
                    "without-password" | "prohibit-password" => PermitRootLogin::ProhibitPassword,
                    "forced-commands-only" => PermitRootLogin::ForcedCommandsOnly,
                    "yes" => PermitRootLogin::Yes,
                    _ => return None,
                };
            }
            ("permitrootlogin", _) | (_, "no") => {}
            (_, "yes") => _ = facts.passwords.insert(user?.to_owned()),
            _ => return None,
        }
    }
    user.map(|_| facts)
}

#[cfg(test)]
mod tests {
    use super::super::{ABSENT, failed, printed};
    use super::*;

    /// OpenSSH 9.2 with a `Match User deploy` that takes passwords again, in the order of its own.
    const ONE: &str = "unit ssh.service\nincludes\nuser stranger\npermitrootlogin without-password\npasswordauthentication no\nkbdinteractiveauthentication no\n\
        user root\npermitrootlogin without-password\npasswordauthentication no\nkbdinteractiveauthentication no\n\
        user deploy\npermitrootlogin without-password\npasswordauthentication yes\nkbdinteractiveauthentication no\n";

    fn read(text: &str) -> SshdFacts {
        let Answer::Present(Reply::Sshd(facts)) = parse(&printed(text)) else { panic!("{text}") };
        facts
    }

    #[test]
    fn what_each_may_do_is_told_apart() {
        let facts = read(ONE);
        assert_eq!((facts.unit.as_deref(), facts.includes, facts.unproven), (Some("ssh.service"), true, false));
        assert_eq!((facts.passwords, facts.root_login), (["deploy".to_owned()].into(), PermitRootLogin::ProhibitPassword));
        // Whether root may come in is what sshd says of root.
        let facts =
            read(&ONE.replacen("permitrootlogin without-password", "permitrootlogin yes", 1).replace("unit ssh.service", "unproven"));
        assert_eq!((facts.unit, facts.unproven, facts.root_login), (None, true, PermitRootLogin::ProhibitPassword));
        assert_eq!(read(&ONE.replace("without-password", "no")).root_login, PermitRootLogin::No);
        // By whatever name passwords are taken.
        assert_eq!(read(&ONE.replacen("kbdinteractiveauthentication no", "kbdinteractiveauthentication yes", 1)).passwords.len(), 2);
    }

    #[test]
    fn half_an_answer_is_none() {
        for text in [
            "",
            "unit ssh.service\nincludes\n",
            "permitrootlogin yes\npasswordauthentication yes\n",
            "user root\npermitrootlogin perhaps\n",
        ] {
            assert!(matches!(parse(&printed(text)), Answer::Unreadable(_)), "{text}");
        }
        assert_eq!(parse(&failed(ABSENT, "")), Answer::Absent);
    }
}
