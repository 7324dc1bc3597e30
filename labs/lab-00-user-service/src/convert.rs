//! Between what this program works with and what crosses the wire.

use crate::{User, pb};

impl From<User> for pb::User {
    /// Everything of the user that the contract has a field for.
    ///
    /// From step 5 on: no phone is no field, and a state that nobody has told is UNSPECIFIED.
    fn from(user: User) -> Self {
        todo!("step 1: a user as a message of the contract")
    }
}

impl From<pb::User> for User {
    /// Everything that the message tells. Whoever wrote it may have had an older or a newer contract than this
    /// program, so nothing in it is an error.
    ///
    /// From step 5 on: an absent phone is `None`, an empty one is not. A state is `None` when it is UNSPECIFIED, and
    /// also when its number means nothing here: it comes from a newer contract.
    fn from(message: pb::User) -> Self {
        todo!("step 4: what a message of the contract tells of a user")
    }
}
