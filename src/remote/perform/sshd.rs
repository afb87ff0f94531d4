//! sshd's settings: a drop-in, and a reload. Beside them lies what goes back to the settings that were proven last, as systemd-tmpfiles reads
//! it: the switch lets it do so, and so does a boot, before there is a sshd. While it lies there nothing is proven. Who looks at it and acts
//! on it holds the drop-ins' folder locked.

use super::file;
use super::guard::Trial;
use crate::model::{FileWrite, Owner};
use crate::remote::quote::quote;
use crate::remote::refusal::LoginRefusal;

/// Has sshd read its files: `again`. Where a socket starts sshd for each connection there is nothing to do. A reload is over at once, sshd's
/// execution of itself comes later: its stack lies elsewhere then, and it listens after it has read its files.
const AGAIN: &str = r#"again() {
for u in ssh sshd; do
systemctl is-active --quiet $u.service || continue
p=$(systemctl show --property=MainPID --value $u.service)
a=$(cksum <"/proc/$p/auxv")
timeout --foreground 10 systemctl reload $u.service || return 1
n=0
until [ "$(cksum <"/proc/$p/auxv")" != "$a" ] && ss -Hltnp | grep -q "pid=$p,"; do
n=$((n+1)); [ $n -le 100 ] || { echo "$u.service did not begin anew within 10 s" >&2; return 1; }; sleep 0.1
done
return 0
done
}
"#;

/// How settings are tried. `unproven` is what goes back.
pub(super) fn trial(settings: &FileWrite, unproven: &str) -> Trial {
    let FileWrite { path, mode, owner, .. } = settings;
    let folder = |path: &str| quote(path.rsplit_once('/').map_or("/", |(folder, _)| folder));
    let (lock, marks) = (folder(path), folder(unproven));
    let (mark, new) = (quote(unproven), quote(&format!("{unproven}.new")));
    let path = quote(path);
    Trial {
        of: "sshd",
        path: settings.path.clone(),
        ready: format!("{}{}sshd -t\n", file::received(settings), file::parents(unproven, Owner::Root)),
        enforce: format!(
            "{AGAIN}(\nflock -w 30 9\n\
             if [ ! -e {mark} ]; then\n\
             {{ echo '# Written by bedplate while settings of sshd are tried: back to those before.'\n\
             if [ -e {path} ]; then printf 'f+! %s 0644 root root - %s\\n' {path} \"$({escaped})\"; else echo r! {path}; fi; }} >{new}\n\
             chmod 0644 -- {new}; sync -- {new}; mv -fT -- {new} {mark}; sync -- {marks}\n\
             fi\n\
             {name}sshd -t\nagain\n) 9<{lock}\n",
            // tmpfiles.d(5): an argument is one line, with C's escapes and with specifiers.
            escaped = format_args!("sed -e 's/\\\\/&&/g' -e 's/%/%%/g' -e 's/$/\\\\n/' {path} | tr -d '\\n'"),
            name = file::name(&settings.path, *mode, *owner),
        ),
        back: format!(
            "{AGAIN}exec 9<{lock}; flock -w 60 9 || exit 1\n[ -e {mark} ] || exit 0\n\
             systemd-tmpfiles --boot --create --remove {mark} || exit 1\nagain || exit 1\nrm -f -- {mark} {new}"
        ),
        keep: format!(
            "(\nflock -w 30 9\n[ -e {mark} ] || {{ echo 'the new connection came too late: it is taken back' >&2; exit 1; }}\n\
             rm -f -- {mark} {new}\nsync -- {marks}\n) 9<{lock}\n"
        ),
        settle: String::new(),
        shuts: |refusal| {
            use LoginRefusal::{AccountDenied, KeysNotTaken, KeysRefused, TooManyKeys};
            matches!(refusal, AccountDenied(_) | KeysNotTaken(_) | KeysRefused(_) | TooManyKeys(_))
        },
        cure: "come in by a key, as a user whom [sshd] does not shut out; why it did not work the host knows: `journalctl -u ssh -u sshd`",
    }
}

#[cfg(test)]
#[path = "sshd_tests.rs"]
mod tests;
