//! For whom responders are put up, and how that is told.

use crate::model::StepId;

/// Why responders are there, or are not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// For every name whose certificate is ordered next.
    Order,
    /// For nobody: the user wants to order without.
    Unprobed,
    /// For every name.
    Probe,
    /// For nobody, since every name was tried.
    Over,
}

impl Occasion {
    /// The step's name.
    pub fn step(self) -> StepId {
        match self {
            Self::Order | Self::Unprobed => StepId::of("responder"),
            Self::Probe => StepId::of("probe"),
            Self::Over => StepId::named("probe", "over"),
        }
    }

    /// Whether it is about orders.
    pub fn orders(self) -> bool {
        matches!(self, Self::Order | Self::Unprobed)
    }

    /// Why a responder is put up.
    pub fn asks(self, name: &str) -> String {
        match self {
            Self::Probe | Self::Over => format!("would a challenge of {name} be found?"),
            Self::Order | Self::Unprobed => format!("a certificate for {name} is ordered next: would its challenge be found?"),
        }
    }

    /// Why one goes.
    pub fn ends(self, name: &str) -> String {
        match self {
            Self::Probe | Self::Over => format!("{name} was tried"),
            Self::Order | Self::Unprobed => format!("nothing is ordered for {name} any more"),
        }
    }

    /// Beside a cure.
    pub fn around(self) -> &'static str {
        match self {
            Self::Probe | Self::Over => "",
            Self::Order | Self::Unprobed => "; `bedplate bootstrap --no-challenge-probe` orders without having seen it",
        }
    }
}
