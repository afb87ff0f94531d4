//! How often sshd is troubled: counted by a sshd, and by one who never answers.

#[path = "remote/sshd.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod sshd;
#[path = "../src/test_program.rs"]
mod test_program;

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use bedplate::inventory::Host;
use bedplate::model::{HostAction, HostQuestion};
use bedplate::remote::{Prompt, Remote};
use sshd::Sshd;

/// Most connections at once that are not logged in: a sshd begins to drop them at ten (sshd_config: MaxStartups).
const MOST: usize = 8;
/// Who is not held back has come by then.
const SOON: Duration = Duration::from_secs(2);
/// Who has not come by then never will.
const LONG: Duration = Duration::from_secs(20);

/// How often sshd logged `text`.
fn logged(sshd: &Sshd, text: &str) -> usize {
    std::fs::read_to_string(sshd.folder().join("log")).unwrap().matches(text).count()
}

#[tokio::test]
async fn a_look_and_an_action_take_one_connection_and_two_sessions() {
    let sshd = Sshd::start("LogLevel VERBOSE\n");
    // The first is that of whoever waited for sshd to listen.
    while logged(&sshd, "Connection from") == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let remote = Remote::connect(&sshd.host(), &Prompt::unattended(None)).await.unwrap();
    let lock = remote.lock(std::time::Duration::ZERO).await.unwrap();
    remote.ask(vec![HostQuestion::Facts, HostQuestion::Stat("/etc".into())]).await.unwrap();
    remote.forward((Ipv4Addr::LOCALHOST, sshd.port).into()).await.unwrap();
    let path = sshd.folder().join("made").to_str().unwrap().to_owned();
    let action = HostAction::Link { path, target: "nowhere".into() };
    remote.perform(&action, Path::new("/nowhere"), &|_, _| {}).await.unwrap();
    lock.release().await;
    assert_eq!((logged(&sshd, "Connection from") - 1, logged(&sshd, "Starting session")), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_logins_to_a_sshd_that_never_answers_come_eight_at_a_time() {
    let sshd = Sshd::start("");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    silent.set_nonblocking(true).unwrap();
    let host = Host { port: Some(silent.local_addr().unwrap().port()), ..sshd.host() };
    let logins = (0..20).map(|_| async { Remote::connect(&host, &Prompt::unattended(None)).await.err().unwrap() });
    let crowds = tokio::task::spawn_blocking(move || {
        // Where a crowd is dropped it is hung up on, and the next one comes.
        [MOST, MOST, 20 - 2 * MOST].map(|expected| crowd(&silent, expected).len())
    });
    let refused = futures::future::join_all(logins).await;
    assert_eq!(crowds.await.unwrap(), [MOST, MOST, 20 - 2 * MOST]);
    assert!(refused.iter().all(|failure| failure.seen.contains("hung up at once")), "{:?}", refused.first());
}

/// Who comes: those who are expected, and whoever comes soon after them.
fn crowd(listener: &TcpListener, expected: usize) -> Vec<TcpStream> {
    let (mut crowd, mut until) = (Vec::new(), Instant::now() + LONG);
    while Instant::now() < until {
        if let Ok((stream, _)) = listener.accept() {
            crowd.push(stream);
            if crowd.len() == expected {
                until = Instant::now() + SOON;
            }
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    crowd
}
