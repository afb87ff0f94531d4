//! A line that falls silent, against a real sshd.

#[path = "../xtask/src/relay/mod.rs"]
#[allow(dead_code, reason = "the rig uses the rest")]
mod relay;
#[path = "remote/sshd.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod sshd;

use std::path::Path;
use std::time::{Duration, Instant};

use bedplate::inventory::Host;
use bedplate::model::{Content, Exit, Failure, FileWrite, HostAction, HostQuestion, Owner, Secret};
use bedplate::remote::{Prompt, Remote};

use relay::{Fault, Line, Relay};
use sshd::Sshd;

/// A dead line is known by then.
const KNOWN: Duration = Duration::from_secs(20);

fn through(sshd: &Sshd, rate: Option<u64>) -> (Relay, Host) {
    let server = format!("127.0.0.1:{}", sshd.port).parse().unwrap();
    let relay = Relay::start("127.0.0.1:0".parse().unwrap(), server, Line { rtt: Duration::from_millis(1), rate }).unwrap();
    let host = Host { port: Some(relay.address.port()), ..sshd.host() };
    (relay, host)
}

/// The failure is told apart from a command that failed, and comes in time.
fn lost<T: std::fmt::Debug>(ended: Result<T, Failure>, since: Instant) {
    let failure = ended.unwrap_err();
    assert_eq!(failure.exit, Exit::Unreachable, "{failure}");
    assert!(failure.seen.contains("the ssh session broke"), "{failure}");
    assert!(since.elapsed() <= KNOWN, "{:?}", since.elapsed());
}

#[tokio::test]
async fn silence_while_waiting_for_an_answer() {
    let sshd = Sshd::start("");
    let (relay, host) = through(&sshd, None);
    let remote = Remote::connect(&host, &Prompt::unattended(None)).await.unwrap();
    let since = Instant::now();
    relay.strike(Fault::Silence);
    lost(remote.ask(vec![HostQuestion::Stat("/etc".into())]).await, since);
}

#[tokio::test]
async fn silence_in_the_middle_of_an_upload() {
    let sshd = Sshd::start("");
    let (relay, host) = through(&sshd, Some(1 << 20));
    let remote = Remote::connect(&host, &Prompt::unattended(None)).await.unwrap();
    let path = sshd.folder().join("file").to_str().unwrap().to_owned();
    let content = Content::Hidden(Secret::new(vec![b'x'; 64 << 20]));
    let write = HostAction::WriteFile(FileWrite { path, content, mode: 0o600, owner: Owner::Root });
    relay.strike_after(3 << 20, Fault::Silence);
    let since = async {
        while relay.passed() < 3 << 20 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Instant::now()
    };
    let (ended, since) = tokio::join!(remote.perform(&write, Path::new("/nowhere"), &|_, _| {}), since);
    lost(ended, since);
}
