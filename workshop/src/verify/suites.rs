//! Proves a lab's suite against code of which it is known whether it is right.

use super::{
    brokers::Brokers,
    built::{Built, Waiting},
    candidate::{self, Candidate, Kind},
    expectation::{self, Unmet},
    table::Row,
};
use crate::stubs;
use anyhow::anyhow;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use xtask::{
    course::{Course, Lab, manifest::Manifest, mistakes::Mistake},
    exit::Stop,
    grade::{self, Selection, Session, Suite, broker::Broker},
    verdict::{Backend, Test, TestOutcome, Verdict},
};

/// Candidates that are graded at the same time. Wrong code waits most of the time for what never comes.
const AT_A_TIME: usize = 4;

/// How often a candidate with a doubtful verdict is graded again.
const LOOKS: usize = 2;

/// After so many verdicts somebody who waits is told how far it is.
const TOLD_EACH: usize = 25;

/// How tests ended, by their names.
pub type Ends = BTreeMap<String, Test>;

/// Whose verdict, and on which broker, where the lab needs one.
type Group = (Kind, Option<Backend>);

/// Grades everything while the rest is still being built, and compares each verdict with what it must be. Where
/// there are several brokers, each candidate is graded on each of them; see [`runs_once`].
pub fn prove(
    course: &Course,
    session: &Session,
    brokers: &Brokers,
    lab: &Lab,
    named: Option<&str>,
) -> anyhow::Result<Vec<(String, Vec<Row>)>> {
    let candidates: Vec<_> = candidate::all(lab)?
        .into_iter()
        .filter(|(candidate, _)| named.is_none_or(|part| candidate.name.contains(part)))
        .collect();
    if let (Some(part), true) = (named, candidates.is_empty()) {
        let next = format!("Their names are those of the patches in {}", lab.solution.display());
        return Err(
            Stop::usage(format!("{} has no mistake or variant named {part}", lab.short()), next).into()
        );
    }
    let (waiting, mut unfit) = Waiting::write(course, lab, candidates)?;
    let known = stubs::mistakes_of(lab)?;
    let brokers = brokers.of(lab);
    let backend_of = |broker: Option<&Broker>| broker.map(|broker| broker.told.backend);
    let expected = brokers.len() * (waiting.len() + unfit.len());
    let judged = Mutex::new(Vec::new());
    let doubtful = Mutex::new(Vec::new());
    let on_each_broker = |next: Built| -> anyhow::Result<()> {
        let next = Arc::new(next);
        let mut ends = Ends::new();
        for broker in &brokers {
            let group: Group = (next.candidate.kind, backend_of(*broker));
            let (judgement, tests) = judge(session, lab, &next, &known, *broker, ends.clone())?;
            if judgement.is_ok() {
                let enough = tests.into_iter().filter(|test| runs_once(&next.candidate, test));
                ends.extend(enough.map(|test| (test.name.clone(), test)));
            }
            let row = match judgement {
                Ok(()) => Row::of(&next.candidate.name, Ok(())),
                Err(Unmet::Fault(why)) => Row::of(&next.candidate.name, Err(anyhow!(why))),
                Err(Unmet::Doubtful(why)) => {
                    let mut doubtful = doubtful.lock().unwrap_or_else(PoisonError::into_inner);
                    doubtful.push((group, Arc::clone(&next), *broker, why));
                    continue;
                }
            };
            let mut judged = judged.lock().unwrap_or_else(PoisonError::into_inner);
            judged.push((group, row));
            if judged.len().is_multiple_of(TOLD_EACH) {
                super::say(&format!("{}: {} of {expected} verdicts", lab.short(), judged.len()));
            }
        }
        Ok(())
    };
    unfit.extend(waiting.judge(course, session, AT_A_TIME, on_each_broker)?);

    let mut rows = judged.into_inner().unwrap_or_else(PoisonError::into_inner);
    for (group, built, broker, why) in doubtful.into_inner().unwrap_or_else(PoisonError::into_inner) {
        super::say(&format!("{}: {} once more, alone", lab.short(), built.candidate.name));
        rows.push((group, look_again(session, lab, &built, &known, broker, why)?));
    }
    // Told once: no broker plays a part in it.
    let first = backend_of(brokers.first().copied().flatten());
    rows.extend(
        unfit.into_iter().map(|(candidate, why)| {
            ((candidate.kind, first), Row::of(candidate.name, Err(anyhow!("{why}"))))
        }),
    );
    rows.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
    let mut groups: BTreeMap<Group, Vec<Row>> = BTreeMap::new();
    rows.into_iter().for_each(|(group, row)| groups.entry(group).or_default().push(row));
    let each =
        brokers.iter().flat_map(|broker| Kind::ALL.map(|(kind, what)| (kind, what, backend_of(*broker))));
    let named = each.map(|(kind, what, backend)| {
        let on = backend.map_or(String::new(), |backend| format!(" ({})", backend.name()));
        (format!("{what}{on}"), groups.remove(&(kind, backend)).unwrap_or_default())
    });
    Ok(named.collect())
}

