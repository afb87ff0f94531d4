//! How long each wait has taken, so that every one of them ends.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::model::{Condition, Missing, Question, Why};

/// How long after a change a part of the world may stay out of sight: what was restarted is coming up.
const OUT_OF_SIGHT: Duration = Duration::from_secs(60);

/// Which step waits, by its place in the flow, and for what.
type Wait = (usize, String);

/// Time spent on each wait. It adds up until something is performed: also two waits that take turns come to their end.
#[derive(Default)]
pub struct Patience {
    spent: BTreeMap<Wait, Duration>,
    running: Option<(Wait, Instant)>,
}

impl Patience {
    /// The step that waited until now, if one did; what it took is added up.
    pub fn pause(&mut self) -> Option<usize> {
        let (wait, since) = self.running.take()?;
        let place = wait.0;
        *self.spent.entry(wait).or_default() += since.elapsed();
        Some(place)
    }

    /// The wait goes on, or begins. Returns what it took so far.
    pub fn wait(&mut self, place: usize, condition: &Condition) -> Duration {
        let wait = (place, condition.what.clone());
        let spent = self.spent.get(&wait).copied().unwrap_or_default();
        self.running = Some((wait, Instant::now()));
        spent
    }

    /// Something was performed: what is waited for from now on is another matter.
    pub fn renew(&mut self) {
        *self = Self::default();
    }

    /// Whether anything was waited for since the last change.
    pub fn tried(&self) -> bool {
        !self.spent.is_empty()
    }
}

/// What to wait for when an answer is missing right after a change or a wait; none: it will not come by itself.
pub fn coming_up(missing: &Missing) -> Option<Condition> {
    let Why::Unreadable(seen) = &missing.why else { return None };
    let what = match &missing.question {
        Question::Host(..) => "the host can be looked at",
        Question::Api(_) => "the API server tells what is there",
        Question::Outside(_) => "the outside can be looked at",
        Question::Operator(_) | Question::HelmDryRun(..) | Question::Hairpin(..) => return None,
    };
    Some(Condition { what: what.into(), seen: seen.clone(), cure: missing.cure().into(), within: OUT_OF_SIGHT })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_that_take_turns_add_up_until_something_is_performed() {
        let condition =
            |what: &str| Condition { what: what.into(), seen: String::new(), cure: String::new(), within: Duration::from_secs(1) };
        let mut patience = Patience::default();
        for _ in 0..2 {
            for place in [1, 2] {
                patience.wait(place, &condition("up"));
                std::thread::sleep(Duration::from_millis(5));
                assert_eq!(patience.pause(), Some(place));
            }
        }
        assert!(patience.wait(1, &condition("up")) >= Duration::from_millis(10));
        assert_eq!(patience.wait(1, &condition("else")), Duration::ZERO);
        patience.renew();
        assert_eq!((patience.pause(), patience.wait(1, &condition("up"))), (None, Duration::ZERO));
    }
}
