//! Files, folders and links.

use std::fmt::Write as _;

use super::{SHORT, STRICT};
use crate::model::{FileWrite, Owner};
use crate::remote::Remote;
use crate::remote::error::Error;
use crate::remote::quote::quote;
use crate::remote::sweep::sweeping;

/// What temporary files are called, in the folder of the file that they become.
pub(super) const PREFIX: &str = ".bedplate-";

impl Remote {
    pub(super) async fn write_file(&self, what: &str, write: &FileWrite) -> Result<(), Error> {
        let bytes = write.content.bytes();
        let size = bytes.len() as u64;
        self.send(what, &self::write(write), &mut &*bytes, size, &|_, _| {}, SHORT).await
    }
}

/// Takes the content as payload, and gives it its name.
pub(super) fn write(write: &FileWrite) -> String {
    format!("{STRICT}{}{}", received(write), name(&write.path, write.mode, write.owner))
}

/// Takes the content as payload, into `$t`. A payload that was cut short has another size.
pub(super) fn received(FileWrite { path, content, owner, .. }: &FileWrite) -> String {
    format!(
        "{parents}{temporary}cat >\"$t\"\n[ \"$(stat -c %s \"$t\")\" = {size} ] || {{ echo 'not all bytes arrived' >&2; exit 1; }}\n",
        parents = parents(path, *owner),
        temporary = temporary(path),
        size = content.bytes().len(),
    )
}

/// Makes the folders above `path` that are missing; they belong to `owner`.
pub(super) fn parents(path: &str, owner: Owner) -> String {
    let mut script = String::new();
    let above: Vec<usize> = path.match_indices('/').map(|(at, _)| at).filter(|&at| at > 0).collect();
    for at in above {
        let folder = quote(&path[..at]);
        let _ = writeln!(script, "[ -d {folder} ] || {{ mkdir -m 0755 -- {folder}; {} }}", chown(&folder, owner));
    }
    script
}

/// Makes `$t`, an empty file beside `path` that only root may read. What killed runs left there goes, too: we hold the lock.
pub(super) fn temporary(path: &str) -> String {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let folder = quote(&format!("{folder}/{PREFIX}"));
    format!("umask 077\n{}swept\nt=$(mktemp -- {folder}XXXXXX)\n", sweeping(&format!("rm -f -- {folder}*")))
}

/// Gives `$t` its owner, mode and name, each durable before the next.
pub(super) fn name(path: &str, mode: u32, owner: Owner) -> String {
    format!(
        "{chown}\nchmod {mode:04o} -- \"$t\"\nsync -- \"$t\"\nmv -fT -- \"$t\" {path}\nsync -- {folder}\n",
        chown = chown("\"$t\"", owner),
        path = quote(path),
        folder = quote(folder_of(path)),
    )
}

/// Where a path lies.
fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("/", |(folder, _)| if folder.is_empty() { "/" } else { folder })
}

/// `quoted` is shell text already.
fn chown(quoted: &str, owner: Owner) -> String {
    let (uid, gid) = owner.ids();
    format!("chown -h {uid}:{gid} -- {quoted};")
}

pub(super) fn folder(path: &str, mode: u32, owner: Owner) -> String {
    let quoted = quote(path);
    format!(
        "{STRICT}{parents}[ -d {quoted} ] || mkdir -m 0700 -- {quoted}\n{chown}\nchmod {mode:04o} -- {quoted}\n",
        parents = parents(path, owner),
        chown = chown(&quoted, owner),
    )
}

/// `ln -sfn` removes before it makes; a rename leaves no moment without the link. It is durable: what is to start at boot hangs on it.
pub(super) fn link(path: &str, target: &str) -> String {
    format!(
        "{STRICT}{parents}{temporary}ln -sfn -- {target} \"$t\"\nmv -fT -- \"$t\" {path}\nsync -- {folder}\n",
        parents = parents(path, Owner::Root),
        temporary = temporary(path),
        target = quote(target),
        path = quote(path),
        folder = quote(folder_of(path)),
    )
}
