//! Values of Secrets that somebody types (`prompt` in `[[secrets]]`): asked for once the lock is held and before anything is changed, where the
//! cluster lacks them, or where the user wants another.

use super::confirm::attended;
use super::session::Session;
use crate::engine::Ground as _;
use crate::inventory::{Inventory, SecretSource, Typed, fault};
use crate::model::{Answer, ApiQuestion, Exit, Failure, Question, Reply, Secret};
use crate::remote::type_in;
use crate::report::{clean, progress};

/// What is attempted, in the words of an error.
const TRIED: &str = "ask for a secret's value";

/// So often may a value be typed that can't be right.
const TRIES: usize = 3;

/// Refuses keys that are not typed, and anything that has to be when nobody is there.
///
/// # Errors
/// 64: so it is.
pub fn checked(inventory: &Inventory, anew: &[String]) -> Result<(), Failure> {
    let known: Vec<&str> = inventory.secrets.iter().flat_map(|source| &source.prompt).map(String::as_str).collect();
    if let Some(key) = anew.iter().find(|key| !known.contains(&key.as_str())) {
        let cure =
            if known.is_empty() { "name keys in `prompt` of [[secrets]]".into() } else { format!("known are: {}", known.join(", ")) };
        return Err(Failure::new(TRIED, format!("no `prompt` of [[secrets]] has {key}"), cure).exiting(Exit::Usage));
    }
    if anew.is_empty() { Ok(()) } else { attended(TRIED, "run it at a terminal; nothing was contacted") }
}

/// Asks for what lacks and for what is to be another, and puts it into the inventory.
///
/// # Errors
/// 64: nobody is there to type; or what was typed can't be right.
pub async fn fill(inventory: &mut Inventory, anew: &[String], session: &Session) -> Result<(), Failure> {
    for source in inventory.secrets.iter_mut().filter(|source| !source.prompt.is_empty()) {
        let held = held(source, session).await;
        for key in source.prompt.clone() {
            let again = anew.contains(&key);
            if held.contains(&key) && !again {
                continue;
            }
            attended(TRIED, &format!("run it at a terminal: {key} of secret {}/{} has no value yet", source.namespace, source.name))?;
            let value = asked(source, &key, &inventory.placeholders).await?;
            source.typed.insert(key, if again { Typed::Anew(value) } else { Typed::Lacking(value) });
        }
    }
    Ok(())
}

/// The keys that the Secret has; none where it can't be seen, as on a bare host.
async fn held(source: &SecretSource, session: &Session) -> Vec<String> {
    let question = ApiQuestion::Secret { namespace: source.namespace.clone(), name: source.name.clone() };
    let answers = session.live.ask(vec![Question::Api(question)]).await;
    match answers.into_iter().next() {
        Some((_, Answer::Present(Reply::Secret(live)))) => live.data.into_keys().collect(),
        _ => Vec::new(),
    }
}

async fn asked(source: &SecretSource, key: &str, placeholders: &[String]) -> Result<Secret, Failure> {
    let failed = |seen: &str| Failure::new(TRIED, seen.to_owned(), "nothing was changed; run it again");
    for _ in 0..TRIES {
        let question = format!("{key} of secret {}/{} (not shown): ", source.namespace, source.name);
        let value = type_in(clean(&question)).await.map_err(|error| failed(&error.to_string()))?;
        let wrong = match value.expose() {
            [] => Some("lacks a value".to_owned()),
            _ => fault(&value, source.shape.get(key).copied(), placeholders),
        };
        match wrong {
            None => return Ok(value),
            Some(why) => progress(&format!("{key} {why}")),
        }
    }
    Err(failed(&format!("{key} was typed {TRIES} times, and never right")))
}
