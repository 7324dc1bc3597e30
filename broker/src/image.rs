//! Apache Kafka as a container that clients outside can reach.
//!
//! A broker tells its clients where it is reached, and the mapped port is known only when the container runs. So the
//! container's command waits for a script, and the script comes when the port is known.

use std::{borrow::Cow, env};
use testcontainers::{
    Image,
    core::{CmdWaitFor, ContainerPort, ContainerState, ExecCommand, WaitFor},
};

const DEFAULT: &str = "apache/kafka:4.3.1";

/// What the broker logs: warnings, and that it has started. A suite makes and deletes hundreds of topics; at Kafka's own
/// level that is a megabyte of log a minute, which the broker, Docker and this program all have to handle.
const LOG: &str = "\
rootLogger.level=WARN
rootLogger.appenderRefs=console
rootLogger.appenderRef.console.ref=STDOUT
logger.server.name=kafka.server.KafkaRaftServer
logger.server.level=INFO
appenders=console
appender.console.type=Console
appender.console.name=STDOUT
appender.console.target=SYSTEM_OUT
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=[%d] %p %m (%c)%n
";

/// The port within the container that clients use.
pub const PORT: ContainerPort = ContainerPort::Tcp(9092);

/// Where the broker keeps its records: in memory, since nobody reads them after it, and a suite makes hundreds of
/// topics. On the disk of a busy machine each of them may take seconds.
pub const LOGS: &str = "/tmp/labs-kafka-logs";

const SCRIPT: &str = "/tmp/start.sh";

/// How long the container waits for its script. If it never comes, its owner is dead.
const SCRIPT_SECONDS: u32 = 60;

/// The container ends after this time whatever happens to everybody else.
const LIFE_SECONDS: u32 = 2 * 60 * 60;

