//! Inventories as files, each loaded in a scratch project. `bad/NAME.toml` must be refused in the words of `bad/NAME.txt`; `good/NAME.toml`
//! must load, with the warnings of `good/NAME.txt` if there is one. `NAME.env` replaces the project's `.env`; a first line
//! `# .gitignore: PATTERN` in it makes the project a repository with that rule. A new case needs no code.

#[path = "inventories/project.rs"]
mod project;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use bedplate::inventory::{Loaded, Problem, load, parse};
use project::{cases, root};
use proptest::prelude::*;

fn run(case: &Path) -> Result<Loaded, Vec<Problem>> {
    let scratch = project::of(case);
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

const README: &str = include_str!("../README.md");

/// The first inventory, or part of one, in a text.
fn toml_in(text: &str) -> &str {
    let (_, after) = text.split_once("```toml\n").unwrap();
    after.split_once("```").unwrap().0
}

#[test]
fn the_readme_s_inventory_loads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inventory.toml");
    fs::write(&path, toml_in(README)).unwrap();
    let loaded = load(&path).unwrap_or_else(|problems| panic!("{}", text(&problems)));
    assert!(loaded.warnings.is_empty(), "{}", text(&loaded.warnings));
}

/// A Secret of seven keys takes ten lines.
#[test]
fn the_readme_s_secret_loads() {
    let secret = toml_in(README.split_once("\n## Secrets\n").unwrap().1);
    assert!(secret.lines().count() <= 10, "{secret}");
    let scratch = project::around(&[toml_in(README), secret].join("\n"), project::ENV);
    let loaded = load(&scratch.path().join("inventory.toml")).unwrap_or_else(|problems| panic!("{}", text(&problems)));
    let secret = &loaded.inventory.secrets[0];
    let keys: BTreeSet<&str> = secret.allow.iter().chain(secret.public.keys()).map(String::as_str).collect();
    let theirs = [
        "ADMIN_EMAILS",
        "EMAIL_FROM",
        "GOOGLE_CLIENT_ID",
        "GOOGLE_CLIENT_SECRET",
        "GOOGLE_LOGIN_ENABLED",
        "NOTIFY_EMAIL",
        "RESEND_API_KEY",
    ];
    assert_eq!(keys, theirs.into());
    assert!(text(&loaded.warnings).contains("left out of Secret `shop-secrets`"), "{}", text(&loaded.warnings));
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

/// The demo application is what the rehearsal installs.
#[test]
fn the_example_loads_with_the_demo_application() {
    let demo = root().join("tests/demo");
    let example = fs::read_to_string(root().join("inventory.example.toml")).unwrap();
    let scratch = project::around(&example, &fs::read_to_string(demo.join("dotenv")).unwrap());
    let copied = Command::new("cp").arg("-r").arg(demo.join("deploy")).arg(scratch.path()).status().unwrap();
    assert!(copied.success());
    let loaded = load(&scratch.path().join("inventory.toml")).unwrap_or_else(|problems| panic!("{}", text(&problems)));
    let messages: Vec<_> = loaded.warnings.iter().map(|warning| warning.message.as_str()).collect();
    let dropped = "COMPOSE_PROJECT_NAME, DATABASE_URL, JWT_PRIVATE_KEY_PATH, POSTGRES_PASSWORD";
    assert_eq!(messages, [format!("left out of Secret `shop-secrets`, as `allow` does not name them: {dropped}")]);
}

proptest! {
    /// Whatever is cut out of the example or put into it, there is a located answer.
    #[test]
    fn any_text_gets_an_answer(from in 0..2800usize, length in 0..60usize, filler in "[\\[\\]{}=\"., a-z0-9\n#ä]{0,6}") {
        let example = fs::read_to_string(root().join("inventory.example.toml")).unwrap();
        let kept = |range: &mut dyn Iterator<Item = (usize, char)>| range.map(|(_, c)| c).collect::<String>();
        let head = kept(&mut example.char_indices().take_while(|(at, _)| *at < from));
        let tail = kept(&mut example.char_indices().skip_while(|(at, _)| *at < from + length));
        let broken = format!("{head}{filler}{tail}");
        if let Err(problems) = parse(&broken, Path::new("inventory.toml")) {
            prop_assert!(!problems.is_empty());
            for problem in problems {
                prop_assert!(problem.line <= broken.lines().count().max(1) + 1, "{problem}");
                prop_assert!(!problem.message.is_empty() && !problem.cure.is_empty(), "{problem}");
            }
        }
    }
}
