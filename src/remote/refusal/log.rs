//! What ssh logs at level DEBUG1 (openssh-portable: ssh.c, sshconnect.c, sshconnect2.c, kex.c; the texts are not translated). A banner
//! stands among it, so texts are looked for where ssh puts them in a line.

use std::path::Path;

use super::login::{Accused, Agent, LoginRefusal, Throttle};

/// The lines that ssh logs without `-v`, its version left out.
pub(super) fn plain(said: &str) -> impl Iterator<Item = &str> {
    lines(said).filter(|line| !line.starts_with("debug") && !line.starts_with("OpenSSH_"))
}

fn lines(said: &str) -> impl Iterator<Item = &str> {
    said.lines().map(str::trim).filter(|line| !line.is_empty())
}

pub(super) fn refusal(said: &str) -> LoginRefusal {
    let any = |test: &dyn Fn(&str) -> bool| lines(said).any(test);
    if any(&|line| line.contains("REMOTE HOST IDENTIFICATION HAS CHANGED") || line.contains("has been revoked")) {
        LoginRefusal::KeyChanged
    } else if any(&|line| line.starts_with("Host key verification failed") || line.contains(" host key is known for ")) {
        LoginRefusal::KeyUnknown(None)
    } else if let Some(words) = lines(said).find_map(|line| line.strip_prefix("Stdio forwarding request failed")) {
        LoginRefusal::JumpRefused(words.trim_start_matches([':', ' ']).to_owned())
    } else if any(&|line| line.ends_with("Too many authentication failures")) {
        LoginRefusal::TooManyKeys(offered(said).count())
    } else if let Some(accepted) = accepted(said) {
        after_acceptance(said, accepted)
    } else if let Some(methods) = lines(said).find_map(|line| line.split_once(": Permission denied (")) {
        before_acceptance(said, methods.1.trim_end_matches([')', '.']))
    } else {
        unreached(said)
    }
}

/// Nobody got as far as keys.
fn unreached(said: &str) -> LoginRefusal {
    let any = |test: &dyn Fn(&str) -> bool| lines(said).any(test);
    let banner = |text: &str| any(&|line| line.contains("kex_exchange_identification: banner line") && line.ends_with(text));
    if any(&|line| line.starts_with("ssh: Could not resolve hostname")) {
        LoginRefusal::NameUnknown
    } else if any(&|line| line.starts_with("ssh: connect to host") && line.ends_with("Connection refused")) {
        LoginRefusal::PortClosed
    } else if any(&|line| line.starts_with("ssh: connect to host") || line.contains("timed out")) {
        LoginRefusal::NoAnswer
    } else if banner("Exceeded MaxStartups") {
        LoginRefusal::Throttled(Throttle::MaxStartups)
    } else if banner("Not allowed at this time") {
        LoginRefusal::Throttled(Throttle::NotNow)
    } else if any(&|line| {
        line.starts_with("kex_exchange_identification: Connection closed") || line.starts_with("kex_exchange_identification: read: ")
    }) {
        LoginRefusal::Throttled(Throttle::Silent)
    } else {
        LoginRefusal::Other
    }
}

/// sshd knows the key. Either it could not be used, or the user is not let in all the same.
fn after_acceptance(said: &str, accepted: &str) -> LoginRefusal {
    let any = |test: &dyn Fn(&str) -> bool| lines(said).any(test);
    let after =
        said.rsplit_once("debug1: Server accepts key: ").map_or("", |(_, after)| after.split_once('\n').map_or("", |(_, rest)| rest));
    let hung_up = |line: &str| {
        ["Connection closed by ", "Received disconnect from ", "Connection reset by "].iter().any(|text| line.starts_with(text))
    };
    if any(&hung_up) {
        let words: Vec<&str> = plain(after).take_while(|line| !hung_up(line)).collect();
        return LoginRefusal::AccountDenied(words.join(" "));
    }
    let why = if any(&|line| line.contains("agent refused operation")) {
        Accused::Agent
    } else if any(&|line| line.starts_with("Load key ") && line.ends_with("bad permissions")) {
        Accused::Open
    } else {
        Accused::Locked
    };
    LoginRefusal::KeyUnusable(file(accepted).to_owned(), why)
}

