//! `bedplate rotate`: one key, or one password, takes the place of another.

mod database;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Target;
use super::confirm::{attended, confirmed};
use super::session::{Session, load};
use crate::engine::{Verdict, converge};
use crate::inventory::{Inventory, JwtKeys};
use crate::model::{Action, ApiAction, Event, Exit, Failure, Plan, Sink, Step};
use crate::report::{self, Form, Passed, clean, progress};
use crate::steps::{Leave, rotate};

/// What to rotate.
#[derive(Subcommand)]
pub enum Rotate {
    /// Let a fresh key pair sign tokens; what the old one signed stays valid where `public` is named. Goes on where a run was ended
    Jwt(Jwt),
    /// Change a database's password in its server, in its Secret and in what reads that. Goes on where a run was ended
    Database(database::Database),
}

/// Which key pairs.
#[derive(Args)]
pub struct Jwt {
    /// The inventory
    #[arg(default_value = "inventory.toml")]
    inventory: PathBuf,
    /// The Secret of the pair; all pairs if none is named
    secret: Option<String>,
    /// Do not ask before tokens end
    #[arg(long)]
    yes: bool,
}

impl Rotate {
    /// Rotates as far as that goes now.
    ///
    /// # Errors
    /// Nobody is there to be asked, or what bedplate could not mend.
    pub async fn run(&self, form: Form, sink: &Sink) -> Result<Exit, Failure> {
        match self {
            Self::Jwt(jwt) => jwt.run(form, sink).await,
            Self::Database(database) => database.run(form, sink).await,
        }
    }
}

impl Jwt {
    async fn run(&self, form: Form, sink: &Sink) -> Result<Exit, Failure> {
        let target = Target { inventory: self.inventory.clone(), consents: std::collections::BTreeSet::new() };
        let inventory = load(&target)?;
        let pairs = self.pairs(&inventory)?;
        let asks = !self.yes && pairs.iter().any(|keys| keys.public.is_none());
        if asks {
            attended(TRIED, "name a ConfigMap in `public`, or say `--yes`; nothing was contacted")?;
        }
        let steps =
            |leave: &dyn Fn(&JwtKeys) -> Leave| -> Vec<Box<dyn Step>> { pairs.iter().flat_map(|keys| rotate(keys, leave(keys))).collect() };
        let session = Session::with(&target, &inventory, steps(&|_| Leave::Any))?;
        session.live.lock().await?;
        let begun = begun(session.look(sink).await?);
        if asks && !begun.is_empty() {
            begun.values().for_each(|begin| begin.reasons.iter().for_each(|reason| progress(&clean(reason))));
            let actions: Vec<Action> = begun.values().map(|begin| begin.action.clone()).collect();
            confirmed(TRIED, &actions, "nothing was changed").await?;
        }
        let leave = |keys: &JwtKeys| {
            let begin = begun.get(&(keys.namespace.clone(), keys.secret.clone()));
            begin.map_or(Leave::None, |begin| Leave::Key(begin.follows.clone()))
        };
        let outcome = converge(&session.live, &steps(&leave), &session.server, sink).await?;
        session.live.release().await;
        sink(Event::Done);
        match form {
            Form::Json => report::json_verdicts(&outcome.survey.verdicts),
            Form::Text => report::result(&report::findings(&outcome.survey.verdicts, Passed::Counted)),
        }
        Ok(Exit::Done)
    }

    /// Those that are meant.
    fn pairs(&self, inventory: &Inventory) -> Result<Vec<JwtKeys>, Failure> {
        let meant = |keys: &&JwtKeys| self.secret.as_ref().is_none_or(|secret| keys.secret == *secret);
        let pairs: Vec<JwtKeys> = inventory.jwt_keys.iter().filter(meant).cloned().collect();
        if pairs.is_empty() {
            let known: Vec<&str> = inventory.jwt_keys.iter().map(|keys| keys.secret.as_str()).collect();
            let seen = self
                .secret
                .as_ref()
                .map_or("[[jwt_keys]] names none".into(), |secret| format!("no [[jwt_keys]] has secret = \"{secret}\""));
            return Err(Failure::new(TRIED, seen, format!("known are: {}", known.join(", "))).exiting(Exit::Usage));
        }
        Ok(pairs)
    }
}

/// What is attempted, in the words of an error.
const TRIED: &str = "rotate keys";

/// A rotation that would begin.
struct Begin {
    follows: String,
    action: Action,
    reasons: Vec<String>,
}

/// By namespace and Secret. One that is under way goes on, and none begins.
fn begun(verdicts: Vec<Verdict>) -> BTreeMap<(String, String), Begin> {
    let mut begun = BTreeMap::new();
    for planned in verdicts.into_iter().filter_map(|verdict| verdict.planned.ok()) {
        let Plan::Act(actions) = planned.plan else { continue };
        for action in actions {
            if let Action::Api(ApiAction::AddKeyPair { namespace, name, follows, .. }) = &action {
                let begin = Begin { follows: follows.clone(), action: action.clone(), reasons: planned.reasons.clone() };
                begun.insert((namespace.clone(), name.clone()), begin);
            }
        }
    }
    begun
}
