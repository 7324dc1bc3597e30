//! The users as this program knows them. Given, and complete.
//!
//! The store has moved on: it knows phone numbers and states, and has no nicknames any more. The contract has not,
//! until step 5.

/// Somebody who buys at the shop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// 1 to 36 characters: `a` to `z`, digits, hyphens.
    pub id: String,
    /// What to call them.
    pub name: String,
    /// Where letters go. No two users have the same.
    pub email: String,
    /// In international form, such as `+4930123456`. `None`: nobody has told it. An empty text is not the same: it is
    /// a number that somebody has told, and a wrong one.
    pub phone: Option<String>,
    /// Whether they may buy. `None`: nobody has said.
    pub state: Option<UserState>,
}

/// Whether somebody may buy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserState {
    /// They may.
    Active,
    /// They may not, until somebody has looked into it.
    Suspended,
}

/// Somebody who wants to become a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewUser {
    /// What to call them.
    pub name: String,
    /// Where letters go.
    pub email: String,
    /// In international form. `None`: they have not told it.
    pub phone: Option<String>,
}
