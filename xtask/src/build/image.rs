//! Container images without a container engine: docker-archive tars, as `docker save` writes them, the same bytes for the same input.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use super::cache::hex;

/// A docker-archive that is being written; it may hold several images.
pub struct Archive {
    tar: Builder<BufWriter<File>>,
    manifest: Vec<Value>,
}

/// A layer that lies in the archive already, so that several images can share it.
pub struct Layer {
    digest: String,
}

/// What an image's config says besides its layer.
pub struct Config<'a> {
    /// Program and leading arguments.
    pub entrypoint: &'a [&'a str],
    /// `uid:gid`, in numbers: kubelet refuses `runAsNonRoot` for names. Empty means root.
    pub user: &'a str,
}

impl Archive {
    /// Starts an archive at `path`, replacing what is there.
    pub fn create(path: &Path) -> Result<Self> {
        let file = File::create(path).with_context(|| format!("create {}", path.display()))?;
        Ok(Self { tar: Builder::new(BufWriter::new(file)), manifest: Vec::new() })
    }

    /// Adds a layer of a world-writable `/tmp` and of the given programs, each at an absolute path, executable.
    pub fn layer(&mut self, programs: &[(&str, &Path)]) -> Result<Layer> {
        let mut layer = Builder::new(Vec::new());
        let mut tmp = header(EntryType::Directory, 0, 0o1777);
        layer.append_data(&mut tmp, "tmp/", &[][..])?;
        for (target, source) in programs {
            let text = std::fs::read(source).with_context(|| format!("read {}", source.display()))?;
            append(&mut layer, target.trim_start_matches('/'), &text, 0o755)?;
        }
        self.add(&layer.into_inner()?)
    }

    /// Adds a layer that is a whole root file system, as a tar.
    pub fn root(&mut self, tar: &Path) -> Result<Layer> {
        let bytes = std::fs::read(tar).with_context(|| format!("read {}", tar.display()))?;
        self.add(&bytes)
    }

    fn add(&mut self, layer: &[u8]) -> Result<Layer> {
        let digest = hex(&Sha256::digest(layer));
        append(&mut self.tar, &format!("{digest}/layer.tar"), layer, 0o644)?;
        Ok(Layer { digest })
    }

    /// Adds an image named `name` (`repository:tag`) over `layer`.
    pub fn image(&mut self, name: &str, layer: &Layer, config: &Config<'_>) -> Result<()> {
        let text = json!({
            "architecture": "amd64",
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": { "Entrypoint": config.entrypoint, "Env": ["PATH=/"], "User": config.user, "WorkingDir": "/" },
            "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{}", layer.digest)] },
            "history": [{ "created": "1970-01-01T00:00:00Z", "created_by": "bedplate rig" }],
        })
        .to_string();
        let file = format!("{}.json", hex(&Sha256::digest(&text)));
        append(&mut self.tar, &file, text.as_bytes(), 0o644)?;
        self.manifest.push(json!({ "Config": file, "RepoTags": [name], "Layers": [format!("{}/layer.tar", layer.digest)] }));
        Ok(())
    }

    /// Writes the list of images and ends the archive.
    pub fn finish(mut self) -> Result<()> {
        let manifest = Value::Array(std::mem::take(&mut self.manifest)).to_string();
        append(&mut self.tar, "manifest.json", manifest.as_bytes(), 0o644)?;
        self.tar.into_inner()?.into_inner().context("flush the archive")?.sync_all()?;
        Ok(())
    }
}

/// Adds a regular file, owned by root and dated 1970.
pub fn append<W: std::io::Write>(tar: &mut Builder<W>, path: &str, text: &[u8], mode: u32) -> Result<()> {
    let mut header = header(EntryType::Regular, text.len() as u64, mode);
    tar.append_data(&mut header, path, text).with_context(|| format!("add {path} to a tar"))
}

fn header(kind: EntryType, size: u64, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(mode);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read;

    use super::*;

    fn two_images(path: &Path, program: &Path) {
        let mut archive = Archive::create(path).unwrap();
        let layer = archive.layer(&[("/web", program)]).unwrap();
        for (name, user) in [("shop/web:1", "65532:65532"), ("shop/other:1", "")] {
            archive.image(name, &layer, &Config { entrypoint: &["/web", "serve"], user }).unwrap();
        }
        archive.finish().unwrap();
    }

    fn members(tar: &[u8]) -> BTreeMap<String, Vec<u8>> {
        let mut members = BTreeMap::new();
        for entry in tar::Archive::new(tar).entries().unwrap() {
            let mut entry = entry.unwrap();
            assert_eq!(entry.header().mtime().unwrap(), 0);
            let name = entry.path().unwrap().to_string_lossy().into_owned();
            let mut text = Vec::new();
            entry.read_to_end(&mut text).unwrap();
            assert!(members.insert(name.clone(), text).is_none(), "{name} is there twice");
        }
        members
    }

    #[test]
    fn images_share_a_layer_and_every_digest_is_true() {
        let held = tempfile::tempdir().unwrap();
        let dir = held.path();
        std::fs::write(dir.join("program"), "#!/bin/sh\n").unwrap();
        let [first, second] = ["a.tar", "b.tar"].map(|name| dir.join(name));
        two_images(&first, &dir.join("program"));
        two_images(&second, &dir.join("program"));
        let bytes = std::fs::read(&first).unwrap();
        assert_eq!(bytes, std::fs::read(&second).unwrap(), "the same input gave different bytes");

        let members = members(&bytes);
        let manifest: Value = serde_json::from_slice(&members["manifest.json"]).unwrap();
        let images = manifest.as_array().unwrap();
        assert_eq!(images.len(), 2);
        assert_eq!(images[0]["RepoTags"], json!(["shop/web:1"]));
        assert_eq!(images[0]["Layers"], images[1]["Layers"]);
        for image in images {
            let file = image["Config"].as_str().unwrap();
            assert_eq!(file, format!("{}.json", hex(&Sha256::digest(&members[file]))));
            let config: Value = serde_json::from_slice(&members[file]).unwrap();
            let layer = &members[image["Layers"][0].as_str().unwrap()];
            assert_eq!(config["rootfs"]["diff_ids"][0], format!("sha256:{}", hex(&Sha256::digest(layer))));
        }
        let config: Value = serde_json::from_slice(&members[images[0]["Config"].as_str().unwrap()]).unwrap();
        assert_eq!(config["config"]["User"], "65532:65532");
        assert_eq!(config["config"]["Entrypoint"], json!(["/web", "serve"]));
    }

    #[test]
    fn a_layer_holds_tmp_for_everybody_and_programs_that_run() {
        let held = tempfile::tempdir().unwrap();
        let dir = held.path();
        std::fs::write(dir.join("program"), "x").unwrap();
        two_images(&dir.join("a.tar"), &dir.join("program"));
        let outer = members(&std::fs::read(dir.join("a.tar")).unwrap());
        let (_, layer) = outer.iter().find(|(name, _)| name.ends_with("layer.tar")).unwrap();
        let modes: Vec<_> = tar::Archive::new(&layer[..])
            .entries()
            .unwrap()
            .map(|e| {
                let e = e.unwrap();
                (e.path().unwrap().to_string_lossy().into_owned(), e.header().mode().unwrap())
            })
            .collect();
        assert_eq!(modes, [("tmp/".to_owned(), 0o1777), ("web".to_owned(), 0o755)]);
    }
}
