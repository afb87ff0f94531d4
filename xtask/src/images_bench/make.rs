//! What is pushed: real programs and real sources, so that packing does what it does for users.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::json;

use super::ground::IMAGE;
use crate::build::append;
use crate::e2e::images::archive::write;
use crate::rig::Rig;
use crate::run::run_within;

/// For Go to build a small program, and for tar and zstd.
const ENOUGH: std::time::Duration = std::time::Duration::from_secs(300);
/// What a whole image's lower layers measure, each, and the one that changes.
pub const LOWER: usize = 65_000_000;
pub const TOP: usize = 5_000_000;
/// A server over Go's own library; the word is what a rebuild changes.
const PROGRAM: &str = "package main

import (
\t\"encoding/json\"
\t\"html/template\"
\t\"net/http\"
)

var page = template.Must(template.New(\"page\").Parse(\"<p>{{.}}</p>\"))

func main() {
\thttp.HandleFunc(\"/\", func(w http.ResponseWriter, r *http.Request) { page.Execute(w, r.URL.Path) })
\thttp.HandleFunc(\"/json\", func(w http.ResponseWriter, r *http.Request) { json.NewEncoder(w).Encode(r.Header) })
\thttp.ListenAndServe(\":8080\", nil)
}
";
/// One route more.
const ROUTE: &str = "\thttp.HandleFunc(\"/health\", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(\"ok\")) })\n";

/// Makes them in a folder that goes with it.
pub struct Maker {
    folder: tempfile::TempDir,
    /// Kubernetes in one program: 199 MB of machine code and tables.
    program: Vec<u8>,
}

impl Maker {
    /// Takes its programs from what the rig has built.
    pub fn new(rig: &Rig) -> Result<Self> {
        let k3s = rig.artifacts.pins.iter().find(|pin| pin.name == "k3s").context("the rig has built a k3s")?;
        let program = fs::read(rig.artifacts.dir.join(&k3s.path))?;
        Ok(Self { folder: tempfile::tempdir()?, program })
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A layer of one file: `size` bytes of the program from `from` on.
    pub fn slice(&self, from: usize, size: usize) -> Result<Vec<u8>> {
        let bytes = self.program.get(from..from + size).context("the rig's k3s is smaller than what is wanted of it")?;
        file(&format!("slice-{from}"), bytes)
    }

    /// A layer that no packing makes less.
    pub fn random(&self, size: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; size];
        fastrand::Rng::with_seed(8).fill(&mut bytes);
        file("random", &bytes)
    }

    /// A layer of Go's own sources, all of them of the second `date`, one of them edited.
    pub fn sources(&self, date: u32, edit: &str) -> Result<Vec<u8>> {
        let tree = self.at("tree");
        if !tree.exists() {
            run_within(Command::new("sh").args(["-c", "cp -r \"$(go env GOROOT)/src\" \"$0\""]).arg(&tree), ENOUGH)?;
        }
        let edited = tree.join("net/http/server.go");
        let before = fs::read(&edited)?;
        fs::write(&edited, [&before, edit.as_bytes()].concat())?;
        let mut tar = Command::new("tar");
        tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", &format!("--mtime=@{date}"), "-cf"]);
        run_within(tar.arg(self.at("sources.tar")).arg("-C").arg(&tree).arg("."), ENOUGH)?;
        fs::write(&edited, before)?;
        Ok(fs::read(self.at("sources.tar"))?)
    }

    /// A layer of a Go program, stripped, with one route more or without.
    pub fn binary(&self, more: bool) -> Result<Vec<u8>> {
        let folder = self.at("program");
        fs::create_dir_all(&folder)?;
        let text = if more { PROGRAM.replace("\thttp.Listen", &format!("{ROUTE}\thttp.Listen")) } else { PROGRAM.to_owned() };
        fs::write(folder.join("main.go"), text)?;
        fs::write(folder.join("go.mod"), "module program\n")?;
        let mut go = Command::new("go");
        go.args(["build", "-trimpath", "-ldflags=-s -w", "-o", "program"]).current_dir(&folder).env("CGO_ENABLED", "0");
        run_within(&mut go, ENOUGH)?;
        file("program", &fs::read(folder.join("program"))?)
    }

    /// Writes an image of these layers.
    pub fn image(&self, name: &str, layers: &[&[u8]]) -> Result<PathBuf> {
        let config = json!({
            "architecture": "amd64", "os": "linux", "config": { "Entrypoint": ["/none"] }, "rootfs": { "type": "layers", "diff_ids": [] },
        });
        let path = self.at(name);
        let layers: Vec<Vec<u8>> = layers.iter().map(|layer| layer.to_vec()).collect();
        write(&path, IMAGE, config, &layers)?;
        Ok(path)
    }
}

fn file(name: &str, bytes: &[u8]) -> Result<Vec<u8>> {
    let mut layer = tar::Builder::new(Vec::new());
    append(&mut layer, name, bytes, 0o755)?;
    Ok(layer.into_inner()?)
}

/// What zstd makes of some bytes by hand at level 3, beside what the host has of them.
pub fn packed(bytes: &[u8], base: Option<&[u8]>) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let (new, old, out) = (folder.path().join("new"), folder.path().join("old"), folder.path().join("out"));
    fs::write(&new, bytes)?;
    let mut zstd = Command::new("zstd");
    zstd.args(["-3", "-q", "-o"]).arg(&out).arg(&new);
    if let Some(base) = base {
        fs::write(&old, base)?;
        zstd.arg(format!("--patch-from={}", old.display()));
    }
    run_within(&mut zstd, ENOUGH)?;
    Ok(fs::metadata(&out)?.len() as f64)
}
