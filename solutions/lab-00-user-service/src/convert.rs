//! Between what this program works with and what crosses the wire.

use crate::{User, pb};
// stub: drop
use crate::UserState;
// stub: end

impl From<User> for pb::User {
    /// Everything of the user that the contract has a field for.
    ///
    /// From step 5 on: no phone is no field, and a state that nobody has told is UNSPECIFIED.
    fn from(user: User) -> Self {
        // stub: todo!("step 1: a user as a message of the contract")
        let state = match user.state {
            None => pb::UserState::Unspecified,
            Some(UserState::Active) => pb::UserState::Active,
            Some(UserState::Suspended) => pb::UserState::Suspended,
        };
        Self { id: user.id, name: user.name, email: user.email, phone: user.phone, state: state.into() }
        // stub: end
    }
}

impl From<pb::User> for User {
    /// Everything that the message tells. Whoever wrote it may have had an older or a newer contract than this
    /// program, so nothing in it is an error.
    ///
    /// From step 5 on: an absent phone is `None`, an empty one is not. A state is `None` when it is UNSPECIFIED, and
    /// also when its number means nothing here: it comes from a newer contract.
    fn from(message: pb::User) -> Self {
        // stub: todo!("step 4: what a message of the contract tells of a user")
        let state = match message.state() {
            pb::UserState::Unspecified => None,
            pb::UserState::Active => Some(UserState::Active),
            pb::UserState::Suspended => Some(UserState::Suspended),
        };
        let pb::User { id, name, email, phone, .. } = message;
        Self { id, name, email, phone, state }
        // stub: end
    }
}
