//! Layers that the host has already, packed as a registry has them.

use std::fs;

use anyhow::{Result, ensure};

use super::super::flow::ended;
use super::super::line::Slow;
use super::archive::{WEB, layer};
use super::{MB, RUN, TOP, Trial};
use crate::rig::{inside, mirrored, plain};
use crate::run::run;

impl Trial<'_> {
    /// What the host pulled packed it unpacks by itself, as far as it can: it has no zstd.
    pub(super) fn packed(&self) -> Result<()> {
        let layers = [layer(8, 9_000_000), layer(9, TOP)];
        for (packer, layer) in ["gzip", "zstd"].into_iter().zip(layers) {
            self.web.build(self.bench, &[layer])?;
            self.pulled(packer)?;
        }
        let id = self.web.build(self.bench, &layers)?;
        let before = self.relay.passed();
        let run = Slow::start(self.bench, &self.relay, &["images", "push", "inventory.toml", "web"])?.ends(RUN)?;
        ended(&run, 0)?;
        let passed = self.relay.passed() - before;
        println!("9 MB that the host has as gzip and 3 that it has as zstd: {passed} bytes");
        let told = ["already there; 3.0 MB sent", "1 layer sent whole: the host has no zstd"];
        ensure!(told.iter().all(|words| run.stderr.contains(words)), "{}", run.stderr);
        ensure!((3 * MB..33 * MB / 10).contains(&passed), "{passed} bytes were sent");
        self.bench.look("k3s ctr -n k8s.io images ls -q | grep /packed- | xargs k3s ctr -n k8s.io images rm")?;
        self.runs(&id)
    }

    /// Brings what was built last to the host under another name, its layers packed.
    fn pulled(&self, packer: &str) -> Result<()> {
        let tar = mirrored(&self.bench.rig.place)?.join("packed.tar");
        let (from, to) = (format!("docker-archive:{}", self.bench.project.path(WEB).display()), format!("oci-archive:{}:1", tar.display()));
        run(inside("skopeo").args(["--insecure-policy", "copy", "--quiet", "--dest-compress-format", packer, &from, &to]))?;
        let import = format!(
            "curl -sSf {}/packed.tar | k3s ctr -n k8s.io images import --base-name docker.io/shop/packed-{packer} - >/dev/null\n\
             k3s ctr -n k8s.io content ls | grep -c uncompressed=",
            plain()
        );
        let imported = self.bench.look(&import);
        fs::remove_file(tar)?;
        imported.map(drop)
    }
}
