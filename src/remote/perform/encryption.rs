//! k3s' own command for Secrets in its datastore (k3s-docs:cli/secrets-encrypt). It speaks to the server that runs.

use std::time::Duration;

use crate::model::Encrypting;

/// k3s writes some 5 Secrets a second, as it says itself; its client gives up before (2 minutes), its server goes on.
pub(super) const LIMIT: Duration = Duration::from_secs(900);

const ENABLE: &str = "timeout --foreground 60 /usr/local/bin/k3s secrets-encrypt enable";

/// A restart while Secrets are written would leave half of them as they were: so this ends when k3s says that all are.
const ROTATE_KEYS: &str = r#"
k=/usr/local/bin/k3s
stage() { timeout --foreground 20 $k secrets-encrypt status | sed -n 's/^Current Rotation Stage: //p'; }
timeout --foreground 180 $k secrets-encrypt rotate-keys || {
  e=$?
  case $(stage) in reencrypt_active|reencrypt_finished) ;; *) exit $e;; esac
}
n=0
until s=$(stage); [ "$s" = reencrypt_finished ]; do
  n=$((n+1))
  [ $n -lt 300 ] || { echo "after 10 minutes k3s is still at: $s" >&2; exit 1; }
  sleep 2
done
"#;

pub(super) const fn script(how: Encrypting) -> &'static str {
    match how {
        Encrypting::Enable => ENABLE,
        Encrypting::RotateKeys => ROTATE_KEYS,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::Command;

    use super::*;

    /// What the script makes of a k3s whose `rotate-keys` ends with `code` and which is at these stages when it is asked.
    fn rotated(code: u8, stages: &str) -> (Option<i32>, String) {
        let folder = tempfile::tempdir().unwrap();
        let (k3s, at) = (folder.path().join("k3s"), folder.path().join("stages"));
        std::fs::write(&at, stages).unwrap();
        let program = format!(
            "#!/bin/sh\n[ $2 = status ] || exit {code}\necho 'Encryption Status: Enabled'\n\
             echo \"Current Rotation Stage: $(head -n 1 {at})\"; [ $(wc -l <{at}) -le 1 ] || sed -i 1d {at}\n",
            at = at.display()
        );
        std::fs::write(&k3s, program).unwrap();
        std::fs::set_permissions(&k3s, std::fs::Permissions::from_mode(0o755)).unwrap();
        let script = script(Encrypting::RotateKeys).replace("/usr/local/bin/k3s", k3s.to_str().unwrap()).replace("sleep 2", "sleep 0");
        let said = Command::new("sh").args(["-euc", &script]).output().unwrap();
        (said.status.code(), String::from_utf8(said.stderr).unwrap())
    }

    #[test]
    fn it_ends_when_every_secret_is_written_whatever_the_client_says() {
        assert_eq!(rotated(0, "reencrypt_finished\n").0, Some(0));
        assert_eq!(rotated(1, "reencrypt_active\nreencrypt_active\nreencrypt_finished\n").0, Some(0));
        assert_eq!(rotated(1, "start\n").0, Some(1));
        let (code, said) = rotated(0, "reencrypt_active\n");
        assert!(code == Some(1) && said.contains("still at: reencrypt_active"), "{code:?} {said}");
    }
}
