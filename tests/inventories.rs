//! Inventories as files, each loaded in a scratch project. `bad/NAME.toml` must be refused in the words of `bad/NAME.txt`; `good/NAME.toml`
//! must load, with the warnings of `good/NAME.txt` if there is one. `NAME.env` replaces the project's `.env`; a first line
//! `# .gitignore: PATTERN` in it makes the project a repository with that rule. A new case needs no code.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bedplate::inventory::{Loaded, Problem, load};

const ENV: &str = "GOOGLE_CLIENT_ID=id-1\nGOOGLE_CLIENT_SECRET='s3cret-canary'\nRESEND_API_KEY=\nEMAIL_FROM=\"Shop <ops@shop.example>\"\n\
    ADMIN_EMAILS=ops@shop.example\nDATABASE_URL=postgres://shop:pw-canary@db/shop\n";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The application's repository around an inventory: chart, values, images, `.env`.
fn project(inventory: &str, env: &str) -> tempfile::TempDir {
    let scratch = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = scratch.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("inventory.toml", inventory);
    write(".env", env);
    write("deploy/helm/shop/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 0.1.0\n");
    write("deploy/helm/shop/values.yaml", "image:\n  tag: \"1\"\n");
    write("deploy/values.prod.yaml", "web:\n  image: shop/web:1\n");
    write("dist/auth.tar", "");
    write("dist/web.tar", "");
    if let Some(rule) = env.lines().next().and_then(|line| line.strip_prefix("# .gitignore: ")) {
        write(".gitignore", &format!("{rule}\n"));
        assert!(Command::new("git").arg("init").arg("--quiet").arg(scratch.path()).status().unwrap().success());
    }
    scratch
}

fn run(case: &Path) -> Result<Loaded, Vec<Problem>> {
    let env = fs::read_to_string(case.with_extension("env")).unwrap_or_else(|_| ENV.into());
    let scratch = project(&fs::read_to_string(case).unwrap(), &env);
    let strip = |problems: Vec<Problem>| -> Vec<Problem> {
        let prefix = format!("{}/", scratch.path().display());
        let bare = |text: String| text.replace(&prefix, "");
        problems.into_iter().map(|p| Problem { file: bare(p.file), message: bare(p.message), cure: bare(p.cure), ..p }).collect()
    };
    match load(&scratch.path().join("inventory.toml")) {
        Ok(loaded) => Ok(Loaded { warnings: strip(loaded.warnings), ..loaded }),
        Err(problems) => Err(strip(problems)),
    }
}

fn text(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

fn cases(folder: &str) -> Vec<PathBuf> {
    let folder = root().join("tests/inventories").join(folder);
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    found.sort();
    found
}

fn judge(case: &Path, seen: &str, failures: &mut Vec<String>) {
    let expected = fs::read_to_string(case.with_extension("txt")).unwrap_or_default();
    if seen != expected {
        failures.push(format!("{}:\n--- expected\n{expected}--- seen\n{seen}", case.file_name().unwrap().display()));
    }
}

#[test]
fn bad_ones_are_refused_in_these_words() {
    let cases = cases("bad");
    assert!(cases.len() >= 30, "only {} cases", cases.len());
    let mut failures = Vec::new();
    for case in cases {
        match run(&case) {
            Ok(_) => failures.push(format!("{} was accepted", case.display())),
            Err(problems) => {
                let seen = text(&problems);
                assert!(!seen.contains("canary"), "{} shows a secret:\n{seen}", case.display());
                judge(&case, &seen, &mut failures);
            }
        }
    }
    assert!(failures.is_empty(), "{} cases differ:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn good_ones_load() {
    let mut failures = Vec::new();
    for case in cases("good") {
        match run(&case) {
            Ok(loaded) => judge(&case, &text(&loaded.warnings), &mut failures),
            Err(problems) => failures.push(format!("{} was refused:\n{}", case.display(), text(&problems))),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_example_loads() {
    let loaded = run(&root().join("inventory.example.toml")).unwrap_or_else(|problems| panic!("{}", text(&problems)));
    let warnings = text(&loaded.warnings);
    assert!(warnings.contains("`RESEND_API_KEY` is empty"), "{warnings}");
    assert!(warnings.contains("left out of Secret `shop-secrets`") && warnings.contains(": DATABASE_URL\n"), "{warnings}");
    assert!(!warnings.contains("canary"), "{warnings}");
    assert!(loaded.folder.is_absolute() && loaded.inventory.releases[0].chart == loaded.folder.join("deploy/helm/shop"));
    assert!(loaded.inventory.kubeconfig.path.is_absolute());
}
