//! What a helm upgrade would render, by a dry run that the API server takes part in.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use crate::model::{Failure, ReleaseUpgrade};
use crate::remote::Remote;
use crate::remote::error::Error;
use crate::remote::frame::Output;
use crate::remote::helm::{FORCE, SURROUNDINGS, Sources};
use crate::remote::quote::quote;
use crate::remote::shell::Payload;
use crate::remote::sweep::{MADE, sweeping};

/// For helm to render and to ask the API server.
const LIMIT: u64 = 60;

/// What a script left that was killed outright goes with the next: a folder whose lock is free has nobody at work in it.
const SWEPT: &str = r#"for left in /run/bedplate/look-*; do [ ! -d "$left" ] || flock -n "$left" rm -rf -- "$left" || :; done
d=
"#;
/// A folder there, locked.
const FOLDER: &str = r#"d=$(mktemp -d /run/bedplate/look-XXXXXX)
exec 8<"$d"
flock -n 8
"#;

/// What helm prints of a release, as far as it is looked at.
#[derive(Deserialize)]
struct Rendered {
    manifest: String,
}

impl Remote {
    /// The manifest that an upgrade would render; nothing is kept. `chart` is a folder or `.tgz` on the operator's side.
    ///
    /// # Errors
    /// What helm complained of; the chart can't be read; a lost session.
    pub async fn helm_dry_run(&self, upgrade: &ReleaseUpgrade, chart: &Path) -> Result<String, Failure> {
        let tried = format!("render release {}", upgrade.name);
        self.rendered(upgrade, chart).await.map_err(|error| error.told(&self.id, tried))
    }

    async fn rendered(&self, upgrade: &ReleaseUpgrade, chart: &Path) -> Result<String, Error> {
        let sources = Sources::of(upgrade, chart).await?;
        let mut from = sources.reader();
        let payload = Payload { from: &mut from, size: sources.size(), sent: &|_, _| {} };
        let Output { status, stdout, stderr } = self.run(&script(upgrade, &sources), payload, Duration::from_secs(2 * LIMIT)).await?;
        if status != 0 {
            return Err(Error::Script { status, stderr });
        }
        // The parser's own error would quote what may be a secret.
        let rendered: Rendered =
            serde_json::from_slice(&stdout).map_err(|_| Error::Script { status, stderr: format!("{stderr}\nhelm printed no release") })?;
        Ok(rendered.manifest)
    }
}

fn script(upgrade: &ReleaseUpgrade, sources: &Sources) -> String {
    format!(
        "set -eu\n{MADE}{SWEPT}{}{FOLDER}{SURROUNDINGS}{}{FORCE}timeout --foreground -k 5 {LIMIT} /usr/local/bin/helm upgrade --install {} \"$d/chart\" -n {} -f \"$d/values.json\" \
         --reset-values --dry-run=server -o json \"$@\"\n",
        sweeping("rm -rf -- \"$d\""),
        sources.unpack(),
        quote(&upgrade.name),
        quote(&upgrade.namespace),
    )
}
