use std::fs;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::layout::digest;
use super::{open, read};

const ARCH: &str = "amd64";
const LAYER: &[u8] = b"not much of a tar";
/// `printf unpacked | gzip -n`.
const PACKED: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x2b\xcd\x2b\x48\x4c\xce\x4e\x4d\x01\x00\x96\x62\x2f\xca\x08\x00\x00\x00";

fn config(diff_ids: &[String]) -> Vec<u8> {
    json!({ "architecture": "amd64", "os": "linux", "rootfs": { "type": "layers", "diff_ids": diff_ids } }).to_string().into_bytes()
}

fn tar(folder: &Path, members: &[(&str, &[u8])]) -> PathBuf {
    let path = folder.join("image.tar");
    let mut tar = tar::Builder::new(File::create(&path).unwrap());
    for (name, content) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, *content).unwrap();
    }
    tar.finish().unwrap();
    path
}

/// A docker-archive of a plain layer, which is there twice, and a packed one.
fn docker(folder: &Path, manifest: &str) -> PathBuf {
    let config = config(&[digest(LAYER), digest(b"unpacked"), digest(LAYER)]);
    tar(folder, &[("abc.json", &config), ("a/layer.tar", LAYER), ("b/layer.tar", PACKED), ("manifest.json", manifest.as_bytes())])
}

/// Writes an OCI layout whose index names the image `shop/web:1`.
fn layout(folder: &Path) -> (String, String) {
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let put = |bytes: &[u8]| {
        let digest = digest(bytes);
        fs::write(blobs.join(&digest["sha256:".len()..]), bytes).unwrap();
        digest
    };
    let config = put(&config(&[digest(LAYER)]));
    let layers = [json!({ "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": put(LAYER) })];
    let manifest = put(json!({ "config": { "digest": config }, "layers": layers }).to_string().as_bytes());
    let entry = json!({ "digest": manifest, "annotations": { "org.opencontainers.image.ref.name": "shop/web:1" } });
    fs::write(folder.join("index.json"), json!({ "manifests": [entry] }).to_string()).unwrap();
    (manifest, config)
}

#[test]
fn a_tag_alone_is_no_name() {
    let folder = tempfile::tempdir().unwrap();
    layout(folder.path());
    let index = folder.path().join("index.json");
    fs::write(&index, fs::read_to_string(&index).unwrap().replace("shop/web:1", "1")).unwrap();
    let said = read(folder.path(), ARCH).unwrap_err();
    assert!(said.contains("index.json calls it `1` and no more"), "{said}");
    // As skopeo leaves it when the same image is saved again by another name.
    let mut document: Value = serde_json::from_slice(&fs::read(&index).unwrap()).unwrap();
    let mut again = document["manifests"][0].clone();
    again["annotations"]["org.opencontainers.image.ref.name"] = "docker.io/shop/web:2".into();
    document["manifests"].as_array_mut().unwrap().push(again);
    fs::write(&index, document.to_string()).unwrap();
    assert_eq!(read(folder.path(), ARCH).unwrap().names, ["docker.io/shop/web:2"]);
}

