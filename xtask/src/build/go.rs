//! The Go toolchain, at work on the module in `tests/rig`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::cache::{Cache, Key};
use super::program::{Program, Source};
use crate::run::{run, run_within};

/// Kubernetes, cold, beside other builds on two slow cores.
const LIMIT: Duration = Duration::from_secs(40 * 60);

/// The Go toolchain at work on the module in `tests/rig`.
pub struct Go<'a> {
    cache: &'a Cache,
    rig: &'a Path,
    /// Digest of the compiler's version.
    compiler: Key,
    /// The same with `go.mod` and `go.sum`.
    module: Key,
}

impl<'a> Go<'a> {
    /// Asks for the compiler's version and reads the module's files.
    pub fn new(cache: &'a Cache, rig: &'a Path) -> Result<Self> {
        let version = run(Command::new("go").current_dir(rig).args(["env", "GOVERSION"]))?;
        let compiler = Key::default().text(version);
        let module = compiler.clone().tree(&rig.join("go.mod"))?.tree(&rig.join("go.sum"))?;
        Ok(Self { cache, rig, compiler, module })
    }

    /// The compiled program.
    pub fn build(&self, program: &Program) -> Result<PathBuf> {
        Ok(self.build_all(program)?.join(program.name()))
    }

    /// The folder of several programs that are compiled together.
    pub fn build_all(&self, program: &Program) -> Result<PathBuf> {
        self.cache.entry(program.name(), self.key(program)?, |out| self.compile(program, out))
    }

    /// The version of a required module, as `go.mod` says it.
    pub fn required(&self, path: &str) -> Result<String> {
        let text = fs::read_to_string(self.rig.join("go.mod")).context("read go.mod")?;
        let line = text.lines().find_map(|line| line.trim_start().strip_prefix(path)?.strip_prefix(' '));
        let version = line.and_then(|rest| rest.split_whitespace().next());
        version.map(str::to_owned).with_context(|| format!("go.mod does not require {path}"))
    }

    /// The folder of a required module in Go's module cache.
    pub fn folder(&self, path: &str) -> Result<PathBuf> {
        run(Command::new("go").current_dir(self.rig).args(["mod", "download", path]))?;
        let list = ["list", "-m", "-f", "{{.Dir}}", path];
        let folder = run(Command::new("go").current_dir(self.rig).args(list))?;
        Ok(PathBuf::from(folder.trim_end()))
    }

    fn key(&self, program: &Program) -> Result<Key> {
        let key = match &program.source {
            Source::Folder(folder) => self.module.clone().tree(&self.rig.join(folder))?,
            Source::Nested { folder, package } => self.module.clone().text(*package).tree(&self.rig.join(folder))?,
            Source::Apart(folder) => self.compiler.clone().tree(&self.rig.join(folder))?,
            Source::Required(package) => self.module.clone().text(*package),
            Source::Released { packages, version } => self.compiler.clone().text(packages.join(" ")).text(*version),
        };
        Ok(key.text(program.flags().join(" ")).text(program.cgo()))
    }

    fn compile(&self, program: &Program, out: &Path) -> Result<()> {
        eprintln!("compile {}", program.name());
        let mut go = Command::new("go");
        go.current_dir(self.rig).env("CGO_ENABLED", program.cgo());
        let target = out.join(program.name());
        match &program.source {
            Source::Folder(folder) => go.arg("build").args(program.flags()).arg("-o").arg(target).arg(format!("./{folder}")),
            Source::Apart(folder) => {
                go.current_dir(self.rig.join(folder)).arg("build").args(program.flags()).arg("-o").arg(target).arg(".")
            }
            Source::Nested { package, .. } | Source::Required(package) => {
                go.arg("build").args(program.flags()).arg("-o").arg(target).arg(package)
            }
            Source::Released { packages, version } => {
                go.env("GOBIN", out).arg("install").args(program.flags());
                go.args(packages.iter().map(|package| format!("{package}@{version}")))
            }
        };
        run_within(&mut go, LIMIT).map(drop)
    }
}
