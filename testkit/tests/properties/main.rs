//! Properties condemn no right code, however late its observers, and each fault at the event that shows it.

mod generate;
mod registry;

use generate::{RETRIES, handled_with_success, place, right_code, right_code_started_twice, wait};
use proptest::{prelude::*, sample::Index};
use std::time::Duration;
use testkit::{
    Answer, Event, Seen,
    property::{
        Violation, attempts_at_most, commits_pass_no_unfinished_record, gaps_at_least, no_record_is_lost,
        nothing_handled_after, one_in_flight_per_partition, order_is_kept,
    },
};

fn all(events: &[Event]) -> Result<(), Violation> {
    no_record_is_lost(events)?;
    commits_pass_no_unfinished_record(events)?;
    order_is_kept(events)?;
    attempts_at_most(events, 1 + RETRIES)?;
    gaps_at_least(events, wait)?;
    one_in_flight_per_partition(events)?;
    nothing_handled_after(events, "the end")
}

/// Where a property breaks.
fn at(found: Result<(), Violation>) -> Option<usize> {
    found.err().map(|violation| violation.at)
}

/// The indices of the events that are like this.
fn all_like(events: &[Event], like: impl Fn(&Seen) -> bool) -> Vec<usize> {
    (0..events.len()).filter(|at| like(&events[*at].seen)).collect()
}

/// One of these; a history without any says nothing.
fn pick(from: &[usize], index: Index) -> Result<usize, TestCaseError> {
    prop_assume!(!from.is_empty());
    Ok(*index.get(from))
}

