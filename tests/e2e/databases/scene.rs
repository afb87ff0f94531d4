//! Two servers of databases with an application each, on the converged host, in a namespace of their own.

use std::fs::{self, File};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use toml::{Table, Value};

use crate::bench::Bench;
use crate::build;
use crate::e2e::canary::canary;

/// Beside the project's own.
pub const INVENTORY: &str = "databases.toml";

/// What stands there; the example's Secrets, releases and sites are left out.
const DATABASES: &str = r#"
[[databases]]
name = "postgres"
kind = "postgres"
namespace = "databases"
workload = "statefulset/postgres"
user = "shop"
database = "postgres"
secret = "postgres"
key = "password"
consumers = ["deployment/shop-postgres"]

[[databases]]
name = "mariadb"
kind = "mariadb"
namespace = "databases"
workload = "statefulset/mariadb"
container = "mariadb"
user = "root"
secret = "mariadb"
key = "password"
consumers = ["deployment/shop-mariadb"]
"#;

/// The passwords that they were made with.
pub struct Scene {
    pub postgres: String,
    pub mariadb: String,
}

impl Scene {
    /// Puts both up.
    pub fn make(bench: &Bench<'_>) -> Result<Self> {
        let scene = Self { postgres: canary(), mariadb: canary() };
        import(bench)?;
        let manifests = include_str!("scene.yaml").replace("POSTGRES", &scene.postgres).replace("MARIADB", &scene.mariadb);
        bench.look(&format!(
            "set -e
             k3s kubectl apply -f - <<'EOF'\n{manifests}\nEOF
             for one in statefulset/postgres statefulset/mariadb deployment/shop-postgres deployment/shop-mariadb; do
               k3s kubectl -n databases rollout status --timeout=90s $one
             done"
        ))?;
        inventory(bench)?;
        Ok(scene)
    }
}

/// Straight into the host's containerd.
fn import(bench: &Bench<'_>) -> Result<()> {
    let tar = File::open(build::databases()?)?;
    let mut import = bench.host.exec()?;
    import.args(["k3s", "ctr", "-n", "k8s.io", "images", "import", "-"]).stdin(Stdio::from(tar));
    let imported = import.output()?;
    ensure!(imported.status.success(), "the image of the databases: {}", String::from_utf8_lossy(&imported.stderr));
    Ok(())
}

fn inventory(bench: &Bench<'_>) -> Result<()> {
    let mut inventory = bench.project.inventory.clone();
    for table in ["images", "jwt_keys", "secrets", "releases", "sites"] {
        inventory.remove(table);
    }
    let databases: Table = DATABASES.parse()?;
    inventory.insert("databases".into(), databases.get("databases").cloned().context("there are some")?);
    let file = bench.project.path(INVENTORY);
    fs::write(&file, toml::to_string(&Value::Table(inventory))?)?;
    bench.rig.operator.own(&file, 0o644)
}

/// Takes all of it away again.
pub fn clear(bench: &Bench<'_>) -> Result<()> {
    fs::remove_file(bench.project.path(INVENTORY))?;
    bench.look("k3s kubectl delete namespace databases; k3s ctr -n k8s.io images rm docker.io/rig/databases:1").map(drop)
}
