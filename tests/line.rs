//! A line that falls silent, against a real sshd.

#[path = "../xtask/src/relay/mod.rs"]
#[allow(dead_code, reason = "the rig uses the rest")]
mod relay;
#[path = "remote/sshd.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod sshd;
#[path = "../src/test_program.rs"]
mod test_program;

use std::path::Path;
use std::time::{Duration, Instant};

use bedplate::inventory::Host;
use bedplate::model::{ArtifactRef, Content, Exit, Failure, FileWrite, HostAction, HostQuestion, Install, Owner, Pin, Secret};
use bedplate::remote::{Prompt, Remote};

use relay::{Fault, Line, Relay};
use sha2::{Digest as _, Sha256};
use sshd::Sshd;
use test_program::write_program;

/// A dead line is known by then.
const KNOWN: Duration = Duration::from_secs(20);

fn through(sshd: &Sshd, rtt: u64, rate: Option<u64>) -> (Relay, Host) {
    let server = format!("127.0.0.1:{}", sshd.port).parse().unwrap();
    let relay = Relay::start("127.0.0.1:0".parse().unwrap(), server, Line { rtt: Duration::from_millis(rtt), rate }).unwrap();
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
    let (relay, host) = through(&sshd, 1, None);
    let remote = Remote::connect(&host, &Prompt::unattended(None)).await.unwrap();
    let since = Instant::now();
    relay.strike(Fault::Silence);
    lost(remote.ask(vec![HostQuestion::Stat("/etc".into())]).await, since);
}

#[tokio::test]
async fn silence_in_the_middle_of_an_upload() {
    let sshd = Sshd::start("");
    let (relay, host) = through(&sshd, 1, Some(1 << 20));
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

/// Puts a program of so many random bytes on the host: how long it took, and how many bytes were out when it was first told.
async fn installed(sshd: &Sshd, host: &Host, seed: u64, size: usize) -> Result<(Duration, u64), Failure> {
    let mut bytes = vec![0; size];
    let mut state = seed;
    bytes.iter_mut().for_each(|byte| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *byte = state.to_be_bytes()[0];
    });
    let (here, there) = (sshd.folder().join("here"), sshd.folder().join("there/program"));
    std::fs::write(&here, &bytes).unwrap();
    let pin = Pin {
        artifact: ArtifactRef { name: "program".into(), version: "v1".into(), arch: None },
        url: String::new(),
        size: size as u64,
        sha256: format!("{:x}", Sha256::digest(&bytes)),
        learnt: String::new(),
        at: String::new(),
    };
    let install = HostAction::Install(Install { pin, member: None, path: there.to_str().unwrap().into(), mode: 0o755 });
    let first = std::sync::atomic::AtomicU64::new(u64::MAX);
    let told = |done, all| {
        assert!(done <= all && all == size as u64, "{done} of {all}");
        first.fetch_min(done, std::sync::atomic::Ordering::SeqCst);
    };
    let remote = Remote::connect(host, &Prompt::unattended(None)).await.unwrap();
    let since = Instant::now();
    remote.perform(&install, &here, &told).await?;
    let took = since.elapsed();
    assert!(std::fs::read(&there).unwrap() == bytes);
    Ok((took, first.into_inner()))
}

/// From now on `sudo` leads to where any user is root, in a namespace of his own: large files lie in root's folder first. Where root runs the tests
/// nobody calls it.
fn root_spools(sshd: &Sshd) {
    let (sudo, lib) = (sshd.folder().join("bin/sudo"), sshd.folder().join("lib"));
    std::fs::create_dir(&lib).unwrap();
    let stage = "mount -t tmpfs stage /var/lib; mkdir /var/lib/bedplate; mount --bind \"$0\" /var/lib/bedplate; exec \"$@\"";
    let enter = format!("unshare --user --map-root-user --mount sh -ec '{stage}' {}", lib.display());
    write_program(&sudo, &format!("#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done\nshift\nexec {enter} \"$@\"\n"));
}

#[tokio::test]
async fn what_is_large_goes_by_several_channels_of_a_long_line_and_by_one_where_sshd_grants_one() {
    let mut took = Vec::new();
    for (seed, config) in [(1, ""), (2, "MaxSessions 1\n")] {
        let sshd = Sshd::start(config);
        root_spools(&sshd);
        let (_relay, host) = through(&sshd, 200, None);
        took.push(installed(&sshd, &host, seed, 70_000_000).await.unwrap().0);
    }
    // With nothing else to do, a third.
    assert!(took[0] * 3 < took[1] * 2, "{took:?}");
}

#[tokio::test]
async fn what_had_come_before_a_cut_is_not_sent_again() {
    let sshd = Sshd::start("");
    root_spools(&sshd);
    let (relay, host) = through(&sshd, 20, Some(32 << 20));
    relay.strike_after(20_000_000, Fault::Cut);
    let failure = installed(&sshd, &host, 3, 40_000_000).await.unwrap_err();
    assert_eq!(failure.exit, Exit::Unreachable, "{failure}");
    let (_, first) = installed(&sshd, &host, 3, 40_000_000).await.unwrap();
    assert!(first > 20_000_000 * 45 / 100, "{first}");
    assert!(relay.passed() < 40_000_000 + 20_000_000 * 55 / 100, "{}", relay.passed());
}
