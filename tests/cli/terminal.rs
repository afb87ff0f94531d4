//! A run on a terminal, a real one of `script`: lines that stay while something goes on, and what is left when it ended.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bedplate::model::{Condition, Event, Exit, Failure, Finding, HostId, Note, Scope, Sink, StepId};
use bedplate::report::{Detail, Form, sink};

use crate::project;
use crate::test_program::write_program;

const SCENE: &str = "BEDPLATE_TEST_SCENE";

/// Longer than what lies between two drawings.
const LOOKED_AT: Duration = Duration::from_millis(400);

/// Plays a scene on the terminal that it is started on.
#[test]
#[ignore = "played by the tests below, on a terminal of their own"]
fn played() {
    let sink = sink(Form::Text, Detail::Normal);
    for event in scene(&std::env::var(SCENE).unwrap()) {
        match event {
            Some(event) => sink(event),
            None => std::thread::sleep(LOOKED_AT),
        }
    }
    still(&sink);
}

/// What comes after the end draws nothing any more.
fn still(sink: &Sink) {
    sink(Event::Asking { questions: 1 });
    std::thread::sleep(LOOKED_AT);
}

fn host(name: &str) -> Scope {
    Scope::Host(HostId(name.into()))
}

fn acting(name: &str, what: &str) -> Option<Event> {
    Some(Event::Acting { scope: host(name), step: StepId::of("k3s"), what: what.into() })
}

fn acted(name: &str, what: &str) -> Option<Event> {
    Some(Event::Acted { scope: host(name), step: StepId::of("k3s"), what: what.into(), took: Duration::from_secs(2), said: None })
}

/// Events; none: it is looked at.
fn scene(name: &str) -> Vec<Option<Event>> {
    let sent = Event::Sent { scope: host("worker"), step: StepId::of("k3s"), done: 5 << 20, total: 10 << 20 };
    let both = vec![acting("droplet", "restart k3s"), acting("worker", "install k3s"), Some(sent), None, acted("worker", "install k3s")];
    let warning = Note::Warning(Finding::new("it is slow", "more memory"));
    let warned = Some(Event::Noted { scope: host("droplet"), step: StepId::of("preflight"), note: warning });
    let seen = "up\r\n\u{1b}[2J\u{1b}]0;evil\u{7}\tdown".to_owned();
    let condition = Condition { what: "node is Ready".into(), seen, cure: String::new(), within: Duration::from_secs(300) };
    let waiting = Event::Waiting { scope: host("droplet"), step: StepId::of("node"), condition, waited: Duration::from_secs(7) };
    let failure = |exit| Some(Event::Failed(Arc::new(Failure::new("go on", "broken", "mend it").exiting(exit))));
    match name {
        "both" => both.into_iter().chain([Some(Event::Done)]).collect(),
        "fails" => [warned].into_iter().chain(both).chain([acting("droplet", "restart k3s"), None, failure(Exit::Failed)]).collect(),
        "asked" => both
            .into_iter()
            .chain([Some(Event::Looked), None, acting("droplet", "what was said yes to"), None, Some(Event::Done)])
            .collect(),
        "hostile" => vec![acted("droplet", "a\r\u{1b}[31mb"), Some(waiting), None, failure(Exit::Failed)],
        "many" => {
            let names: Vec<String> = (0..40).map(|n| format!("host-{n}")).collect();
            let work = names.iter().flat_map(|name| [acting(name, "restart k3s"), acted(name, "restart k3s")]);
            work.chain([acting("droplet", "the last"), None, Some(Event::Done)]).collect()
        }
        other => panic!("no scene {other}"),
    }
}

/// Runs a shell command on a terminal of 80 columns and 24 lines, `typed` once `ready`.
pub fn on_terminal(command: &mut Command, line: &str, typed: &[u8], ready: impl Fn() -> bool) -> Output {
    let line = format!("stty rows 24 cols 80; {line}");
    command.args(["-qefc", &line, "/dev/null"]).env("TERM", "xterm").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let begun = Instant::now();
    while !ready() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it never came to the point");
        std::thread::sleep(Duration::from_millis(20));
    }
    stdin.write_all(typed).unwrap();
    let output = std::thread::spawn(move || child.wait_with_output().unwrap());
    let output = output.join().unwrap();
    drop(stdin);
    output
}

/// What the terminal got of a scene, byte by byte.
fn bytes_of(scene: &str) -> Vec<u8> {
    let this = std::env::current_exe().unwrap();
    let line = format!("exec {} --exact terminal::played --ignored --nocapture", this.display());
    let output = on_terminal(Command::new("script").env(SCENE, scene), &line, b"", || true);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    output.stdout
}

