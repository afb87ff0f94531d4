//! What k3s encrypts Secrets with: the names in its file, and never a key.

use super::reply;
use crate::model::{Answer, ENCRYPTION_CONFIG, Provider, Reply};
use crate::remote::frame::Output;
use crate::remote::quote::quote;

pub(super) fn script() -> String {
    format!("f={}\n[ -e \"$f\" ] || exit 44\ngrep -oE '\"(identity|aescbc|secretbox)\":' \"$f\"", quote(ENCRYPTION_CONFIG))
}

pub(super) fn parse(output: &Output) -> Answer {
    reply(output, |text| {
        let named = |line: &str| match line {
            r#""identity":"# => Some(Provider::Identity),
            r#""aescbc":"# => Some(Provider::Aescbc),
            r#""secretbox":"# => Some(Provider::Secretbox),
            _ => None,
        };
        text.lines().map(named).collect::<Option<Vec<_>>>().filter(|named| !named.is_empty()).map(Reply::Encryption)
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::super::{ABSENT, failed, printed};
    use super::*;

    /// As k3s writes it (k3s-docs:security/secrets-encryption), on one line.
    const KEPT: &str = r#"{"kind":"EncryptionConfiguration","apiVersion":"apiserver.config.k8s.io/v1","resources":[{"resources":["secrets"],"providers":[{"aescbc":{"keys":[{"name":"aescbckey","secret":"canary"}]}},{"identity":{}}]}]}"#;

    #[test]
    fn providers_are_told_in_their_order_and_no_key() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let ask = |text: &str| {
            std::fs::write(file.path(), text).unwrap();
            let script = script().replace(ENCRYPTION_CONFIG, file.path().to_str().unwrap());
            let said = Command::new("sh").args(["-c", &script]).output().unwrap();
            assert!(!String::from_utf8_lossy(&said.stdout).contains("canary"));
            parse(&printed(&String::from_utf8(said.stdout).unwrap()))
        };
        let told = |providers: &[Provider]| Answer::Present(Reply::Encryption(providers.to_vec()));
        assert_eq!(ask(KEPT), told(&[Provider::Aescbc, Provider::Identity]));
        assert_eq!(ask(r#"{"providers":[{"identity":{}}]}"#), told(&[Provider::Identity]));
        assert!(matches!(ask("{}"), Answer::Unreadable(_)));
        assert_eq!(parse(&failed(ABSENT, "")), Answer::Absent);
    }
}
