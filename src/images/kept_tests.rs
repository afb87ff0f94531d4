use std::fs::{self, File};
use std::path::Path;

use serde_json::json;

use super::Kept;
use crate::images::layout::{Layout, digest};
use crate::images::open;

/// An image of these plain layers.
fn image(folder: &Path, name: &str, layers: &[&[u8]]) -> Layout {
    let path = folder.join("image.tar");
    let mut tar = tar::Builder::new(File::create(&path).unwrap());
    let mut append = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, name, bytes).unwrap();
    };
    let diffs: Vec<String> = layers.iter().map(|layer| digest(layer)).collect();
    let names: Vec<String> = (0..layers.len()).map(|place| place.to_string()).collect();
    append("config", json!({ "rootfs": { "diff_ids": diffs } }).to_string().as_bytes());
    append("manifest.json", json!([{ "Config": "config", "RepoTags": [name], "Layers": names }]).to_string().as_bytes());
    names.iter().zip(layers).for_each(|(name, layer)| append(name, layer));
    tar.finish().unwrap();
    open(&path, "amd64").unwrap()
}

#[test]
fn the_base_of_a_layer_is_its_former_self_if_the_host_has_that() {
    let folder = tempfile::tempdir().unwrap();
    let kept = Kept(folder.path().join("layers"));
    let [below, top, other] = [vec![1; 900_000], vec![2; 400_000], vec![3; 400_100]];
    let first = image(folder.path(), "shop/web:1", &[&below, &top]);
    kept.keep(&first).unwrap();
    let next = image(folder.path(), "shop/web:2", &[&below, &other]);
    let changed = next.image().blobs.last().unwrap();
    assert_eq!(kept.base(next.image(), changed, |_| true), None);
    kept.note(first.image()).unwrap();
    assert_eq!(kept.base(next.image(), changed, |_| true), Some(digest(&top)));
    assert_eq!(kept.base(next.image(), changed, |held| held != digest(&top)), None);
    assert_eq!(kept.read(&digest(&top)).unwrap(), top);
    let elsewhere = image(folder.path(), "shop/auth:1", &[&below, &other]);
    assert_eq!(kept.base(elsewhere.image(), changed, |_| true), None);
}

#[test]
fn a_host_that_is_behind_has_the_layers_of_an_image_before_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let kept = Kept(folder.path().join("layers"));
    let layers: Vec<Vec<u8>> = (1..=6).map(|seed| vec![seed; 400_000]).collect();
    let image = |layer: &Vec<u8>| image(folder.path(), "shop/web:1", &[layer]);
    for layer in &layers {
        let image = image(layer);
        kept.keep(&image).unwrap();
        kept.note(image.image()).unwrap();
        kept.note(image.image()).unwrap();
    }
    let last = image(&layers[5]);
    let last = last.image();
    let base = |held: &[u8]| kept.base(last, last.blobs.last().unwrap(), |digest_of| digest_of == digest(held));
    assert_eq!(base(&layers[4]), Some(digest(&layers[4])));
    assert_eq!(base(&layers[2]), Some(digest(&layers[2])));
    assert_eq!(base(&layers[1]), None, "only so many are noted");
    assert_eq!(kept.base(last, last.blobs.last().unwrap(), |_| true), Some(digest(&layers[4])), "the last one first");
}

#[test]
fn what_is_small_is_not_kept_and_what_is_spoilt_goes() {
    let folder = tempfile::tempdir().unwrap();
    let kept = Kept(folder.path().join("layers"));
    let layer = vec![1; 900_000];
    kept.keep(&image(folder.path(), "shop/web:1", &[&layer, b"small"])).unwrap();
    let path = kept.path(&digest(&layer)).unwrap();
    assert!(path.exists() && !kept.path(&digest(b"small")).unwrap().exists());
    fs::write(&path, "spoilt").unwrap();
    assert!(kept.read(&digest(&layer)).is_err() && !path.exists());
}
