//! How far a rotation is, from what stands on the cluster alone.

/// Which password the applications' Secret holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// The one that was there before.
    Old,
    /// The one that comes.
    New,
    /// Neither of them, or none.
    Other,
}

/// What the server lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetIn {
    /// The old password alone.
    Old,
    /// The new one alone.
    New,
    /// Both, so it asks for none.
    Both,
    /// None of them.
    Neither,
}

impl LetIn {
    /// Of whether the old and the new password log in.
    pub const fn of(old: bool, new: bool) -> Self {
        match (old, new) {
            (true, false) => Self::Old,
            (false, true) => Self::New,
            (true, true) => Self::Both,
            (false, false) => Self::Neither,
        }
    }
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The server learns the new password.
    Change,
    /// The Secret gets it.
    Write,
    /// The consumers read it; once they do, the rotation has ended.
    HandOver,
    /// It can't go on.
    Stuck(Stuck),
}

/// Why it can't.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stuck {
    /// The server asks for no password.
    Open,
    /// It lets neither password in.
    Shut,
    /// Somebody else wrote the Secret.
    Foreign,
}

/// The next phase.
pub const fn next(held: Held, let_in: LetIn) -> Phase {
    match (held, let_in) {
        (_, LetIn::Both) => Phase::Stuck(Stuck::Open),
        (_, LetIn::Neither) => Phase::Stuck(Stuck::Shut),
        (Held::Other, _) => Phase::Stuck(Stuck::Foreign),
        // Where the Secret is ahead of the server, the server follows.
        (Held::Old | Held::New, LetIn::Old) => Phase::Change,
        (Held::Old, LetIn::New) => Phase::Write,
        (Held::New, LetIn::New) => Phase::HandOver,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_one_next_phase() {
        let (open, shut, foreign) = (Phase::Stuck(Stuck::Open), Phase::Stuck(Stuck::Shut), Phase::Stuck(Stuck::Foreign));
        let table = [
            (Held::Old, [Phase::Change, Phase::Write, open, shut]),
            (Held::New, [Phase::Change, Phase::HandOver, open, shut]),
            (Held::Other, [foreign, foreign, open, shut]),
        ];
        for (held, phases) in table {
            for (let_in, expected) in
                [LetIn::of(true, false), LetIn::of(false, true), LetIn::of(true, true), LetIn::of(false, false)].into_iter().zip(phases)
            {
                assert_eq!(next(held, let_in), expected, "{held:?}, {let_in:?}");
            }
        }
    }
}
