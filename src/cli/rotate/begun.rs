//! Which rotations the first look begins. The second one leaves exactly these keys: a pair that is through with it must not begin anew.

use std::collections::BTreeMap;

use crate::engine::Verdict;
use crate::inventory::JwtKeys;
use crate::model::{Action, ApiAction, Failure, Plan};
use crate::steps::Leave;

/// By namespace and Secret. One that is under way is not among them: it goes on by itself.
pub struct Begun(BTreeMap<(String, String), Begin>);

struct Begin {
    follows: String,
    action: Action,
    reasons: Vec<String>,
}

impl Begun {
    /// What these verdicts of `rotate` with `Leave::Any` begin.
    ///
    /// # Errors
    /// One of them can't go on: nothing would follow its key, and nobody would say so.
    pub fn of(verdicts: Vec<Verdict>) -> Result<Self, Failure> {
        if let Some(failure) = verdicts.iter().find_map(Verdict::hindered) {
            return Err(failure);
        }
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
        Ok(Self(begun))
    }

    /// What begins them.
    #[must_use]
    pub fn actions(&self) -> Vec<Action> {
        self.0.values().map(|begin| begin.action.clone()).collect()
    }

    /// Why, and what ends by it.
    pub fn reasons(&self) -> impl Iterator<Item = &str> {
        self.0.values().flat_map(|begin| begin.reasons.iter().map(String::as_str))
    }

    /// The key that a pair leaves.
    #[must_use]
    pub fn leave(&self, keys: &JwtKeys) -> Leave {
        let begin = self.0.get(&(keys.namespace.clone(), keys.secret.clone()));
        begin.map_or(Leave::None, |begin| Leave::Key(begin.follows.clone()))
    }
}
