//! Verdicts of every kind, for the tests of the formats.

use crate::verdict::{
    Backend, Broker, Failure, Likely, Outcome, Problem, State, Step, Test, TestOutcome, Totals, VERSION,
    Verdict,
};

pub fn test(name: &str, outcome: TestOutcome, failure: Option<Failure>) -> Test {
    Test { name: name.into(), outcome, millis: 12, failure, unusable: None, asks_for_broker: false }
}

pub fn passed(name: &str) -> Test {
    test(name, TestOutcome::Passed, None)
}

pub fn open(name: &str, todo: &str) -> Test {
    let failure = Failure { what: format!("Not written yet: {todo}"), ..Failure::default() };
    test(name, TestOutcome::NotImplemented, Some(failure))
}

/// A rule that was broken, with all that the grader can know of it.
pub fn wrong(name: &str) -> Test {
    let failure = Failure {
        what: "A Watch tells each change of the status once, and nothing between two changes".into(),
        expected: Some("SERVING, then NOT_SERVING".into()),
        seen: Some("SERVING, SERVING, NOT_SERVING".into()),
        timeline: vec![
            "  +0 ms     call 1   Health/Watch".into(),
            "  +1 ms     call 1 ← status:SERVING".into(),
            "  +3 ms     the status is set to SERVING again".into(),
            "▸ +4 ms     call 1 ← status:SERVING".into(),
        ],
        ..Failure::default()
    };
    test(name, TestOutcome::Failed, Some(failure))
}

pub fn panicked(name: &str) -> Test {
    let failure = Failure {
        what: "The test panicked.".into(),
        panics: vec![
            "labs/lab-01-health-check/src/board.rs:31: called `Option::unwrap()` on a `None` value".into(),
        ],
        ..Failure::default()
    };
    test(name, TestOutcome::Failed, Some(failure))
}

pub fn not_gradable(name: &str) -> Test {
    let what =
        "it needs a broker that can be made to refuse a record, and this one is not the course's".into();
    test(name, TestOutcome::NotGradable, Some(Failure { what, ..Failure::default() }))
}

/// A verdict that some broker had a part in.
pub fn on(backend: Backend, bootstrap: Option<&str>, steps: Vec<Step>) -> Verdict {
    let bootstrap = bootstrap.map(str::to_owned);
    Verdict { broker: Some(Broker { backend, bootstrap, image: None }), ..verdict(steps) }
}

pub fn timed_out(name: &str) -> Test {
    let what =
        "The test was still running after 60 s and was stopped. Something waits for ever or loops for ever.";
    test(name, TestOutcome::TimedOut, Some(Failure { what: what.into(), ..Failure::default() }))
}

pub fn crashed(name: &str) -> Test {
    let failure = Failure {
        what: "The test's process was aborted: `abort`, a panic while panicking, or a stack overflow.".into(),
        output: Some("running 1 test\n\nthread 'watch::ends' has overflowed its stack".into()),
        ..Failure::default()
    };
    test(name, TestOutcome::Crashed, Some(failure))
}

pub fn step(number: usize, title: &str, points: u32, tests: Vec<Test>) -> Step {
    let state = State::of(&tests);
    Step {
        number,
        title: title.into(),
        state,
        points: if state == State::Passed { points } else { 0 },
        points_possible: points,
        readme: format!("labs/lab-01-health-check/README.md#step-{number}"),
        tests,
    }
}

pub fn verdict(steps: Vec<Step>) -> Verdict {
    let mut verdict = Verdict {
        version: VERSION,
        lab: "lab-01-health-check".into(),
        title: "Health check".into(),
        outcome: Outcome::Failed,
        points: 0,
        points_possible: 0,
        totals: Totals::default(),
        broker: None,
        steps: Vec::new(),
        likely: Vec::new(),
        problem: None,
        learnt: None,
        next_step: None,
        next_lab: None,
        time_scale: 1.0,
        millis: 32_345,
        tests_millis: 2345,
    };
    if !steps.is_empty() {
        verdict.fill(steps, true);
    }
    verdict
}

pub fn stopped(outcome: Outcome, what: &str, details: &[&str], next: &str) -> Verdict {
    let mut verdict = verdict(Vec::new());
    let details = details.iter().map(|&detail| detail.into()).collect();
    verdict.stop(outcome, Problem::new(what, details, next));
    verdict
}

pub fn mixed() -> Verdict {
    let mut verdict = verdict(vec![
        step(1, "Check and List", 30, vec![passed("check::a"), passed("check::b")]),
        step(
            2,
            "Watch",
            40,
            vec![
                passed("watch::a"),
                wrong("watch::the_same_status_is_not_told_twice"),
                crashed("watch::ends"),
                open("watch::c", "step 2: end"),
            ],
        ),
        step(3, "Readiness", 20, vec![panicked("readiness::a"), timed_out("readiness::b")]),
        step(4, "Shutdown", 10, vec![open("shutdown::a", "step 4: drain")]),
    ]);
    verdict.likely = vec![Likely {
        name: "same-status-twice".into(),
        says: "Every write wakes the watchers, also one that changes nothing. A prober that hears SERVING twice \
               may take it for a restart."
            .into(),
    }];
    verdict
}
