//! `bedplate rotate database`: a new password for a login, from the old one's last login to the Secret of the rotation deleted.

use clap::Args;

use crate::cli::Target;
use crate::cli::session::{Session, load};
use crate::engine::converge;
use crate::inventory::Inventory;
use crate::model::{Event, Exit, Failure, Sink};
use crate::report::{self, Form};
use crate::steps::rotate_database;

/// Which one.
#[derive(Args)]
pub struct Database {
    /// Name of one of [[databases]]
    name: String,
    #[command(flatten)]
    target: Target,
}

impl Database {
    /// Begins a rotation unless one goes on, then goes on with it until it has ended.
    ///
    /// # Errors
    /// No database is called so, or the first thing that bedplate could not mend.
    pub async fn run(&self, form: Form, sink: &Sink) -> Result<Exit, Failure> {
        let inventory = load(&self.target)?;
        let database = inventory.databases.iter().find(|database| database.name == self.name).ok_or_else(|| self.unknown(&inventory))?;
        let session = Session::with(&self.target, &inventory, rotate_database(database).into())?;
        session.live.lock().await?;
        for step in session.steps.chunks(1) {
            converge(&session.live, step, &session.server, sink).await?;
        }
        session.live.release().await;
        sink(Event::Done);
        if form == Form::Text {
            report::result(&format!(
                "{} has a new password: {} of Secret {}/{}\n",
                self.name, database.key, database.namespace, database.secret
            ));
        }
        Ok(Exit::Done)
    }

    fn unknown(&self, inventory: &Inventory) -> Failure {
        let known: Vec<&str> = inventory.databases.iter().map(|database| database.name.as_str()).collect();
        let cure = if known.is_empty() { "describe it in [[databases]]".to_owned() } else { format!("known are: {}", known.join(", ")) };
        Failure::new("rotate its password", format!("no database is called {}", self.name), cure).exiting(Exit::Usage)
    }
}
