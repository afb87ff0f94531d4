use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

use super::*;

/// A worker whose jobs lie in a folder of its own.
struct Worker {
    folder: tempfile::TempDir,
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Worker {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new("setsid").args(["-w", "sh"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { folder, child, stdout }
    }

    /// What a script printed and complained, and its status behind it.
    fn run(&mut self, script: &str, input: &str) -> String {
        let at = self.folder.path().join("input");
        fs::write(&at, input).unwrap();
        let script = script.replace(PLACE, self.folder.path().join("jobs").to_str().unwrap());
        let script = format!("(\n{script}\n) <{} 2>&1\necho \"= $?\"\n", at.display());
        self.child.stdin.as_mut().unwrap().write_all(script.as_bytes()).unwrap();
        let mut text = String::new();
        while !text.contains("= ") {
            assert!(self.stdout.read_line(&mut text).unwrap() > 0, "{text}");
        }
        text
    }

    fn start(&mut self, script: &str, input: &str) -> PathBuf {
        let folder = folder();
        assert_eq!(self.run(&start(&folder, script), input), "= 0\n");
        self.folder.path().join("jobs").join(folder.rsplit('/').next().unwrap())
    }

    fn end(&mut self, job: &std::path::Path, limit: u64) -> String {
        self.run(&end(job.to_str().unwrap(), Duration::from_secs(limit)), "")
    }

    fn jobs(&self) -> usize {
        fs::read_dir(self.folder.path().join("jobs")).unwrap().count()
    }
}

fn until(there: impl Fn() -> bool) {
    let begun = Instant::now();
    while !there() {
        assert!(begun.elapsed().as_secs() < 20);
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn it_goes_on_and_its_end_is_what_it_was() {
    let mut worker = Worker::new();
    let job = worker.start("set -e\ncat\nuntil [ -e \"$d/come\" ]; do sleep 0.05; done\necho amiss >&2\nfalse\necho unreached", "input\n");
    assert_eq!(worker.run(&format!("echo beside >{}/come", job.display()), ""), "= 0\n");
    assert_eq!(worker.end(&job, 60), "input\namiss\n= 1\n");
    assert_eq!(worker.jobs(), 0);
}

#[test]
fn a_part_is_waited_for_as_long_as_it_can_come() {
    let mut worker = Worker::new();
    let (whole, cut) = ("aa-0", "aa-5");
    let spool = worker.folder.path().to_owned();
    fs::write(spool.join(whole), "whole and more").unwrap();
    fs::write(spool.join(cut), "cut").unwrap();
    let printed = parts("sha256:aa", &[Part { offset: 0, size: 5 }, Part { offset: 5, size: 9 }]);
    let job = worker.start(&format!("cd {}\n{WAITING}{printed}fed && echo done", spool.display()), "");
    until(|| fs::read_to_string(job.join("said")).is_ok_and(|said| said == "whole"));
    assert_eq!(worker.end(&job, 60), "wholecutdone\n= 0\n");
}

#[test]
fn it_ends_with_its_worker_and_leaves_nothing() {
    let mut worker = Worker::new();
    let job = worker.start(&format!("{WAITING}fed || echo alone >\"${{d%/jobs/*}}/alone\""), "");
    drop(worker.child.stdin.take());
    worker.child.wait().unwrap();
    until(|| !job.exists());
    assert!(worker.folder.path().join("alone").exists());
}

#[test]
fn what_the_lock_s_keeper_ends_leaves_nothing() {
    for script in ["sleep 60", "true"] {
        let mut worker = Worker::new();
        let job = worker.start(script, "");
        until(|| job.join(if script == "true" { "status" } else { "said" }).exists());
        let group = worker.run("echo $$", "");
        let kill = Command::new("kill").args(["-s", "TERM", "--", &format!("-{}", group.lines().next().unwrap())]).status().unwrap();
        assert!(kill.success());
        until(|| !job.exists());
    }
}

#[test]
fn one_that_takes_too_long_is_told_to_end_and_one_that_was_killed_has_failed() {
    let mut worker = Worker::new();
    let job = worker.start(&format!("{MAIN} sleep 60 || echo ended >&2\nexit 7"), "");
    until(|| job.join("main").exists());
    assert!(worker.end(&job, 1).ends_with("ended\n= 7\n"));
    let job = worker.start(&format!("{MAIN} sh -c 'kill -s KILL $PPID'"), "");
    assert_ne!(worker.end(&job, 60), "= 0\n");
}
