//! Values of Secrets that somebody types (`prompt` in `[[secrets]]`): asked for once the lock is held and before anything is changed, where the
//! cluster lacks them, or where the user wants another.

use super::confirm::attended;
use super::session::Session;
use crate::engine::Ground;
use crate::inventory::{Inventory, SecretSource, Typed, fault};
use crate::model::{Answer, ApiQuestion, CLUSTER_CA, Exit, Failure, HostId, HostQuestion, Question, Reply, Secret};
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
        let lacking = lacking(source, &session.live, &session.server).await;
        for key in source.prompt.clone() {
            let again = anew.contains(&key);
            if !again && !lacking.contains(&key) {
                continue;
            }
            attended(TRIED, &format!("run it at a terminal: {key} of secret {}/{} has no value yet", source.namespace, source.name))?;
            let value = asked(source, &key, &inventory.placeholders).await?;
            source.typed.insert(key, if again { Typed::Anew(value) } else { Typed::Lacking(value) });
        }
    }
    Ok(())
}

/// The keys to be typed that the Secret lacks. Where that can't be seen it lacks all of them on a bare host, and on one whose k3s merely does
/// not answer it is taken to lack none: what lacks after all, the step tells.
pub async fn lacking(source: &SecretSource, ground: &dyn Ground, server: &HostId) -> Vec<String> {
    let SecretSource { namespace, name, prompt, .. } = source;
    let secret = Question::Api(ApiQuestion::Secret { namespace: namespace.clone(), name: name.clone() });
    match one(ground, secret).await {
        Some(Answer::Present(Reply::Secret(live))) => prompt.iter().filter(|key| !live.data.contains_key(*key)).cloned().collect(),
        Some(Answer::Absent) => prompt.clone(),
        _ => match one(ground, Question::Host(server.clone(), HostQuestion::Stat(CLUSTER_CA.into()))).await {
            Some(Answer::Absent) => prompt.clone(),
            _ => Vec::new(),
        },
    }
}

async fn one(ground: &dyn Ground, question: Question) -> Option<Answer> {
    ground.ask(vec![question]).await.pop().map(|(_, answer)| answer)
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
