//! Every kind of verdict as a person reads it. A change of a word shows here; read it as a tired learner would.

use super::text;
use crate::verdict::{
    Backend, Broker, Failure, Likely, Outcome, Problem, State, Step, Test, TestOutcome, Totals, VERSION,
    Verdict,
};

fn test(name: &str, outcome: TestOutcome, failure: Option<Failure>) -> Test {
    Test { name: name.into(), outcome, millis: 12, failure, unusable: None, asks_for_broker: false }
}

fn passed(name: &str) -> Test {
    test(name, TestOutcome::Passed, None)
}

fn open(name: &str, todo: &str) -> Test {
    let failure = Failure { what: format!("Not written yet: {todo}"), ..Failure::default() };
    test(name, TestOutcome::NotImplemented, Some(failure))
}

/// A rule that was broken, with all that the grader can know of it.
fn wrong(name: &str) -> Test {
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

fn panicked(name: &str) -> Test {
    let failure = Failure {
        what: "The test panicked.".into(),
        panics: vec![
            "labs/lab-01-health-check/src/board.rs:31: called `Option::unwrap()` on a `None` value".into(),
        ],
        ..Failure::default()
    };
    test(name, TestOutcome::Failed, Some(failure))
}

fn not_gradable(name: &str) -> Test {
    let what =
        "it needs a broker that can be made to refuse a record, and this one is not the course's".into();
    test(name, TestOutcome::NotGradable, Some(Failure { what, ..Failure::default() }))
}

/// A verdict that some broker had a part in.
fn on(backend: Backend, bootstrap: Option<&str>, steps: Vec<Step>) -> Verdict {
    let bootstrap = bootstrap.map(str::to_owned);
    Verdict { broker: Some(Broker { backend, bootstrap, image: None }), ..verdict(steps) }
}

fn timed_out(name: &str) -> Test {
    let what =
        "The test was still running after 60 s and was stopped. Something waits for ever or loops for ever.";
    test(name, TestOutcome::TimedOut, Some(Failure { what: what.into(), ..Failure::default() }))
}

fn crashed(name: &str) -> Test {
    let failure = Failure {
        what: "The test's process was aborted: `abort`, a panic while panicking, or a stack overflow.".into(),
        output: Some("running 1 test\n\nthread 'watch::ends' has overflowed its stack".into()),
        ..Failure::default()
    };
    test(name, TestOutcome::Crashed, Some(failure))
}

fn step(number: usize, title: &str, points: u32, tests: Vec<Test>) -> Step {
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

fn verdict(steps: Vec<Step>) -> Verdict {
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

fn stopped(outcome: Outcome, what: &str, details: &[&str], next: &str) -> Verdict {
    let mut verdict = verdict(Vec::new());
    let details = details.iter().map(|&detail| detail.into()).collect();
    verdict.stop(outcome, Problem { what: what.into(), details, next: next.into() });
    verdict
}

fn mixed() -> Verdict {
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

/// The text without its colours.
fn plain(verdict: &Verdict, all: bool) -> String {
    anstream::adapter::strip_str(&text::verdict(verdict, all)).to_string()
}

#[test]
fn untouched() {
    let verdict = verdict(vec![
        step(1, "Check and List", 60, vec![open("check::a", "step 1: a board without services")]),
        step(2, "Watch", 40, vec![open("watch::a", "step 2: tell each change")]),
    ]);
    insta::assert_snapshot!(plain(&verdict, false));
}

#[test]
fn partly_done() {
    let verdict = verdict(vec![
        step(1, "Check and List", 60, vec![passed("check::a")]),
        step(2, "Watch", 40, vec![passed("watch::b"), open("watch::a", "step 2: tell each change")]),
    ]);
    insta::assert_snapshot!(plain(&verdict, false));
}

#[test]
fn a_step_that_needs_an_earlier_one() {
    let mut test = open("shutdown::a", "step 1: a board without services");
    test.failure.as_mut().unwrap().todo = Some(1);
    let verdict = verdict(vec![step(4, "Shutdown", 20, vec![test])]);
    insta::assert_snapshot!(plain(&verdict, false));
}

#[test]
fn failed_with_a_timeline_and_a_likely_mistake() {
    insta::assert_snapshot!(plain(&mixed(), false));
}

#[test]
fn failed_all() {
    insta::assert_snapshot!(plain(&mixed(), true));
}

#[test]
fn failed_with_two_explanations() {
    let mut verdict = verdict(vec![step(1, "Watch", 100, vec![passed("watch::a"), wrong("watch::b")])]);
    let likely = |name: &str, says: &str| Likely { name: name.into(), says: says.into() };
    verdict.likely = vec![likely("first", "The first reason."), likely("second", "The second reason.")];
    insta::assert_snapshot!(plain(&verdict, false));
}

#[test]
fn passed_with_what_was_learnt_and_what_comes_next() {
    let mut verdict = verdict(vec![step(1, "Watch", 100, vec![passed("watch::a")])]);
    verdict.learnt =
        Some("A server's health is a promise to whoever sends it calls. You can now keep it.".into());
    verdict.next_lab = Some("lab-02-retry-consumer".into());
    insta::assert_snapshot!(plain(&verdict, false));
}

#[test]
fn passed_one_step() {
    let verdict = verdict(vec![step(2, "Watch", 40, vec![passed("watch::a"), passed("watch::b")])]);
    insta::assert_snapshot!(plain(&verdict, false));
}

#[test]
fn passed_one_test() {
    let mut verdict = verdict(Vec::new());
    verdict.fill(vec![step(2, "Watch", 40, vec![passed("watch::a")])], false);
    insta::assert_snapshot!(plain(&verdict, false));
}

#[test]
fn each_broker_has_its_words() {
    let head = |backend, bootstrap| {
        let steps = vec![step(1, "Retry", 100, vec![passed("retry::a")])];
        plain(&on(backend, bootstrap, steps), false).lines().nth(1).unwrap().to_owned()
    };
    insta::assert_snapshot!(
        [
            head(Backend::Docker, Some("127.0.0.1:32768")),
            head(Backend::Embedded, None),
            head(Backend::External, Some("kafka.example.com:9092")),
        ]
        .join("\n")
    );
}

#[test]
fn passed_less_what_this_broker_cannot_show() {
    let steps = vec![
        step(1, "Retry", 60, vec![passed("retry::a"), not_gradable("retry::refused")]),
        step(2, "Dead letters", 40, vec![passed("letters::a")]),
    ];
    let mut verdict = on(Backend::External, Some("localhost:9092"), steps);
    verdict.learnt = Some("At least once.".into());
    assert_eq!((verdict.points, verdict.totals.not_gradable), (100, 1));
    insta::assert_snapshot!(plain(&verdict, false));
}

#[test]
fn a_step_of_which_this_broker_can_show_nothing() {
    let mut ungraded =
        step(2, "Dead letters", 0, vec![not_gradable("letters::a"), not_gradable("letters::b")]);
    ungraded.points = 0;
    let steps = vec![step(1, "Retry", 60, vec![wrong("retry::a"), not_gradable("retry::refused")]), ungraded];
    let verdict = on(Backend::External, Some("localhost:9092"), steps);
    assert_eq!((verdict.outcome, verdict.points_possible), (Outcome::Failed, 60));
    insta::assert_snapshot!(plain(&verdict, false));
}

#[test]
fn nothing_of_it_can_be_graded_here() {
    let verdict = on(
        Backend::External,
        Some("localhost:9092"),
        vec![step(2, "Dead letters", 0, vec![not_gradable("letters::a")])],
    );
    assert_eq!(verdict.outcome, Outcome::Infrastructure);
    insta::assert_snapshot!(plain(&verdict, false));
}

#[test]
fn build_error() {
    let error = "error[E0308]: mismatched types\n --> labs/lab-01-health-check/src/board.rs:4:5\n  |\n4 |     \"one\"\n  |     ^^^^^ expected `u32`, found `&str`\n\n";
    insta::assert_snapshot!(plain(
        &stopped(
            Outcome::BuildError,
            "your code does not compile, so nothing was graded",
            &[error, error],
            "Mend the first error, then check again: cargo xtask check lab-01",
        ),
        false
    ));
}

#[test]
fn infrastructure() {
    insta::assert_snapshot!(plain(
        &stopped(
            Outcome::Infrastructure,
            "cargo failed; this is not about your code",
            &["error: failed to get `tonic` as a dependency\n\nCaused by:\n  no network\n"],
            "Look at the machine with: cargo xtask doctor",
        ),
        false
    ));
}

#[test]
fn lab_broken() {
    insta::assert_snapshot!(plain(
        &stopped(
            Outcome::LabBroken,
            "files of the suite are not as their author left them, so a verdict would mean nothing",
            &["labs/lab-01-health-check/tests/suite/watch.rs", "labs/lab-01-health-check/lab.toml"],
            "Put them back (your code is left alone): cargo xtask reset lab-01 --tests",
        ),
        false
    ));
}

#[test]
fn lab_disagrees() {
    insta::assert_snapshot!(plain(
        &stopped(
            Outcome::LabBroken,
            "the suite and lab.toml do not name the same tests",
            &["watch::gone: named in lab.toml, not in the suite"],
            "As a learner: take the course's files anew. As an author: mend lab.toml.",
        ),
        false
    ));
}

#[test]
fn colours_are_there_for_a_terminal() {
    let styled = text::verdict(&mixed(), false);
    assert!(styled.contains("\u{1b}["));
    assert!(!plain(&mixed(), false).contains('\u{1b}'));
}
