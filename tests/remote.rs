//! `remote` against a real sshd: one of our own, as the user who runs the tests, on a port of the loopback. Root is played by a `sudo` that
//! changes nobody, unless the tests run as root.

#[path = "remote/sshd.rs"]
mod sshd;
#[path = "../src/test_program.rs"]
mod test_program;

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::thread::JoinHandle;

use bedplate::model::{
    Answer, ArtifactRef, Content, Exchange, Exit, FileKind, FileWrite, HostAction, HostQuestion, Install, Owner, Pin, Reply, Secret, Tool,
};
use bedplate::remote::{Prompt, Remote};
use sshd::Sshd;

fn me() -> (u32, u32) {
    use std::os::unix::fs::MetadataExt as _;
    let meta = std::fs::metadata("/proc/self").unwrap();
    (meta.uid(), meta.gid())
}

async fn perform(remote: &Remote, action: &HostAction) -> Result<(), bedplate::model::Failure> {
    remote.perform(action, Path::new("/nowhere"), &|_, _| {}).await.map(drop)
}

fn write(path: &std::path::Path, content: Content) -> HostAction {
    let (uid, gid) = me();
    HostAction::WriteFile(FileWrite { path: path.to_str().unwrap().into(), content, mode: 0o640, owner: Owner::User { uid, gid } })
}

/// Answers whoever comes first to a port of its own; tells what was asked.
fn answer_once(answer: &'static str) -> (u16, JoinHandle<String>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = std::thread::spawn(move || {
        let (mut line, _) = listener.accept().unwrap();
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            line.read_exact(&mut byte).unwrap();
            asked.push(byte[0]);
        }
        line.write_all(answer.as_bytes()).unwrap();
        String::from_utf8(asked).unwrap()
    });
    (port, asked)
}

#[tokio::test]
async fn all_questions_in_one_round() {
    let sshd = Sshd::start("");
    let (port, asked) = answer_once("HTTP/1.0 404 Not Found\r\nServer: here\r\n\r\nnothing");
    let remote = Remote::connect(&sshd.host(), &Prompt::unattended(None)).await.unwrap();
    let questions = vec![
        HostQuestion::Facts,
        HostQuestion::Listeners,
        HostQuestion::Stat("/etc".into()),
        HostQuestion::Stat("/nowhere/at all".into()),
        HostQuestion::Digest("/dev/null".into()),
        HostQuestion::Content("/etc/hostname".into()),
        HostQuestion::Content("/dev/null".into()),
        HostQuestion::Unit("no-such-unit".into()),
        HostQuestion::Version(Tool::K3s),
        HostQuestion::Images,
        HostQuestion::Journal("k3s".into()),
        HostQuestion::Resolve("localhost".into()),
        HostQuestion::Get { url: format!("http://shop.example:{port}/a"), address: Ipv4Addr::LOCALHOST.into() },
        HostQuestion::Get { url: "http://shop.example:1/".into(), address: Ipv4Addr::LOCALHOST.into() },
        HostQuestion::Rules("/nowhere".into()),
    ];
    let answers = remote.ask(questions.clone()).await.unwrap();
    assert_eq!(answers.iter().map(|(question, _)| question.clone()).collect::<Vec<_>>(), questions);
    let answer = |index: usize| &answers[index].1;
    let Answer::Present(Reply::Facts(facts)) = answer(0) else { panic!("{:?}", answer(0)) };
    assert_eq!((facts.uid, facts.gid), me());
    assert!(facts.clock_skew.abs() <= 2 && facts.memory > 0 && facts.disk_free > 0);
    let Answer::Present(Reply::Listeners(listeners)) = answer(1) else { panic!("{:?}", answer(1)) };
    assert!(listeners.iter().any(|listener| listener.port == sshd.port));
    assert!(matches!(answer(2), Answer::Present(Reply::File(meta)) if meta.kind == FileKind::Folder));
    assert_eq!(answer(3), &Answer::Absent);
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(answer(4), &Answer::Present(Reply::Text(empty.into())));
    assert_eq!(answer(5), &Answer::Present(Reply::Bytes(Secret::new(std::fs::read("/etc/hostname").unwrap()))));
    assert!(matches!(answer(6), Answer::Unreadable(why) if why.contains("not a file")), "{:?}", answer(6));
    assert!(matches!(answer(11), Answer::Present(Reply::Addresses(found)) if !found.is_empty()));
    let seen = Exchange { status: 404, server: "here".into(), body: "nothing".into(), ..Exchange::default() };
    assert_eq!(answer(12), &Answer::Present(Reply::Exchange(seen)));
    assert_eq!(asked.join().unwrap(), "GET /a HTTP/1.0\r\nHost: shop.example\r\n\r\n");
    assert!(matches!(answer(13), Answer::Unreadable(why) if why.starts_with("refused")), "{:?}", answer(13));
}

