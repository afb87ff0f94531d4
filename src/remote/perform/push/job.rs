//! A script that goes on beside those that come after it, and whose end is waited for. It belongs to the worker's process group, and ends with
//! the worker. Its folder `$d` holds `input`, its payload; `lock`, which is held as long as it runs; `fed`, there once nothing comes any more;
//! `main`, the process id of its main program; `said`, `complained` and `status`, how it ended.

use std::time::Duration;

use super::STRICT;
use crate::remote::perform::spool::{Part, hex};
use crate::remote::quote::quote;
use crate::remote::shell::nonce;
use crate::remote::sweep::{MADE, PLACE, sweeping};

/// Where the next one is to have a folder of its own, `$d`: no disk that fills up keeps back what it says.
pub(super) fn folder() -> String {
    format!("{PLACE}/job-{}", nonce())
}

/// Starts a script with the payload as its input. Its folder stays until somebody has read there how the script ended, or the worker has.
pub(super) fn start(folder: &str, script: &str) -> String {
    let sweeping = sweeping("rm -rf \"$d\"");
    format!(
        "{STRICT}{MADE}rm -rf {PLACE}/job-*\nd={folder}\n{sweeping}\
         mkdir \"$d\"\n\
         cat >\"$d/input\" 2>/dev/null || {{ echo 'there is no room below /run' >&2; exit 1; }}\nexec 9>\"$d/lock\"\nflock 9\n\
         {{\n{sweeping}set +e\n(\n{script}\n) <\"$d/input\" >\"$d/said\" 2>\"$d/complained\"\necho $? >\"$d/status\"\nexec 9>&-\n\
         while [ -d \"$d\" ] && kill -s 0 $$; do sleep 0.1; done\n}} </dev/null >/dev/null 2>&1 &\n\
         trap - EXIT TERM HUP INT PIPE\n",
        folder = quote(folder),
    )
}

/// Nothing comes any more. Waits for the end, and is what it was: what it printed, what it complained, its status. Where it takes longer than
/// `limit`, its main program is told to end.
pub(super) fn end(folder: &str, limit: Duration) -> String {
    format!(
        "cd {folder} 2>/dev/null || {{ echo 'it ended with its shell' >&2; exit 1; }}\n: >fed\n\
         flock -w {limit} lock true || {{ [ ! -e main ] || kill \"$(cat main)\"; flock lock true; }}\ncat said\ncat complained >&2\n\
         r=$(cat status)\ncd /\nrm -rf {folder}\nexit \"${{r:-1}}\"\n",
        folder = quote(folder),
        limit = limit.as_secs(),
    )
}

/// Runs the command behind it as the main program; whoever does removes `$d/main` behind it.
pub(super) const MAIN: &str = r#"sh -c 'echo $$ >"$0"; exec "$@"' "$d/main""#;

/// Defines what `parts` calls, and `fed`, which waits until nothing comes any more and fails where nobody is left to say so.
pub(super) const WAITING: &str = "over() { [ -e \"$d/fed\" ] || ! kill -s 0 $$ 2>/dev/null; }\nfed() { until over; do sleep 0.05; done; [ -e \"$d/fed\" ]; }\n\
    part() { until over || { [ -e \"$1\" ] && [ \"$(stat -c %s \"$1\")\" -ge \"$2\" ]; }; do sleep 0.05; done; head -c \"$2\" \"$1\"; }\n";

/// Prints what the parts make, those that are still on their way as they come: a line of shell for each; in the spool.
pub(super) fn parts(digest: &str, parts: &[Part]) -> String {
    parts.iter().map(|Part { offset, size }| format!("part {}-{offset} {size}\n", hex(digest))).collect()
}

#[cfg(test)]
#[path = "job_tests.rs"]
mod tests;
