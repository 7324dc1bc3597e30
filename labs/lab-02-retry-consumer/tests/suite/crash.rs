// Step 3: what a crash leaves behind.

use crate::{
    scene::{Consumes, PATIENT, Scene},
    scripted::{Scripted, order},
};
use lab_02_retry_consumer::{Handler, HandlerError};
use rdkafka::{ClientConfig, Message as _, message::OwnedMessage};
use testkit::{Passed, Trial, Victim};
use tokio_util::sync::CancellationToken;

const SECTION: &str = "step-3-commit-is-a-promise";

/// The record in the middle of which the process dies.
const FATAL: i64 = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_loses_nothing() -> Passed {
    let trial = Trial::start(SECTION);
    let rule = trial
        .rule("After a crash in the middle of a record, the group's next member handles that record again");
    if let Some(arguments) = Victim::arguments() {
        return be_the_victim(trial, &arguments).await;
    }
    let scene = Scene::start(&trial, 1).await;
    scene.produce(0, 5).await;
    let config: Vec<_> =
        scene.kafka.settings().config_map().iter().map(|(key, value)| format!("{key}={value}")).collect();
    let mut arguments = vec![scene.group.as_str(), scene.orders.name.as_str(), scene.dead.name.as_str()];
    arguments.extend(config.iter().map(String::as_str));
    let mut victim = Victim::start(&trial, "crash::a_crash_loses_nothing", &arguments);
    for offset in 0..=FATAL {
        let expected = format!("the process hands record {offset} to its handler");
        let said = victim.says(&rule, &expected).await;
        trial.did(format!("in the process: handle orders/0@{said}"));
        rule.holds(said == offset.to_string(), &expected, format_args!("record {said}"));
    }
    victim.kill(&trial);
    let handler = Scripted::new(&trial);
    let mut member = scene.member_with(&handler, PATIENT, &[]);
    let left = (FATAL..5).map(|offset| order(0, offset));
    let expected = "a new member handles record 2, which was not finished, and what comes after it";
    member.until(&rule, expected, handler.done(left)).await;
    trial.passed()
}

/// Consumes until it is killed.
async fn be_the_victim(trial: Trial, arguments: &[String]) -> Passed {
    let [group, orders, dead, settings @ ..] = arguments else {
        panic!("four arguments or more: {arguments:?}")
    };
    let mut config = ClientConfig::new();
    for (key, value) in settings.iter().filter_map(|setting| setting.split_once('=')) {
        config.set(key, value);
    }
    let (group, topics, dead) = (group.clone(), vec![orders.clone()], dead.clone());
    let consumes = Consumes { config, group, topics, dead, policy: PATIENT };
    let ended = consumes.run(Talkative, CancellationToken::new()).await;
    panic!("run returned {ended:?} in the process that was to be killed, of {trial:?}");
}

/// Says which record it is handed, and never ends with the fatal one.
struct Talkative;

impl Handler for Talkative {
    async fn handle(&self, record: &OwnedMessage) -> Result<(), HandlerError> {
        Victim::say(&record.offset().to_string());
        if record.offset() == FATAL {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}
