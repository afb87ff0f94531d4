//! A program run in a pod's container, by the API server's `exec`. What it must not show goes to it by standard input.

use ::kube::api::{Api, AttachParams, AttachedProcess};
use futures::TryFutureExt;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use crate::model::Secret;

use super::Cluster;
use super::refusal::told;

/// Of what a program says, so much is read.
const HEARD: u64 = 64 << 10;

/// Where to run it.
pub struct Place<'a> {
    pub namespace: &'a str,
    pub pod: &'a str,
    pub container: Option<&'a str>,
}

/// How a program ended.
pub struct Ended {
    /// 0: well.
    pub code: i32,
    /// Its standard output.
    pub output: String,
    /// Its standard error.
    pub errors: String,
}

impl Cluster {
    /// Runs `command` and gives it `input`, whose end it can't see: that must tell it to end. A program that outlives our patience is
    /// left by the line that closes.
    ///
    /// # Errors
    /// In words why it could not be run.
    pub(super) async fn exec(&self, at: &Place<'_>, command: &[&str], input: &Secret) -> Result<Ended, String> {
        let pods: Api<Pod> = Api::namespaced(self.upgrading.clone(), at.namespace);
        let params = AttachParams { container: at.container.map(str::to_owned), ..AttachParams::default() }.stdin(true);
        let mut process = pods.exec(at.pod, command.iter().copied(), &params).await.map_err(|error| told(&error))?;
        let ended = process.take_status().ok_or("the program's end can't be waited for")?;
        let (output, errors) = (heard(process.stdout()), heard(process.stderr()));
        let (given, output, errors, status) = tokio::join!(give(&mut process, input), output, errors, ended);
        let status = status.ok_or("the line broke before the program ended")?;
        let code = code(&status).ok_or_else(|| status.message.unwrap_or_default())?;
        // Who ends without having read all says why itself.
        drop(given);
        Ok(Ended { code, output: output?, errors: errors? })
    }
}

/// The way in stays open: of older servers it is the end of all when it closes.
async fn give(process: &mut AttachedProcess, input: &Secret) -> Option<impl Sized + use<>> {
    let mut stdin = process.stdin()?;
    stdin.write_all(input.expose()).await.ok().map(|()| stdin)
}

async fn heard(stream: Option<impl AsyncRead + Unpin>) -> Result<String, String> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        stream.take(HEARD).read_to_end(&mut bytes).map_err(|error| error.to_string()).await?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The exit code; none: it was never started.
fn code(status: &Status) -> Option<i32> {
    if status.status.as_deref() == Some("Success") {
        return Some(0);
    }
    let causes = status.details.iter().flat_map(|details| details.causes.iter().flatten());
    causes.filter(|cause| cause.reason.as_deref() == Some("ExitCode")).find_map(|cause| cause.message.as_ref()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(text: &str) -> Status {
        serde_json::from_str(text).unwrap()
    }

    /// As the API server writes them (apimachinery: pkg/util/remotecommand).
    #[test]
    fn the_end_tells_its_code() {
        let ended = |code: &str| {
            status(&format!(
                r#"{{"metadata":{{}},"status":"Failure","message":"command terminated with non-zero exit code: exit status {code}",
                    "reason":"NonZeroExitCode","details":{{"causes":[{{"reason":"ExitCode","message":"{code}"}}]}}}}"#
            ))
        };
        assert_eq!((code(&ended("2")), code(&ended("127"))), (Some(2), Some(127)));
        assert_eq!(code(&status(r#"{"metadata":{},"status":"Success"}"#)), Some(0));
        assert_eq!(code(&status(r#"{"metadata":{},"status":"Failure","message":"no such container","reason":"InternalError"}"#)), None);
    }
}
