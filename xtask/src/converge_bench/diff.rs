//! P6: `plan` beside a script of helm and kubectl that finds out the same.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};
use toml::{Table, Value};

use super::Wanted;
use super::row::Row;
use super::setting::{Setting, unpack};
use super::stopwatch::{Watch, in_turn, median};
use crate::project::Project;
use crate::rig::clone;
use crate::run::run;

/// Beside the example's two releases and two images there is one more release, and three more images.
const CHART: &str = "apiVersion: v2\nname: more\nversion: 0.1.0\n";
const IN_CHART: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: more }\ndata: { one: \"1\" }\n";
/// As many as the manifest holds.
const OBJECTS: usize = 31;

/// Makes the project larger: 31 objects of a manifest, three releases, five images.
fn enlarge(project: &mut Project) -> Result<()> {
    for folder in ["playbooks", "more/templates"] {
        fs::create_dir_all(project.path(folder))?;
    }
    fs::write(project.path("more/Chart.yaml"), CHART)?;
    fs::write(project.path("more/templates/more.yaml"), IN_CHART)?;
    let manifest = manifest();
    fs::write(project.path("more/objects.yaml"), &manifest)?;
    let book = format!(
        "[[steps]]\nnamespace = 'more'\n\n[[steps]]\nmanifest = '''\n{manifest}'''\n\n\
         [[steps]]\n[steps.release]\nname = 'more'\nnamespace = 'more'\nchart = './more'\n"
    );
    fs::write(project.path("playbooks/more.toml"), book)?;
    project.inventory.insert("playbooks".into(), Value::Table(Table::from_iter([("more".to_owned(), Value::Table(Table::new()))])));
    for name in ["one", "two", "three"] {
        let (from, to) = (project.path("dist/web.tar"), project.path(format!("dist/{name}.tar")));
        let mut copy = Command::new("skopeo");
        copy.args(["copy", "--quiet", &format!("docker-archive:{}", from.display())]);
        run(copy.arg(format!("docker-archive:{}:docker.io/more/{name}:1", to.display())))?;
        let images = project.inventory.get_mut("images").and_then(Value::as_table_mut).context("the example has images")?;
        images.insert(name.into(), format!("dist/{name}.tar").into());
    }
    Ok(())
}

fn manifest() -> String {
    (1..=OBJECTS).fold(String::new(), |mut text, number| {
        let _ = match number % 3 {
            0 => writeln!(text, "apiVersion: v1\nkind: Service\nmetadata: {{ name: s{number}, namespace: more }}\nspec: {{ selector: {{ app: s{number} }}, ports: [{{ name: http, port: 80, targetPort: 8080 }}] }}\n---"),
            1 => writeln!(text, "apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: c{number}, namespace: more }}\ndata: {{ key: \"{number}\" }}\n---"),
            _ => writeln!(text, "apiVersion: v1\nkind: ServiceAccount\nmetadata: {{ name: a{number}, namespace: more }}\n---"),
        };
        text
    })
}

/// Measures it, on a host that then has more.
pub fn row(setting: &mut Setting<'_>, wanted: &Wanted) -> Result<Row> {
    enlarge(&mut setting.bench.project)?;
    setting.bench.project.save(&setting.bench.rig.operator)?;
    setting.bootstrap()?;
    let (rig, project) = (setting.bench.rig, &setting.bench.project);
    let chart = rig.artifacts.pins.iter().find(|pin| pin.name == "cert-manager").context("the rig has built cert-manager's chart")?;
    let packed = format!(
        "tar -cf - -C {} more deploy -C {} {} -C {} diff.sh",
        project.folder.display(),
        rig.artifacts.dir.display(),
        chart.path,
        clone().join("benches/peers").display()
    );
    unpack(&setting.bench.host, &packed, "/root")?;
    let mut script = setting.bench.host.exec()?;
    script.args(["sh", "/root/diff.sh", &format!("/root/{}", chart.path)]);
    let plan = setting.bedplate(&["plan", "inventory.toml"]);
    let samples = in_turn(wanted.runs, Watch::Time, vec![("bedplate plan", plan, &[0]), ("diff.sh", script, &[0])])?;
    let wall = |at: usize| median(samples[at].iter().map(|sample| sample.wall));
    let work = format!("`bedplate plan` with {OBJECTS} objects, 3 releases, 5 images; script: helm and kubectl on the server itself");
    let peers = BTreeMap::from([("script".to_owned(), wall(1))]);
    Ok(Row { id: "P6".into(), work, unit: "s", ours: wall(0), floor: None, peers, runs: wanted.runs })
}
