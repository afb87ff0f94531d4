//! A host of make-believe on which scripts are played: what holds is the file `live`, timers are files, and what each starts lies beside it.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::guard::Trial;
use crate::model::{Content, FileWrite, Owner};
use crate::test_program::write_program;

const PROGRAMS: [(&str, &str); 3] = [
    (
        "systemd-run",
        "for u; do case $u in --unit=*) n=${u#--unit=};; esac; done; printf %s \"$u\" >\"$AT/$n.service\"; : >\"$AT/$n.timer\"",
    ),
    (
        "systemctl",
        "v=$1; for u; do :; done; case $v in is-active) [ -e \"$AT/$u\" ];; stop) rm -- \"$AT/$u\";; list-units) cd \"$AT\" && for t in $u; do [ ! -e \"$t\" ] || echo \"$t loaded\"; done;; *) exec other \"$@\";; esac",
    ),
    // Who tests need not be root.
    ("chown", ":"),
];

pub struct Host {
    folder: TempDir,
    trial: fn(&Host, &FileWrite) -> Trial,
}

impl Host {
    /// On which these programs are, too, and this is tried.
    pub fn with(programs: &[(&str, &str)], trial: fn(&Self, &FileWrite) -> Trial) -> Self {
        let host = Self { folder: tempfile::tempdir().unwrap(), trial };
        fs::create_dir(host.at("bin")).unwrap();
        for (name, text) in PROGRAMS.iter().chain(programs) {
            write_program(&host.at("bin").join(name), &format!("#!/bin/sh\n{text}\n"));
        }
        host
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What is kept.
    pub fn path(&self) -> String {
        self.at("etc/kept").to_str().unwrap().into()
    }

    /// How this is tried.
    pub fn trial(&self, text: &str) -> Trial {
        (self.trial)(self, &FileWrite { path: self.path(), content: Content::Plain(text.into()), mode: 0o644, owner: Owner::Root })
    }

    pub fn run(&self, script: &str, payload: &str) -> bool {
        let mut shell = Command::new("sh")
            .args(["-c", script])
            .env("PATH", format!("{}:/usr/bin:/bin", self.at("bin").display()))
            .env("AT", self.folder.path())
            .env("PID", std::process::id().to_string())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        // A script need not read it.
        let _ = shell.stdin.take().unwrap().write_all(payload.as_bytes());
        shell.wait().unwrap().success()
    }

    pub fn arms(&self, text: &str, switch: &str) -> bool {
        self.run(&self.trial(text).arm(switch), text)
    }

    pub fn keeps(&self, text: &str, switch: &str) -> bool {
        self.run(&self.trial(text).kept(switch), text)
    }

    pub fn takes_back(&self, switch: &str) -> bool {
        self.run(&self.trial("").take_back(switch), "")
    }

    /// As the timer does when its time has come.
    pub fn falls(&self, switch: &str) {
        assert!(self.run(&fs::read_to_string(self.at(&format!("{switch}.service"))).unwrap(), ""));
        fs::remove_file(self.at(&format!("{switch}.timer"))).unwrap();
    }

    /// What holds, what is kept, how many switches are set.
    pub fn state(&self) -> (Option<String>, Option<String>, usize) {
        let text = |name| fs::read_to_string(self.at(name)).ok();
        let switches = fs::read_dir(self.folder.path()).unwrap();
        let switches = switches.filter(|entry| entry.as_ref().unwrap().path().extension() == Some("timer".as_ref()));
        (text("live"), text("etc/kept"), switches.count())
    }
}

pub fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}
