//! What the server offers. Given, and complete.

use crate::{FILE_DESCRIPTOR_SET, Store, Users, pb::user_service_server::UserServiceServer};
use std::sync::Arc;
use tonic::service::Routes;

/// The users' service over a store.
pub fn routes(store: Arc<dyn Store>) -> Routes {
    Routes::new(UserServiceServer::new(Users::new(store)))
}

/// Lets tools such as grpcurl ask for the contract. Both versions: most tools know only the older one.
///
/// # Errors
/// When the descriptors of the contract cannot be read.
pub fn with_reflection(routes: Routes) -> Result<Routes, tonic_reflection::server::Error> {
    let contract = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
    };
    Ok(routes.add_service(contract().build_v1()?).add_service(contract().build_v1alpha()?))
}
