//! `[[releases]]`, as far as the text tells.

use crate::inventory::problem::Flaws;
use crate::inventory::tree::Spot;
use crate::inventory::{Inventory, duration};

pub(super) fn lint(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    for (release, spot) in super::placed(&inventory.releases, root.key("releases"), root) {
        if duration(&release.timeout).is_none() {
            flaws.error(spot.key("timeout"), format!("`{}` is no duration", release.timeout), DURATION_CURE);
        }
        if let Some(path) = &release.issuer_value
            && !is_value_path(path)
        {
            let message = format!("`issuer_value` is no path of a value: `{path}`");
            flaws.error(spot.key("issuer_value"), message, "write keys of values.yaml joined by dots, e.g. \"ingress.clusterIssuer\"");
        }
    }
}

/// How a duration is written.
pub(super) const DURATION_CURE: &str = "write a whole number and a unit: \"90s\", \"4m\", \"1h\"";

/// What helm's `--set` would take as plain nested keys.
fn is_value_path(path: &str) -> bool {
    path.split('.').all(|key| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)))
}
