// Streams of statuses, read without a server in between.

use crate::support::ORDERS;
use lab_01_health_check::{ServingStatus, StatusBoard, StatusStream};
use testkit::Rule;
use tokio_stream::StreamExt as _;

/// Changes the orders so many times.
pub fn flip_orders(board: &StatusBoard, times: usize) -> StatusBoard {
    for time in 0..times {
        let status = if time % 2 == 0 { ServingStatus::Serving } else { ServingStatus::NotServing };
        board.set_status(ORDERS, status);
    }
    board.clone()
}

/// This status must come, whatever comes before it.
pub async fn reaches(rule: &Rule<'_>, statuses: &mut StatusStream, expected: ServingStatus) {
    let told = until(rule, statuses, Some(expected)).await;
    let expected_words = format!("the stream comes to say {}", expected.as_str_name());
    rule.holds(told.last() == Some(&expected), expected_words, "the stream ended without it");
}

/// What a stream says until it has said this, or until it ends.
pub async fn until(
    rule: &Rule<'_>,
    statuses: &mut StatusStream,
    last: Option<ServingStatus>,
) -> Vec<ServingStatus> {
    let expected = last.map_or_else(
        || "the stream ends".to_owned(),
        |last| format!("the stream comes to say {}", last.as_str_name()),
    );
    let reading = async {
        let mut told = Vec::new();
        while let Some(status) = statuses.next().await {
            told.push(status);
            if Some(status) == last {
                break;
            }
        }
        told
    };
    rule.within(&expected, reading).await
}

/// Statuses for a reader.
pub fn words(statuses: &[ServingStatus]) -> String {
    if statuses.is_empty() {
        return "the end of the stream".to_owned();
    }
    statuses.iter().map(ServingStatus::as_str_name).collect::<Vec<_>>().join(", ")
}
