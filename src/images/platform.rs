//! Which image of several the node can run.

use std::collections::BTreeMap;

use serde::Deserialize;

/// An OCI descriptor (image-spec v1.1: descriptor, image-index).
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    #[serde(default)]
    pub(super) media_type: Option<String>,
    pub(super) digest: String,
    #[serde(default)]
    pub(super) size: u64,
    #[serde(default)]
    pub(super) annotations: BTreeMap<String, String>,
    #[serde(default)]
    platform: Option<Platform>,
}

#[derive(Clone, Debug, Deserialize)]
struct Platform {
    os: String,
    architecture: String,
    #[serde(default)]
    variant: String,
}

impl Descriptor {
    /// Whether it is an image, as opposed to what BuildKit attests of one.
    pub(super) fn is_image(&self) -> bool {
        self.platform.as_ref().is_none_or(|platform| platform.os != "unknown")
    }

    fn is_for(&self, arch: &str) -> bool {
        self.platform.as_ref().is_none_or(|platform| platform.os == "linux" && platform.architecture == arch)
    }

    /// How well its variant suits most machines of that architecture, less is better.
    fn oddness(&self, arch: &str) -> usize {
        let common = match arch {
            "arm64" => "v8",
            "arm" => "v7",
            _ => "",
        };
        let variant = self.platform.as_ref().map_or("", |platform| platform.variant.as_str());
        usize::from(variant != common) + usize::from(!variant.is_empty() && variant != common)
    }
}

/// The entry of an index that is for `arch`.
///
/// # Errors
/// There is none; says for what there are.
pub(super) fn pick<'a>(entries: &'a [Descriptor], arch: &str) -> Result<&'a Descriptor, String> {
    let images = || entries.iter().filter(|entry| entry.is_image());
    images().filter(|entry| entry.is_for(arch)).min_by_key(|entry| entry.oddness(arch)).ok_or_else(|| {
        let there: Vec<String> = images().filter_map(|entry| entry.platform.as_ref()).map(ToString::to_string).collect();
        match there.is_empty() {
            true => "an index in it names no image".into(),
            false => format!("it has no image for linux/{arch}, only for {}", there.join(", ")),
        }
    })
}

/// Whether a config is for `arch`, as far as it says.
///
/// # Errors
/// It is for another; says for which.
pub(super) fn fits(is: &str, arch: &str) -> Result<(), String> {
    if is.is_empty() || is == arch { Ok(()) } else { Err(format!("its image is for {is}, and the node is {arch}")) }
}

impl std::fmt::Display for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if self.variant.is_empty() { Ok(()) } else { write!(f, "/{}", self.variant) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(platforms: &[&str]) -> Vec<Descriptor> {
        let entry = |(at, platform): (usize, &&str)| {
            let mut parts = platform.split('/').map(str::to_owned);
            let mut part = || parts.next().unwrap_or_default();
            let platform = (!platform.is_empty()).then(|| Platform { os: part(), architecture: part(), variant: part() });
            Descriptor { media_type: None, digest: at.to_string(), size: 0, annotations: BTreeMap::new(), platform }
        };
        platforms.iter().enumerate().map(entry).collect()
    }

    #[test]
    fn the_nodes_platform_is_taken() {
        for (platforms, arch, at) in [
            (&["linux/amd64", "linux/arm64"][..], "arm64", "1"),
            (&["linux/arm64/v8", "unknown/unknown", "linux/amd64"], "amd64", "2"),
            (&["unknown/unknown", "linux/amd64"], "amd64", "1"),
            (&["linux/arm/v5", "linux/arm/v7", "linux/arm/v6"], "arm", "1"),
            (&["linux/amd64/v3", "linux/amd64"], "amd64", "1"),
            (&["linux/arm64/v9", "linux/arm64"], "arm64", "1"),
            (&["windows/amd64", "linux/amd64"], "amd64", "1"),
            (&[""], "amd64", "0"),
        ] {
            assert_eq!(pick(&index(platforms), arch).map(|entry| entry.digest.as_str()), Ok(at), "{platforms:?}");
        }
    }

    #[test]
    fn a_platform_that_is_missing_is_named() {
        let said = pick(&index(&["linux/amd64", "unknown/unknown", "linux/arm/v7"]), "arm64").unwrap_err();
        assert_eq!(said, "it has no image for linux/arm64, only for linux/amd64, linux/arm/v7");
        assert_eq!(pick(&index(&["unknown/unknown"]), "arm64").unwrap_err(), "an index in it names no image");
        assert_eq!(fits("arm64", "amd64"), Err("its image is for arm64, and the node is amd64".into()));
        assert_eq!((fits("", "amd64"), fits("amd64", "amd64")), (Ok(()), Ok(())));
    }
}
