//! Where users are kept. Given, and complete.

use crate::{NewUser, User, UserState};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{PoisonError, RwLock},
};

/// Keeps users. At work this is a database: each call may take a while, and may fail.
#[tonic::async_trait]
pub trait Store: Send + Sync + 'static {
    /// The user with this id, if there is one.
    async fn get(&self, id: &str) -> Result<Option<User>, StoreError>;

    /// Users in the order of their ids: `skip` of them are left out, then come `take` at most. There may be fewer.
    async fn slice(&self, skip: u64, take: u64) -> Result<Vec<User>, StoreError>;

    /// How many users there are.
    async fn count(&self) -> Result<u64, StoreError>;

    /// Keeps a new user under a new id, unless another user has the same e-mail address.
    async fn add(&self, new: NewUser) -> Result<Added, StoreError>;
}

/// What came of [`Store::add`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Added {
    /// The user, with the new id.
    User(User),
    /// Nothing was kept: another user has this e-mail address.
    EmailTaken,
}

/// A store failed.
///
/// The text is for whoever runs the server. It may have anything in it: the host of a database, a statement, a
/// password.
#[derive(Clone, Debug)]
pub struct StoreError(String);

impl StoreError {
    /// Says what failed, in words for whoever runs the server.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StoreError {}

/// A store in memory. Never fails, and forgets everything at the end.
#[derive(Debug)]
pub struct Memory {
    by_id: RwLock<BTreeMap<String, User>>,
}

impl Memory {
    /// Three users: `u1` Ada, `u2` Grace and `u3` Edsger.
    pub fn new() -> Self {
        let users = [("u1", "Ada", "+442071838750"), ("u2", "Grace", ""), ("u3", "Edsger", "")];
        let users = users.map(|(id, name, phone)| {
            let user = User {
                id: id.to_owned(),
                name: name.to_owned(),
                email: format!("{}@example.com", name.to_lowercase()),
                phone: (!phone.is_empty()).then(|| phone.to_owned()),
                state: Some(UserState::Active),
            };
            (id.to_owned(), user)
        });
        Self { by_id: RwLock::new(users.into()) }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

#[tonic::async_trait]
impl Store for Memory {
    async fn get(&self, id: &str) -> Result<Option<User>, StoreError> {
        Ok(self.by_id.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned())
    }

    async fn slice(&self, skip: u64, take: u64) -> Result<Vec<User>, StoreError> {
        let in_memory = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let by_id = self.by_id.read().unwrap_or_else(PoisonError::into_inner);
        Ok(by_id.values().skip(in_memory(skip)).take(in_memory(take)).cloned().collect())
    }

    async fn count(&self) -> Result<u64, StoreError> {
        Ok(self.by_id.read().unwrap_or_else(PoisonError::into_inner).len() as u64)
    }

    async fn add(&self, new: NewUser) -> Result<Added, StoreError> {
        let mut by_id = self.by_id.write().unwrap_or_else(PoisonError::into_inner);
        if by_id.values().any(|user| user.email == new.email) {
            return Ok(Added::EmailTaken);
        }
        let NewUser { name, email, phone } = new;
        let id = format!("u{}", by_id.len() + 1);
        let user = User { id: id.clone(), name, email, phone, state: Some(UserState::Active) };
        by_id.insert(id, user.clone());
        Ok(Added::User(user))
    }
}
