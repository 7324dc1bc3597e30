//! Calls that only try: everything is checked and answered, nothing is changed.

use tonic::{Request, Status};

/// The name of the metadata that asks for it: `true` or `false`.
pub const DRY_RUN: &str = "x-dry-run";

/// Whether a call only tries. It travels in the extensions of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DryRun(pub bool);

/// The interceptor of a server: the metadata [`DRY_RUN`] becomes a [`DryRun`] in the request's extensions.
///
/// Without the metadata it is `DryRun(false)`. `true` and `false` in small letters mean what they say.
///
/// # Errors
/// INVALID_ARGUMENT for every other value, and for more than one: who writes `yes` means no real call, and must not get
/// one.
pub fn read_dry_run(mut request: Request<()>) -> Result<Request<()>, Status> {
    todo!("step 5: the metadata becomes an extension, or an error")
}

/// The interceptor of a client: `DryRun(true)` in the request's extensions becomes the metadata [`DRY_RUN`], as its only
/// value.
///
/// Without that extension, or with `DryRun(false)`, the request passes as it is.
///
/// # Errors
/// None.
pub fn tell_dry_run(mut request: Request<()>) -> Result<Request<()>, Status> {
    todo!("step 4: the extension becomes metadata")
}
