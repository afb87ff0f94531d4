//! Many questions as one script: the worker starts seven programs for a frame, which for small questions is more than they cost.

use super::super::frame::{Garbled, Output};

/// All scripts as one, each with an empty input and followed by `mark` and its status on standard output, and by `mark` on standard error.
/// Nothing that they print may hold `mark`.
pub fn compose(scripts: &[String], mark: &str) -> String {
    scripts.iter().map(|script| format!("(\n{script}\n) </dev/null\nprintf '\\n%s %s\\n' {mark} $?\necho {mark} >&2\n")).collect()
}

/// What each of `count` scripts left behind. Of their complaints the last are kept.
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
        let status = std::str::from_utf8(status).ok()?.parse().ok()?;
        outputs.push(Output { status, stdout: stdout.to_vec().into(), stderr: String::new() });
        rest = behind;
    }
    // The worker keeps the end of what is complained. Behind the last mark is nothing.
    let complaints = all.stderr.rsplit(mark).skip(1);
    for (output, complaint) in outputs.iter_mut().rev().zip(complaints) {
        complaint.trim().clone_into(&mut output.stderr);
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
    fn complaints_that_were_cut_are_still_told_apart() {
        let mut all = run(&["echo first >&2", "echo second >&2; false", "true"]);
        all.stderr.drain(.."first bedplate-0123 ".len());
        let complaints: Vec<String> = split(&all, 3, MARK).unwrap().into_iter().map(|output| output.stderr).collect();
        assert_eq!(complaints, ["", "second", ""]);
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
