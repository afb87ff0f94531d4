//! A playbook's steps filled in with parameters.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Value;

use crate::template;

use super::Wrong;
use super::book::{Book, Generic};

/// The steps as this use of the playbook wants them.
///
/// # Errors
/// Unknown and missing parameters, all at once; or the first step that does not come out right.
pub fn fill(book: Book, given: &BTreeMap<String, Value>) -> Result<Vec<Generic>, Vec<Wrong>> {
    let mut wrong = Vec::new();
    for name in given.keys().filter(|name| !book.parameters.contains_key(*name)) {
        let known: Vec<_> = book.parameters.keys().map(String::as_str).collect();
        let cure = format!("known here: {}", known.join(", "));
        wrong.push(Wrong { parameter: Some(name.clone()), message: format!("unknown parameter `{name}`"), cure });
    }
    let mut context = BTreeMap::new();
    for (name, parameter) in &book.parameters {
        match given.get(name).or(parameter.default.as_ref()) {
            Some(value) => drop(context.insert(name.as_str(), value)),
            None => wrong.push(Wrong::of(format!("`{name}` is missing: {}", parameter.about), format!("add `{name} = …`"))),
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let step = |table: toml::Table| {
        let filled = filled(Value::Table(table), &context)?;
        Generic::deserialize(filled).map_err(|error| error.to_string().trim_end().to_owned())
    };
    let steps = book.steps.into_iter().map(step).collect::<Result<Vec<_>, String>>();
    steps.map_err(|message| {
        vec![Wrong::of(format!("a step of the playbook: {message}"), "mend the playbook, or the parameter that it names")]
    })
}

/// Only texts are filled in, each by itself: a parameter can't break out of the value that it stands in.
fn filled(value: Value, context: &BTreeMap<&str, &Value>) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => Value::String(template::fill(&text, context)?),
        Value::Array(items) => Value::Array(items.into_iter().map(|item| filled(item, context)).collect::<Result<_, _>>()?),
        Value::Table(table) => {
            Value::Table(table.into_iter().map(|(key, value)| Ok((key, filled(value, context)?))).collect::<Result<_, String>>()?)
        }
        other => other,
    })
}
