//! An image as somebody who builds it sees it: layers that change.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use proptest::prelude::*;
use serde_json::json;
use sha2::{Digest as _, Sha256};

pub const NAME: &str = "docker.io/shop/web:1";
/// Large enough that only what differs is sent.
const SIZE: usize = 300_000;

/// Layers, from the lowest up.
pub struct Image(Vec<Vec<u8>>);

/// What may befall it between two builds; which layer: counted around.
#[derive(Clone, Debug)]
pub enum Edit {
    /// A few bytes of a layer are others.
    Change { layer: usize, at: usize, seed: u8 },
    /// Bytes more in the middle of a layer.
    Insert { layer: usize, at: usize, size: usize },
    /// A layer more on top.
    Add { seed: u8 },
    /// A layer less.
    Remove { layer: usize },
    /// As it was in the beginning.
    Revert,
}

/// How a registry's layers are packed.
#[derive(Clone, Copy, Debug)]
pub enum Packer {
    Gzip,
    Zstd,
    /// By nothing that anybody knows.
    Neither,
}

impl Arbitrary for Packer {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        prop_oneof![Just(Self::Gzip), Just(Self::Zstd), Just(Self::Neither)].boxed()
    }
}

impl Arbitrary for Edit {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        prop_oneof![
            (0..4_usize, 0..SIZE, any::<u8>()).prop_map(|(layer, at, seed)| Self::Change { layer, at, seed }),
            (0..4_usize, 0..SIZE, 1..9000_usize).prop_map(|(layer, at, size)| Self::Insert { layer, at, size }),
            any::<u8>().prop_map(|seed| Self::Add { seed }),
            (0..4_usize).prop_map(|layer| Self::Remove { layer }),
            Just(Self::Revert),
        ]
        .boxed()
    }
}

impl Image {
    pub fn first() -> Self {
        Self(vec![noise(1, SIZE), noise(2, SIZE)])
    }

    pub fn edit(&mut self, edit: &Edit) {
        let count = self.0.len();
        match *edit {
            Edit::Change { layer, at, seed } => {
                self.0[layer % count][at..].iter_mut().take(9).for_each(|byte| *byte = byte.wrapping_add(seed))
            }
            Edit::Insert { layer, at, size } => drop(self.0[layer % count].splice(at..at, noise(at as u64, size)).collect::<Vec<_>>()),
            Edit::Add { seed } if count < 4 => self.0.push(noise(seed.into(), SIZE)),
            Edit::Remove { layer } if count > 1 => drop(self.0.remove(layer % count)),
            Edit::Revert => *self = Self::first(),
            Edit::Add { .. } | Edit::Remove { .. } => {}
        }
    }

    /// Each layer, and what it is packed.
    pub fn packed(&self, packer: Packer) -> impl Iterator<Item = (&Vec<u8>, Vec<u8>)> {
        let pack = move |layer: &Vec<u8>| match packer {
            Packer::Gzip => {
                let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                gzip.write_all(layer).unwrap();
                gzip.finish().unwrap()
            }
            Packer::Zstd => zstd::bulk::compress(layer, 3).unwrap(),
            Packer::Neither => layer.iter().rev().copied().collect(),
        };
        self.0.iter().map(move |layer| (layer, pack(layer)))
    }

    /// Writes it as `docker save` does.
    pub fn save(&self, path: &Path) {
        let digests: Vec<String> = self.0.iter().map(|layer| hex(layer)).collect();
        let diffs: Vec<String> = digests.iter().map(|digest| format!("sha256:{digest}")).collect();
        let config = json!({ "architecture": "amd64", "os": "linux", "rootfs": { "type": "layers", "diff_ids": diffs } }).to_string();
        let layers: Vec<String> = digests.iter().map(|digest| format!("{digest}/layer.tar")).collect();
        let manifest = json!([{ "Config": "config.json", "RepoTags": [NAME], "Layers": layers }]).to_string();
        let mut tar = tar::Builder::new(File::create(path).unwrap());
        let texts = [("config.json", config.as_bytes()), ("manifest.json", manifest.as_bytes())];
        let mut seen = Vec::new();
        for (name, bytes) in layers.iter().map(String::as_str).zip(self.0.iter().map(Vec::as_slice)).chain(texts) {
            if !seen.contains(&name) {
                seen.push(name);
                let mut header = tar::Header::new_gnu();
                header.set_size(bytes.len() as u64);
                header.set_mode(0o644);
                tar.append_data(&mut header, name, bytes).unwrap();
            }
        }
        tar.finish().unwrap();
    }
}

pub fn hex(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// Bytes that no packing makes less.
fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(size).collect()
}
