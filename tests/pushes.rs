//! Any sequence of edits, pushes and mishaps ends with the image that was asked for. The host is this machine, with folders of its own where a
//! push writes, and with a stand-in for k3s; the scripts, the packing and the shell are those of every host.

#[path = "pushes/host.rs"]
mod host;
#[path = "pushes/image.rs"]
mod image;

use std::process::Command;

use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};

use host::{Host, Mishap};
use image::{Edit, Image};

/// Set where the folders are the test's own.
const STAGED: &str = "BEDPLATE_PUSHES";
const STAGE: &str = "set -e
    for folder in /run /var/lib /var/log /usr/local/bin /usr/local/sbin; do mount -t tmpfs -o mode=755 stage $folder; done
    exec \"$0\" --exact a_push_ends_with_what_was_asked_for --nocapture";

#[test]
fn a_push_ends_with_what_was_asked_for() {
    if std::env::var_os(STAGED).is_none() {
        let mut stage = Command::new("unshare");
        stage.args(["--user", "--map-root-user", "--mount", "sh", "-c", STAGE]).arg(std::env::current_exe().unwrap());
        let output = stage.env(STAGED, "1").env("XDG_CACHE_HOME", "/var/lib/cache").output().unwrap();
        assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        return;
    }
    let step = prop_oneof![any::<Edit>().prop_map(Step::Edit), any::<Mishap>().prop_map(Step::Push)];
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
}

async fn told(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let host = Host::bare();
    let mut image = Image::first();
    for step in steps {
        match step {
            Step::Edit(edit) => image.edit(&edit),
            // Whether it succeeds is the mishap's business.
            Step::Push(mishap) => drop(host.push(&image, mishap).await),
        }
    }
    if let Err(why) = host.push(&image, Mishap::None).await {
        return Err(TestCaseError::fail(why));
    }
    prop_assert_eq!(host.amiss(&image), None::<String>);
    Ok(())
}
