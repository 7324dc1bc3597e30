// Somebody who calls the instances through the channel under test.

use crate::{
    backend::{Backend, SLOW, SLOWNESS},
    clerk::{USERS, millis},
    soon::soon_after,
};
use lab_03_service_discovery::{BalancePolicy, BalancedChannel};
use proto::users::v1::{GetUserRequest, user_service_client::UserServiceClient};
use std::time::Duration;
use testkit::{Rule, Trial, bound, grpc};
use tokio::time::{Instant, sleep};
use tonic::{Code, Status, transport::Channel};

/// Somebody who calls the users through the channel under test.
pub struct Caller<'a> {
    pub trial: &'a Trial,
    pub channel: BalancedChannel,
    patience: Duration,
}

/// A policy of which only the patience matters.
pub fn patience(patience: Duration) -> BalancePolicy {
    BalancePolicy { patience, retry: millis(50), health: None }
}

/// A policy that watches the health of the users.
pub fn with_health(patience: Duration) -> BalancePolicy {
    BalancePolicy { health: Some(USERS.into()), ..self::patience(patience) }
}

impl<'a> Caller<'a> {
    pub fn new(trial: &'a Trial, registry: Channel, policy: BalancePolicy) -> Self {
        let patience = policy.patience;
        Self { trial, channel: BalancedChannel::new(registry, USERS, policy), patience }
    }

    /// Another caller, on a clone of the channel.
    pub fn another(&self) -> Self {
        Self { trial: self.trial, channel: self.channel.clone(), patience: self.patience }
    }

    /// One call, on a fresh clone: who answered.
    pub async fn calls(&self, rule: &Rule<'_>, user: &str) -> Result<String, Status> {
        let mut client = UserServiceClient::new(self.channel.clone());
        let call = client.get_user(GetUserRequest { id: user.into() });
        let slowness = if user == SLOW { SLOWNESS } else { Duration::ZERO };
        let answer = soon_after(rule, self.patience + slowness, "an end of the call", call).await;
        let name = answer.map(|answer| answer.into_inner().user.unwrap_or_default().name);
        self.trial.did(match &name {
            Ok(name) => format!("a call is answered by {name}"),
            Err(status) => format!("a call fails: {}: {}", grpc::name(status.code()), status.message()),
        });
        name
    }

    /// A call that must be answered by one of these.
    pub async fn is_answered_by(&self, rule: &Rule<'_>, names: &[&str]) -> String {
        match self.calls(rule, "u1").await {
            Ok(name) if names.contains(&name.as_str()) => name,
            Ok(name) => rule.broken(format_args!("an answer of {}", names.join(" or ")), name),
            Err(status) => {
                rule.broken(format_args!("an answer of {}", names.join(" or ")), in_words(&status))
            }
        }
    }

    /// Many calls in a row, all of them answered by some of these.
    pub async fn are_answered_by(&self, rule: &Rule<'_>, names: &[&str]) {
        for _ in 0..60 {
            self.is_answered_by(rule, names).await;
        }
    }

    /// Calls until each of these has answered. A call may fail meanwhile.
    pub async fn until_answered_by(&self, rule: &Rule<'_>, names: &[&str]) {
        let mut missing: Vec<_> = names.to_vec();
        let expected = format!("calls are answered by {}", names.join(" and "));
        self.call_until(rule, &expected, |answer| {
            missing.retain(|name| !answer.as_ref().is_ok_and(|answered| answered == name));
            missing.is_empty()
        })
        .await;
    }

    /// Calls until this one gets none any more: so many in a row go elsewhere, or fail.
    pub async fn until_spared(&self, rule: &Rule<'_>, backend: &Backend) {
        let (mut elsewhere, mut before) = (0, backend.calls());
        let expected = format!("calls no longer go to {}", backend.instance.id);
        self.call_until(rule, &expected, |_| {
            let now = backend.calls();
            elsewhere = if std::mem::replace(&mut before, now) == now { elsewhere + 1 } else { 0 };
            elsewhere == 20
        })
        .await;
    }

    /// Calls until the answers are as they must come to be. So many calls as wrong code gets here take seconds.
    async fn call_until(
        &self,
        rule: &Rule<'_>,
        expected: &str,
        mut enough: impl FnMut(&Result<String, Status>) -> bool,
    ) {
        const MANY: usize = 1000;
        let (began, mut calls) = (Instant::now(), 0);
        loop {
            let answer = self.calls(rule, "u1").await;
            if enough(&answer) {
                return;
            }
            calls += 1;
            let waited = began.elapsed();
            if waited > bound() || calls > MANY && waited > bound() / 3 {
                rule.broken(expected, format_args!("nothing of the kind in {calls} calls"));
            }
            sleep(millis(1)).await;
        }
    }

    /// Calls until one fails, which must be with UNAVAILABLE.
    pub async fn until_nobody_is_found(&self, rule: &Rule<'_>) {
        let expected = "a call fails with UNAVAILABLE";
        self.call_until(rule, expected, |answer| match answer {
            Err(status) if status.code() == Code::Unavailable => true,
            Err(status) => rule.broken(expected, in_words(status)),
            Ok(_) => false,
        })
        .await;
    }

    /// A call that must fail with UNAVAILABLE.
    pub async fn finds_nobody(&self, rule: &Rule<'_>) {
        let seen = match self.calls(rule, "u1").await {
            Err(status) if status.code() == Code::Unavailable => return,
            Err(status) => in_words(&status),
            Ok(name) => format!("an answer of {name}"),
        };
        rule.broken("the call fails with UNAVAILABLE", seen);
    }
}

pub fn in_words(status: &Status) -> String {
    format!("{}: {}", grpc::name(status.code()), status.message())
}
