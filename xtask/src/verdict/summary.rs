//! The verdicts on all labs together.

use super::{Outcome, Totals, VERSION, Verdict};
use crate::exit::Exit;
use serde::Serialize;

/// The result of a check of all labs.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Summary {
    pub version: u32,
    /// The worst of its labs: see [`Outcome::of_all`].
    pub outcome: Outcome,
    pub points: u32,
    pub points_possible: u32,
    pub totals: Totals,
    /// In the order of their numbers.
    pub labs: Vec<Verdict>,
}

impl Summary {
    pub fn of(labs: Vec<Verdict>) -> Self {
        Self {
            version: VERSION,
            outcome: Outcome::of_all(labs.iter().map(|verdict| verdict.outcome)),
            points: labs.iter().map(|verdict| verdict.points).sum(),
            points_possible: labs.iter().map(|verdict| verdict.points_possible).sum(),
            totals: Totals::of(labs.iter().flat_map(Verdict::tests)),
            labs,
        }
    }
}

impl Outcome {
    /// What several labs come to: first what nobody may take for a verdict, then what is the learner's matter.
    pub fn of_all(outcomes: impl Iterator<Item = Self>) -> Self {
        let order = [Self::Infrastructure, Self::LabBroken, Self::BuildError, Self::Failed];
        let all: Vec<_> = outcomes.collect();
        order.into_iter().find(|outcome| all.contains(outcome)).unwrap_or(Self::Passed)
    }

    pub fn exit(self) -> Exit {
        match self {
            Self::Passed => Exit::Passed,
            Self::Failed => Exit::Failed,
            Self::BuildError => Exit::BuildError,
            Self::Infrastructure => Exit::Infrastructure,
            Self::LabBroken => Exit::LabBroken,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_verdict_outweighs_what_is_one() {
        use Outcome::{BuildError, Failed, Infrastructure, LabBroken, Passed};
        let of = |all: &[Outcome]| Outcome::of_all(all.iter().copied());
        assert_eq!(of(&[Passed, Passed]), Passed);
        assert_eq!(of(&[Passed, Failed, BuildError]), BuildError);
        assert_eq!(of(&[Failed, LabBroken, BuildError]), LabBroken);
        assert_eq!(of(&[LabBroken, Infrastructure, Failed]), Infrastructure);
    }
}
