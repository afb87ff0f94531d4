//! Images into k3s' containerd.

use std::time::{Duration, Instant};

use super::{STRICT, Sent, oci};
use crate::images;
use crate::model::{Answer, HostQuestion, ImageImport, ImageOnHost, Reply};
use crate::remote::Remote;
use crate::remote::error::Error;
use crate::remote::quote::quote;

/// For unpacking the layers, after the last byte.
const UNPACK: Duration = Duration::from_secs(600);
/// For the CRI to notice what containerd was given: it follows containerd's events.
const NOTICE: Duration = Duration::from_secs(10);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(200);

/// containerd's command line as k3s ships it; images of pods live in this namespace. `--foreground` keeps what it runs in the
/// worker's process group, where the keeper of the lock finds it.
const CTR: &str = "timeout --foreground 600 /usr/local/bin/k3s ctr -n k8s.io images";

impl Remote {
    pub(super) async fn import(&self, what: &str, import: &ImageImport, sent: Sent<'_>) -> Result<(), Error> {
        let unread = |why: &dyn std::fmt::Display| Error::Here(format!("{}: {why}", import.archive.display()));
        let layout = images::open(&import.archive).map_err(|why| unread(&why))?;
        let mut archive = oci::stream(layout).map_err(|why| unread(&why))?;
        self.send(what, &script(&import.names), &mut archive.bytes, archive.size, sent, UNPACK).await?;
        let until = Instant::now() + NOTICE;
        loop {
            let images = self.answers(&[HostQuestion::Images], |_, _| {}).await?;
            let Some(amiss) = amiss(images.first(), import) else { return Ok(()) };
            if Instant::now() > until {
                return Err(Error::Here(amiss));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

fn script(names: &[String]) -> String {
    let pins: String = names.iter().map(|name| format!("{}\n", pin(name))).collect();
    format!("{STRICT}{CTR} import - >/dev/null\n{pins}")
}

/// kubelet's garbage collection spares what bears this label (containerd: pkg/labels).
pub(super) fn pin(name: &str) -> String {
    format!("{CTR} label {} io.cri-containerd.pinned=pinned >/dev/null", quote(name))
}

/// What differs between the images on the host and those that were imported.
fn amiss(answer: Option<&Answer>, import: &ImageImport) -> Option<String> {
    let Some(Answer::Present(Reply::Images(images))) = answer else {
        return Some("the images on the host can't be listed after the import".into());
    };
    import.names.iter().find_map(|name| {
        let found: Vec<&ImageOnHost> = images.iter().filter(|image| &image.name == name).collect();
        match found[..] {
            [image] if image.id != import.id => Some(format!("{name} is {} after the import, not {}", image.id, import.id)),
            [image] if !image.pinned => Some(format!("{name} is not pinned after the import")),
            [_] => None,
            _ => Some(format!("{name} is not on the host after the import")),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_counts_only_with_name_digest_and_pin() {
        let name = "docker.io/shop/web:1";
        let import = ImageImport { archive: "web.tar".into(), names: vec![name.into()], id: "sha256:aa".into(), size: 1 };
        let on_host =
            |name: &str, id: &str, pinned| Answer::Present(Reply::Images(vec![ImageOnHost { name: name.into(), id: id.into(), pinned }]));
        assert_eq!(amiss(Some(&on_host(name, "sha256:aa", true)), &import), None);
        assert!(amiss(Some(&on_host(name, "sha256:aa", false)), &import).is_some_and(|why| why.contains("not pinned")));
        assert!(amiss(Some(&on_host(name, "sha256:bb", true)), &import).is_some_and(|why| why.contains("sha256:bb")));
        assert!(amiss(Some(&on_host("other", "sha256:aa", true)), &import).is_some_and(|why| why.contains("not on the host")));
        assert!(amiss(Some(&Answer::Absent), &import).is_some());
    }
}
