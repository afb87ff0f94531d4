//! Versions of programs that we install. A program that is not ours to start, or not there, is not started.

use super::reply;
use crate::model::{Answer, Reply};
use crate::remote::frame::Output;

pub(super) const K3S: &str = "[ -x /usr/local/bin/k3s ] || exit 44; timeout --foreground 20 /usr/local/bin/k3s --version";
pub(super) const HELM: &str =
    "[ -x /usr/local/bin/helm ] || exit 44; timeout --foreground 20 /usr/local/bin/helm version --template '{{.Version}}'";

/// `k3s version v1.35.5+k3s1 (8b1b1b1b)`, then a line on Go.
pub(super) fn parse_k3s(output: &Output) -> Answer {
    reply(output, |text| {
        let version = text.lines().find_map(|line| line.strip_prefix("k3s version ")?.split(' ').next())?;
        Some(Reply::Text(version.to_owned()))
    })
}

pub(super) fn parse_helm(output: &Output) -> Answer {
    reply(output, |text| {
        let version = text.trim();
        (version.starts_with('v') && !version.contains(char::is_whitespace)).then(|| Reply::Text(version.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::super::{failed, printed};
    use super::*;

    #[test]
    fn versions() {
        let k3s = printed("k3s version v1.35.5+k3s1 (12345678)\ngo version go1.25.0\n");
        assert_eq!(parse_k3s(&k3s), Answer::Present(Reply::Text("v1.35.5+k3s1".into())));
        assert_eq!(parse_helm(&printed("v4.2.4")), Answer::Present(Reply::Text("v4.2.4".into())));
    }

    #[test]
    fn absent_or_broken() {
        assert_eq!(parse_k3s(&failed(44, "")), Answer::Absent);
        let broken = failed(126, "sh: 1: /usr/local/bin/k3s: Exec format error\n");
        assert_eq!(parse_k3s(&broken), Answer::Unreadable("exit 126: sh: 1: /usr/local/bin/k3s: Exec format error".into()));
        assert!(matches!(parse_helm(&printed("")), Answer::Unreadable(_)));
    }
}
