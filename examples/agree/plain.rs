//! An answer without what can't agree between a fake and a real world. What is left out, and why, stands at each line.

use bedplate::model::{Answer, ApiQuestion, DryRun, FileKind, FileMeta, LiveSecret, Question, Reply, Secret, UnitState};
use serde_json::{Map, Value};

use crate::api::widest;

/// What must be the same in both worlds. `before` is that world's answer of last time: two clocks can't agree, but both move or stand.
pub fn plain(question: &Question, answer: Option<&Answer>, before: Option<&Answer>) -> String {
    let before = match before {
        Some(Answer::Present(reply)) => Some(reply),
        _ => None,
    };
    match answer {
        None => "no answer".into(),
        Some(Answer::Absent) => "absent".into(),
        // The reason is each world's own wording.
        Some(Answer::Unreadable(_) | Answer::Lost(_)) => "unreadable".into(),
        Some(Answer::Present(reply)) => present(question, reply, before),
    }
}

fn present(question: &Question, reply: &Reply, before: Option<&Reply>) -> String {
    match (reply, before) {
        (Reply::File(meta), Some(Reply::File(before))) => file(meta, Some(before)),
        (Reply::File(meta), _) => file(meta, None),
        (Reply::Unit(state), Some(Reply::Unit(before))) => unit(state, before.started),
        (Reply::Unit(state), _) => unit(state, 0),
        (Reply::Secret(live), Some(Reply::Secret(before))) => secret(live, Some(before)),
        (Reply::Secret(live), _) => secret(live, None),
        (Reply::Bytes(bytes), _) => text(bytes),
        (Reply::Object(live), _) => object(question, live),
        (Reply::DryRun(run), _) => dry_run(question, run),
        (other, _) => format!("{other:?}"),
    }
}

fn file(meta: &FileMeta, before: Option<&FileMeta>) -> String {
    let FileMeta { kind, mode, uid, gid, size, changed } = meta;
    let all = format!("{kind:?} {mode:04o} {uid}:{gid}");
    if *kind == FileKind::Folder {
        // A folder's size is its file system's affair, and its ctime moves with its entries.
        return all;
    }
    // A time is no more than different from the last one.
    format!("{all}, {size} bytes, {}", moved(before.map(|before| before.changed != *changed)))
}

fn unit(state: &UnitState, before: u64) -> String {
    let UnitState { active, sub, enabled, needs_reload, restarts, job, started } = state;
    let since = match *started {
        0 => "never started",
        // A time is no more than different from the last one.
        started if started == before => "started before",
        _ => "started anew",
    };
    format!("{active} {sub} {enabled}, needs reload: {needs_reload}, {restarts} restarts, job: {job}, {since}")
}

fn secret(live: &LiveSecret, before: Option<&LiveSecret>) -> String {
    // The fake's API server has no clock, so nothing is made at any time there.
    let LiveSecret { resource_version, kind, labels, annotations, data, created: _ } = live;
    // A `resourceVersion` counts what the whole cluster did.
    let version = moved(before.map(|before| before.resource_version != *resource_version));
    // Random, ours both: the key pair's id and the revision.
    let annotations: Vec<_> = annotations
        .iter()
        .map(|(key, value)| format!("{key} {}", moved(before.map(|before| before.annotations.get(key) != Some(value)))))
        .collect();
    let data: Vec<_> = data.iter().map(|(key, value)| format!("{key}={}", value_of(key, value, before))).collect();
    format!("{kind} {labels:?}, annotations {annotations:?}, version {version}, {data:?}")
}

/// Keys are random: no more than their form, and whether they are the ones of last time.
fn value_of(key: &str, value: &Secret, before: Option<&LiveSecret>) -> String {
    if ![".pem", "tls.crt", "tls.key", "ca.crt"].iter().any(|random| key.ends_with(random)) {
        return text(value);
    }
    let form = text(value).lines().next().unwrap_or_default().to_owned();
    format!("{form} {}", moved(before.map(|before| before.data.get(key) != Some(value))))
}

/// Of the declared fields: the server adds its own.
fn object(question: &Question, live: &Value) -> String {
    match question {
        Question::Api(ApiQuestion::Object(object)) => {
            let declared = widest().into_iter().find(|body| body["kind"] == object.kind.as_str()).unwrap_or_default();
            part(live, &declared).to_string()
        }
        _ => live.to_string(),
    }
}

/// Whether there is something to change, and the declared fields as they would be.
fn dry_run(question: &Question, run: &DryRun) -> String {
    let DryRun { live, merged, conflicts } = run;
    let change = match live {
        None => "created",
        Some(live) if live == merged => "as it is",
        Some(_) => "changed",
    };
    let declared = match question {
        Question::Api(ApiQuestion::DryRun(manifest)) => part(merged, manifest.body()),
        _ => Value::Null,
    };
    format!("{change}: {declared}, conflicts {conflicts:?}")
}

/// What `live` has of the fields of `declared`.
fn part(live: &Value, declared: &Value) -> Value {
    match (live, declared) {
        (Value::Object(live), Value::Object(declared)) => {
            let fields = declared.iter().filter_map(|(key, declared)| Some((key.clone(), part(live.get(key)?, declared))));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        (Value::Array(live), Value::Array(declared)) if live.len() == declared.len() => {
            live.iter().zip(declared).map(|(live, declared)| part(live, declared)).collect()
        }
        _ => live.clone(),
    }
}

fn moved(moved: Option<bool>) -> &'static str {
    match moved {
        None => "new",
        Some(true) => "moved",
        Some(false) => "as before",
    }
}

/// Made up by this program.
fn text(bytes: &Secret) -> String {
    String::from_utf8_lossy(bytes.expose()).into_owned()
}
