//! Archives made to harm whoever opens them. Each is refused in words that tell why, nothing is written anywhere, and memory stays bounded:
//! all of this runs in one process, whose peak is measured at the end.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use bedplate::images::{open, read};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tar::{Builder, EntryType, Header};
use tempfile::TempDir;

const ARCH: &str = "amd64";
/// What one process may take for all of them: serde_json's tree of 4 MiB of text is the largest part.
const PEAK: u64 = 256 << 20;
const LAYER: &[u8] = b"a layer";

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{:x}", Sha256::digest(bytes))
}

fn config(diff_ids: &[String]) -> Vec<u8> {
    json!({ "architecture": ARCH, "os": "linux", "rootfs": { "type": "layers", "diff_ids": diff_ids } }).to_string().into_bytes()
}

/// A tar under construction, in a folder of its own.
struct Tar {
    folder: TempDir,
    tar: Builder<File>,
}

impl Tar {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tar = Builder::new(File::create(folder.path().join("image.tar")).unwrap());
        Self { folder, tar }
    }

    /// The header as it is given: `Builder` itself would refuse such names.
    fn raw(mut self, name: &str, kind: EntryType, link: &str, size: u64, bytes: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_gnu_mut().unwrap().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(size);
        header.set_cksum();
        self.tar.append(&header, bytes).unwrap();
        self
    }

    fn file(self, name: &str, bytes: &[u8]) -> Self {
        self.raw(name, EntryType::Regular, "", bytes.len() as u64, bytes)
    }

    fn link(self, name: &str, kind: EntryType, target: &str) -> Self {
        self.raw(name, kind, target, 0, b"")
    }

    /// A docker-archive of one layer.
    fn docker(self, layer: &str) -> Self {
        let manifest = json!([{ "Config": "config.json", "RepoTags": ["shop/web:1"], "Layers": [layer] }]);
        self.file("config.json", &config(&[digest(LAYER)])).file("manifest.json", manifest.to_string().as_bytes())
    }

    fn done(self) -> (TempDir, PathBuf) {
        let path = self.folder.path().join("image.tar");
        self.tar.into_inner().unwrap().sync_all().unwrap();
        (self.folder, path)
    }

    fn refused(self) -> String {
        let (_folder, path) = self.done();
        read(&path, ARCH).unwrap_err()
    }
}

/// An OCI folder; `layer` is the bytes and what is told of them: digest, diff id.
fn layout(layer: (&[u8], &str, &str), spoil: impl FnOnce(&Path, &str, &str)) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let blobs = folder.path().join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let put = |digest: &str, bytes: &[u8]| fs::write(blobs.join(digest.trim_start_matches("sha256:")), bytes).unwrap();
    let config = config(&[layer.2.to_owned()]);
    let manifest = json!({ "config": { "digest": digest(&config) }, "layers": [{ "digest": layer.1 }] }).to_string();
    put(&digest(&config), &config);
    put(&digest(manifest.as_bytes()), manifest.as_bytes());
    put(layer.1, layer.0);
    index(folder.path(), &json!([{ "digest": digest(manifest.as_bytes()), "annotations": { "io.containerd.image.name": "web" } }]));
    spoil(&blobs, digest(manifest.as_bytes()).trim_start_matches("sha256:"), digest(&config).trim_start_matches("sha256:"));
    folder
}

fn index(folder: &Path, manifests: &Value) {
    fs::write(folder.join("index.json"), json!({ "manifests": manifests }).to_string()).unwrap();
}

