//! Makes the embedded broker fail.

use super::embedded::Embedded;
use crate::History;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use std::time::Duration;

/// More often than anything here asks: as good as for ever.
const ALWAYS: usize = 100_000;

/// What can be made to fail on the embedded broker. Each call is written into the history.
pub struct Faults<'a> {
    embedded: &'a Embedded,
    history: &'a History,
}

impl<'a> Faults<'a> {
    pub(super) fn new(embedded: &'a Embedded, history: &'a History) -> Self {
        Self { embedded, history }
    }

    /// From now on refuses every commit: the group may not commit.
    pub fn refuse_commits(&self) {
        self.history.did("the broker refuses every commit from now on");
        self.fail(RDKafkaApiKey::OffsetCommit, RDKafkaRespErr::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
    }

    /// Closes the connection at each of the next so many commits, without an answer.
    pub fn lose_commits(&self, count: usize) {
        self.history.did(format!("the broker closes the connection at each of the next {count} commits"));
        let lost = vec![RDKafkaRespErr::RD_KAFKA_RESP_ERR__TRANSPORT; count];
        self.embedded.cluster().request_errors(RDKafkaApiKey::OffsetCommit, &lost);
    }

    /// Answers the next commit with: the group is being shared out anew.
    pub fn rebalance_in_commit(&self) {
        self.history.did("the broker answers the next commit: the group is in a rebalance");
        let error = RDKafkaRespErr::RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS;
        self.embedded.cluster().request_errors(RDKafkaApiKey::OffsetCommit, &[error]);
    }

    /// Answers the next commit with: the group has no such member, it was taken for dead.
    pub fn forget_member_in_commit(&self) {
        self.history.did("the broker answers the next commit: the group has no such member");
        let error = RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID;
        self.embedded.cluster().request_errors(RDKafkaApiKey::OffsetCommit, &[error]);
    }

    /// From now on refuses every record, in every topic: it is too large.
    pub fn refuse_records(&self) {
        self.history.did("the broker refuses every new record from now on");
        self.fail(RDKafkaApiKey::Produce, RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    }

    /// Takes records again.
    pub fn take_records(&self) {
        self.history.did("the broker takes records again");
        self.embedded.cluster().clear_request_errors(RDKafkaApiKey::Produce);
    }

    /// Every answer takes so long from now on.
    pub fn slow(&self, round_trip: Duration) {
        self.history
            .did(format!("every answer of the broker takes {} ms from now on", round_trip.as_millis()));
        let slowed = self.embedded.cluster().broker_round_trip_time(-1, round_trip);
        slowed.expect("the mock broker can be slowed");
    }

    /// Closes every connection and takes none.
    pub fn down(&self) {
        self.history.did("the broker goes down");
        self.embedded.cluster().broker_down(-1).expect("the mock broker can go down");
    }

    /// Takes connections again.
    pub fn up(&self) {
        self.history.did("the broker is up again");
        self.embedded.cluster().broker_up(-1).expect("the mock broker can come up");
    }

    fn fail(&self, request: RDKafkaApiKey, error: RDKafkaRespErr) {
        self.embedded.cluster().request_errors(request, &vec![error; ALWAYS]);
    }
}
