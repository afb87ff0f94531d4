//! Random tokens. They are made on the host: nothing of them crosses the line.

use super::STRICT;
use super::file::{name, parents, temporary};
use crate::model::Owner;
use crate::remote::quote::quote;

/// 32 bytes of the kernel's, 64 digits in hex. We hold the lock, and the rename is all or nothing: no one sees half a token, and no run
/// makes a second one.
pub(super) fn script(path: &str) -> String {
    let quoted = quote(path);
    format!(
        "{STRICT}if [ -s {quoted} ] && [ -f {quoted} ] && [ ! -L {quoted} ]; then chown 0:0 -- {quoted}; chmod 0600 -- {quoted}; exit 0; fi\n\
         {parents}{temporary}od -An -v -tx1 -N32 /dev/urandom | tr -d ' \\n' >\"$t\"\n\
         [ \"$(stat -c %s \"$t\")\" = 64 ] || {{ echo 'not all of the token was written' >&2; exit 1; }}\n{name}",
        parents = parents(path, Owner::Root),
        temporary = temporary(path),
        name = name(path, 0o600, Owner::Root),
    )
}
