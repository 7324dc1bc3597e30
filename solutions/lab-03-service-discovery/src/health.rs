//! Whether one instance is well, as it says itself.

use std::time::Duration;
use tonic::transport::Channel;
// stub: drop
use proto::grpc::health::v1::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tokio::time::sleep;
use tonic::Code;
// stub: end

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
    // stub: todo!("step 5: watch the health of this instance, and say so whenever it changes")
    let (mut client, mut report) = (HealthClient::new(channel), report);
    loop {
        match follow_once(&mut client, service, &mut report).await {
            // Not every server has a health service. One that has none cannot be unhealthy.
            Code::Unimplemented => return report(true),
            _ => report(false),
        }
        sleep(retry).await;
    }
    // stub: end
}
// stub: drop

/// One Watch, until it ends. Returns the code that it ended with.
async fn follow_once(
    client: &mut HealthClient<Channel>,
    service: &str,
    report: &mut (impl FnMut(bool) + Send),
) -> Code {
    let request = HealthCheckRequest { service: service.to_owned() };
    let mut statuses = match client.watch(request).await {
        Ok(response) => response.into_inner(),
        Err(status) => return status.code(),
    };
    loop {
        match statuses.message().await {
            Ok(Some(response)) => report(response.status() == ServingStatus::Serving),
            Ok(None) => return Code::Ok,
            Err(status) => return status.code(),
        }
    }
}
// stub: end
