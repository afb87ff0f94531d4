//! Every file and object that bedplate writes is a template in `templates/`, embedded in the binary.

use std::sync::LazyLock;

use serde::Serialize;
use tera::{Context, Kwargs, State, Tera, TeraResult, Value};

use crate::model::Finding;

/// How the first line of each file begins: what bears it is ours.
pub const MARK: &str = "# Written by bedplate";

const TEMPLATES: &[(&str, &str)] = &[
    ("cluster-issuer.yaml", include_str!("../templates/cluster-issuer.yaml")),
    ("config.yaml", include_str!("../templates/config.yaml")),
    ("firewall.nft", include_str!("../templates/firewall.nft")),
    ("firewall.service", include_str!("../templates/firewall.service")),
    ("jwt-public.yaml", include_str!("../templates/jwt-public.yaml")),
    ("k3s.service", include_str!("../templates/k3s.service")),
    ("namespace.yaml", include_str!("../templates/namespace.yaml")),
    ("redirect-middleware.yaml", include_str!("../templates/redirect-middleware.yaml")),
    ("redirect-route.yaml", include_str!("../templates/redirect-route.yaml")),
    ("registries.yaml", include_str!("../templates/registries.yaml")),
    ("responder-ingress.yaml", include_str!("../templates/responder-ingress.yaml")),
    ("responder-job.yaml", include_str!("../templates/responder-job.yaml")),
    ("responder-service.yaml", include_str!("../templates/responder-service.yaml")),
    ("solver-policy.yaml", include_str!("../templates/solver-policy.yaml")),
    ("sshd.conf", include_str!("../templates/sshd.conf")),
];

static ENGINE: LazyLock<Result<Tera, tera::Error>> = LazyLock::new(|| {
    let mut tera = Tera::new();
    tera.register_filter("json", json);
    tera.add_raw_templates(TEMPLATES.iter().copied())?;
    Ok(tera)
});

/// Any value as JSON, which is YAML as well.
fn json(value: &Value, _: Kwargs, _: &State<'_>) -> TeraResult<String> {
    serde_json::to_string(value).map_err(tera::Error::message)
}

/// Fills the template in.
///
/// # Errors
/// The template does not exist or names a variable that `context` lacks: a bug of bedplate, said as a finding.
pub fn render(name: &str, context: &impl Serialize) -> Result<String, Finding> {
    let bug = |error: &tera::Error| Finding::new(format!("template {name}: {error}"), "this is a bug of bedplate; please report it");
    let engine = ENGINE.as_ref().map_err(bug)?;
    let context = Context::from_serialize(context).map_err(|error| bug(&error))?;
    engine.render(name, &context).map_err(|error| bug(&error))
}

/// Fills in a text that is not ours, e.g. of a playbook.
///
/// # Errors
/// In words: it is no template, or names a variable that `context` lacks.
pub fn fill(text: &str, context: &impl Serialize) -> Result<String, String> {
    let engine = ENGINE.as_ref().map_err(ToString::to_string)?;
    let context = Context::from_serialize(context).map_err(|error| error.to_string())?;
    engine.render_str(text, &context, false).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_unknown_variable_is_an_error() {
        let finding = render("k3s.service", &json!({})).unwrap_err();
        assert!(finding.what.contains("`unit` is not defined"), "{}", finding.what);
    }

    #[test]
    fn strings_keep_their_quotes_and_line_ends() {
        let text = render("config.yaml", &json!({ "keys": { "token": "a\"b\n: c", "n": 1 } })).unwrap();
        assert!(text.ends_with("\nn: 1\ntoken: \"a\\\"b\\n: c\"\n"), "{text}");
    }

    #[test]
    fn all_bear_the_mark() {
        assert!(TEMPLATES.iter().all(|(_, text)| text.starts_with(MARK)));
    }
}