fn lines(screen: &vt100::Screen) -> Vec<String> {
    screen.rows(0, 80).map(|row| row.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// The first moment at which the screen shows all of these, on a line each.
fn moment(bytes: &[u8], wanted: &[&str]) -> Option<Vec<String>> {
    let mut terminal = vt100::Parser::default();
    bytes.iter().find_map(|byte| {
        terminal.process(&[*byte]);
        let shown = lines(terminal.screen());
        wanted.iter().all(|text| shown.iter().any(|line| line.contains(text))).then_some(shown)
    })
}

fn end(bytes: &[u8]) -> (Vec<String>, vt100::Parser) {
    let mut terminal = vt100::Parser::default();
    terminal.process(bytes);
    (lines(terminal.screen()), terminal)
}

#[test]
fn each_host_has_its_line_with_step_bytes_and_time() {
    let bytes = bytes_of("both");
    let seen = moment(&bytes, &["droplet  k3s: restart k3s", "worker  k3s: install k3s", "5.00 MiB/10.00 MiB 0s"]);
    assert!(seen.is_some(), "{}", String::from_utf8_lossy(&bytes));
    let (left, _) = end(&bytes);
    let done = left.iter().filter(|line| line.contains("k3s: ")).collect::<Vec<_>>();
    assert_eq!(done, ["worker  k3s: install k3s (2.0 s)"], "{left:?}");
}

#[test]
fn what_is_done_stays_and_a_failure_comes_last_after_the_warnings() {
    let bytes = bytes_of("fails");
    let (left, terminal) = end(&bytes);
    let from = left.iter().position(|line| line.contains("install k3s")).unwrap();
    assert_eq!(
        left[from..from + 2],
        ["worker  k3s: install k3s (2.0 s)", "warning: it is slow; more memory (droplet preflight)"],
        "{left:?}"
    );
    assert!(!left.iter().any(|line| line.contains("restart k3s")), "a line was left behind: {left:?}");
    assert!(!terminal.screen().hide_cursor());
}

#[test]
fn after_a_question_it_goes_on_drawing() {
    let bytes = bytes_of("asked");
    let seen = moment(&bytes, &["droplet  k3s: what was said yes to", "worker  k3s: install k3s (2.0 s)"]).unwrap();
    assert!(!seen.iter().any(|line| line.contains("restart k3s")), "what was drawn before is left: {seen:?}");
}

#[test]
fn no_control_byte_of_a_host_reaches_the_terminal_and_one_wait_is_one_line() {
    let bytes = bytes_of("hostile");
    let text = String::from_utf8_lossy(&bytes);
    for evil in ["\u{1b}[31m", "\u{1b}[2J", "\u{1b}]0;", "\u{7}"] {
        assert!(!text.contains(evil), "{evil:?} in {text}");
    }
    let seen = moment(&bytes, &["node: waiting 7 s of 300 s: node is Ready (up", "[31mb (2.0 s)"]);
    assert!(seen.is_some(), "{text}");
}

#[test]
fn many_hosts_leave_room_for_the_one_that_works() {
    let bytes = bytes_of("many");
    let seen = moment(&bytes, &["droplet  k3s: the last", "host-39  k3s: restart k3s (2.0 s)"]).unwrap();
    assert!(seen.iter().filter(|line| line.contains("1 done")).count() <= 12, "{seen:?}");
}

/// `bedplate` in the example's project on a terminal, with an `ssh` that hangs, until Ctrl-C is typed.
#[test]
fn ctrl_c_leaves_a_clean_terminal_and_a_sentence() {
    let (scratch, programs) = (project::of(&project::root().join("inventory.example.toml")), tempfile::tempdir().unwrap());
    write_program(&programs.path().join("ssh"), "#!/bin/sh\ntouch called\nsleep 30\n");
    let path = format!("{}:{}", programs.path().display(), std::env::var("PATH").unwrap());
    let line = format!("trap : INT; {} bootstrap; code=$?; stty -a; exit $code", assert_cmd::cargo::cargo_bin("bedplate").display());
    let called = scratch.path().join("called");
    let output = on_terminal(Command::new("script").current_dir(scratch.path()).env("PATH", path), &line, b"\x03", || called.exists());
    let (left, terminal) = end(&output.stdout);
    assert_eq!(output.status.code(), Some(130), "{left:?}");
    let said = left.iter().position(|line| line == "error: could not finish: interrupted");
    assert!(said.is_some_and(|at| left[at + 1] == "  cure: the state is safe; run it again"), "{left:?}");
    assert!(left.iter().any(|line| line.contains(" echo ")), "{left:?}");
    assert!(!terminal.screen().hide_cursor());
}
