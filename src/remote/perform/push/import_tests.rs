use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Output};

use sha2::{Digest as _, Sha256};

use super::super::K3S_CTR;
use super::*;
use crate::test_program::write_program;

const NAME: &str = "docker.io/shop/web:1";
/// Stands in for containerd's command line: keeps what it is given to import, which must have an index, lists what it is told to hold. An old
/// one does not know the option.
const CONTAINERD: &str = r#"#!/bin/sh
d=${0%/*}
case "$*" in
*" --local "*) [ ! -e "$d/old" ] || { echo "ctr: flag provided but not defined: -local" >&2; exit 1; } ;;
esac
case "$*" in
"images import"*) echo "$*" >"$d/how"; cat >"$d/imported"; grep -q index.json "$d/imported" ;;
"images label"* | "images rm"*) echo "$*" >>"$d/how" ;;
"images check"*) cat "$d/whole" ;;
"content ls -q") cat "$d/held" ;;
esac
"#;

fn blob(bytes: &[u8]) -> Blob {
    Blob { digest: format!("sha256:{:x}", Sha256::digest(bytes)), media_type: String::new(), size: bytes.len() as u64, diff_id: None }
}

struct Host(tempfile::TempDir);

impl Host {
    /// With what images are whole after the import, and what the store holds then.
    fn new(whole: &str, held: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_program(&folder.path().join("ctr"), CONTAINERD);
        for (name, text) in [("whole", whole), ("held", held)] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        for name in ["spool", "bin", "job", "store"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("job/fed"), "").unwrap();
        Self(folder)
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn spool(&self, blob: &Blob, bytes: &[u8], parts: &[Part]) {
        for Part { offset, size } in parts {
            let (from, size) = (usize::try_from(*offset).unwrap(), usize::try_from(*size).unwrap());
            fs::write(self.at(&format!("spool/{}-{offset}", spool::hex(&blob.digest))), &bytes[from..from + size]).unwrap();
        }
    }

    fn import(&self, sent: &[(&Blob, Vec<Part>)], all: &[Blob]) -> Output {
        self.make_and_import("", sent, all)
    }

    fn make_and_import(&self, made: &str, sent: &[(&Blob, Vec<Part>)], all: &[Blob]) -> Output {
        let script = self.script(made, sent, all);
        self.shell(&script).output().unwrap()
    }

    /// As a job whose worker has ended: its status.
    fn import_alone(&self, sent: &[(&Blob, Vec<Part>)], all: &[Blob]) -> String {
        let (script, status) = (self.script("", sent, all), self.at("status"));
        let script = format!("exec 3<&0\n{{ (\n{script}\n) <&3; echo $? >{0}.new; mv {0}.new {0}; }} >/dev/null 2>&1 &", status.display());
        assert!(self.shell(&script).status().unwrap().success());
        until(|| status.exists());
        fs::read_to_string(status).unwrap()
    }

    fn script(&self, made: &str, sent: &[(&Blob, Vec<Part>)], all: &[Blob]) -> String {
        let archive = Archive::of(b"{}", sent.iter().map(|(blob, _)| *blob)).unwrap();
        let names = [NAME.into()];
        let import = Import { names: &names, made, sent, all, patience: Duration::from_secs(60) };
        let script = script(&import, &archive).replace(LIST, "echo listed");
        let script = script
            .replace(K3S_CTR, self.at("ctr").to_str().unwrap())
            .replace(FOLDER, self.at("spool").to_str().unwrap())
            .replace(STORE, self.at("store").to_str().unwrap());
        let payload = self.at("payload");
        fs::write(&payload, &archive.bytes).unwrap();
        script
    }

    fn shell(&self, script: &str) -> Command {
        let path = format!("{}:{}", self.at("bin").display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("sh");
        shell.args(["-c", script]).env("PATH", path).env("d", self.at("job")).stdin(File::open(self.at("payload")).unwrap());
        shell
    }

    fn left(&self) -> usize {
        fs::read_dir(self.at("spool")).unwrap().count()
    }
}

fn members(path: &Path) -> Vec<(String, Vec<u8>)> {
    let mut tar = tar::Archive::new(File::open(path).unwrap());
    let read = tar.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (entry.path().unwrap().to_str().unwrap().to_owned(), bytes)
    });
    read.collect()
}

fn parts(cuts: &[u64]) -> Vec<Part> {
    cuts.windows(2).map(|cut| Part { offset: cut[0], size: cut[1] - cut[0] }).collect()
}

#[test]
fn what_lies_in_parts_is_imported_whole() {
    let (long, short) = (vec![7; 100_000], b"short".to_vec());
    let (one, other) = (blob(&long), blob(&short));
    let host = Host::new(NAME, "");
    let (in_three, in_one) = (parts(&[0, 4096, 70_001, 100_000]), parts(&[0, 5]));
    host.spool(&one, &long, &in_three);
    host.spool(&other, &short, &in_one);
    // What a worker that was given up wrote on counts for nothing.
    let longer = host.at(&format!("spool/{}-4096", spool::hex(&one.digest)));
    fs::write(&longer, &long[4096..90_000]).unwrap();
    let output = host.import(&[(&one, in_three), (&other, in_one)], &[one.clone(), other.clone()]);
    assert!(output.status.success(), "{output:?}");
    let called = |blob: &Blob| format!("blobs/sha256/{}", spool::hex(&blob.digest));
    let expected = [
        ("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
        (called(&one), long),
        (called(&other), short),
        ("index.json".to_owned(), b"{}".to_vec()),
    ];
    assert!(members(&host.at("imported")) == expected);
    assert_eq!(host.left(), 0);
}

#[test]
fn what_is_still_on_its_way_is_waited_for() {
    let bytes = vec![7; 9000];
    let (one, two) = (blob(&bytes), parts(&[0, 4096, 9000]));
    let host = Host::new(NAME, "");
    host.spool(&one, &bytes, &two[1..]);
    fs::remove_file(host.at("job/fed")).unwrap();
    let output = std::thread::scope(|scope| {
        let import = scope.spawn(|| host.import(&[(&one, two.clone())], std::slice::from_ref(&one)));
        until(|| host.at("imported").metadata().is_ok_and(|meta| meta.len() > 0));
        // The second part lies there all the while; of the first one there is not all yet.
        host.spool(&one, &bytes, &parts(&[0, 4000]));
        std::thread::sleep(Duration::from_millis(300));
        let early = import.is_finished();
        host.spool(&one, &bytes, &two[..1]);
        fs::write(host.at("job/fed"), "").unwrap();
        (import.join().unwrap(), early)
    });
    assert!(output.0.status.success() && !output.1, "{output:?}");
    assert!(members(&host.at("imported"))[1].1 == bytes);
}

#[test]
fn where_nobody_is_left_nothing_is_imported_and_what_came_stays() {
    let (bytes, other) = (vec![7; 9000], vec![8; 9000]);
    let (cut, whole) = (blob(&bytes), blob(&other));
    let two = parts(&[0, 4096, 9000]);
    for arrived in [&two[..1], &two[..]] {
        let host = Host::new("", "");
        fs::remove_file(host.at("job/fed")).unwrap();
        host.spool(&cut, &bytes, arrived);
        host.spool(&whole, &other, &two);
        let all = [cut.clone(), whole.clone()];
        let status = host.import_alone(&[(&cut, two.clone()), (&whole, two.clone())], &all);
        let imported = fs::read(host.at("imported")).unwrap();
        let named = imported.windows(10).any(|bytes| bytes == b"index.json");
        assert_eq!((status.as_str(), named, host.left(), host.at("how").exists()), ("1\n", false, arrived.len() + 2, true));
        assert!(!fs::read_to_string(host.at("how")).unwrap().contains("images rm"));
    }
}

#[test]
fn a_blob_that_goes_while_others_are_on_their_way_is_missed_before_anything_is_named() {
    let bytes = vec![7; 9000];
    let (sent, held, whole) = (blob(&bytes), blob(b"base"), parts(&[0, 9000]));
    let all = [sent.clone(), held.clone()];
    let host = Host::new("", &sent.digest);
    let file = host.at("store").join(spool::hex(&held.digest));
    fs::write(&file, b"base").unwrap();
    fs::remove_file(host.at("job/fed")).unwrap();
    let output = std::thread::scope(|scope| {
        let import = scope.spawn(|| host.import(&[(&sent, whole.clone())], &all));
        until(|| host.at("imported").exists());
        std::thread::sleep(Duration::from_millis(300));
        fs::remove_file(&file).unwrap();
        host.spool(&sent, &bytes, &whole);
        fs::write(host.at("job/fed"), "").unwrap();
        import.join().unwrap()
    });
    assert_eq!(output.status.code(), Some(COLLECTED), "{output:?}");
    assert!(!fs::read(host.at("imported")).unwrap().windows(10).any(|bytes| bytes == b"index.json"));
}

fn until(there: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !there() {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn without_an_openssl_coreutils_do_it() {
    let (good, bytes) = (blob(b"good"), parts(&[0, 4]));
    for (spooled, status) in [(b"good", 0), (b"evil", SPOILT)] {
        let host = Host::new(NAME, "");
        write_program(&host.at("bin/openssl"), "#!/bin/sh\necho nonsense\nexit 127\n");
        host.spool(&good, spooled, &bytes);
        let output = host.import(&[(&good, bytes.clone())], std::slice::from_ref(&good));
        assert_eq!(output.status.code(), Some(status), "{output:?}");
    }
}

#[test]
fn what_is_spoilt_is_not_imported_and_goes_alone() {
    let (bytes, good) = (vec![7; 9000], vec![8; 9000]);
    let (spoilt, whole) = (blob(&bytes), blob(&good));
    let host = Host::new(NAME, "");
    let two = parts(&[0, 4096, 9000]);
    host.spool(&spoilt, &vec![9; 9000], &two);
    host.spool(&whole, &good, &two);
    let output = host.import(&[(&spoilt, two.clone()), (&whole, two)], &[]);
    assert_eq!(output.status.code(), Some(SPOILT), "{output:?}");
    let imported = fs::read(host.at("imported")).unwrap();
    assert_eq!((host.left(), imported.windows(10).any(|bytes| bytes == b"index.json")), (2, false));
}

#[test]
fn where_one_can_t_be_made_the_others_are_and_nothing_is_imported() {
    let host = Host::new(NAME, "");
    let output = host.make_and_import("false || { unmade=1; }\necho made >other-0\n", &[], &[]);
    assert_eq!(
        (output.status.code(), host.left(), fs::read(host.at("imported")).unwrap().is_empty()),
        (Some(UNMADE), 1, true),
        "{output:?}"
    );
}

#[test]
fn a_blob_that_went_meanwhile_is_told_from_an_image_that_is_not_whole() {
    let bytes = vec![7; 9000];
    let (sent, held) = (blob(&bytes), blob(b"base"));
    let all = [sent.clone(), held.clone()];
    let both = format!("{}\n{}", sent.digest, held.digest);
    let cases = [("", 0, COLLECTED), (sent.digest.as_str(), 1, COLLECTED), (&both, 0, COLLECTED), (&both, 1, COLLECTED), (&both, 2, 1)];
    for (listed, there, status) in cases {
        let host = Host::new("", listed);
        for (blob, bytes) in [(&sent, &*bytes), (&held, b"base")].into_iter().take(there) {
            fs::write(host.at("store").join(spool::hex(&blob.digest)), bytes).unwrap();
        }
        host.spool(&sent, &bytes, &parts(&[0, 9000]));
        let output = host.import(&[(&sent, parts(&[0, 9000]))], &all);
        assert_eq!((output.status.code(), host.left()), (Some(status), 1), "{output:?}");
        let imported = fs::read(host.at("imported")).unwrap();
        assert_eq!(imported.windows(10).any(|bytes| bytes == b"index.json"), status == 1, "what is known to lack is not named");
        let unnamed = fs::read_to_string(host.at("how")).unwrap().ends_with(&format!("images rm {NAME}\n"));
        assert_eq!(unnamed, status == COLLECTED, "a name leads to what lacks nothing, or nowhere");
        let told = String::from_utf8_lossy(&output.stderr).lines().filter(|line| line.contains("sha256:")).count();
        assert_eq!(told, usize::from(status == COLLECTED), "what is lost is told once: {output:?}");
    }
}

#[test]
fn an_image_whose_blobs_are_all_there_is_but_named() {
    let host = Host::new(NAME, "");
    assert!(host.import(&[], &[]).status.success());
    assert_eq!(members(&host.at("imported")).len(), 2);
}

#[test]
fn what_was_imported_is_pinned_at_once_or_afterwards() {
    let how = |old: bool| {
        let host = Host::new(NAME, "");
        if old {
            fs::write(host.at("old"), "").unwrap();
        }
        let output = host.import(&[], &[]);
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), b"listed\n".as_slice()), "{output:?}");
        assert_eq!(members(&host.at("imported")).len(), 2);
        fs::read_to_string(host.at("how")).unwrap()
    };
    assert_eq!(how(false), "images import --local --label io.cri-containerd.pinned=pinned -\n");
    assert_eq!(how(true), format!("images import -\nimages label {NAME} io.cri-containerd.pinned=pinned\n"));
}

#[test]
fn why_it_can_t_be_imported_is_told() {
    let host = Host::new("", "");
    let refuses = "#!/bin/sh\n[ \"$1 $2\" = 'images import' ] || exit 0\ncat >/dev/null\necho 'ctr: connection refused' >&2\nexit 3\n";
    write_program(&host.at("ctr"), refuses);
    let output = host.import(&[], &[]);
    assert_eq!(
        (output.status.code(), String::from_utf8_lossy(&output.stderr).contains("connection refused")),
        (Some(3), true),
        "{output:?}"
    );
}