/// Reads every blob to its end.
fn drain(path: &Path) -> Result<(), String> {
    let layout = open(path, ARCH)?;
    for blob in &layout.image().blobs {
        let mut bytes = layout.blob(&blob.digest).map_err(|error| error.to_string())?;
        io::copy(&mut bytes, &mut io::sink()).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn said(what: &str, words: &str) {
    assert!(what.contains(words), "{words:?} is not said: {what}");
}

#[test]
fn names_and_links_lead_nowhere_outside() {
    let outside =
        Tar::new().file("../../escape", b"x").link("layer.tar", EntryType::Symlink, "a/../b/layer.tar").file("b/layer.tar", LAYER);
    let (_folder, path) = outside.docker("layer.tar").done();
    drain(&path).unwrap();
    for (kind, target) in
        [(EntryType::Symlink, "/etc/passwd"), (EntryType::Symlink, "../../etc/passwd"), (EntryType::Link, "../etc/passwd")]
    {
        said(&Tar::new().link("layer.tar", kind, target).docker("layer.tar").refused(), "it lacks its layer layer.tar");
    }
    let circle = Tar::new().link("a", EntryType::Symlink, "b").link("b", EntryType::Symlink, "a").docker("a");
    said(&circle.refused(), "too many links");
    let (_folder, path) = Tar::new().file("b/layer.tar", LAYER).link("a", EntryType::Link, "b/layer.tar").docker("a").done();
    drain(&path).unwrap();
    said(&Tar::new().docker("../../../../etc/passwd").refused(), "it lacks its layer");
    let folder = layout((LAYER, &digest(LAYER), &digest(LAYER)), |_, _, _| {});
    for name in ["sha256:../../../../../etc/passwd", "md5:00", "sha256:", &digest(LAYER).to_uppercase()] {
        index(folder.path(), &json!([{ "digest": name, "annotations": { "io.containerd.image.name": "web" } }]));
        said(&read(folder.path(), ARCH).unwrap_err(), "is no sha256 digest");
    }
}

#[test]
fn what_is_not_what_its_digest_says_is_refused() {
    let (is, other) = (digest(LAYER), digest(b"other"));
    let spoilt = |spoil: fn(&Path, &str, &str)| drain(layout((LAYER, &is, &is), spoil).path());
    spoilt(|_, _, _| {}).unwrap();
    said(&spoilt(|blobs, manifest, _| fs::write(blobs.join(manifest), "{}").unwrap()).unwrap_err(), "what it holds as");
    said(&spoilt(|blobs, _, config| fs::write(blobs.join(config), "{}").unwrap()).unwrap_err(), "what it holds as");
    said(&drain(layout((LAYER, &other, &other), |_, _, _| {}).path()).unwrap_err(), &format!("what it holds as {other} is {is}"));
    said(&drain(layout((LAYER, &is, &other), |_, _, _| {}).path()).unwrap_err(), &format!("its config tells of {other}"));
    for packed in [gzip(LAYER), zstd::encode_all(LAYER, 3).unwrap()] {
        drain(layout((&packed, &digest(&packed), &is), |_, _, _| {}).path()).unwrap();
        said(&drain(layout((&packed, &digest(&packed), &other), |_, _, _| {}).path()).unwrap_err(), &format!("unpacks to {is}"));
        let cut = &packed[..packed.len() - 3];
        assert!(drain(layout((cut, &digest(cut), &is), |_, _, _| {}).path()).is_err());
    }
    let (_folder, path) = Tar::new().file("layer.tar", b"A layer").docker("layer.tar").done();
    said(&drain(&path).unwrap_err(), &format!("what it holds as {is}"));
}

#[test]
fn a_bomb_is_stopped_before_it_is_unpacked() {
    let zeros = vec![0; 16 << 20];
    // Members and frames may follow one another.
    for packed in [gzip(&zeros).repeat(65), zstd::encode_all(&*zeros, 3).unwrap().repeat(65)] {
        let told = digest(&packed);
        said(&drain(layout((&packed, &told, &told), |_, _, _| {}).path()).unwrap_err(), "unpacks to more than 1073741824 bytes");
    }
    let mut wide = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    wide.window_log(30).unwrap();
    wide.write_all(&zeros).unwrap();
    let wide = wide.finish().unwrap();
    let told = digest(&wide);
    said(&drain(layout((&wide, &told, &told), |_, _, _| {}).path()).unwrap_err(), "memory");
}

#[test]
fn texts_and_lists_without_end_are_refused() {
    said(&Tar::new().file("manifest.json", &vec![b' '; 5 << 20]).refused(), "too many for a manifest");
    said(&Tar::new().file("index.json", format!(r#"{{"x":{}"#, "[".repeat(4 << 19)).as_bytes()).refused(), "EOF while parsing a list");
    let entries = format!(r#"{{"manifests":[{}{{"digest":""}}]}}"#, r#"{"digest":""},"#.repeat(290_000));
    said(&Tar::new().file("index.json", entries.as_bytes()).refused(), "is no sha256 digest");
    said(&Tar::new().file("a", b"").file("a", b"").refused(), "it holds a twice");
    let many = (0..40_000).fold(Tar::new(), |tar, at| tar.file(&at.to_string(), b""));
    said(&many.refused(), "the names of its files alone");
    // A name of a gigabyte, which takes no room on this disk.
    for kind in [EntryType::GNULongName, EntryType::XHeader] {
        let (_folder, path) = Tar::new().raw("././@LongLink", kind, "", 1 << 30, b"").done();
        let mut file = File::options().write(true).open(&path).unwrap();
        file.set_len((1 << 30) + 1024).unwrap();
        file.seek(SeekFrom::End(0)).unwrap();
        said(&read(&path, ARCH).unwrap_err(), "the names of its files alone");
    }
}

#[test]
fn an_archive_that_is_packed_as_a_whole_is_named_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image.tar");
    for (packed, by) in [(gzip(LAYER), "gzip"), (zstd::encode_all(LAYER, 3).unwrap(), "zstd")] {
        fs::write(&path, packed).unwrap();
        said(&read(&path, ARCH).unwrap_err(), &format!("packed by {by} as a whole"));
    }
}

#[test]
fn wherever_an_archive_is_cut_it_is_refused() {
    let (folder, path) = Tar::new().file("layer.tar", LAYER).docker("layer.tar").done();
    let whole = fs::read(&path).unwrap();
    let image = read(&path, ARCH).unwrap();
    let end = whole.len() - 1024;
    let cut = folder.path().join("cut.tar");
    for length in (0..end).step_by(7) {
        fs::write(&cut, &whole[..length]).unwrap();
        // Nothing but the padding after the last file may be missing.
        let left = read(&cut, ARCH).ok();
        assert!(left.is_none_or(|left| length > end - 512 && left == image), "cut after {length} of {} bytes", whole.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Whatever is turned over in an archive: it is refused, or every blob is what its digest says.
    #[test]
    fn no_byte_that_is_turned_over_gets_through(at in 0_usize..6000, to: u8, folder: bool) {
        let (_tar, tar) = Tar::new().file("layer.tar", LAYER).docker("layer.tar").done();
        let layout = layout((LAYER, &digest(LAYER), &digest(LAYER)), |_, _, _| {});
        let path = if folder { layout.path().to_owned() } else { tar };
        let files: Vec<PathBuf> = if folder {
            let blobs = fs::read_dir(path.join("blobs/sha256")).unwrap().map(|entry| entry.unwrap().path());
            blobs.chain([path.join("index.json")]).collect()
        } else {
            vec![path.clone()]
        };
        let file = &files[at % files.len()];
        let mut bytes = fs::read(file).unwrap();
        let at = at % bytes.len();
        bytes[at] = to;
        fs::write(file, bytes).unwrap();
        if let Ok(opened) = open(&path, ARCH) {
            for blob in &opened.image().blobs {
                let mut read = Vec::new();
                if opened.blob(&blob.digest).unwrap().read_to_end(&mut read).is_ok() {
                    prop_assert_eq!(digest(&read), blob.digest.clone());
                }
            }
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

/// The process's peak, of which this file's own texts and bombs are a part. It says something once the others have run.
#[test]
fn memory_stays_bounded() {
    texts_and_lists_without_end_are_refused();
    a_bomb_is_stopped_before_it_is_unpacked();
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(peak * 1024 < PEAK, "the peak was {peak} kB");
    println!("the peak was {peak} kB");
}
