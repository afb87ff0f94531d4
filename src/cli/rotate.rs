//! `bedplate rotate`: one key, or one password, takes the place of another.

mod begun;
mod database;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Target;
use super::confirm::{attended, confirmed};
use super::session::{Session, load};
use crate::engine::converge;
use crate::inventory::{Inventory, JwtKeys};
use crate::model::{Event, Exit, Failure, Sink, Step};
use crate::report::{self, Form, Passed, clean, progress};
use crate::steps::{Leave, rotate};

pub use begun::Begun;

/// What to rotate.
#[derive(Subcommand)]
pub enum Rotate {
    /// Replace a key pair for tokens; with `public` no issued token is refused. Continues an interrupted rotation
    Jwt(Jwt),
    /// Change a database's password in the server, in its Secret and in the workloads that read it. Continues an interrupted rotation
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
    /// Do not ask before tokens become invalid
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
        let begun = Begun::of(session.look(sink).await?)?;
        if asks && !begun.actions().is_empty() {
            begun.reasons().for_each(|reason| progress(&clean(reason)));
            confirmed(TRIED, &begun.actions(), "nothing was changed").await?;
        }
        let outcome = converge(&session.live, &steps(&|keys| begun.leave(keys)), &session.server, sink).await?;
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
