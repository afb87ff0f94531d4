//! The operator's own machine: what lies there, and the two things that bedplate changes there.

mod chart;
mod helmignore;
mod kubeconfig;
mod output;
mod values;

pub use chart::files as chart_files;
use std::path::Path;

use tokio::runtime::Handle;

use crate::artifacts::Artifacts;
use crate::images::Images;
use crate::inventory::env_file;
use crate::model::{Answer, EnvSource, Failure, OperatorAction, OperatorQuestion, Reply, Secret};

/// Answers one question, on a thread of the runtime that may block.
#[must_use]
pub fn ask(question: &OperatorQuestion, artifacts: &Artifacts, images: &Images) -> Answer {
    let looked = match question {
        OperatorQuestion::Kubeconfig(path) | OperatorQuestion::File(path) => file(path).map(|bytes| bytes.map(Reply::Bytes)),
        OperatorQuestion::Clock => Ok(Some(Reply::Seconds(jiff::Timestamp::now().as_second()))),
        OperatorQuestion::Zone => Ok(jiff::tz::TimeZone::system().iana_name().map(|name| Reply::Text(name.to_owned()))),
        OperatorQuestion::Image(source, arch) => {
            Handle::current().block_on(images.ask(source, arch)).map(|image| image.map(Reply::Archive))
        }
        OperatorQuestion::Chart(path) => chart::read(path).map(Reply::Chart).map(Some),
        OperatorQuestion::Values(paths) => values::merged(paths).map(Reply::Object).map(Some),
        OperatorQuestion::EnvFiles(sources) => env(sources),
        OperatorQuestion::Output(program) => output::of(program).map(Reply::Bytes).map(Some),
        OperatorQuestion::Pin(artifact) => artifacts.pin(artifact).map(|pin| pin.map(Reply::Pin)).map_err(|failure| failure.to_string()),
    };
    match looked {
        Ok(Some(reply)) => Answer::Present(reply),
        Ok(None) => Answer::Absent,
        Err(why) => Answer::Unreadable(why),
    }
}

/// Performs one action.
///
/// # Errors
/// What was tried, what came back, and the cure.
pub async fn perform(action: &OperatorAction, artifacts: &Artifacts, sent: &(dyn Fn(u64, u64) + Send + Sync)) -> Result<(), Failure> {
    match action {
        OperatorAction::Learn(artifact) => artifacts.learn(artifact, sent).await,
        OperatorAction::MergeKubeconfig(merge) => kubeconfig::replace(merge),
    }
}

fn file(path: &Path) -> Result<Option<Secret>, String> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(Secret::new(bytes))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

/// All sources as one.
fn env(sources: &[EnvSource]) -> Result<Option<Reply>, String> {
    let mut values = env_file::Values::new();
    for source in sources {
        let bytes = match source {
            EnvSource::File(path) => file(path)?,
            EnvSource::Program(program) => Some(output::of(program)?),
        };
        let Some(bytes) = bytes else { return Ok(None) };
        let text = bytes.expose_str().ok_or_else(|| format!("{source} is not UTF-8"))?;
        values = env_file::read(text, values).map_err(|refused| {
            let places = refused.iter().map(|refused| format!("{source}, {refused}"));
            places.collect::<Vec<_>>().join("; ")
        })?;
    }
    Ok(Some(Reply::Env(values)))
}
