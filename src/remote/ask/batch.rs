//! Many questions as one script: the worker starts seven programs for a frame, which for small questions is more than they cost.

use super::super::frame::{Garbled, Output};
use super::super::quote::quote;

/// Most bytes that are kept of what a script complained, as of one that was asked by itself.
const COMPLAINT: usize = 4000;

/// All scripts as one, each with an empty input. What one prints is followed by `mark` and its status, and what it complains, caught by
/// itself, by `mark` again. Nothing of that may hold `mark`.
pub fn compose(scripts: &[String], mark: &str) -> String {
    let ask = format!(
        "ask() {{ e=$({{ ( eval \"$1\" ) </dev/null 3>&-; printf '\\n%s %s\\n' {mark} $?; }} 2>&1 >&3); printf '%s\\n%s\\n' \"$e\" {mark}; }} 3>&1\n"
    );
    std::iter::once(ask).chain(scripts.iter().map(|script| format!("ask {}\n", quote(script)))).collect()
}

/// What each of `count` scripts left behind.
///
/// # Errors
/// `Form`: that is not all there.
pub fn split(all: &Output, count: usize, mark: &str) -> Result<Vec<Output>, Garbled> {
    apart(all, count, mark).ok_or(Garbled::Form)
}

fn apart(all: &Output, count: usize, mark: &str) -> Option<Vec<Output>> {
    let mut rest: &[u8] = &all.stdout;
    let mut outputs = Vec::with_capacity(count);
    for _ in 0..count {
        let (stdout, behind) = cut(rest, format!("\n{mark} ").as_bytes())?;
        let (status, behind) = cut(behind, b"\n")?;
        let (complaint, behind) = cut(behind, format!("\n{mark}\n").as_bytes())?;
        let status = std::str::from_utf8(status).ok()?.parse().ok()?;
        let end = &complaint[complaint.len().saturating_sub(COMPLAINT)..];
        outputs.push(Output { status, stdout: stdout.to_vec().into(), stderr: String::from_utf8_lossy(end).into_owned() });
        rest = behind;
    }
    rest.is_empty().then_some(outputs)
}

fn cut<'a>(text: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let place = text.windows(at.len()).position(|window| window == at)?;
    Some((&text[..place], &text[place + at.len()..]))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const MARK: &str = "bedplate-0123";

    fn run(scripts: &[&str]) -> Output {
        let scripts: Vec<String> = scripts.iter().map(|&script| script.to_owned()).collect();
        let ran = Command::new("sh").args(["-c", &compose(&scripts, MARK)]).output().unwrap();
        let stderr = String::from_utf8(ran.stderr).unwrap();
        Output { status: ran.status.code().unwrap(), stdout: ran.stdout.into(), stderr: stderr.trim_end().to_owned() }
    }

    fn seen(output: &Output) -> (i32, String, &str) {
        (output.status, output.text(), &output.stderr)
    }

    #[test]
    fn each_script_has_its_own_status_output_and_complaint() {
        let scripts = [
            "echo a; echo why >&2; exit 44",
            "printf '\\n\\na\\n'",
            "cd /nowhere 2>/dev/null; exit 3",
            "cat; printf '\\377'; x=1",
            "echo $x$?",
        ];
        let all = run(&scripts);
        let outputs = split(&all, scripts.len(), MARK).unwrap();
        assert_eq!(seen(&outputs[0]), (44, "a\n".into(), "why"));
        assert_eq!(seen(&outputs[1]), (0, "\n\na\n".into(), ""));
        assert_eq!(seen(&outputs[2]), (3, String::new(), ""));
        assert_eq!((outputs[3].status, outputs[3].stdout.as_slice()), (0, &b"\xff"[..]));
        assert_eq!(seen(&outputs[4]), (0, "0\n".into(), ""), "a script sees neither variables nor status of the one before");
    }

    #[test]
    fn many_complaints_are_kept_to_the_last_word() {
        let scripts: Vec<String> = (0..200).map(|at| format!("stat -- '/nowhere/{at:040}'")).collect();
        let scripts: Vec<&str> = scripts.iter().map(String::as_str).collect();
        for output in split(&run(&scripts), 200, MARK).unwrap() {
            assert!(output.stderr.ends_with("No such file or directory"), "{output:?}");
        }
    }

    #[test]
    fn of_a_long_complaint_the_end_is_kept() {
        let all = run(&["i=0; while [ $i -lt 999 ]; do echo complaint >&2; i=$((i+1)); done; echo why >&2", "echo 'a)' \"it's\""]);
        let outputs = split(&all, 2, MARK).unwrap();
        assert_eq!((outputs[0].stderr.len(), outputs[0].stderr.ends_with("why")), (4000, true));
        assert_eq!(seen(&outputs[1]), (0, "a) it's\n".into(), ""));
    }

    #[test]
    fn what_is_not_all_there_is_no_answer() {
        let whole = run(&["echo a", "echo b"]);
        assert!(split(&whole, 2, MARK).is_ok());
        for (count, mark) in [(3, MARK), (1, MARK), (2, "bedplate-4567")] {
            assert_eq!(split(&whole, count, mark), Err(Garbled::Form));
        }
    }
}
