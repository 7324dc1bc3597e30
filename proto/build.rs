//! Compiles the contracts with protox, a protobuf compiler in Rust, so that nobody has to install `protoc`.

use prost::Message as _;
use std::{env, fs, path::PathBuf};

const CONTRACTS: [&str; 4] = [
    "discovery/v1/discovery.proto",
    "grpc/health/v1/health.proto",
    "ledger/v1/ledger.proto",
    "users/v1/users.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");

    let descriptors = protox::compile(CONTRACTS, ["proto"])?;

    // Reflection serves the descriptors to clients that have no .proto file, such as grpcurl.
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;

    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