/// Whether a test that ended so need not run on another broker. Those in which no broker plays a part need not. Nor need
/// those that wrong code passes: on one broker it was seen that it fails just the tests that it names, and on the others
/// it is seen that these tests catch it there too.
fn runs_once(candidate: &Candidate, test: &Test) -> bool {
    let named = candidate.fails.contains(&test.name) || candidate.may_fail.contains(&test.name);
    let passed = test.outcome == TestOutcome::Passed;
    !test.asks_for_broker || candidate.kind == Kind::Mistake && passed && !named
}

/// Grades again, now that nothing else runs. What must be so stands when it is so each time: then the first verdict
/// was luck, and its author is told. A list of tests that is wrong does not hold even once.
///
/// Right code that was refused, and wrong code that passed, is a fault of the suite however seldom it happens, and gets
/// no second look.
fn look_again(
    session: &Session,
    lab: &Lab,
    built: &Built,
    known: &[Mistake],
    broker: Option<&Broker>,
    why: String,
) -> anyhow::Result<Row> {
    for _ in 0..LOOKS {
        let (judgement, _) = judge(session, lab, built, known, broker, Ends::new())?;
        if let Err(Unmet::Fault(again) | Unmet::Doubtful(again)) = judgement {
            let why = format!("{why}\nand once more, alone:\n{again}");
            return Ok(Row::of(&built.candidate.name, Err(anyhow!(why))));
        }
    }
    let remark = format!("Held {LOOKS} times when it ran alone. The first time:\n{why}");
    Ok(Row { remark: Some(remark), ..Row::of(&built.candidate.name, Ok(())) })
}

/// Outer error: the grader failed. Inner: the verdict is not what it must be. The tests in `ends` are not run again.
fn judge(
    session: &Session,
    lab: &Lab,
    built: &Built,
    known: &[Mistake],
    broker: Option<&Broker>,
    ends: Ends,
) -> anyhow::Result<(Result<(), Unmet>, Vec<Test>)> {
    let verdict = grade(session, lab, built, known, broker, ends, |manifest| manifest)?;
    Ok((expectation::holds(&verdict, &built.candidate), verdict.tests().cloned().collect()))
}

/// The verdict on a candidate. `with` may change what the lab's manifest says.
pub fn grade(
    session: &Session,
    lab: &Lab,
    built: &Built,
    known: &[Mistake],
    broker: Option<&Broker>,
    ends: Ends,
    with: impl FnOnce(Manifest) -> Manifest,
) -> anyhow::Result<Verdict> {
    let manifest = with(lab.manifest()?);
    let mut verdict = Verdict::empty(lab, &manifest);
    let (executable, dir) = (built.executable.clone(), built.dir.clone());
    let suite = Suite { executable, dir, name: lab.name.clone(), manifest, broker, known: ends };
    grade::grade(session, &suite, known, &Selection::default(), &|_| (), &mut verdict)?;
    Ok(verdict)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn on_another_broker_run_the_tests_that_can_say_something_new() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let candidate = |kind| {
            let (fails, may_fail) = (names(&["commit::late"]), names(&["crash::twice"]));
            Candidate { kind, name: "m".into(), fails, may_fail }
        };
        let once = |kind, name: &str, outcome, asks_for_broker| {
            let (name, failure, unusable) = (name.into(), None, None);
            let test = Test { name, outcome, millis: 1, failure, unusable, asks_for_broker };
            runs_once(&candidate(kind), &test)
        };
        use TestOutcome::{Failed, NotGradable, Passed};
        assert!(once(Kind::Mistake, "retry::once", Passed, true));
        assert!(!once(Kind::Mistake, "commit::late", Failed, true));
        assert!(!once(Kind::Mistake, "crash::twice", Passed, true), "luck may turn");
        assert!(!once(Kind::Mistake, "retry::once", NotGradable, true), "another broker may be able to");
        assert!(!once(Kind::Variant, "retry::once", Passed, true));
        assert!(!once(Kind::Solution, "retry::once", Passed, true));
        assert!(once(Kind::Variant, "retry::once", Passed, false));
    }
}
