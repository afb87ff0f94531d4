//! `[registries]`: what k3s reads out of `registries.yaml` (k3s-docs:installation/private-registry). Unknown keys there are ignored in
//! silence by k3s, so a typo would only show as a failing pull. Values may be credentials and are never told.

use serde_json::{Map, Value};

use crate::inventory::problem::Flaws;
use crate::inventory::tree::Spot;
use crate::inventory::{Inventory, suggest};

pub(super) fn lint(inventory: &Inventory, root: Spot<'_>, flaws: &mut Flaws) {
    let Some(registries) = &inventory.registries else { return };
    let spot = root.key("registries").key("mirrors");
    for (name, mirror) in &registries.mirrors {
        let spot = spot.key(name);
        let Some(mirror) = table(mirror, &["endpoint", "rewrite"], spot, flaws) else { continue };
        match mirror.get("endpoint").map(Value::as_array) {
            None => {}
            Some(Some(endpoints)) if endpoints.iter().all(|endpoint| endpoint.as_str().is_some_and(is_url)) => {}
            Some(_) => flaws.error(
                spot.key("endpoint"),
                "`endpoint` takes a list of URLs",
                "write `endpoint = [\"https://…\"]`; plain HTTP needs `http://`",
            ),
        }
        if let Some(rewrite) = mirror.get("rewrite")
            && !rewrite.as_object().is_some_and(|rules| rules.values().all(Value::is_string))
        {
            flaws.error(
                spot.key("rewrite"),
                "`rewrite` takes patterns and what to put there",
                "write `rewrite = { \"^library/(.*)\" = \"$1\" }`",
            );
        }
    }
    let spot = root.key("registries").key("configs");
    for (name, config) in &registries.configs {
        let spot = spot.key(name);
        let Some(config) = table(config, &["auth", "tls"], spot, flaws) else { continue };
        if let Some(auth) = config.get("auth") {
            table(auth, &["username", "password", "auth", "identity_token"], spot.key("auth"), flaws);
        }
        if let Some(tls) = config.get("tls") {
            table(tls, &["ca_file", "cert_file", "key_file", "insecure_skip_verify"], spot.key("tls"), flaws);
        }
    }
}

/// The value as a table, its unknown keys reported.
fn table<'v>(value: &'v Value, known: &[&str], spot: Spot<'_>, flaws: &mut Flaws) -> Option<&'v Map<String, Value>> {
    let Some(table) = value.as_object() else {
        flaws.error(spot, "this must be a table", format!("known here: {}", known.join(", ")));
        return None;
    };
    for key in table.keys().filter(|key| !known.contains(&key.as_str())) {
        flaws.error(spot.name(key), format!("unknown key `{key}`"), suggest::cure(key, known));
    }
    Some(table)
}

fn is_url(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}