/// sshd knows no key that it was offered, if it was offered any.
fn before_acceptance(said: &str, methods: &str) -> LoginRefusal {
    let offered: Vec<String> = offered(said).map(shown).collect();
    let any = |test: &dyn Fn(&str) -> bool| lines(said).any(test);
    if !offered.is_empty() {
        LoginRefusal::KeysRefused(offered)
    } else if !methods.split(',').any(|method| method == "publickey") {
        LoginRefusal::KeysNotTaken(methods.replace(',', ", "))
    } else if let Some(file) = tried(said).find(|file| Path::new(file).exists()) {
        // A key without a .pub beside it, in a format that hides its public half behind the passphrase.
        LoginRefusal::KeyUnusable(file.to_owned(), Accused::Locked)
    } else if any(&|line| line.starts_with("debug1: get_agent_identities") && line.ends_with("agent contains no identities")) {
        LoginRefusal::NoKey(Agent::Empty)
    } else if any(&|line| line.starts_with("debug1: get_agent_identities") && line.contains("ssh_get_authentication_socket")) {
        LoginRefusal::NoKey(Agent::Gone)
    } else {
        LoginRefusal::NoKey(Agent::Absent)
    }
}

/// `/home/azat/.ssh/id_ed25519 ED25519 SHA256:… agent`, a key a line.
fn offered(said: &str) -> impl Iterator<Item = &str> {
    lines(said).filter_map(|line| line.strip_prefix("debug1: Offering public key: "))
}

/// The last key that sshd would take, in the same form.
fn accepted(said: &str) -> Option<&str> {
    lines(said).filter_map(|line| line.strip_prefix("debug1: Server accepts key: ")).last()
}

/// Files that ssh looked for when it had no public half to offer.
fn tried(said: &str) -> impl Iterator<Item = &str> {
    lines(said).filter_map(|line| line.strip_prefix("debug1: Trying private key: "))
}

/// The key without the fingerprint.
fn shown(key: &str) -> String {
    let agent = if key.ends_with(" agent") { " (agent)" } else { "" };
    format!("{}{agent}", file(key))
}

/// Its file, or what the agent calls it. Type and fingerprint stand behind it; it may hold blanks itself.
fn file(key: &str) -> &str {
    key.split_once(" SHA256:").and_then(|(front, _)| front.rsplit_once(' ')).map_or(key, |(file, _)| file)
}

#[cfg(test)]
mod tests {
    use super::super::login::LoginRefusal as Refusal;
    use super::*;

    /// What OpenSSH 9.2 logs before it comes to keys, in parts.
    const BEFORE: &str = "OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19 27 Jan 2026\r\ndebug1: Connection established.\r\n\
                          debug1: identity file /home/azat/.ssh/id_ed25519 type 3\r\n";
    const CONTINUE: &str = "debug1: Authentications that can continue: publickey,password\r\n";
    const KEY: &str = "/home/azat/my keys/id ED25519 SHA256:5Z4Z8eMhAPKoNnjmEIDUEeihnXRMbD5Bn2Uvsk30SWo";
    const END: &str = "debug1: No more authentication methods to try.\r\nazat@203.0.113.10: Permission denied (publickey,password).\r\n";

    fn of(parts: &[&str]) -> Refusal {
        refusal(&[&[BEFORE], parts].concat().concat())
    }

    #[test]
    fn without_a_key_the_agent_is_to_blame_if_there_is_one() {
        let tried = "debug1: Trying private key: /home/azat/.ssh/id_none\r\n";
        let agent = |said: &str| format!("debug1: get_agent_identities: {said}\r\n");
        assert_eq!(of(&[CONTINUE, tried, END]), Refusal::NoKey(Agent::Absent));
        let gone = agent("ssh_get_authentication_socket: No such file or directory");
        assert_eq!(of(&[&gone, CONTINUE, tried, END]), Refusal::NoKey(Agent::Gone));
        let empty = agent("bound agent to hostkey") + &agent("ssh_fetch_identitylist: agent contains no identities");
        assert_eq!(of(&[&empty, CONTINUE, tried, END]), Refusal::NoKey(Agent::Empty));
    }

