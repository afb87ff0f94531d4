//! Images in k3s' containerd.

use serde::Deserialize;

use super::reply;
use crate::model::{Answer, FormerImage, ImageOnHost, Reply};
use crate::remote::STORE;
use crate::remote::frame::Output;
use crate::remote::quote::quote;

/// `ctr images ls` does not show config digests; crictl's `id` is one.
pub(in crate::remote) const LIST: &str = "timeout --foreground 60 /usr/local/bin/k3s crictl images -o json";

/// containerd lives and dies with k3s' unit.
const RUNS: &str = "systemctl is-active --quiet k3s || systemctl is-active --quiet k3s-agent || exit 44\n";

pub(super) fn script() -> String {
    format!("{RUNS}{LIST}")
}

/// A file of that name is whole: what comes in lies elsewhere until then (containerd: plugins/content/local/writer.go). Before the first there
/// is no folder.
pub(super) fn blobs_script() -> String {
    format!("{RUNS}[ ! -d {STORE} ] || ls {STORE}")
}

/// containerd dates a blob when it came (containerd: plugins/content/local/writer.go). A container tells the id of its image, and kubelet
/// asked for it by that.
pub(super) fn former_script(ids: &[String]) -> String {
    let files: String = ids.iter().map(|id| format!(" {}", quote(id.trim_start_matches("sha256:")))).collect();
    format!(
        "{RUNS}used=$(timeout --foreground 60 /usr/local/bin/k3s crictl ps -a -o json) || exit\n\
         cd {STORE} || exit\n\
         for id in{files}; do\ncase $used in *\"$id\"*) u=used ;; *) u=free ;; esac\n\
         [ ! -f \"$id\" ] || echo \"$id $(stat -c %Y -- \"$id\") $u\"\ndone\n"
    )
}

/// Of the CRI's `ListImagesResponse` (k8s.io/cri-api: runtime/v1/api.proto).
#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    images: Vec<Image>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Image {
    id: String,
    #[serde(default)]
    repo_tags: Vec<String>,
    #[serde(default)]
    repo_digests: Vec<String>,
    #[serde(default)]
    pinned: bool,
    /// A number, as JSON of protobuf writes 64 bits.
    #[serde(default)]
    size: String,
}

pub(in crate::remote) fn parse(output: &Output) -> Answer {
    reply(output, |text| {
        let listed: Listed = serde_json::from_str(text).ok()?;
        let named = |image: Image| {
            let Image { id, repo_tags, repo_digests, pinned, size } = image;
            let size = size.parse().unwrap_or_default();
            repo_tags.into_iter().chain(repo_digests).map(move |name| ImageOnHost { name, id: id.clone(), pinned, size })
        };
        Some(Reply::Images(listed.images.into_iter().flat_map(named).collect()))
    })
}

pub(super) fn parse_former(output: &Output) -> Answer {
    reply(output, |text| {
        let image = |line: &str| {
            let [id, came, used] = line.split_whitespace().collect::<Vec<_>>()[..] else { return None };
            Some(FormerImage { id: format!("sha256:{id}"), came: came.parse().ok()?, used: used == "used" })
        };
        text.lines().map(image).collect::<Option<_>>().map(Reply::Former)
    })
}

pub(super) fn parse_blobs(output: &Output) -> Answer {
    reply(output, |text| Some(Reply::Blobs(text.lines().map(|hex| format!("sha256:{hex}")).collect())))
}

#[cfg(test)]
mod tests {
    use super::super::{failed, printed};
    use super::*;

    #[test]
    fn every_name_of_an_image_counts() {
        let listed = r#"{"images":[{"id":"sha256:aa","repoTags":["docker.io/shop/web:1"],"repoDigests":["docker.io/shop/web@sha256:bb"],
            "size":"1234","uid":null,"username":"","spec":null,"pinned":true},{"id":"sha256:cc","repoTags":[],"repoDigests":[]}]}"#;
        let image = |name: &str| ImageOnHost { name: name.into(), id: "sha256:aa".into(), pinned: true, size: 1234 };
        let images = vec![image("docker.io/shop/web:1"), image("docker.io/shop/web@sha256:bb")];
        assert_eq!(parse(&printed(listed)), Answer::Present(Reply::Images(images)));
    }

    #[test]
    fn blobs_are_listed_by_digest() {
        let blobs = ["sha256:aa", "sha256:bb"].map(str::to_owned).into();
        assert_eq!(parse_blobs(&printed("aa\nbb\n")), Answer::Present(Reply::Blobs(blobs)));
    }

    #[test]
    fn former_images_have_their_time_and_whether_they_are_used() {
        let image = |id: &str, came, used| FormerImage { id: id.into(), came, used };
        let expected = vec![image("sha256:aa", 1_763_776_000, true), image("sha256:bb", 12, false)];
        assert_eq!(parse_former(&printed("aa 1763776000 used\nbb 12 free\n")), Answer::Present(Reply::Former(expected)));
        assert!(matches!(parse_former(&printed("aa today used\n")), Answer::Unreadable(_)));
    }

    #[test]
    fn without_containerd_there_are_none_to_ask_for() {
        assert_eq!(parse(&failed(44, "")), Answer::Absent);
        assert!(matches!(parse(&failed(1, "FATA[0000] connect: connection refused")), Answer::Unreadable(_)));
    }
}
