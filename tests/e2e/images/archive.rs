//! The demo's `web` with more below and above it, as somebody would who rebuilds it.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::bench::Bench;
use crate::build::append;

/// Where the inventory looks for it.
pub const WEB: &str = "dist/web.tar";

/// Random bytes, with a word in their middle.
#[derive(Clone, Copy)]
pub struct Layer {
    /// Of the random bytes.
    pub seed: u64,
    /// How many.
    pub size: usize,
    /// The word.
    pub edit: &'static str,
}

/// A layer that no packing makes less.
pub const fn layer(seed: u64, size: usize) -> Layer {
    Layer { seed, size, edit: "" }
}

/// An image as it was written.
pub struct Built {
    /// Its config's digest.
    pub id: String,
    /// Its layers' digests from the lowest up, in hex.
    pub layers: Vec<String>,
}

/// The archive as it was; what is built upon it comes in its place.
pub struct Web {
    before: Vec<u8>,
    config: Value,
    program: Vec<u8>,
}

impl Web {
    /// Reads the demo's.
    pub fn of(bench: &Bench<'_>) -> Result<Self> {
        let before = fs::read(bench.project.path(WEB))?;
        let manifest: Value = serde_json::from_slice(&member(&before, "manifest.json")?)?;
        let part = |name: &Value| member(&before, name.as_str().context("manifest.json names its members")?);
        let config = serde_json::from_slice(&part(&manifest[0]["Config"])?)?;
        let program = part(&manifest[0]["Layers"][0])?;
        Ok(Self { before, config, program })
    }

    /// Writes it anew, with these layers above the program: its id.
    pub fn build(&self, bench: &Bench<'_>, above: &[Layer]) -> Result<String> {
        Ok(self.build_as(bench, WEB, "shop/web:1.0.0", above)?.id)
    }

    /// The same under another name, in another file of the project.
    pub fn build_as(&self, bench: &Bench<'_>, file: &str, name: &str, above: &[Layer]) -> Result<Built> {
        let mut layers = vec![self.program.clone()];
        for Layer { seed, size, edit } in above {
            let mut bytes = vec![0; *size];
            fastrand::Rng::with_seed(*seed).fill(&mut bytes);
            bytes[size / 2..][..edit.len()].copy_from_slice(edit.as_bytes());
            let mut layer = tar::Builder::new(Vec::new());
            append(&mut layer, &format!("layers/{seed}"), &bytes, 0o644)?;
            layers.push(layer.into_inner()?);
        }
        let path = bench.project.path(file);
        let built = write(&path, name, self.config.clone(), &layers)?;
        bench.rig.operator.own(&path, 0o644)?;
        Ok(built)
    }

    /// Puts the old one back.
    pub fn restore(&self, bench: &Bench<'_>) -> Result<()> {
        let path = bench.project.path(WEB);
        fs::write(&path, &self.before)?;
        bench.rig.operator.own(&path, 0o644)
    }
}

/// Writes a docker-archive of these layers, which are tars.
pub fn write(path: &Path, name: &str, mut config: Value, layers: &[Vec<u8>]) -> Result<Built> {
    let digests: Vec<String> = layers.iter().map(|layer| format!("{:x}", Sha256::digest(layer))).collect();
    config["rootfs"]["diff_ids"] = digests.iter().map(|digest| format!("sha256:{digest}")).collect();
    let config = config.to_string();
    let id = format!("{:x}", Sha256::digest(&config));
    let members: Vec<String> = digests.iter().map(|digest| format!("{digest}/layer.tar")).collect();
    let manifest = json!([{ "Config": format!("{id}.json"), "RepoTags": [name], "Layers": members }]).to_string();
    let mut tar = tar::Builder::new(File::create(path)?);
    for (member, layer) in members.iter().zip(layers) {
        append(&mut tar, member, layer, 0o644)?;
    }
    append(&mut tar, &format!("{id}.json"), config.as_bytes(), 0o644)?;
    append(&mut tar, "manifest.json", manifest.as_bytes(), 0o644)?;
    tar.finish()?;
    Ok(Built { id: format!("sha256:{id}"), layers: digests })
}

fn member(tar: &[u8], wanted: &str) -> Result<Vec<u8>> {
    let mut archive = tar::Archive::new(tar);
    for entry in archive.entries()? {
        let mut entry = entry?;
        if entry.path()? == Path::new(wanted) {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            return Ok(bytes);
        }
    }
    anyhow::bail!("the demo's web.tar has no {wanted}")
}
