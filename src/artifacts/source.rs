//! Where an artifact lies, upstream or on a mirror of the same shape.

use std::path::PathBuf;

use crate::model::ArtifactRef;

/// The inventory's `source`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Each project's own download site.
    Upstream,
    /// A mirror's URL prefix, without a slash at its end.
    Mirror(String),
    /// A folder of the mirror's shape.
    Folder(PathBuf),
}

/// One file to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `https://…` or `http://…`.
    Url(String),
    /// On this machine.
    File(PathBuf),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Url(url) => f.write_str(url),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Place {
    /// Whether what it says can be believed at a first meeting: verified TLS, or a folder of the operator's own.
    #[must_use]
    pub fn trusted(&self) -> bool {
        match self {
            Self::Url(url) => url.starts_with("https://"),
            Self::File(_) => true,
        }
    }
}

/// A file's site, its path there, and the line of the vendor's sum file that names it.
struct Site {
    upstream: &'static str,
    mirror: &'static str,
    path: String,
    sums: Option<String>,
}

/// The download sites (k3s-docs:installation/airgap; helm's get.helm.sh; cert-manager's chart repository). `+` is sent as `%2B`.
fn site(artifact: &ArtifactRef) -> Option<Site> {
    let arch = artifact.arch.as_deref().unwrap_or_default();
    let version = &artifact.version;
    let encoded = version.replace('+', "%2B");
    Some(match artifact.name.as_str() {
        "k3s" | "k3s-airgap" => {
            let file = match (artifact.name.as_str(), arch) {
                ("k3s-airgap", _) => format!("k3s-airgap-images-{arch}.tar"),
                (_, "amd64") => "k3s".into(),
                (_, "arm") => "k3s-armhf".into(),
                _ => format!("k3s-{arch}"),
            };
            Site {
                upstream: "https://github.com/k3s-io",
                mirror: "",
                path: format!("k3s/releases/download/{encoded}/{file}"),
                sums: Some(format!("k3s/releases/download/{encoded}/sha256sum-{arch}.txt")),
            }
        }
        "helm" => {
            let file = format!("helm-{version}-linux-{arch}.tar.gz");
            Site { upstream: "https://get.helm.sh", mirror: "helm/", sums: Some(format!("{file}.sha256sum")), path: file }
        }
        "cert-manager" => {
            Site { upstream: "https://charts.jetstack.io", mirror: "", path: format!("charts/cert-manager-{encoded}.tgz"), sums: None }
        }
        _ => return None,
    })
}

impl Source {
    /// Reads the inventory's `source`: `upstream`, a URL prefix, or a folder.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            "upstream" => Self::Upstream,
            url if url.starts_with("http://") || url.starts_with("https://") => Self::Mirror(url.trim_end_matches('/').into()),
            folder => Self::Folder(folder.into()),
        }
    }

    /// Where the artifact lies; none for an artifact that bedplate doesn't know.
    #[must_use]
    pub fn artifact(&self, artifact: &ArtifactRef) -> Option<Place> {
        site(artifact).map(|site| self.place(&site, &site.path))
    }

    /// Where the vendor's sums lie; none where the vendor publishes none.
    #[must_use]
    pub fn sums(&self, artifact: &ArtifactRef) -> Option<Place> {
        let site = site(artifact)?;
        let path = site.sums.clone()?;
        Some(self.place(&site, &path))
    }

    fn place(&self, site: &Site, path: &str) -> Place {
        match self {
            Self::Upstream => Place::Url(format!("{}/{path}", site.upstream)),
            Self::Mirror(prefix) => Place::Url(format!("{prefix}/{}{path}", site.mirror)),
            Self::Folder(folder) => Place::File(folder.join(site.mirror).join(path.replace("%2B", "+"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, version: &str, arch: Option<&str>) -> ArtifactRef {
        ArtifactRef { name: name.into(), version: version.into(), arch: arch.map(Into::into) }
    }

    #[test]
    fn artifacts_lie_where_upstream_puts_them() {
        let at = |source: &str, artifact: &ArtifactRef| Source::parse(source).artifact(artifact).unwrap().to_string();
        let k3s = of("k3s", "v1.35.5+k3s1", Some("amd64"));
        assert_eq!(at("upstream", &k3s), "https://github.com/k3s-io/k3s/releases/download/v1.35.5%2Bk3s1/k3s");
        assert_eq!(at("https://mirror.example/b/", &k3s), "https://mirror.example/b/k3s/releases/download/v1.35.5%2Bk3s1/k3s");
        assert_eq!(at("/srv/mirror", &k3s), "/srv/mirror/k3s/releases/download/v1.35.5+k3s1/k3s");
        let helm = of("helm", "v4.2.4", Some("arm64"));
        assert_eq!(at("upstream", &helm), "https://get.helm.sh/helm-v4.2.4-linux-arm64.tar.gz");
        assert_eq!(at("/srv/mirror", &helm), "/srv/mirror/helm/helm-v4.2.4-linux-arm64.tar.gz");
        assert_eq!(at("upstream", &of("cert-manager", "v1.21.1", None)), "https://charts.jetstack.io/charts/cert-manager-v1.21.1.tgz");
        assert_eq!(at("upstream", &of("k3s", "v1.35.5+k3s1", Some("arm"))).rsplit('/').next(), Some("k3s-armhf"));
    }

    #[test]
    fn plain_http_is_not_believed() {
        let k3s = of("k3s", "v1", Some("amd64"));
        assert!(!Source::parse("http://mirror").sums(&k3s).unwrap().trusted());
        assert!(Source::parse("https://mirror").sums(&k3s).unwrap().trusted());
    }
}