fn bytes(path: &Path, digest: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    open(path, ARCH).unwrap().blob(digest).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_docker_archive_gets_a_manifest_whose_layers_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = docker(
        folder.path(),
        r#"[{"Config":"abc.json","RepoTags":["shop/web:1","web"],"Layers":["a/layer.tar","b/layer.tar","a/layer.tar"]}]"#,
    );
    let image = read(&path, ARCH).unwrap();
    assert_eq!(image.names, ["docker.io/shop/web:1", "docker.io/library/web:latest"]);
    let [manifest, config, plain, packed] = image.blobs.as_slice() else { panic!("{:?}", image.blobs) };
    assert_eq!(image.size, image.blobs.iter().map(|blob| blob.size).sum::<u64>());
    assert_eq!((&config.digest, &plain.digest, &packed.digest), (&image.id, &digest(LAYER), &digest(PACKED)));
    assert_eq!((plain.diff_id.as_ref(), packed.diff_id.clone()), (Some(&plain.digest), Some(digest(b"unpacked"))));
    for (blob, content) in [(plain, LAYER), (packed, PACKED)] {
        assert_eq!((bytes(&path, &blob.digest), blob.size), (content.to_vec(), content.len() as u64));
    }
    let text = bytes(&path, &manifest.digest);
    assert_eq!(digest(&text), manifest.digest);
    let text: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(text["config"]["digest"], image.id);
    let layers: Vec<&Value> = text["layers"].as_array().unwrap().iter().map(|layer| &layer["digest"]).collect();
    assert_eq!(layers, [&plain.digest, &packed.digest, &plain.digest]);
    assert_eq!(text["layers"][1]["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");
}

#[test]
fn what_is_wrong_with_a_docker_archive_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let said = |manifest: &str| read(&docker(folder.path(), manifest), ARCH).unwrap_err();
    assert!(said(r#"[{"Config":"gone.json","RepoTags":["a"]}]"#).contains("is cut"));
    assert!(said(r#"[{"Config":"abc.json","RepoTags":["a"],"Layers":["a/layer.tar"]}]"#).contains("3 layers, manifest.json of 1"));
    assert!(said(r#"[{"Config":"abc.json","RepoTags":["a"],"Layers":["a/layer.tar","c","d"]}]"#).contains("its layer c"));
    let all = r#""Layers":["a/layer.tar","b/layer.tar","a/layer.tar"]"#;
    assert!(said(&format!(r#"[{{"Config":"abc.json","RepoTags":null,{all}}}]"#)).contains("no name"));
    assert!(said(r#"[{"Config":"abc.json"},{"Config":"abc.json"}]"#).contains("2 images"));
}

#[test]
fn an_oci_layout_is_known_by_its_config_as_a_folder_and_as_a_tar() {
    let folder = tempfile::tempdir().unwrap();
    let (manifest, config) = layout(folder.path());
    let elsewhere = tempfile::tempdir().unwrap();
    let path = elsewhere.path().join("oci.tar");
    let mut tar = tar::Builder::new(File::create(&path).unwrap());
    tar.append_dir_all(".", folder.path()).unwrap();
    tar.finish().unwrap();
    for path in [folder.path(), &path] {
        let image = read(path, ARCH).unwrap();
        assert_eq!((image.names.as_slice(), &image.id), (["docker.io/shop/web:1".to_owned()].as_slice(), &config));
        let digests: Vec<&String> = image.blobs.iter().map(|blob| &blob.digest).collect();
        assert_eq!(digests, [&manifest, &config, &digest(LAYER)]);
        assert_eq!(bytes(path, &digest(LAYER)), LAYER);
    }
}

#[test]
fn a_layout_that_was_written_into_again_is_its_named_image() {
    let folder = tempfile::tempdir().unwrap();
    let (manifest, _) = layout(folder.path());
    let index = folder.path().join("index.json");
    let mut text: Value = serde_json::from_str(&fs::read_to_string(&index).unwrap()).unwrap();
    // As skopeo leaves what bore the name before.
    let former = fs::read(folder.path().join("blobs/sha256").join(&manifest["sha256:".len()..])).unwrap();
    let former = String::from_utf8(former).unwrap() + " ";
    fs::write(folder.path().join("blobs/sha256").join(&digest(former.as_bytes())["sha256:".len()..]), &former).unwrap();
    text["manifests"].as_array_mut().unwrap().insert(0, json!({ "digest": digest(former.as_bytes()) }));
    fs::write(&index, text.to_string()).unwrap();
    assert_eq!(read(folder.path(), ARCH).unwrap().blobs[0].digest, manifest);
}

#[test]
fn a_layout_that_lacks_a_blob_or_calls_it_by_a_path_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    layout(folder.path());
    fs::remove_file(folder.path().join("blobs/sha256").join(&digest(LAYER)["sha256:".len()..])).unwrap();
    assert!(read(folder.path(), ARCH).unwrap_err().contains(&format!("lacks {}", digest(LAYER))));
    fs::write(folder.path().join("blobs/sha256/m"), r#"{"config":{"digest":"sha256:../../index.json"}}"#).unwrap();
    fs::write(folder.path().join("index.json"), r#"{"manifests":[{"digest":"sha256:m"}]}"#).unwrap();
    assert!(read(folder.path(), ARCH).is_err());
}

#[test]
fn the_index_names_the_image_by_all_of_its_names() {
    let folder = tempfile::tempdir().unwrap();
    let (manifest, _) = layout(folder.path());
    let index: Value = serde_json::from_slice(&open(folder.path(), ARCH).unwrap().index()).unwrap();
    let [entry] = index["manifests"].as_array().unwrap().as_slice() else { panic!("{index}") };
    assert_eq!((&entry["digest"], &entry["annotations"]["io.containerd.image.name"]), (&json!(manifest), &json!("docker.io/shop/web:1")));
}
