//! Whether one instance is well, as it says itself.

use std::time::Duration;
use tonic::transport::Channel;

/// Watches the health of one instance, and calls `report` with true when it may be called from now on, with false when
/// it may not. [`BalancePolicy::health`](crate::BalancePolicy::health) says what counts.
///
/// Goes on until it is dropped; it may return when nothing will change any more.
///
/// [gRFC A17](https://github.com/grpc/proposal/blob/master/A17-client-side-health-checking.md) is where the rules come
/// from.
pub(crate) async fn follow_health(
    channel: Channel,
    service: &str,
    retry: Duration,
    report: impl FnMut(bool) + Send,
) {
    todo!("step 5: watch the health of this instance, and say so whenever it changes")
}
