//! Values that are typed: at a terminal, without a trace on it, and nowhere else.

use std::process::{Command, Stdio};

use bedplate::remote::type_in;
use toml::{Table, Value};

use crate::project;
use crate::terminal::on_terminal;

const TYPED: &str = "canary-typed";

/// `bedplate bootstrap` with these arguments, without a terminal, in the example's project with a key that is typed. Its code and words.
fn bootstrap(arguments: &[&str]) -> (Option<i32>, String) {
    let scratch = project::of(&project::root().join("inventory.example.toml"));
    let path = scratch.path().join("inventory.toml");
    let mut inventory: Table = std::fs::read_to_string(&path).unwrap().parse().unwrap();
    let secret = inventory.get_mut("secrets").and_then(|secrets| secrets.get_mut(0)?.as_table_mut()).unwrap();
    secret.insert("prompt".into(), Value::Array(vec!["PAY_KEY".into()]));
    std::fs::write(&path, toml::to_string(&inventory).unwrap()).unwrap();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("bedplate"));
    command.arg("bootstrap").args(arguments).current_dir(scratch.path()).stdin(Stdio::null());
    let ran = command.output().unwrap();
    (ran.status.code(), String::from_utf8(ran.stderr).unwrap())
}

#[test]
fn nobody_is_asked_without_a_terminal_nor_for_what_is_not_typed() {
    let (code, said) = bootstrap(&["--ask", "PAY_KEY"]);
    assert!(code == Some(64) && said.contains("there is no terminal") && said.contains("nothing was contacted"), "{code:?} {said}");
    let (code, said) = bootstrap(&["--ask", "RESEND_API_KEY"]);
    assert!(code == Some(64) && said.contains("has RESEND_API_KEY") && said.contains("known are: PAY_KEY"), "{code:?} {said}");
}

/// Asks on the terminal that it is started on.
#[test]
#[ignore = "played by the test below, on a terminal of its own"]
fn asked() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let value = runtime.block_on(type_in("PAY_KEY (not shown): ".into())).unwrap();
    assert!(value.expose() == TYPED.as_bytes(), "another value was read");
    println!("it was read");
}

#[test]
fn what_is_typed_does_not_show() {
    let folder = tempfile::tempdir().unwrap();
    let tty = folder.path().join("tty");
    let this = std::env::current_exe().unwrap();
    let line = format!("tty >{}; exec {} --exact typed::asked --ignored --nocapture", tty.display(), this.display());
    // Nobody types before he is asked.
    let silent = || {
        let name = std::fs::read_to_string(&tty).unwrap_or_default();
        let modes = Command::new("stty").args(["-a", "-F", name.trim()]).output().unwrap();
        String::from_utf8_lossy(&modes.stdout).contains(" -echo ")
    };
    let output = on_terminal(&mut Command::new("script"), &line, format!("{TYPED}\n").as_bytes(), silent);
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(shown.contains("PAY_KEY (not shown): ") && shown.contains("it was read"), "{shown}");
    assert!(!shown.contains(TYPED), "{shown}");
}
