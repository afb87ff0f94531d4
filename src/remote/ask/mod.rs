//! Questions to a host: each is a script and, beside it, a pure parser of what the script prints. Programs that may hang run under
//! `timeout --foreground`, which leaves them in the worker's process group: a question that is given up can be ended.

mod batch;
mod encryption;
mod facts;
mod get;
mod helm;
pub(super) mod images;
mod listeners;
mod network;
mod path;
mod patience;
mod resolve;
mod rules;
mod sshd;
mod unit;
mod version;

use std::time::{SystemTime, UNIX_EPOCH};

use super::Remote;
use super::error::{Error, last_lines, printable};
use super::frame::{Garbled, Output};
use super::shell::nonce;
use crate::model::{Answer, Failure, HostQuestion, Privilege, Reply, Tool, several};

/// What a parser must know beside the output.
#[derive(Clone, Copy, Debug)]
struct Asked {
    /// When the answer came, by our clock, seconds since the epoch.
    now: i64,
    /// How root was reached.
    privilege: Privilege,
}

impl Remote {
    /// Asks all of them in one round trip. What can't be looked at is `Answer::Unreadable`.
    ///
    /// # Errors
    /// Only when the session is lost or the host does not answer in time.
    pub async fn ask(&self, questions: Vec<HostQuestion>) -> Result<Vec<(HostQuestion, Answer)>, Failure> {
        self.hear(questions, |_, _| {}).await
    }

    /// The same, and tells each answer as it comes, in the questions' order.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn hear(
        &self,
        questions: Vec<HostQuestion>,
        heard: impl FnMut(&HostQuestion, &Answer),
    ) -> Result<Vec<(HostQuestion, Answer)>, Failure> {
        let tried = || format!("ask {}", several(questions.len(), "question"));
        let answers = self.answers(&questions, heard).await.map_err(|error| error.told(&self.id, tried()))?;
        Ok(questions.into_iter().zip(answers).collect())
    }

    pub(super) async fn answers(
        &self,
        questions: &[HostQuestion],
        mut heard: impl FnMut(&HostQuestion, &Answer),
    ) -> Result<Vec<Answer>, Error> {
        let scripts: Vec<String> = questions.iter().map(script).collect();
        let mut answers = Vec::with_capacity(questions.len());
        let mut slot = self.shell.lock().await;
        let mut shell = self.shell(&mut slot).await?;
        let mut answered = |index: usize, output: Result<Output, Garbled>| {
            let asked = Asked { now: now(), privilege: self.root.privilege };
            let answer = match output {
                Ok(output) => answer(&questions[index], &output, asked),
                Err(Garbled::TooLong) => Answer::Unreadable("more than 8 MiB came back".into()),
                Err(Garbled::Form) => Answer::Unreadable("what came back can't be read".into()),
            };
            heard(&questions[index], &answer);
            answers.push(answer);
        };
        // Somebody may wait for the first. The others go as one.
        let (first, others) = scripts.split_at(scripts.len().min(1));
        let mark = nonce();
        let joint = (!others.is_empty()).then(|| batch::compose(others, &mark));
        let ran: Vec<String> = first.iter().cloned().chain(joint).collect();
        let mut outputs = Ok(Vec::new());
        let arrived = |index: usize, output: Result<Output, Garbled>| match index {
            0 => answered(0, output),
            _ => outputs = output.and_then(|output| batch::split(&output, others.len(), &mark)),
        };
        let limit = patience::together(questions);
        shell.run_all(&ran, limit, arrived).await?;
        match outputs {
            Ok(outputs) => outputs.into_iter().enumerate().for_each(|(index, output)| answered(index + 1, Ok(output))),
            // Each by itself may be little enough.
            Err(Garbled::TooLong) => shell.run_all(others, limit, |index, output| answered(index + 1, output)).await?,
            Err(Garbled::Form) => (0..others.len()).for_each(|index| answered(index + 1, Err(Garbled::Form))),
        }
        *slot = Some(shell);
        Ok(answers)
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or_default()
}

fn script(question: &HostQuestion) -> String {
    match question {
        HostQuestion::Facts => facts::SCRIPT.to_owned(),
        HostQuestion::Listeners => listeners::SCRIPT.to_owned(),
        HostQuestion::Stat(path) => path::stat_script(path),
        HostQuestion::Digest(path) => path::digest_script(path),
        HostQuestion::Content(path) => path::content_script(path),
        HostQuestion::Unit(unit) => unit::script(unit),
        HostQuestion::Version(Tool::K3s) => version::K3S.to_owned(),
        HostQuestion::Version(Tool::Helm) => version::HELM.to_owned(),
        HostQuestion::Images => images::script(),
        HostQuestion::Blobs => images::blobs_script(),
        HostQuestion::Former(ids) => images::former_script(ids),
        HostQuestion::Journal(unit) => unit::journal_script(unit),
        HostQuestion::Rules(path) => rules::script(path),
        HostQuestion::Encryption => encryption::script(),
        HostQuestion::Sshd => sshd::script(),
        HostQuestion::Resolve(name) => resolve::script(name),
        HostQuestion::Get { url, address } => get::script(url, *address),
    }
}

fn answer(question: &HostQuestion, output: &Output, asked: Asked) -> Answer {
    match question {
        HostQuestion::Facts => facts::parse(output, asked),
        HostQuestion::Listeners => listeners::parse(output),
        HostQuestion::Stat(_) => path::parse_stat(output),
        HostQuestion::Digest(_) => path::parse_digest(output),
        HostQuestion::Content(_) => path::parse_content(output),
        HostQuestion::Unit(_) => unit::parse(output),
        HostQuestion::Version(Tool::K3s) => version::parse_k3s(output),
        HostQuestion::Version(Tool::Helm) => version::parse_helm(output),
        HostQuestion::Images => images::parse(output),
        HostQuestion::Blobs => images::parse_blobs(output),
        HostQuestion::Former(_) => images::parse_former(output),
        HostQuestion::Journal(_) => unit::parse_journal(output),
        HostQuestion::Rules(_) => rules::parse(output),
        HostQuestion::Encryption => encryption::parse(output),
        HostQuestion::Sshd => sshd::parse(output),
        HostQuestion::Resolve(_) => resolve::parse(output),
        HostQuestion::Get { .. } => get::parse(output),
    }
}

/// With this status a script says: looked, and it is not there.
const ABSENT: i32 = 44;

/// `Present` if the script succeeded and its output makes sense to `read`.
fn reply(output: &Output, read: impl FnOnce(&str) -> Option<Reply>) -> Answer {
    match output.status {
        0 => match read(&output.text()) {
            Some(reply) => Answer::Present(reply),
            None => Answer::Unreadable(format!("unexpected output: {}", printable(&last_lines(&output.text())))),
        },
        ABSENT => Answer::Absent,
        124 => Answer::Unreadable("no answer in time".into()),
        status => Answer::Unreadable(format!("exit {status}: {}", printable(&last_lines(&output.stderr)))),
    }
}

#[cfg(test)]
pub(crate) fn printed(stdout: &str) -> Output {
    Output { status: 0, stdout: stdout.as_bytes().to_vec().into(), stderr: String::new() }
}

#[cfg(test)]
pub(crate) fn failed(status: i32, stderr: &str) -> Output {
    Output { status, stdout: Vec::new().into(), stderr: stderr.into() }
}
