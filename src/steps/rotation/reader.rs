//! Workloads that read keys when they start.

use crate::model::{ApiQuestion, Missing, ObjectRef, Question, Restart, View};
use crate::steps::rollout;

/// A workload by its name, which may be of any kind that rolls out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// Where it runs.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// How far a reader has come.
pub enum Progress {
    /// There is no such workload.
    Absent,
    /// It reads what was before.
    Untold(Restart),
    /// Its pods are being replaced: what is still missing.
    Rolling(ObjectRef, String),
    /// All its pods read what is there now.
    Done,
}

impl Reader {
    fn objects(&self) -> impl Iterator<Item = ObjectRef> {
        rollout::KINDS.iter().map(|kind| ObjectRef::new("apps/v1", kind, &self.namespace, &self.name))
    }

    /// What must be known of it.
    pub fn questions(&self) -> impl Iterator<Item = Question> {
        self.objects().map(|object| Question::Api(ApiQuestion::Object(object)))
    }

    /// Whether there is such a workload.
    ///
    /// # Errors
    /// It can't be seen.
    pub fn is_there(&self, seen: &View<'_>) -> Result<bool, Missing> {
        let found: Vec<bool> = self.objects().map(|object| Ok(seen.object(&object)?.is_some())).collect::<Result<_, Missing>>()?;
        Ok(found.contains(&true))
    }

    /// How far it has come with `revision` of what it reads.
    ///
    /// # Errors
    /// It can't be seen.
    pub fn progress(&self, reads: &str, revision: &str, seen: &View<'_>) -> Result<Progress, Missing> {
        for workload in self.objects() {
            let Some(live) = seen.object(&workload)? else { continue };
            let restart = Restart { workload: workload.clone(), reads: reads.to_owned(), revision: revision.to_owned() };
            if !restart.is_told(live) {
                return Ok(Progress::Untold(restart));
            }
            return Ok(rollout::unfinished(live).map_or(Progress::Done, |missing| Progress::Rolling(workload, missing)));
        }
        Ok(Progress::Absent)
    }
}
