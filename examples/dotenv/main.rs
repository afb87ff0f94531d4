//! Holds `.env` files read by bedplate against compose's own code: `dotenv ORACLE` asks that program (`tests/rig/dotenv`) about every case of
//! `tests/dotenv/cases.toml` and about generated texts. Prints each difference; exit 1 if there is any. `secrets_dotenv` runs it.

#[path = "../../tests/dotenv/table.rs"]
mod table;
#[path = "../../tests/dotenv/texts.rs"]
mod texts;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, ExitCode, Stdio};

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde::Deserialize;
use table::{Case, Plain, cases, ours};

/// Some seconds' worth.
const GENERATED: usize = 40_000;

/// What compose makes of some files.
#[derive(Deserialize)]
struct Theirs {
    values: Option<Plain>,
    error: String,
}

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let Some(oracle) = std::env::args().nth(1) else {
        eprintln!("usage: dotenv ORACLE");
        return ExitCode::from(64);
    };
    match table(&oracle).and_then(|differing| Ok(differing + generated(&oracle)?)) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(differing) => {
            println!("{differing} differ");
            ExitCode::FAILURE
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Every case, and whether each difference still is one.
fn table(oracle: &str) -> Result<usize, Failure> {
    let cases = cases();
    let files: Vec<_> = cases.iter().map(|case| case.files.clone()).collect();
    let theirs = ask(oracle, &files)?;
    let wrong = |(case, theirs): (&Case, &Theirs)| {
        let read = theirs.error.is_empty().then(|| theirs.values.clone().unwrap_or_default());
        let fits = match (&case.values, &case.differs) {
            (Some(values), _) => read.as_ref() == Some(values),
            (None, Some(_)) => read.is_some() && case.compose.as_ref().is_none_or(|told| Some(told) == read.as_ref()),
            (None, None) => read.is_none(),
        };
        (!fits).then(|| println!("{}: compose reads {read:?} {}", case.name, theirs.error))
    };
    let differing = cases.iter().zip(&theirs).filter_map(wrong).count();
    println!("{} cases", cases.len());
    Ok(differing)
}

/// What bedplate reads, compose reads so too; what only bedplate refuses, it refuses for a reason that the table gives.
fn generated(oracle: &str) -> Result<usize, Failure> {
    let strict: BTreeSet<String> = cases().iter().filter(|case| case.differs.is_some()).filter_map(word).collect();
    let mut runner = TestRunner::default();
    let mut try_one = |_| texts::files().new_tree(&mut runner).map(|tree| tree.current()).map_err(|reason| reason.to_string());
    let tried: Vec<_> = (0..GENERATED).map(&mut try_one).collect::<Result<_, _>>()?;
    let mut counts = BTreeMap::<&str, usize>::new();
    let mut differing = 0;
    for (files, theirs) in tried.iter().zip(ask(oracle, &tried)?) {
        let ours = ours(files);
        let outcome = match (&ours, theirs.error.is_empty()) {
            (Ok(ours), true) if *ours == theirs.values.clone().unwrap_or_default() => "read",
            (Err(_), false) => "refused by both",
            (Err(refused), true) if refused.iter().any(|refused| strict.contains(refused.why.word())) => "refused by bedplate",
            _ => {
                differing += 1;
                println!("{files:?}: bedplate {ours:?}, compose {:?} {}", theirs.values, theirs.error);
                "different"
            }
        };
        *counts.entry(outcome).or_default() += 1;
    }
    println!("{GENERATED} generated: {counts:?}");
    // Else the agreement would prove nothing.
    let read = counts.get("read").copied().unwrap_or_default();
    if read < GENERATED / 10 { Err(format!("only {read} were read at all").into()) } else { Ok(differing) }
}

fn word(case: &Case) -> Option<String> {
    case.refused.as_ref()?.split_once(' ').map(|(word, _)| word.to_owned())
}

fn ask(oracle: &str, files: &[Vec<String>]) -> Result<Vec<Theirs>, Failure> {
    let mut input = tempfile::NamedTempFile::new()?;
    serde_json::to_writer(&mut input, files)?;
    input.flush()?;
    // It warns of each reference to nothing.
    let output = Command::new(oracle).arg(input.path()).stderr(Stdio::null()).output()?;
    if !output.status.success() {
        return Err(format!("{oracle}: {}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
