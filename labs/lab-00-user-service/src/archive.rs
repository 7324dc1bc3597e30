//! Users in a file: messages that outlive the program that wrote them.
//!
//! An archive is an encoded `shop.users.v1.Archive`. Programs of last year, which have last year's contract, read what
//! this one writes; and this one reads what they wrote.

use crate::User;
use prost::DecodeError;

/// The users as the bytes of an archive, in the same order.
pub fn export(users: &[User]) -> Vec<u8> {
    todo!("step 5: the users as messages, in an Archive, as bytes")
}

/// The users of an archive, in the same order. Whoever wrote it may have had an older contract, or a newer one: fields
/// that are not there have not been told, and fields that nobody here knows are passed over.
///
/// # Errors
/// When the bytes are no archive at all, such as half of a file.
pub fn import(bytes: &[u8]) -> Result<Vec<User>, DecodeError> {
    todo!("step 5: the bytes as an Archive, its messages as users")
}
