//! The contracts of the labs, one module per protobuf package.
//!
//! The `.proto` files under `proto/proto` are the source; the code here is generated from them at build
//! time. Each service comes as a client (`…_client`) and as a trait to implement (`…_server`).

#![warn(missing_docs)]

/// Finding each other.
pub mod discovery {
    /// Package `discovery.v1`: who offers a service, and where.
    #[allow(missing_docs, clippy::all, rustdoc::all)]
    pub mod v1 {
        tonic::include_proto!("discovery.v1");
    }
}

/// Contracts of the gRPC project itself.
pub mod grpc {
    /// The health protocol.
    pub mod health {
        /// Package `grpc.health.v1`: how a prober or a load balancer asks a server whether it can take calls.
        ///
        /// Source: [`health.proto`](https://github.com/grpc/grpc-proto/blob/master/grpc/health/v1/health.proto),
        /// gRFC [A17](https://github.com/grpc/proposal/blob/master/A17-client-side-health-checking.md)
        /// and [A90](https://github.com/grpc/proposal/blob/master/A90-health-service-list-method.md).
        #[allow(missing_docs, clippy::all, rustdoc::all)]
        pub mod v1 {
            tonic::include_proto!("grpc.health.v1");
        }
    }
}

/// The ledger of a small bank.
pub mod ledger {
    /// Package `ledger.v1`: entries, and who wants to hear of them. It has a call of each of the four kinds.
    #[allow(missing_docs, clippy::all, rustdoc::all)]
    pub mod v1 {
        tonic::include_proto!("ledger.v1");
    }
}

/// The users of a small shop.
pub mod users {
    /// Package `users.v1`: who the users are.
    #[allow(missing_docs, clippy::all, rustdoc::all)]
    pub mod v1 {
        tonic::include_proto!("users.v1");
    }
}

/// Every contract above as an encoded `google.protobuf.FileDescriptorSet`, for server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

#[cfg(test)]
mod tests {
    use prost_reflect::DescriptorPool;

    #[test]
    fn reflection_knows_every_service_by_its_full_name() {
        let pool = DescriptorPool::decode(super::FILE_DESCRIPTOR_SET).expect("a sound descriptor set");
        let method = |service: &str, method: &str| {
            let service = pool.get_service_by_name(service).expect(service);
            service.methods().any(|known| known.name() == method)
        };
        for name in ["Check", "List", "Watch"] {
            assert!(method("grpc.health.v1.Health", name), "{name}");
        }
        for name in ["Post", "Import", "Statement", "Exchange"] {
            assert!(method("ledger.v1.Ledger", name), "{name}");
        }
        assert!(method("users.v1.UserService", "GetUser"));
        for name in ["Register", "Renew", "Deregister", "Discover", "Watch"] {
            assert!(method("discovery.v1.Discovery", name), "{name}");
        }
    }

    /// The numbers are the contract: a client in another language has them compiled in.
    #[test]
    fn health_has_the_numbers_of_the_protocol() {
        use super::grpc::health::v1::{HealthCheckResponse, health_check_response::ServingStatus};
        use prost::Message as _;

        let numbers = [
            ServingStatus::Unknown,
            ServingStatus::Serving,
            ServingStatus::NotServing,
            ServingStatus::ServiceUnknown,
        ];
        assert_eq!(numbers.map(|status| status as i32), [0, 1, 2, 3]);
        let response = HealthCheckResponse { status: ServingStatus::Serving.into() };
        assert_eq!(response.encode_to_vec(), [0x08, 0x01]);
    }
}
