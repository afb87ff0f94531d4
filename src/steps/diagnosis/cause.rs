//! What is stuck, why, and who cures it.

use crate::model::Finding;

/// One cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Which object, and what is said of it.
    stuck: String,
    /// What lies behind it; empty: that says it all.
    why: String,
    cure: Cure,
}

/// Who cures it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cure {
    /// `bedplate bootstrap` does this.
    Tool(String),
    /// Only the user can.
    User(String),
    /// Nobody: it comes with time.
    Time(String),
}

impl Cause {
    /// A cause.
    pub fn new(stuck: impl Into<String>, why: impl Into<String>, cure: Cure) -> Self {
        Self { stuck: stuck.into(), why: why.into(), cure }
    }

    /// The same, with what must be done or waited for afterwards.
    pub fn then(mut self, also: &str) -> Self {
        let (Cure::Tool(text) | Cure::User(text) | Cure::Time(text)) = &mut self.cure;
        text.push_str("; ");
        text.push_str(also);
        self
    }

    /// Whether nobody can do anything about it.
    pub const fn needs_time(&self) -> bool {
        matches!(self.cure, Cure::Time(_))
    }
}

impl From<Cause> for Finding {
    fn from(cause: Cause) -> Self {
        let what = if cause.why.is_empty() { cause.stuck } else { format!("{}\n  because {}", cause.stuck, cause.why) };
        Self::new(
            what,
            match cause.cure {
                Cure::Tool(does) => format!("`bedplate bootstrap` {does}"),
                Cure::User(does) => does,
                Cure::Time(until) => format!("nothing to do now: {until}"),
            },
        )
    }
}

/// Each cause once: the names of a certificate are mostly stuck for one and the same.
pub fn distinct(causes: Vec<Cause>) -> Vec<Cause> {
    let mut kept: Vec<Cause> = Vec::new();
    for cause in causes {
        if !kept.iter().any(|other| (&other.why, &other.cure) == (&cause.why, &cause.cure)) {
            kept.push(cause);
        }
    }
    kept
}
