//! What is kept here and was cut or changed since is had once more: against an engine and a registry of make-believe.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixListener};

use super::engine::Engine;
use super::layout::digest;
use super::oci::MANIFEST;
use super::{open, pulled, saved};

const ARCH: &str = "amd64";
const LAYER: &[u8] = b"not much of a tar";

/// What is had by GET.
type Site = BTreeMap<String, Vec<u8>>;

async fn serve(mut line: impl AsyncRead + AsyncWrite + Unpin, site: &Site) {
    let (mut asked, mut chunk) = (Vec::new(), [0; 1024]);
    while !asked.ends_with(b"\r\n\r\n") {
        match line.read(&mut chunk).await {
            Ok(read @ 1..) => asked.extend_from_slice(&chunk[..read]),
            _ => return,
        }
    }
    let asked = String::from_utf8(asked).unwrap();
    let path = asked.split(' ').nth(1).unwrap();
    let (status, body) = site.get(path).map_or((404, &b"{}"[..]), |body| (200, &body[..]));
    let head = format!("HTTP/1.1 {status} .\r\nContent-Type: {MANIFEST}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    line.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
    line.shutdown().await.unwrap();
}

fn config() -> Vec<u8> {
    json!({ "architecture": ARCH, "os": "linux", "rootfs": { "type": "layers", "diff_ids": [digest(LAYER)] } }).to_string().into_bytes()
}

fn docker_archive() -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let manifest = json!([{ "Config": "config.json", "RepoTags": ["shop/web:1"], "Layers": ["layer.tar"] }]).to_string();
    for (name, content) in [("config.json", &config()[..]), ("layer.tar", LAYER), ("manifest.json", manifest.as_bytes())] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        tar.append_data(&mut header, name, content).unwrap();
    }
    tar.into_inner().unwrap()
}

fn held(path: &Path) -> bool {
    open(path, ARCH).is_ok_and(|layout| std::io::copy(&mut layout.blob(&digest(LAYER)).unwrap(), &mut std::io::sink()).is_ok())
}

#[tokio::test]
async fn a_saved_archive_that_was_cut_is_saved_anew() {
    let folder = tempfile::tempdir().unwrap();
    let id = digest(&config());
    let inspected = json!({ "Id": id, "Architecture": ARCH, "Size": 1 }).to_string().into_bytes();
    let site = Site::from([("/images/shop/web:1/json".into(), inspected), ("/images/shop/web:1/get".into(), docker_archive())]);
    fs::create_dir(folder.path().join("podman")).unwrap();
    let listener = UnixListener::bind(folder.path().join("podman/podman.sock")).unwrap();
    tokio::spawn(async move {
        while let Ok((line, _)) = listener.accept().await {
            serve(line, &site).await;
        }
    });
    let engine = Engine::podman(|_| Some(folder.path().display().to_string()));
    let kept = folder.path().join("kept");
    let fetch = async || saved::fetch(&engine, "shop/web:1", ARCH, &kept, &|_, _| {}).await.unwrap().0;
    let path = fetch().await;
    fs::File::options().write(true).open(&path).unwrap().set_len(700).unwrap();
    assert!(!held(&path));
    let image = saved::ask(&engine, "shop/web:1", ARCH, &kept).await.unwrap().unwrap();
    assert_eq!((image.id, held(&path)), (id, true));
    assert_eq!(fetch().await, path);
}

#[tokio::test]
async fn a_pulled_blob_that_was_changed_is_pulled_anew() {
    let folder = tempfile::tempdir().unwrap();
    let config = config();
    let entry = |bytes: &[u8]| json!({ "digest": digest(bytes), "size": bytes.len() });
    let layer = json!({ "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest(LAYER), "size": LAYER.len() });
    let manifest = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": entry(&config), "layers": [layer] }).to_string();
    let blob = |bytes: &[u8]| (format!("/v2/shop/web/blobs/{}", digest(bytes)), bytes.to_vec());
    let manifest = ("/v2/shop/web/manifests/1".into(), manifest.into_bytes());
    let site = Arc::new(Site::from([("/v2/".into(), b"{}".to_vec()), manifest, blob(&config), blob(LAYER)]));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let name = format!("{}/shop/web:1", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((line, _)) = listener.accept().await {
            let site = Arc::clone(&site);
            tokio::spawn(async move { serve(line, &site).await });
        }
    });
    let fetch = async || pulled::fetch(&name, ARCH, folder.path(), &|_, _| {}).await.unwrap();
    let path = fetch().await;
    assert!(held(&path));
    for of in [&config[..], LAYER] {
        let blob = path.join("blobs/sha256").join(&digest(of)["sha256:".len()..]);
        fs::write(&blob, vec![b' '; of.len()]).unwrap();
        assert!(!held(&path) && held(&fetch().await));
    }
}
