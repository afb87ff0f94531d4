//! Any sequence of edits, pushes and mishaps ends with the image that was asked for. The host is this machine, with folders of its own where a
//! push writes, and with a stand-in for k3s; the scripts, the packing and the shell are those of every host.

#[path = "pushes/host.rs"]
mod host;
#[path = "pushes/image.rs"]
mod image;
#[path = "../src/test_program.rs"]
mod test_program;

use std::process::Command;

use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};

use host::{Host, Mishap};
use image::{Edit, Image, Packer};

/// Set where the folders are the test's own.
const STAGED: &str = "BEDPLATE_PUSHES";
const STAGE: &str = "set -e
    for folder in /run /var/lib /var/log /usr/local/bin /usr/local/sbin; do mount -t tmpfs -o mode=755 stage $folder; done
    exec \"$0\" --exact \"$1\" --nocapture";

/// Runs a test of this name once more where the folders are its own. Whether this is where.
fn staged(test: &str) -> bool {
    if std::env::var_os(STAGED).is_some() {
        return true;
    }
    let mut stage = Command::new("unshare");
    stage.args(["--user", "--map-root-user", "--mount", "sh", "-c", STAGE]).arg(std::env::current_exe().unwrap()).arg(test);
    let output = stage.env(STAGED, "1").env("XDG_CACHE_HOME", "/var/lib/cache").output().unwrap();
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    false
}

#[test]
fn what_the_host_holds_packed_is_not_sent() {
    if !staged("what_the_host_holds_packed_is_not_sent") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (packer, said) in [
        (Packer::Gzip, ["600 kB of 600 kB already there; ", " B sent, "]),
        (Packer::Zstd, ["600 kB of 600 kB already there; ", " B sent, "]),
        (Packer::Neither, [" B of 600 kB already there; 600 kB sent, ", "; 2 layers sent whole: the first try to bring it there failed"]),
    ] {
        let (host, image) = (Host::bare(), Image::first());
        host.pull(&image, packer);
        let told = runtime.block_on(host.push(&image, Mishap::None)).unwrap();
        assert!(said.iter().all(|words| told.contains(words)), "{packer:?}: {told}");
        assert_eq!(host.amiss(&image), None, "{packer:?}");
    }
}

#[test]
fn of_a_difference_that_was_cut_the_rest_is_sent() {
    if !staged("of_a_difference_that_was_cut_the_rest_is_sent") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (host, mut image) = (Host::bare(), Image::first());
    runtime.block_on(host.push(&image, Mishap::None)).unwrap();
    image.edit(&Edit::Insert { layer: 0, at: 1000, size: 9_000_000 });
    runtime.block_on(host.push(&image, Mishap::Killed { after: 80 })).unwrap_err();
    let told = runtime.block_on(host.push(&image, Mishap::None)).unwrap();
    let sent = told.split("; ").find_map(|words| words.split_once(" MB sent")).and_then(|(sent, _)| sent.parse::<f64>().ok());
    assert!(sent.is_some_and(|sent| sent < 3.0) && !told.contains("whole"), "{told}");
    assert_eq!(host.amiss(&image), None);
}

#[test]
fn a_push_ends_with_what_was_asked_for() {
    if !staged("a_push_ends_with_what_was_asked_for") {
        return;
    }
    let step = prop_oneof![any::<Edit>().prop_map(Step::Edit), any::<Mishap>().prop_map(Step::Push), any::<Packer>().prop_map(Step::Pull)];
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = ProptestConfig { cases: 10, failure_persistence: None, max_shrink_iters: 8, ..ProptestConfig::default() };
    let mut runner = TestRunner::new(config);
    let told = runner.run(&prop::collection::vec(step, 1..8), |steps| runtime.block_on(told(steps)));
    told.unwrap_or_else(|error| panic!("{error}"));
}

#[derive(Clone, Debug)]
enum Step {
    Edit(Edit),
    Push(Mishap),
    Pull(Packer),
}

async fn told(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let host = Host::bare();
    let mut image = Image::first();
    for step in steps {
        match step {
            Step::Edit(edit) => image.edit(&edit),
            // Whether it succeeds is the mishap's business.
            Step::Push(mishap) => drop(host.push(&image, mishap).await),
            Step::Pull(packer) => host.pull(&image, packer),
        }
    }
    if let Err(why) = host.push(&image, Mishap::None).await {
        return Err(TestCaseError::fail(why));
    }
    prop_assert_eq!(host.amiss(&image), None::<String>);
    Ok(())
}
