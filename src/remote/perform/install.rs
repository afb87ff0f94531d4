//! Artifacts: nothing gets its name, and so nothing is executed, before its digest was checked on the host.

use std::path::Path;
use std::time::Duration;

use tokio::fs::File;

use super::file::{name, parents, temporary};
use super::{STRICT, Sent};
use crate::model::{Install, Owner};
use crate::remote::Remote;
use crate::remote::digest;
use crate::remote::error::Error;
use crate::remote::quote::quote;

/// For checking, unpacking and syncing, after the last byte.
const SETTLE: Duration = Duration::from_secs(300);

impl Remote {
    pub(super) async fn install(&self, what: &str, install: &Install, local: &Path, sent: Sent<'_>) -> Result<(), Error> {
        let opened = async {
            let file = File::open(local).await?;
            let size = file.metadata().await?.len();
            Ok((file, size))
        };
        let (mut file, size) = opened.await.map_err(|error| Error::here(&format!("read {}", local.display()), &error))?;
        self.send(what, &script(install), &mut file, size, sent, SETTLE).await
    }
}

fn script(install: &Install) -> String {
    let Install { pin, member, path, mode } = install;
    let mut script = format!(
        "{STRICT}{parents}{temporary}cat >\"$t\"\n\
         printf '%s  %s\\n' {digest} \"$t\" | sha256sum -c --status || {{ echo 'the digest of what arrived is not the pinned one' >&2; exit 1; }}\n",
        parents = parents(path, Owner::Root),
        temporary = temporary(path),
        digest = quote(&pin.sha256),
    );
    if let Some(member) = member {
        // The archive goes as soon as its member is out.
        let unpacked = "a=$t\nt=$(mktemp -- \"$a.XXXXXX\")\ntrap 'rm -f -- \"$a\" \"$t\"' EXIT\n";
        script.push_str(&format!("{unpacked}tar -xzOf \"$a\" -- {} >\"$t\"\nrm -f -- \"$a\"\n", quote(member)));
    }
    script.push_str(&name(path, *mode, Owner::Root));
    if member.is_none() {
        script.push_str(&digest::record(path, &pin.sha256));
    }
    script
}