#[tokio::test]
async fn a_file_arrives_whole_with_mode_and_owner() {
    let sshd = Sshd::start("");
    let remote = Remote::connect(&sshd.host(), &Prompt::unattended(None)).await.unwrap();
    let path = sshd.folder().join("a new/folder's/file $x");
    let bytes: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let leftover = path.with_file_name(".bedplate-killed");
    std::fs::write(&leftover, "half").unwrap();
    perform(&remote, &write(&path, Content::Hidden(Secret::new(bytes.clone())))).await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    assert!(!leftover.exists());
    let answers = remote.ask(vec![HostQuestion::Stat(path.to_str().unwrap().into())]).await.unwrap();
    let Answer::Present(Reply::File(meta)) = &answers[0].1 else { panic!("{answers:?}") };
    assert_eq!((meta.mode, meta.size, meta.uid), (0o640, 1_200_000, me().0));
    let left: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[tokio::test]
async fn after_a_failed_write_the_shell_is_in_step() {
    let sshd = Sshd::start("");
    let remote = Remote::connect(&sshd.host(), &Prompt::unattended(None)).await.unwrap();
    let bytes = Secret::new(vec![b'x'; 3_000_000]);
    let failure = perform(&remote, &write("/dev/null/file".as_ref(), Content::Hidden(bytes))).await.unwrap_err();
    assert!(failure.seen.contains("Not a directory") || failure.seen.contains("File exists"), "{failure}");
    let answers = remote.ask(vec![HostQuestion::Stat("/etc".into())]).await.unwrap();
    assert!(matches!(answers[0].1, Answer::Present(_)));
}

#[tokio::test]
async fn links_and_folders() {
    let sshd = Sshd::start("");
    let remote = Remote::connect(&sshd.host(), &Prompt::unattended(None)).await.unwrap();
    let (uid, gid) = me();
    let folder = sshd.folder().join("made");
    let path = folder.to_str().unwrap().to_owned();
    perform(&remote, &HostAction::MakeFolder { path, mode: 0o700, owner: Owner::User { uid, gid } }).await.unwrap();
    for target in ["one", "two"] {
        let path = folder.join("link").to_str().unwrap().to_owned();
        perform(&remote, &HostAction::Link { path, target: target.into() }).await.unwrap();
        assert_eq!(std::fs::read_link(folder.join("link")).unwrap(), std::path::Path::new(target));
    }
}

#[tokio::test]
async fn a_noisy_login_changes_nothing() {
    let noise = "printf 'bedplate- hello\\nwelcome '; echo oops >&2; exec sh -c \"$SSH_ORIGINAL_COMMAND\"";
    let sshd = Sshd::start(&format!("Banner /etc/os-release\nForceCommand {noise}\n"));
    let remote = Remote::connect(&sshd.host(), &Prompt::unattended(None)).await.unwrap();
    let answers = remote.ask(vec![HostQuestion::Content("/etc/hostname".into())]).await.unwrap();
    assert_eq!(answers[0].1, Answer::Present(Reply::Bytes(Secret::new(std::fs::read("/etc/hostname").unwrap()))));
}

#[tokio::test]
async fn refusals_have_words_and_codes() {
    let sshd = Sshd::start("");
    let good = sshd.host();
    let other_key = sshd.another_key();
    let closed = sshd::free_port();
    let cases = [
        (bedplate::inventory::Host { host_key: Some(other_key), ..good.clone() }, Exit::Refused, "key is another"),
        (bedplate::inventory::Host { host_key: None, ..good.clone() }, Exit::Refused, "not known"),
        (bedplate::inventory::Host { user: Some("nobody-here".into()), ..good.clone() }, Exit::Refused, "accepted none of the keys"),
        (bedplate::inventory::Host { port: Some(closed), ..good.clone() }, Exit::Unreachable, "port is closed"),
        (bedplate::inventory::Host { address: "no-such-host.invalid".into(), ..good.clone() }, Exit::Unreachable, "does not resolve"),
    ];
    for (host, exit, words) in cases {
        let failure = Remote::connect(&host, &Prompt::unattended(None)).await.err().unwrap();
        assert_eq!(failure.exit, exit, "{failure}");
        assert!(failure.seen.contains(words), "{failure}");
        if words == "not known" {
            let line = format!("host_key = \"{}\"", good.host_key.as_ref().unwrap());
            assert!(failure.cure.contains(&line), "{failure}");
        }
    }
}

#[tokio::test]
async fn a_port_of_the_host_is_reached_through_a_socket() {
    use tokio::io::AsyncReadExt as _;
    let sshd = Sshd::start("");
    let remote = Remote::connect(&sshd.host(), &Prompt::unattended(None)).await.unwrap();
    let socket = remote.forward((Ipv4Addr::LOCALHOST, sshd.port).into()).await.unwrap();
    let mut stream = tokio::net::UnixStream::connect(socket).await.unwrap();
    let mut hello = [0; 8];
    stream.read_exact(&mut hello).await.unwrap();
    assert_eq!(&hello, b"SSH-2.0-");
}

#[tokio::test]
async fn a_port_that_is_taken_here_is_no_broken_line() {
    let sshd = Sshd::start("");
    let remote = Remote::connect(&sshd.host(), &Prompt::unattended(None)).await.unwrap();
    let failure = remote.api_port(sshd.port).await.unwrap_err();
    assert!(failure.exit == Exit::Failed && failure.seen == format!("port {} of this machine is taken", sshd.port), "{failure}");
    remote.stands("look").await.unwrap();
}

#[tokio::test]
async fn an_action_that_was_given_up_leaves_no_worker_behind() {
    let sshd = Sshd::start("");
    let remote = Remote::connect(&sshd.host(), &Prompt::unattended(None)).await.unwrap();
    // The host reads what never comes whole: it is given up in the middle.
    let slow = sshd.folder().join("slow");
    std::fs::File::create(&slow).unwrap().set_len(4 << 20).unwrap();
    let folder = sshd.folder().join("given up");
    std::fs::create_dir(&folder).unwrap();
    let install = HostAction::Install(Install {
        pin: Pin {
            artifact: ArtifactRef { name: "k3s".into(), version: "v1".into(), arch: None },
            url: String::new(),
            size: 4 << 20,
            sha256: String::new(),
            learnt: String::new(),
            at: String::new(),
        },
        member: None,
        path: folder.join("k3s").to_str().unwrap().into(),
        mode: 0o755,
    });
    let (begun, halfway) = tokio::sync::oneshot::channel();
    let begun = std::sync::Mutex::new(Some(begun));
    let sent = |_: u64, _: u64| {
        if let Some(begun) = begun.lock().unwrap().take() {
            begun.send(()).unwrap();
        }
    };
    tokio::select! {
        done = remote.perform(&install, &slow, &sent) => panic!("{done:?}"),
        _ = halfway => {}
    }
    remote.ask(vec![HostQuestion::Stat("/etc".into())]).await.unwrap();
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}

/// Whether a process has `word` in its command line.
fn runs(word: &str) -> bool {
    let lines = std::fs::read_dir("/proc").unwrap().filter_map(|entry| std::fs::read(entry.unwrap().path().join("cmdline")).ok());
    lines.into_iter().any(|line| String::from_utf8_lossy(&line).contains(word))
}

#[tokio::test]
async fn a_question_that_was_given_up_stops_on_the_host() {
    let sshd = Sshd::start("");
    let remote = Remote::connect(&sshd.host(), &Prompt::unattended(None)).await.unwrap();
    let endless = sshd.folder().join("endless");
    std::fs::File::create(&endless).unwrap().set_len(64 << 30).unwrap();
    let endless = endless.to_str().unwrap();
    let begun = async {
        while !runs(endless) {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        answers = remote.ask(vec![HostQuestion::Digest(endless.into())]) => panic!("{answers:?}"),
        begun = tokio::time::timeout(std::time::Duration::from_secs(10), begun) => begun.unwrap(),
    }
    remote.ask(vec![HostQuestion::Stat("/etc".into())]).await.unwrap();
    assert!(!runs(endless));
}

#[tokio::test]
async fn what_is_large_arrives_packed_and_whole() {
    let sshd = Sshd::start("");
    let remote = Remote::connect(&sshd.host(), &Prompt::unattended(None)).await.unwrap();
    let path = sshd.folder().join("large");
    for bytes in [vec![0; 4 << 20], (0..4 << 20).map(|at: u32| at.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect()] {
        std::fs::write(&path, &bytes).unwrap();
        let answers =
            remote.ask(vec![HostQuestion::Content(path.to_str().unwrap().into()), HostQuestion::Stat("/etc".into())]).await.unwrap();
        assert!(answers[0].1 == Answer::Present(Reply::Bytes(Secret::new(bytes))) && matches!(answers[1].1, Answer::Present(_)));
    }
}

/// Together they are more than an answer may be.
#[tokio::test]
async fn what_is_too_large_together_is_asked_one_by_one() {
    let sshd = Sshd::start("");
    let remote = Remote::connect(&sshd.host(), &Prompt::unattended(None)).await.unwrap();
    let bytes: Vec<u8> = (0..4 << 20).map(|at: u32| at.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    let files = ["one", "two", "three"].map(|name| sshd.folder().join(name));
    let questions = files.iter().map(|path| {
        std::fs::write(path, &bytes).unwrap();
        HostQuestion::Content(path.to_str().unwrap().into())
    });
    let answers = remote.ask([HostQuestion::Stat("/etc".into())].into_iter().chain(questions).collect()).await.unwrap();
    let whole = Answer::Present(Reply::Bytes(Secret::new(bytes)));
    assert_eq!((answers.len(), answers[1..].iter().all(|(_, answer)| *answer == whole)), (4, true));
}

#[tokio::test]
async fn a_banner_without_end_is_not_read_to_its_end() {
    use std::io::Write as _;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let flood = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let line = [&[b'x'; 8000][..], b"\r\n"].concat();
        (0..).take_while(|_| stream.write_all(&line).is_ok()).count()
    });
    let sshd = Sshd::start("");
    let host = bedplate::inventory::Host { port: Some(port), ..sshd.host() };
    let failure = Remote::connect(&host, &Prompt::unattended(None)).await.err().unwrap();
    assert!(failure.exit == Exit::Unreachable && failure.seen.contains("banner does not end"), "{failure}");
    assert!(flood.join().unwrap() < 1100, "it was");
}

#[tokio::test]
async fn a_login_that_prints_without_end_is_given_up() {
    for flood in ["yes", "head -c 1073741824 /dev/zero", "cat /dev/zero"] {
        let sshd = Sshd::start(&format!("ForceCommand {flood}\n"));
        let begun = std::time::Instant::now();
        let failure = Remote::connect(&sshd.host(), &Prompt::unattended(None)).await.err().unwrap();
        assert!(failure.exit == Exit::Unreachable && failure.seen == "the login prints without end", "{flood}: {failure}");
        assert!(begun.elapsed().as_secs() < 20, "{flood}: {:?}", begun.elapsed());
    }
}
