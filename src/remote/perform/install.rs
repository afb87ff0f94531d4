//! Artifacts: nothing gets its name, and so nothing is executed, before its digest was checked on the host.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::{FutureExt as _, ready};
use tokio::fs::File;
use tokio::sync::mpsc;

use super::file::{name, parents, temporary};
use super::spool::{self, ARRIVED, FOLDER, Part, Parts, Spooled};
use super::{SHORT, STRICT, Sent};
use crate::model::{Install, Owner};
use crate::remote::Remote;
use crate::remote::beside::{Parcels, WORTH};
use crate::remote::digest;
use crate::remote::error::Error;
use crate::remote::frame::Output;
use crate::remote::line::Line;
use crate::remote::quote::quote;
use crate::remote::shell::Parcel;

/// For checking, unpacking and syncing, after the last byte.
const SETTLE: Duration = Duration::from_secs(300);
/// What arrived is not what was sent. It is gone.
const SPOILT: i32 = 84;

impl Remote {
    pub(super) async fn install(&self, what: &str, install: &Install, local: &Path, sent: Sent<'_>) -> Result<(), Error> {
        let opened = async {
            let file = File::open(local).await?;
            let size = file.metadata().await?.len();
            Ok((file, size))
        };
        let (mut file, size) = opened.await.map_err(|error| Error::here(&format!("read {}", local.display()), &error))?;
        if size < WORTH || matches!(self.line, Line::Local) {
            return self.send(what, &script(install, "cat", ""), &mut file, size, sent, SETTLE).await;
        }
        loop {
            let found = self.spooled(&install.pin.sha256, size).await?;
            match self.put_together(what, install, &mut file, &found, sent).await {
                // What a run before this one had sent did not survive, say, a power cut.
                Err(Error::Script { status: SPOILT, .. }) if !found.there.is_empty() => {}
                done => return done,
            }
        }
    }

    /// Sends the parts that are missing, and gives what they make its name.
    async fn put_together(&self, what: &str, install: &Install, file: &mut File, parts: &Parts, sent: Sent<'_>) -> Result<(), Error> {
        let sha256 = &install.pin.sha256;
        let lacking = parts.lacking();
        let size = lacking + parts.there.iter().map(|part| part.size).sum::<u64>();
        let done = AtomicU64::new(size - lacking);
        let told = |more| sent(done.fetch_add(more, Ordering::Relaxed) + more, size);
        let again = file.try_clone().await.map_err(|error| Error::here("read what is to be sent", &error))?;
        let streamed =
            self.stream(None, parcels(again.into_std().await, sha256.clone(), parts.missing.clone()), lacking, ARRIVED, &told).await;
        self.gave_way(streamed).await?;
        let whole = format!("( cd {FOLDER}\n{} )", spool::print(sha256, &parts.all()));
        let installed = self.script(what, &script(install, &whole, &format!("( cd {FOLDER}; {} )", spool::gone(sha256))), SETTLE).await;
        self.gave_way(installed).await
    }

    /// What a run before this one had sent.
    async fn spooled(&self, sha256: &str, size: u64) -> Result<Parts, Error> {
        let output = self.run_alone(&spool::look(), SHORT).await?;
        let text = output.text();
        Output::succeeded(output)?;
        let mut spooled = Spooled::new();
        for line in text.lines() {
            if let ["spooled", name, size] = line.split_whitespace().collect::<Vec<_>>()[..] {
                // A line of another form costs bytes, and nothing else.
                let _ = spool::listed(&mut spooled, name, size);
            }
        }
        Ok(Parts::of(size, spooled.get(&format!("sha256:{sha256}")).map_or(&[], Vec::as_slice)))
    }
}

/// Parts of a file, read ahead of the line. It is packed already.
fn parcels(mut file: std::fs::File, sha256: String, missing: Vec<Part>) -> Parcels {
    let (give, take) = mpsc::channel(1);
    tokio::task::spawn_blocking(move || {
        for Part { offset, size } in missing {
            let mut payload = Vec::new();
            let read = file.seek(SeekFrom::Start(offset)).and_then(|_| (&mut file).take(size).read_to_end(&mut payload));
            let parcel = read.map(|_| Parcel { script: spool::part(&sha256, offset, "cat"), payload, size });
            if give.blocking_send(ready(parcel).boxed()).is_err() {
                return;
            }
        }
    });
    take
}

/// Gives the file that `whole` prints its name if it is the pinned one; `spent` is run when that is known.
fn script(install: &Install, whole: &str, spent: &str) -> String {
    let Install { pin, member, path, mode } = install;
    let mut script = format!(
        "{STRICT}{parents}{temporary}{whole} >\"$t\"\n{spent}\n\
         printf '%s  %s\\n' {digest} \"$t\" | sha256sum -c --status || {{ echo 'the digest of what arrived is not the pinned one' >&2; exit {SPOILT}; }}\n",
        parents = parents(path, Owner::Root),
        temporary = temporary(path),
        digest = quote(&pin.sha256),
    );
    if let Some(member) = member {
        // The archive goes as soon as its member is out.
        let unpacked = "a=$t\nt=$(mktemp -- \"$a.XXXXXX\")\n";
        script.push_str(&format!("{unpacked}tar -xzOf \"$a\" -- {} >\"$t\"\nrm -f -- \"$a\"\n", quote(member)));
    }
    script.push_str(&name(path, *mode, Owner::Root));
    if member.is_none() {
        script.push_str(&digest::record(path, &pin.sha256));
    }
    script
}
