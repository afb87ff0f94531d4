//! k3s' own command for Secrets in its datastore (k3s-docs:cli/secrets-encrypt). It speaks to the server that runs.

use std::time::Duration;

use crate::model::Encrypting;

/// k3s writes some 5 Secrets a second, as it says itself; its client gives up before (2 minutes), its server goes on.
pub(super) const LIMIT: Duration = Duration::from_secs(900);

const ENABLE: &str = "timeout --foreground 60 /usr/local/bin/k3s secrets-encrypt enable";

/// Where k3s is by its own word, which it puts to its node as it starts; and whether it has ended with the keys that it has now, by its file.
const STAGE: &str = r#"
k=/usr/local/bin/k3s
c=/var/lib/rancher/k3s/server/cred
stage() { timeout --foreground 20 $k secrets-encrypt status | sed -n 's/^Current Rotation Stage: //p'; }
finished() { [ "$(cat $c/encryption-state.json)" = "reencrypt_finished-$(sha256sum <$c/encryption-config.json | cut -d ' ' -f 1)" ]; }
"#;

const ROTATE_KEYS: &str = r#"
timeout --foreground 180 $k secrets-encrypt rotate-keys || {
  e=$?
  case $(stage) in reencrypt_active|reencrypt_finished) ;; *) exit $e;; esac
}
"#;

/// What was cut off is of no stage that k3s would go on from by itself. It ends by taking away the key before the one it writes with, if there is one.
const REENCRYPT: &str = "timeout --foreground 60 $k secrets-encrypt reencrypt --force\n";

/// A restart while Secrets are written would leave half of them as they were: so this ends when k3s says that all are.
const FINISHED: &str = r#"
n=0
until finished; do
  n=$((n+1))
  [ $n -lt 300 ] || { echo "after 10 minutes k3s is still at: $(stage)" >&2; exit 1; }
  sleep 2
done
"#;

pub(super) fn script(how: Encrypting) -> String {
    match how {
        Encrypting::Enable => ENABLE.to_owned(),
        Encrypting::RotateKeys => [STAGE, ROTATE_KEYS, FINISHED].concat(),
        Encrypting::Reencrypt => [STAGE, REENCRYPT, FINISHED].concat(),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::test_program::write_program;

    /// What the script makes of a k3s whose command ends with `code`, which says that it is at that stage, and which has ended with its keys
    /// after so many looks.
    fn ended(how: Encrypting, code: u8, stage: &str, looks: usize) -> (Option<i32>, String) {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(at("encryption-config.json"), "{}").unwrap();
        std::fs::write(at("encryption-state.json"), "reencrypt_finished-of-the-file-before").unwrap();
        let finished = format!("reencrypt_finished-{:x}", Sha256::digest("{}"));
        let sleep = format!(
            "echo >>{looked}; [ $(wc -l <{looked}) -lt {looks} ] || printf {finished} >{state}",
            looked = at("looked"),
            state = at("encryption-state.json")
        );
        let program = format!(
            "#!/bin/sh\n[ $2 = status ] || exit {code}\necho 'Encryption Status: Enabled'\necho 'Current Rotation Stage: {stage}'\n"
        );
        write_program(&folder.path().join("k3s"), &program);
        let script = script(how)
            .replace("/usr/local/bin/k3s", &at("k3s"))
            .replace("/var/lib/rancher/k3s/server/cred", folder.path().to_str().unwrap());
        let said = Command::new("sh").args(["-euc", &script.replace("sleep 2", &sleep)]).output().unwrap();
        (said.status.code(), String::from_utf8(said.stderr).unwrap())
    }

    #[test]
    fn it_ends_when_every_secret_is_written_whatever_the_client_says() {
        for how in [Encrypting::RotateKeys, Encrypting::Reencrypt] {
            assert_eq!(ended(how, 0, "reencrypt_active", 3).0, Some(0));
            // What k3s says as it starts is of the keys before.
            assert_eq!(ended(how, 0, "reencrypt_finished", 3).0, Some(0));
            let (code, said) = ended(how, 0, "reencrypt_active", 1000);
            assert!(code == Some(1) && said.contains("still at: reencrypt_active"), "{code:?} {said}");
        }
        assert_eq!(ended(Encrypting::RotateKeys, 1, "reencrypt_active", 3).0, Some(0));
        assert_eq!(ended(Encrypting::RotateKeys, 1, "start", 3).0, Some(1));
        assert_eq!(ended(Encrypting::Reencrypt, 1, "reencrypt_active", 3).0, Some(1));
    }
}
