// Waits through which wrong code need not be sat out to the bound.

use crate::script::channel;
use proto::users::v1::{GetUserRequest, user_service_client::UserServiceClient};
use std::{fmt::Display, time::Duration};
use testkit::{Rule, bound, grpc};
use tokio::time::{Instant, sleep};
use tonic::service::Routes;

/// As many others are served meanwhile, each on a connection of its own.
const OTHERS: u32 = 100;

/// Waits for something that right code does at once.
///
/// No time says that it will not come any more: machines hang. So after a while others are served, one after the other,
/// by the same runtime: they wait for a timer, connect and get an answer. When all of them had their turn, whoever has
/// still not had one does not wait for the machine. The bound of every wait holds as well.
pub async fn soon<F: Future>(rule: &Rule<'_>, expected: impl Display, future: F) -> F::Output {
    soon_after(rule, Duration::ZERO, expected, future).await
}

/// Waits for something that right code does after this time, or earlier.
pub async fn soon_after<F: Future>(
    rule: &Rule<'_>,
    time: Duration,
    expected: impl Display,
    future: F,
) -> F::Output {
    let (expected, began) = (expected.to_string(), Instant::now());
    let others = async {
        sleep(time + bound() / 10).await;
        let server = grpc::serve(Routes::default()).await;
        for _ in 0..OTHERS {
            sleep(bound() / 500).await;
            // Nobody offers this here, and to say so is an answer.
            let mut client = UserServiceClient::new(channel(server.addr()));
            let _ = client.get_user(GetUserRequest::default()).await;
        }
    };
    let either = async {
        tokio::select! {
            biased;
            output = future => output,
            () = others => {
                let waited = began.elapsed().as_secs();
                rule.broken(&expected, format_args!("nothing of the kind in {waited} s"))
            }
        }
    };
    rule.within(&expected, either).await
}
