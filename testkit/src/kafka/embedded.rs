//! The embedded broker: librdkafka's mock cluster, in this process.

// The one place with `unsafe`: the binding has no call for the rebalance delay, and without it every first join
// of a group takes three seconds.
#![allow(unsafe_code)]

use rdkafka::{
    ClientConfig,
    bindings::{rd_kafka_handle_mock_cluster, rd_kafka_mock_group_initial_rebalance_delay_ms},
    error::KafkaResult,
    mocking::MockCluster,
    producer::{BaseProducer, DefaultProducerContext, Producer as _},
};

/// A mock cluster with one broker. It ends when this is dropped; clients that still talk to it then find nobody.
pub(super) struct Embedded {
    /// The client that carries the cluster.
    carrier: BaseProducer,
}

impl Embedded {
    /// Starts one, in a few milliseconds.
    pub(super) fn start() -> KafkaResult<Self> {
        let carrier: BaseProducer = ClientConfig::new().set("test.mock.num.brokers", "1").create()?;
        let client = carrier.client().native_ptr();
        // SAFETY: the client is alive, and was made with a mock cluster, which lives as long as the client does. The
        // call takes the cluster's own lock.
        unsafe { rd_kafka_mock_group_initial_rebalance_delay_ms(rd_kafka_handle_mock_cluster(client), 0) };
        Ok(Self { carrier })
    }

    /// The cluster's controls. They are borrowed anew each time: the type is bound to one thread.
    pub(super) fn cluster(&self) -> MockCluster<'_, DefaultProducerContext> {
        self.carrier.client().mock_cluster().expect("the client was made with a mock cluster")
    }
}
