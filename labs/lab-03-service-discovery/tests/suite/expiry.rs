// Step 1: how long a lease lives.

use crate::clerk::{Clerk, LONG, USERS, instance, millis, seconds};
use testkit::{Passed, Trial};

const SECTION: &str = "step-1-leases";

#[tokio::test(start_paused = true)]
async fn a_lease_lives_for_its_time_and_no_longer() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Without a renewal a lease is over when its TTL has passed, and not before");
    let clerk = Clerk::new(&trial);
    let (a, b) = (instance("a", 1), instance("b", 2));
    clerk.registers(&rule, USERS, &a, seconds(10)).await;
    clerk.registers(&rule, USERS, &b, LONG).await;

    clerk.waits(millis(9_990)).await;
    clerk.discovers(&rule, USERS, &[&a, &b]).await;
    clerk.waits(millis(20)).await;
    clerk.discovers(&rule, USERS, &[&b]).await;
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn each_lease_has_its_own_time() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("Each lease has its own time, whatever the order of the registrations");
    let clerk = Clerk::new(&trial);
    let (a, b, c) = (instance("a", 1), instance("b", 2), instance("c", 3));
    clerk.registers(&rule, USERS, &a, seconds(30)).await;
    clerk.registers(&rule, USERS, &b, seconds(10)).await;
    clerk.registers(&rule, USERS, &c, seconds(20)).await;

    for there in [&[&a, &b, &c][..], &[&a, &c], &[&a], &[]] {
        clerk.waits(if there.len() == 3 { seconds(5) } else { seconds(10) }).await;
        clerk.discovers(&rule, USERS, there).await;
    }
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn a_renewed_lease_lives_its_whole_time_again() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A renewed lease lives for its whole TTL, from the renewal on");
    let clerk = Clerk::new(&trial);
    let a = instance("a", 1);
    let lease = clerk.registers(&rule, USERS, &a, seconds(10)).await;
    clerk.waits(seconds(6)).await;
    clerk.renews(&rule, "a's lease", lease).await;

    clerk.waits(seconds(6)).await;
    clerk.discovers(&rule, USERS, &[&a]).await;
    clerk.renews(&rule, "a's lease", lease).await;
    clerk.waits(millis(9_990)).await;
    clerk.discovers(&rule, USERS, &[&a]).await;
    clerk.waits(millis(20)).await;
    clerk.discovers(&rule, USERS, &[]).await;
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn renewals_do_not_add_up() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("However often a lease is renewed, it lives for its TTL from the last renewal");
    let clerk = Clerk::new(&trial);
    let a = instance("a", 1);
    let lease = clerk.registers(&rule, USERS, &a, seconds(10)).await;
    for _ in 0..5 {
        clerk.waits(seconds(1)).await;
        clerk.renews(&rule, "a's lease", lease).await;
    }
    clerk.waits(seconds(11)).await;
    clerk.discovers(&rule, USERS, &[]).await;
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn an_expired_lease_stays_over() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("To renew an expired lease is an error, and does not bring the instance back");
    let clerk = Clerk::new(&trial);
    let a = instance("a", 1);
    let old = clerk.registers(&rule, USERS, &a, seconds(10)).await;
    clerk.waits(seconds(11)).await;
    clerk.cannot_renew(&rule, "the expired lease", old).await;
    clerk.discovers(&rule, USERS, &[]).await;

    let new = clerk.registers(&rule, USERS, &a, seconds(10)).await;
    clerk.cannot_renew(&rule, "the expired lease", old).await;
    clerk.deregisters(&rule, "the expired lease", old).await;
    clerk.discovers(&rule, USERS, &[&a]).await;
    clerk.renews(&rule, "the new lease", new).await;
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn the_clock_decides_not_the_sweeper() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("A lease is over at its end, also when nobody has had the time to sweep it away");
    let clerk = Clerk::new(&trial);
    let a = instance("a", 1);
    // Uneven times: whoever looks once in a while has not looked just before.
    for (ttl, late) in [(seconds(10) + millis(3), 1), (seconds(7) + millis(1), 2), (millis(633), 4)] {
        let lease = clerk.registers(&rule, USERS, &a, ttl).await;
        clerk.waits(ttl + millis(late)).await;
        clerk.cannot_renew(&rule, "the expired lease", lease).await;
        clerk.discovers(&rule, USERS, &[]).await;
    }
    trial.passed()
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_replaced_lease_ends_nothing() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial.rule("When the time of a replaced lease comes, the new registration stays");
    let clerk = Clerk::new(&trial);
    let (before, after) = (instance("a", 1), instance("a", 2));
    clerk.registers(&rule, USERS, &before, seconds(10)).await;
    clerk.waits(seconds(5)).await;
    clerk.registers(&rule, USERS, &after, seconds(60)).await;
    clerk.waits(seconds(6)).await;
    clerk.discovers(&rule, USERS, &[&after]).await;
    clerk.waits(seconds(55)).await;
    clerk.discovers(&rule, USERS, &[]).await;
    trial.passed()
}