fn insert(events: &mut Vec<Event>, at: usize, seen: Seen) {
    let time = events.get(at).or(events.last()).unwrap().at;
    events.insert(at, Event { at: time, seen });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn right_code_is_never_condemned(events in right_code()) {
        prop_assert_eq!(all(&events), Ok(()));
    }

    #[test]
    fn right_code_that_is_killed_and_started_again_is_not_condemned(events in right_code_started_twice()) {
        prop_assert_eq!(all(&events), Ok(()));
    }

    #[test]
    fn a_record_that_is_never_handled_is_lost(mut events in right_code(), which: Index) {
        let produced = all_like(&events, |seen| matches!(seen, Seen::Produced { .. }));
        let Seen::Produced { record: lost, .. } = events[pick(&produced, which)?].seen.clone() else { unreachable!() };
        events.retain(|event| match &event.seen {
            Seen::Handling { record, .. } | Seen::Handled { record, .. } | Seen::DeadLettered { record, .. } => {
                *record != lost
            }
            _ => true,
        });
        let here = all_like(&events, |seen| matches!(seen, Seen::Produced { record, .. } if *record == lost))[0];
        let violation = no_record_is_lost(&events).unwrap_err();
        prop_assert_eq!(violation.at, here);
        prop_assert!(violation.seen.contains("never handled"), "{:?}", violation);
    }

    #[test]
    fn a_record_without_its_dead_letter_is_lost(mut events in right_code(), which: Index) {
        let dead = all_like(&events, |seen| matches!(seen, Seen::DeadLettered { .. }));
        let Seen::DeadLettered { record: lost, .. } = events.remove(pick(&dead, which)?).seen else { unreachable!() };
        let last = *all_like(&events, |seen| match seen {
            Seen::Produced { record, .. } | Seen::Handled { record, .. } => *record == lost,
            _ => false,
        }).last().unwrap();
        let violation = no_record_is_lost(&events).unwrap_err();
        prop_assert_eq!(violation.at, last);
        prop_assert!(violation.seen.contains("never with success"), "{:?}", violation);

        // Whoever commits past it is seen to do so.
        let past = all_like(&events, |seen| {
            matches!(seen, Seen::Committed { partition, offset, .. } if *partition == lost.partition && *offset > lost.offset)
        });
        prop_assert_eq!(at(commits_pass_no_unfinished_record(&events)), past.first().copied());
    }

    #[test]
    fn a_commit_before_the_answer_is_one_too_early(mut events in right_code(), which: Index) {
        let good = handled_with_success(&events);
        let done = all_like(&events, |seen| matches!(seen, Seen::Handled { record, .. } if good.contains(record)));
        let here = pick(&done, which)?;
        let Seen::Handled { record, .. } = events[here].seen.clone() else { unreachable!() };
        let (topic, partition, offset) = (record.topic, record.partition, record.offset + 1);
        insert(&mut events, here, Seen::Committed { topic, partition, offset });
        prop_assert_eq!(at(commits_pass_no_unfinished_record(&events)), Some(here));
    }

    #[test]
    fn a_commit_that_skips_a_record_is_condemned(mut events in right_code(), which: Index) {
        let records = all_like(&events, |seen| {
            matches!(seen, Seen::Handling { record, attempt: 1 } if handled_with_success(&events).contains(record))
        });
        let here = pick(&records, which)?;
        let Seen::Handling { record, .. } = events[here].seen.clone() else { unreachable!() };
        // One too many, after the record before it, when this one was not even begun.
        let (topic, partition, offset) = (record.topic, record.partition, record.offset + 1);
        insert(&mut events, here, Seen::Committed { topic, partition, offset });
        prop_assert_eq!(at(commits_pass_no_unfinished_record(&events)), Some(here));
    }

    #[test]
    fn a_record_begun_before_the_one_before_it_is_finished_is_out_of_order(mut events in right_code(), which: Index) {
        let good = handled_with_success(&events);
        let calls = all_like(&events, |seen| {
            matches!(seen, Seen::Handled { record, .. } if good.contains(record))
        });
        let here = pick(&calls, which)?;
        let Seen::Handled { record, .. } = events[here].seen.clone() else { unreachable!() };
        let next = place(record.partition, record.offset + 1);
        insert(&mut events, here, Seen::Handling { record: next, attempt: 1 });
        prop_assert_eq!(at(order_is_kept(&events)), Some(here));
    }

    #[test]
    fn a_retry_after_the_next_record_is_out_of_order_even_when_it_ends_in_a_dead_letter(
        mut events in right_code(), which: Index
    ) {
        let dead = all_like(&events, |seen| matches!(seen, Seen::DeadLettered { .. }));
        let Seen::DeadLettered { record: dead, .. } = events[pick(&dead, which)?].seen.clone() else { unreachable!() };
        let last = all_like(&events, |seen| {
            matches!(seen, Seen::Handling { record, attempt } if *record == dead && *attempt == 1 + RETRIES)
        })[0];
        let next = place(dead.partition, dead.offset + 1);
        insert(&mut events, last, Seen::Handling { record: next, attempt: 1 });
        prop_assert_eq!(at(order_is_kept(&events)), Some(last + 1));
    }

    #[test]
    fn a_record_that_is_gone_back_to_is_out_of_order(mut events in right_code(), which: Index) {
        let later = all_like(&events, |seen| matches!(seen, Seen::Handling { record, .. } if record.offset > 0));
        let here = pick(&later, which)?;
        let Seen::Handling { record, .. } = events[here].seen.clone() else { unreachable!() };
        let before = place(record.partition, record.offset - 1);
        insert(&mut events, here + 1, Seen::Handling { record: before, attempt: 9 });
        prop_assert_eq!(at(order_is_kept(&events)), Some(here + 1));
    }

    #[test]
    fn one_call_too_many_is_condemned(events in right_code(), which: Index) {
        let last = all_like(&events, |seen| {
            matches!(seen, Seen::Handling { attempt, .. } if *attempt == 1 + RETRIES)
        });
        pick(&last, which)?;
        prop_assert_eq!(at(attempts_at_most(&events, RETRIES)), Some(last[0]));
    }

    #[test]
    fn a_wait_that_is_too_short_is_condemned(mut events in right_code(), which: Index, by in 2..10u64) {
        let again = all_like(&events, |seen| matches!(seen, Seen::Handling { attempt, .. } if *attempt > 1));
        let here = pick(&again, which)?;
        let Seen::Handling { record: this, attempt } = events[here].seen.clone() else { unreachable!() };
        let failed = *all_like(&events[..here], |seen| {
            matches!(seen, Seen::Handled { record, answer: Answer::Failed(_), .. } if *record == this)
        }).last().unwrap();
        events[here].at = events[failed].at + wait(attempt - 1) - Duration::from_millis(by);
        prop_assert_eq!(at(gaps_at_least(&events, wait)), Some(here));
    }

    #[test]
    fn two_calls_at_a_time_are_condemned(mut events in right_code(), which: Index) {
        let ends = all_like(&events, |seen| matches!(seen, Seen::Handled { .. }));
        let here = pick(&ends, which)?;
        let Seen::Handled { record, .. } = events[here].seen.clone() else { unreachable!() };
        let next = place(record.partition, record.offset + 1);
        insert(&mut events, here, Seen::Handling { record: next, attempt: 1 });
        prop_assert_eq!(at(one_in_flight_per_partition(&events)), Some(here));
    }

    #[test]
    fn a_call_after_the_end_is_condemned(mut events in right_code()) {
        let after = events.len();
        insert(&mut events, after, Seen::Handling { record: place(0, 9), attempt: 1 });
        prop_assert_eq!(at(nothing_handled_after(&events, "the end")), Some(after));
    }
}

#[test]
#[should_panic = "the history has no \"stop\""]
fn an_end_that_never_was_says_nothing() {
    let _ = nothing_handled_after(&[], "stop");
}

#[test]
fn a_broken_property_is_marked_where_it_broke() {
    let trial = testkit::Trial::start("commit-is-a-promise");
    let record = place(0, 3);
    trial.history().record(Seen::Produced { record: record.clone(), key: "k3".into() });
    trial.history().record(Seen::Handling { record: record.clone(), attempt: 1 });
    let answer = Answer::Failed("bank is down".into());
    trial.history().record(Seen::Handled { record, attempt: 1, answer });
    trial.history().record(Seen::Committed { topic: "orders".into(), partition: 0, offset: 4 });
    trial.did("the end");
    let broken = || trial.rule("A commit is a promise").over(commits_pass_no_unfinished_record);
    let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(broken)).unwrap_err();
    let text = payload.downcast::<String>().unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "A commit is a promise",
            "  expected  orders/0 is committed past orders/0@3 only when orders/0@3 is finished",
            "  seen      orders/0 = 4 was committed after call 1 for orders/0@3 had failed, without a dead letter: a crash now would lose it",
        ]
    );
    let marked: Vec<_> = lines.iter().filter(|line| line.contains('▸')).collect();
    assert!(marked.len() == 1 && marked[0].ends_with("COMMIT       orders/0 = 4"), "{text}");
}
