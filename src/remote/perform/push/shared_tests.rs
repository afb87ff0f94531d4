use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::super::wire::{Load, parcels};
use super::*;
use crate::images::open;

const SIZE: usize = 10_000_000;

/// An image of one layer, which fills two parts and half of a third.
fn image(folder: &Path) -> (PathBuf, Vec<u8>) {
    let layer: Vec<u8> = (0..SIZE).map(|at| (at.wrapping_mul(2_654_435_761) >> 16) as u8).collect();
    let config = json!({ "rootfs": { "diff_ids": [format!("sha256:{:x}", Sha256::digest(&layer))] } }).to_string();
    let manifest = json!([{ "Config": "config", "RepoTags": ["shop/web:1"], "Layers": ["layer"] }]).to_string();
    let path = folder.join("image.tar");
    let mut tar = tar::Builder::new(File::create(&path).unwrap());
    for (name, bytes) in [("config", config.as_bytes()), ("manifest.json", manifest.as_bytes()), ("layer", &layer)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, name, bytes).unwrap();
    }
    tar.finish().unwrap();
    (path, layer)
}

/// What one host is sent of the layer, of which it has these parts.
async fn sent(layout: &Arc<Layout>, shared: &Arc<Shared>, there: &[Part]) -> io::Result<Vec<u8>> {
    let layer = layout.image().blobs.iter().find(|blob| blob.diff_id.is_some()).unwrap().clone();
    let load = Load { layout: Arc::clone(layout), codec: Codec::Zstd, shared: Some(Arc::clone(shared)) };
    let missing = Parts::of(layer.size, there).missing;
    let (mut parcels, fed) = parcels(move |give| load.whole(&layer, &missing, give));
    let mut bytes = Vec::new();
    while let Some(packing) = parcels.recv().await {
        bytes.extend(zstd::decode_all(packing.await?.payload.as_slice())?);
    }
    assert!(fed.await.unwrap());
    Ok(bytes)
}

#[tokio::test]
async fn the_second_host_is_sent_what_was_read_for_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let (path, layer) = image(folder.path());
    let (layout, shared) = (Arc::new(open(&path, "amd64").unwrap()), Arc::default());
    let (one, other) = tokio::join!(sent(&layout, &shared, &[]), sent(&layout, &shared, &[]));
    assert!(one.unwrap() == layer && other.unwrap() == layer);
    std::fs::remove_file(&path).unwrap();
    assert!(sent(&layout, &shared, &[]).await.unwrap() == layer);
    // Where a line was cut in the middle of a part, the rest of it is read anew.
    assert!(sent(&layout, &shared, &[Part { offset: 0, size: 5 }]).await.is_err());
    let (path, _) = image(folder.path());
    assert!(path.exists() && sent(&layout, &shared, &[Part { offset: 0, size: 5 }]).await.unwrap() == layer[5..]);
}

#[tokio::test]
async fn what_is_not_what_it_is_called_reaches_no_host_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = image(folder.path());
    let (layout, shared) = (Arc::new(open(&path, "amd64").unwrap()), Arc::default());
    let mut file = File::options().read(true).write(true).open(&path).unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::End(-3_000_000)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::End(-3_000_000)).unwrap();
    file.write_all(&[!byte[0]]).unwrap();
    for _ in 0..2 {
        let said = sent(&layout, &shared, &[]).await.unwrap_err().to_string();
        assert!(said.contains("what it holds as"), "{said}");
    }
}
