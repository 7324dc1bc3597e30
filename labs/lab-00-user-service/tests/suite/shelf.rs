// A store that the suite looks into: it keeps what it was asked, and fails when it is told to.

use lab_00_user_service::{Added, NewUser, Store, StoreError, User, UserState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a failing store says. Nobody but the operator may read any of it.
const FAILURE: &str = "connect to db-7.shop.internal:5432 as shop_rw with Pa55-w0rd: no route to host";

/// Words of that text which no innocent status has.
pub const SECRETS: [&str; 4] = ["db-7", "5432", "shop_rw", "Pa55-w0rd"];

/// What a store can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    Get,
    Slice,
    Count,
    Add,
}

/// A store for one test.
pub struct Shelf {
    users: Mutex<Vec<User>>,
    failing: Vec<Ask>,
    /// The largest number of users that it was asked for at once.
    most: Mutex<u64>,
}

impl Shelf {
    /// So many users: `u001`, `u002` and so on.
    pub fn of(count: usize) -> Arc<Self> {
        Self::with((1..=count).map(person).collect())
    }

    /// These users, which must be in the order of their ids.
    pub fn with(users: Vec<User>) -> Arc<Self> {
        Arc::new(Self { users: Mutex::new(users), failing: Vec::new(), most: Mutex::new(0) })
    }

    /// Three users, and these questions fail.
    pub fn failing(asks: &[Ask]) -> Arc<Self> {
        let users = Mutex::new((1..=3).map(person).collect());
        Arc::new(Self { users, failing: asks.to_vec(), most: Mutex::new(0) })
    }

    /// Three users, and nothing works.
    pub fn broken() -> Arc<Self> {
        Self::failing(&[Ask::Get, Ask::Slice, Ask::Count, Ask::Add])
    }

    /// The users that it has now.
    pub fn users(&self) -> Vec<User> {
        lock(&self.users).clone()
    }

    /// The largest number of users that it was asked for at once.
    pub fn most(&self) -> u64 {
        *lock(&self.most)
    }

    fn works(&self, ask: Ask) -> Result<(), StoreError> {
        if self.failing.contains(&ask) { Err(StoreError::new(FAILURE)) } else { Ok(()) }
    }
}

#[tonic::async_trait]
impl Store for Shelf {
    async fn get(&self, id: &str) -> Result<Option<User>, StoreError> {
        self.works(Ask::Get)?;
        Ok(lock(&self.users).iter().find(|user| user.id == id).cloned())
    }

    async fn slice(&self, skip: u64, take: u64) -> Result<Vec<User>, StoreError> {
        self.works(Ask::Slice)?;
        let mut most = lock(&self.most);
        *most = take.max(*most);
        let in_memory = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Ok(lock(&self.users).iter().skip(in_memory(skip)).take(in_memory(take)).cloned().collect())
    }

    async fn count(&self) -> Result<u64, StoreError> {
        self.works(Ask::Count)?;
        Ok(lock(&self.users).len() as u64)
    }

    async fn add(&self, new: NewUser) -> Result<Added, StoreError> {
        self.works(Ask::Add)?;
        let mut users = lock(&self.users);
        if users.iter().any(|user| user.email == new.email) {
            return Ok(Added::EmailTaken);
        }
        let id = format!("u{:03}", users.len() + 1);
        let NewUser { name, email, phone } = new;
        let user = User { id, name, email, phone, state: Some(UserState::Active) };
        users.push(user.clone());
        Ok(Added::User(user))
    }
}

/// A user by number. No two of their fields are the same.
pub fn person(number: usize) -> User {
    User {
        id: format!("u{number:03}"),
        name: format!("Person {number}"),
        email: format!("person-{number}@example.com"),
        phone: Some(format!("+4930{number:07}")),
        state: Some(UserState::Active),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
