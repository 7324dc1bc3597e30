//! Leaves a broker as it was found.

use super::{Kafka, PREFIX};
use rdkafka::{
    admin::{AdminClient, AdminOptions},
    client::DefaultClientContext,
    error::KafkaResult,
    types::RDKafkaErrorCode,
};
use std::{
    thread,
    time::{Duration, Instant, SystemTime},
};

/// The longest that cleaning may take. A group with a member that was killed is gone only after its session timeout.
const LIMIT: Duration = Duration::from_secs(10);

/// What a test made so long ago, a killed test left behind.
const STALE: Duration = Duration::from_secs(60 * 60);

/// What a test made on a broker that outlives it.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) topics: Vec<String>,
    pub(super) groups: Vec<String>,
}

impl Drop for Kafka {
    fn drop(&mut self) {
        let names = std::mem::take(&mut *self.names());
        if names.topics.is_empty() && names.groups.is_empty() {
            return;
        }
        // A thread of its own: this may run inside a runtime, where nothing may block on a future.
        let clean = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
            let runtime = runtime.expect("a runtime to clean up in");
            // A broker that does not answer is not asked twice. What stays is swept by a later test.
            if runtime.block_on(remove(self.admin(), names)).is_ok() {
                let _ = runtime.block_on(remove_at_once(self.admin(), &stale(self.admin())));
            }
        };
        thread::scope(|scope| _ = scope.spawn(clean).join());
    }
}

type Admin = AdminClient<DefaultClientContext>;

fn options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(LIMIT)).request_timeout(Some(LIMIT))
}

/// Removes topics, and groups as soon as they have no member any more.
async fn remove(admin: &Admin, names: Names) -> KafkaResult<()> {
    let began = Instant::now();
    let mut groups = remove_at_once(admin, &names).await?;
    while !groups.is_empty() && began.elapsed() < LIMIT {
        // Kafka tells nobody that a group is empty. It has to be asked again.
        tokio::time::sleep(Duration::from_millis(20)).await;
        groups = remove_at_once(admin, &Names { topics: Vec::new(), groups }).await?;
    }
    Ok(())
}

/// Removes what can be removed now, and tells which groups still have members.
async fn remove_at_once(admin: &Admin, names: &Names) -> KafkaResult<Vec<String>> {
    let topics: Vec<_> = names.topics.iter().map(String::as_str).collect();
    if !topics.is_empty() {
        admin.delete_topics(&topics, &options()).await?;
    }
    let groups: Vec<_> = names.groups.iter().map(String::as_str).collect();
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    let busy = |result| match result {
        Err((group, RDKafkaErrorCode::NonEmptyGroup)) => Some(group),
        _ => None,
    };
    Ok(admin.delete_groups(&groups, &options()).await?.into_iter().filter_map(busy).collect())
}

/// What tests left here that were killed long ago.
fn stale(admin: &Admin) -> Names {
    let (client, now) = (admin.inner(), SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default());
    let is_stale = |name: &&str| made(name).is_some_and(|made| made + STALE < now);
    let mut names = Names::default();
    if let Ok(metadata) = client.fetch_metadata(None, LIMIT) {
        let all = metadata.topics().iter().map(|topic| topic.name());
        names.topics = all.filter(is_stale).map(str::to_owned).collect();
    }
    if let Ok(groups) = client.fetch_group_list(None, LIMIT) {
        let all = groups.groups().iter().map(|group| group.name());
        names.groups = all.filter(is_stale).map(str::to_owned).collect();
    }
    names
}

/// When something was made, if the name says that it is ours: `grpc-kafka-labs.<seconds since 1970>.…`.
fn made(name: &str) -> Option<Duration> {
    let (seconds, _) = name.strip_prefix(PREFIX)?.strip_prefix('.')?.split_once('.')?;
    seconds.parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_ours_say_when_they_were_made() {
        assert_eq!(made("grpc-kafka-labs.1700000000.ab.orders"), Some(Duration::from_secs(1_700_000_000)));
        for other in
            ["grpc-kafka-labs.orders", "grpc-kafka-labs.x.y", "grpc-kafka-labs-1.2.3", "orders.1.2", ""]
        {
            assert_eq!(made(other), None, "{other}");
        }
    }
}
