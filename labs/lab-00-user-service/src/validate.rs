//! The rules of the contract for what a request may say.

use crate::{NewUser, pb::CreateUserRequest};
use tonic_types::FieldViolation;

/// Whether this can be somebody's id: 1 to 36 characters, each of them a lower-case letter from `a` to `z`, a digit or
/// a hyphen.
pub(crate) fn is_id(id: &str) -> bool {
    todo!("step 1: its length, and each of its characters")
}

/// Who wants to become a user, if the request keeps every rule that the contract has for its fields.
///
/// # Errors
/// A violation for each field that breaks one, with the field's name as the contract writes it and what is wrong in
/// words for people. Fields that are right are not mentioned.
pub(crate) fn new_user(request: CreateUserRequest) -> Result<NewUser, Vec<FieldViolation>> {
    todo!("step 3: look at each field, gather what is wrong, and only then decide")
}