/// One node, broker and controller in one. Two things are unlike a production broker. It is quick: no delay before
/// a group's first rebalance, short sessions allowed, one partition for each internal topic, of which there is one
/// copy. And a topic that nobody has created does not come about by itself, since a suite must see such a mistake.
///
/// The listener BROKER is the broker's own: the advertised port is one of the host's, which it cannot reach from
/// inside. Without it plain produce and consume work and each transactional send ends in a timeout.
const SETTINGS: [(&str, &str); 23] = [
    ("KAFKA_NODE_ID", "1"),
    ("KAFKA_LOG_DIRS", LOGS),
    ("KAFKA_PROCESS_ROLES", "broker,controller"),
    ("KAFKA_LISTENERS", "CLIENT://0.0.0.0:9092,BROKER://localhost:9093,CONTROLLER://localhost:9094"),
    ("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "CLIENT:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT"),
    ("KAFKA_INTER_BROKER_LISTENER_NAME", "BROKER"),
    ("KAFKA_CONTROLLER_LISTENER_NAMES", "CONTROLLER"),
    ("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@localhost:9094"),
    ("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false"),
    ("KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS", "0"),
    ("KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS", "500"),
    ("KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS", "1"),
    ("KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR", "1"),
    ("KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS", "1"),
    ("KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "1"),
    ("KAFKA_TRANSACTION_STATE_LOG_MIN_ISR", "1"),
    ("KAFKA_SHARE_COORDINATOR_STATE_TOPIC_NUM_PARTITIONS", "1"),
    ("KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR", "1"),
    ("KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR", "1"),
    ("KAFKA_DEFAULT_REPLICATION_FACTOR", "1"),
    ("KAFKA_MIN_INSYNC_REPLICAS", "1"),
    ("KAFKA_NUM_PARTITIONS", "1"),
    // Enough that it does not collect garbage again and again while hundreds of topics come and go.
    ("KAFKA_HEAP_OPTS", "-Xms512m -Xmx512m"),
];

/// A Kafka image by its name.
#[derive(Clone, Debug)]
pub struct Kafka {
    name: String,
    tag: String,
}

impl Kafka {
    /// The image that `LABS_KAFKA_IMAGE` names, or Apache's own.
    pub fn chosen() -> Self {
        let named = env::var("LABS_KAFKA_IMAGE").ok().filter(|name| !name.trim().is_empty());
        Self::named(named.as_deref().unwrap_or(DEFAULT).trim())
    }

    fn named(full: &str) -> Self {
        // A colon before the last slash is that of a registry's port. One after `@sha256` joins a digest, which
        // comes out right as well.
        let (name, tag) = match full.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (full, "latest"),
        };
        Self { name: name.to_owned(), tag: tag.to_owned() }
    }

    pub fn full_name(&self) -> String {
        format!("{}:{}", self.name, self.tag)
    }
}

impl Image for Kafka {
    fn name(&self) -> &str {
        &self.name
    }

    fn tag(&self) -> &str {
        &self.tag
    }

    fn expose_ports(&self) -> &[ContainerPort] {
        &[PORT]
    }

    fn env_vars(&self) -> impl IntoIterator<Item = (impl Into<Cow<'_, str>>, impl Into<Cow<'_, str>>)> {
        SETTINGS
    }

    fn cmd(&self) -> impl IntoIterator<Item = impl Into<Cow<'_, str>>> {
        let wait = format!(
            "n=0; until [ -x {SCRIPT} ]; do n=$((n+1)); [ $n -le {} ] || exit 1; sleep 0.05; done; exec {SCRIPT}",
            SCRIPT_SECONDS * 20
        );
        ["sh".to_owned(), "-c".to_owned(), wait]
    }

    fn exec_before_ready(
        &self,
        state: ContainerState,
    ) -> Result<Vec<ExecCommand>, testcontainers::TestcontainersError> {
        let address = address(&state.host().to_string(), state.host_port_ipv4(PORT)?);
        let script = format!(
            "#!/bin/sh\n\
             ( sleep {LIFE_SECONDS}; kill -TERM 1 ) &\n\
             cat >/tmp/log.properties <<'LOG'\n{LOG}LOG\n\
             export KAFKA_OPTS=-Dlog4j2.configurationFile=/tmp/log.properties\n\
             export KAFKA_ADVERTISED_LISTENERS=CLIENT://{address},BROKER://localhost:9093\n\
             exec /etc/kafka/docker/run\n"
        );
        // It appears at once and whole: the waiting command must not run half of it.
        let write = format!(
            "cat >{SCRIPT}.new <<'END' && chmod +x {SCRIPT}.new && mv {SCRIPT}.new {SCRIPT} && echo written\n{script}END\n"
        );
        let written = CmdWaitFor::message_on_stdout("written");
        Ok(vec![ExecCommand::new(["sh", "-c", &write]).with_cmd_ready_condition(written)])
    }

    fn ready_conditions(&self) -> Vec<WaitFor> {
        vec![WaitFor::message_on_stdout("Kafka Server started")]
    }
}

/// Where clients reach a mapped port. The ports are mapped for IPv4, which `localhost` need not mean.
pub fn address(host: &str, port: u16) -> String {
    let host = if host == "localhost" { "127.0.0.1" } else { host };
    format!("{host}:{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_named_as_docker_names_it() {
        let parts = |full: &str| {
            let Kafka { name, tag } = Kafka::named(full);
            (name, tag)
        };
        let pair = |name: &str, tag: &str| (name.to_owned(), tag.to_owned());
        assert_eq!(parts("apache/kafka:4.3.1"), pair("apache/kafka", "4.3.1"));
        assert_eq!(parts("kafka"), pair("kafka", "latest"));
        assert_eq!(parts("registry:5000/kafka"), pair("registry:5000/kafka", "latest"));
        assert_eq!(Kafka::named("a/kafka@sha256:0123").full_name(), "a/kafka@sha256:0123");
    }

    #[test]
    fn localhost_means_the_address_whose_port_is_mapped() {
        assert_eq!(address("localhost", 32768), "127.0.0.1:32768");
        assert_eq!(address("172.17.0.1", 1), "172.17.0.1:1");
    }
}
