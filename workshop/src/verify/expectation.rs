//! What the verdict on known code must be, and how it is told when it is another.

use super::candidate::{Candidate, Kind};
use std::collections::BTreeSet;
use xtask::verdict::{Outcome, Test, TestOutcome, Verdict};

/// How a verdict is another than the one that it must be.
#[derive(Debug, PartialEq, Eq)]
pub enum Unmet {
    /// Right code was refused or wrong code let pass, or what is wrong has the name of another mistake.
    Fault(String),
    /// It says nothing of the suite yet. Either the broker did not serve, and nobody was judged; or wrong code was
    /// caught, but not by just the tests that its mistake names, which may be luck: wrong code has races that
    /// nothing here can decide.
    Doubtful(String),
}

/// Holds a verdict against what is known of the code.
pub fn holds(verdict: &Verdict, candidate: &Candidate) -> Result<(), Unmet> {
    if let Some(problem) = &verdict.problem {
        let why = format!("{}\n  {}", problem.what, problem.details.join("\n  "));
        return Err(match verdict.outcome {
            Outcome::Infrastructure => Unmet::Doubtful(why),
            _ => Unmet::Fault(why),
        });
    }
    match candidate.kind {
        Kind::Solution | Kind::Variant => passes(verdict),
        Kind::Stub => is_not_implemented(verdict),
        Kind::Mistake => is_caught(verdict, candidate),
        Kind::Mutant => unreachable!("nobody knows beforehand what becomes of a mutant"),
    }
}

fn fault(what: String) -> Result<(), Unmet> {
    Err(Unmet::Fault(what))
}

fn passes(verdict: &Verdict) -> Result<(), Unmet> {
    if verdict.outcome == Outcome::Passed && verdict.points == verdict.points_possible {
        return Ok(());
    }
    let refused = verdict.tests().filter(|test| test.outcome != TestOutcome::Passed);
    fault(format!("right code did not pass:\n{}", describe(refused)))
}

fn is_not_implemented(verdict: &Verdict) -> Result<(), Unmet> {
    let wrong: Vec<_> = verdict.tests().filter(|test| test.outcome != TestOutcome::NotImplemented).collect();
    if wrong.is_empty() && verdict.points == 0 {
        return Ok(());
    }
    fault(format!("on the stub every test must reach a todo!():\n{}", describe(wrong.into_iter())))
}

fn is_caught(verdict: &Verdict, candidate: &Candidate) -> Result<(), Unmet> {
    let failed: BTreeSet<String> =
        verdict.tests().filter(|test| test.outcome.is_failure()).map(|test| test.name.clone()).collect();
    if failed.is_empty() {
        return fault("wrong code passed".into());
    }
    if let Some(test) = verdict.tests().find(|test| test.outcome == TestOutcome::NotImplemented) {
        return fault(format!("{} reached a todo!()", test.name));
    }
    let missed: Vec<_> = candidate.fails.difference(&failed).collect();
    let named = |test: &Test| candidate.fails.contains(&test.name) || candidate.may_fail.contains(&test.name);
    let surplus: Vec<_> =
        verdict.tests().filter(|test| failed.contains(&test.name) && !named(test)).collect();
    if !missed.is_empty() || !surplus.is_empty() {
        let surplus = describe(surplus.into_iter());
        return Err(Unmet::Doubtful(format!(
            "What luck decides can stand in its `may_fail`.\nmust fail but passed: {missed:?}\nfailed but is \
             not named:\n{surplus}"
        )));
    }
    if candidate.fails.is_empty() || !verdict.likely.iter().any(|likely| likely.name == candidate.name) {
        let named: Vec<_> = verdict.likely.iter().map(|likely| &likely.name).collect();
        return fault(format!("its verdict names {named:?} instead"));
    }
    Ok(())
}

fn describe<'a>(tests: impl Iterator<Item = &'a Test>) -> String {
    let line = |test: &Test| {
        let why = test.failure.as_ref().map(|failure| {
            let seen = failure.seen.as_deref().or(failure.output.as_deref()).unwrap_or_default();
            format!("{} {seen} {}", failure.what, failure.panics.join("; "))
        });
        format!("  {} {:?} after {} ms: {}\n", test.name, test.outcome, test.millis, why.unwrap_or_default())
    };
    tests.map(line).collect()
}