    #[test]
    fn a_key_in_a_file_that_tells_nothing_is_locked() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        let tried = format!("debug1: Trying private key: {path}\r\n");
        assert_eq!(of(&[CONTINUE, &tried, END]), Refusal::KeyUnusable(path.into(), Accused::Locked));
    }

    #[test]
    fn keys_that_were_offered_are_named() {
        let offered =
            format!("debug1: Offering public key: {KEY} explicit\r\n{CONTINUE}debug1: Offering public key: laptop RSA SHA256:A agent\r\n");
        let keys = vec!["/home/azat/my keys/id".into(), "laptop (agent)".into()];
        assert_eq!(of(&[CONTINUE, &offered, CONTINUE, END]), Refusal::KeysRefused(keys));
        let many = "Received disconnect from 203.0.113.10 port 22:2: Too many authentication failures\r\nDisconnected from 203.0.113.10 port 22\r\n";
        assert_eq!(of(&[CONTINUE, &offered, many]), Refusal::TooManyKeys(2));
    }

    #[test]
    fn a_key_that_was_accepted_could_not_be_used() {
        let accepted = format!("debug1: Offering public key: {KEY} explicit\r\ndebug1: Server accepts key: {KEY} explicit\r\n");
        let unusable = |why| Refusal::KeyUnusable("/home/azat/my keys/id".into(), why);
        assert_eq!(of(&[CONTINUE, &accepted, END]), unusable(Accused::Locked));
        let open = "Permissions 0644 for '/home/azat/my keys/id' are too open.\r\nLoad key \"/home/azat/my keys/id\": bad permissions\r\n";
        assert_eq!(of(&[CONTINUE, &accepted, open, END]), unusable(Accused::Open));
        let agent = "sign_and_send_pubkey: signing failed for ED25519 \"x\" from agent: agent refused operation\r\n";
        assert_eq!(of(&[CONTINUE, &accepted, agent, END]), unusable(Accused::Agent));
        let account =
            "Your account has expired; please contact your system administrator.\r\n\r\nConnection closed by 203.0.113.10 port 22\r\n";
        let words = "Your account has expired; please contact your system administrator.";
        assert_eq!(of(&["Welcome!\r\n", CONTINUE, &accepted, account]), Refusal::AccountDenied(words.into()));
    }

    #[test]
    fn a_sshd_without_keys_is_told_from_one_that_refuses_them() {
        let end = "azat@203.0.113.10: Permission denied (password,keyboard-interactive).\r\n";
        assert_eq!(of(&[end]), Refusal::KeysNotTaken("password, keyboard-interactive".into()));
    }

    #[test]
    fn whoever_hangs_up_at_once_may_say_why() {
        let banner = |words: &str| format!("debug1: kex_exchange_identification: banner line 0: {words}\r\n");
        let reset = "kex_exchange_identification: read: Connection reset by peer\r\nConnection reset by 203.0.113.10 port 22\r\n";
        let closed = "kex_exchange_identification: Connection closed by remote host\r\nConnection closed by 203.0.113.10 port 22\r\n";
        assert_eq!(of(&[&banner("Exceeded MaxStartups"), reset]), Refusal::Throttled(Throttle::MaxStartups));
        assert_eq!(of(&[&banner("Not allowed at this time"), closed]), Refusal::Throttled(Throttle::NotNow));
        assert_eq!(of(&[closed]), Refusal::Throttled(Throttle::Silent));
        let jump = "Stdio forwarding request failed: Session open refused by peer\r\n";
        assert_eq!(of(&[jump, closed]), Refusal::JumpRefused("Session open refused by peer".into()));
    }

    #[test]
    fn a_host_that_is_not_reached() {
        let resolve = "ssh: Could not resolve hostname absent.example: Name or service not known\r\n";
        assert_eq!(of(&[resolve]), Refusal::NameUnknown);
        assert_eq!(of(&["ssh: connect to host 203.0.113.10 port 22: Connection refused\r\n"]), Refusal::PortClosed);
        assert_eq!(of(&["ssh: connect to host 203.0.113.10 port 22: No route to host\r\n"]), Refusal::NoAnswer);
        assert_eq!(
            of(&["Connection timed out during banner exchange\r\nConnection to 203.0.113.10 port 22 timed out\r\n"]),
            Refusal::NoAnswer
        );
    }

    #[test]
    fn a_banner_decides_nothing() {
        let banner = "ask azat if Connection refused, timed out, or: REMOTE HOST\r\n";
        assert_eq!(of(&[banner, CONTINUE, END]), Refusal::NoKey(Agent::Absent));
    }
}
