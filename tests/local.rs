//! `remote` on this machine itself, with its own shell. Where another user runs the tests, he is root in a namespace of his own.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::Path;
use std::process::Command;

use bedplate::inventory::{Connection, Host, Inventory};
use bedplate::model::{Answer, Content, Failure, FileWrite, HostAction, HostQuestion, Owner, Privilege, Reply, Secret};
use bedplate::remote::{Prompt, Remote};
use tempfile::TempDir;

fn host() -> Host {
    let inventory: Inventory = toml::from_str(include_str!("cases/inventories/local.toml")).unwrap();
    let host = inventory.server().unwrap().clone();
    assert_eq!(host.connection, Connection::Local);
    host
}

/// None: another user runs the tests, and this one was played as root by now.
async fn root(test: &str) -> Option<Remote> {
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        return Some(Remote::connect(&host(), &Prompt::unattended(None)).await.unwrap());
    }
    let mut stage = Command::new("unshare");
    stage.args(["--user", "--map-root-user"]).arg(std::env::current_exe().unwrap()).args(["--exact", test, "--nocapture"]);
    let played = stage.output().unwrap();
    let said = String::from_utf8_lossy(&played.stdout);
    assert!(played.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&played.stderr));
    None
}

async fn perform(remote: &Remote, action: HostAction) -> Result<(), Failure> {
    remote.perform(&action, Path::new("/nowhere"), &|_, _| {}).await.map(drop)
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().into()
}

#[tokio::test]
async fn this_machine_answers_without_ssh() {
    let Some(remote) = root("this_machine_answers_without_ssh").await else { return };
    let answers = remote.ask(vec![HostQuestion::Facts, HostQuestion::Content("/etc/hostname".into())]).await.unwrap();
    let Answer::Present(Reply::Facts(facts)) = &answers[0].1 else { panic!("{answers:?}") };
    assert_eq!((facts.uid, facts.clock_skew.abs() <= 2, facts.privilege), (0, true, Privilege::Root));
    assert_eq!(answers[1].1, Answer::Present(Reply::Bytes(Secret::new(fs::read("/etc/hostname").unwrap()))));
}

#[tokio::test]
async fn this_machine_takes_a_file_of_any_bytes() {
    let Some(remote) = root("this_machine_takes_a_file_of_any_bytes").await else { return };
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a folder/file");
    let bytes: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    let content = Content::Hidden(Secret::new(bytes.clone()));
    perform(&remote, HostAction::WriteFile(FileWrite { path: text(&path), content, mode: 0o600, owner: Owner::Root })).await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[tokio::test]
async fn a_port_of_this_machine_is_reached_through_a_socket_and_needs_no_tunnel() {
    use tokio::io::AsyncReadExt as _;
    let Some(remote) = root("a_port_of_this_machine_is_reached_through_a_socket_and_needs_no_tunnel").await else { return };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let socket = remote.forward(listener.local_addr().unwrap()).await.unwrap();
    let greet = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"hello").await.unwrap();
    };
    let read = async {
        let mut hello = [0; 5];
        tokio::net::UnixStream::connect(socket).await.unwrap().read_exact(&mut hello).await.unwrap();
        hello
    };
    assert_eq!(&tokio::join!(greet, read).1, b"hello");
    remote.api_port(port).await.unwrap();
}

#[tokio::test]
async fn a_token_is_made_once_and_is_root_s_alone() {
    let Some(remote) = root("a_token_is_made_once_and_is_root_s_alone").await else { return };
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("rancher/token");
    let make = || HostAction::MakeToken { path: text(&path) };
    perform(&remote, make()).await.unwrap();
    let first = fs::read_to_string(&path).unwrap();
    assert_eq!((first.len(), first.bytes().all(|byte| byte.is_ascii_hexdigit())), (64, true));
    let meta = fs::metadata(&path).unwrap();
    assert_eq!((meta.mode() & 0o7777, meta.uid(), meta.gid()), (0o600, 0, 0));
    // A killed run leaves half of one without its name, and somebody opened it to all.
    fs::write(path.with_file_name(".bedplate-killed"), "half").unwrap();
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    perform(&remote, make()).await.unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), first);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    // An empty one, or another's, is none.
    for spoil in [|path: &Path| fs::write(path, ""), |path: &Path| symlink("/etc/hostname", path)] {
        fs::remove_file(&path).unwrap();
        spoil(&path).unwrap();
        perform(&remote, make()).await.unwrap();
        let another = fs::read_to_string(&path).unwrap();
        assert!(another.len() == 64 && another != first && fs::symlink_metadata(&path).unwrap().is_file());
    }
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}
