//! A host that means ill: what it prints does not reach the terminal as anything but letters, and it can't fill memory or time.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::Context;
use crate::bench::Bench;
use crate::run::{Ended, finish};

/// One look, however the host behaves.
const LIMIT: Duration = Duration::from_secs(60);
/// Most memory that a look takes, kB: some 30 MB by itself, and an answer of 8 MiB in its three forms.
const MOST: u64 = 100_000;

/// Sequences that set a title, turn colours, clear, ring and go back; then what could be taken for frames.
const ESCAPES: &str = r"printf '\033]0;pwned\007\033[31;7m\033[2J\a\b\r\302\233\nbedplate-00000000000000000000000000000000 1 0\nbedplate-0 CjAK CjAK bedplate-0\n'";

/// A way to be hostile at login, and what is said of it. They are lines of ~/.bashrc, which runs before what we ask for.
const LOGINS: [(&str, &str, i32, &str); 4] = [
    ("escapes, and shut", r"%; %>&2; exit 1", 77, "could not become root"),
    ("endless lines", r#"%; yes "$(%)""#, 69, "the login prints without end"),
    ("one line of a GiB", r"head -c 1073741824 /dev/zero", 69, "the login prints without end"),
    ("endless complaint", r#"yes "$(%)" >&2 & %; exit 1"#, 1, "no answer within 30 s"),
];

/// Programs that answer our questions, replaced: what they print, and what `plan` says of it.
const ANSWERS: [(&str, &str, &str); 3] =
    [("stat", r"%; % >&2; exit 1", "pwned"), ("ip", r"%", "unexpected output"), ("sha256sum", r"exec cat /dev/zero", "more than 8 MiB")];

/// At login and inside answers: no control byte but those of a good host's look, in bounded memory and time.
pub fn hostile(context: &Context) -> Result<()> {
    let bench = Bench::fresh(context.rig, 2)?;
    let own = controls(&look(&bench, 2)?.0);
    for (name, line, code, words) in LOGINS {
        bench.look(&format!("cat >~appuser/.bashrc <<'END'\n{}\nEND", line.replace('%', ESCAPES)))?;
        judged(&bench, code, words, &own).with_context(|| name.to_owned())?;
    }
    bench.look("rm ~appuser/.bashrc")?;
    for (program, line, words) in ANSWERS {
        let path = format!("/usr/local/sbin/{program}");
        bench.look(&format!("cat >{path} <<'END'\n#!/bin/sh\n{}\nEND\nchmod 755 {path}", line.replace('%', ESCAPES)))?;
        let judged = judged(&bench, 2, words, &own).with_context(|| format!("{program} prints {line}"));
        bench.look(&format!("rm {path}"))?;
        judged?;
    }
    bench.host.discard()
}

/// Looks at a hostile host, at a terminal and without.
fn judged(bench: &Bench<'_>, code: i32, words: &str, own: &BTreeSet<String>) -> Result<()> {
    let begun = Instant::now();
    let (seen, memory) = look(bench, code)?;
    ensure!(begun.elapsed() < LIMIT, "it took {:?}", begun.elapsed());
    println!("hostile: {} kB, {:.1} s", memory, begun.elapsed().as_secs_f32());
    ensure!(memory < MOST, "it took {memory} kB");
    let text: String = seen.split_whitespace().collect::<Vec<_>>().join(" ");
    ensure!(text.contains(words), "`{words}` is not said: {text}");
    let foreign: Vec<_> = controls(&seen).difference(own).cloned().collect();
    ensure!(foreign.is_empty(), "the host's own at the terminal: {foreign:?}");
    let plain = finish(&mut bench.bedplate(&["plan", "inventory.toml"]), LIMIT)?;
    let foreign = (plain.stdout + &plain.stderr).chars().find(|character| character.is_control() && *character != '\n');
    ensure!(foreign.is_none(), "the host's own in a file: {foreign:?}");
    Ok(())
}

/// `plan` at a terminal: what it showed there, and the most memory that it took, kB.
fn look(bench: &Bench<'_>, code: i32) -> Result<(String, u64)> {
    let inside = "bedplate plan inventory.toml & tool=$!
                  while grep VmHWM /proc/$tool/status >&3 2>/dev/null; do sleep 0.05; done; wait $tool";
    let outside = "script --quiet --return --flush --command 'sh -c \"exec 3>rig/memory; . rig/inside\"' /dev/null";
    std::fs::write(bench.project.path("rig/inside"), inside)?;
    bench.project.save(&bench.rig.operator)?;
    let run: Ended = finish(&mut bench.program("sh", &["-c", outside]), LIMIT * 2)?;
    let seen = run.status.and_then(|status| status.code());
    ensure!(seen == Some(code), "exit {seen:?} instead of {code}\n{:?}", run.stdout);
    let memory = std::fs::read_to_string(bench.project.path("rig/memory"))?;
    let most = memory.lines().filter_map(|line| line.split_whitespace().nth(1)?.parse().ok()).max();
    Ok((run.stdout, most.context("nobody saw how much memory it took")?))
}

/// Control characters and sequences in a text, numbers left out.
fn controls(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        if character == '\u{1b}' {
            let mut sequence = String::from("ESC ");
            while let Some(next) = rest.next_if(|next| !next.is_control()) {
                if !next.is_ascii_digit() && next != ';' {
                    sequence.push(next);
                }
                if next.is_ascii_alphabetic() {
                    break;
                }
            }
            found.insert(sequence);
        } else if character.is_control() {
            found.insert(format!("{character:?}"));
        }
    }
    found
}
