//! What the ledger keeps, in memory. Given, and complete.

use crate::DryRun;
use proto::ledger::v1::Entry;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tonic::Status;

/// Every entry that was posted. Clones share one book.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// By account, the oldest entry first.
    entries: Arc<Mutex<BTreeMap<String, Vec<Entry>>>>,
}

impl Book {
    /// An empty book.
    pub fn new() -> Self {
        Self::default()
    }

    /// The entries of an account, the oldest first.
    pub fn entries(&self, account: &str) -> Vec<Entry> {
        self.lock().get(account).cloned().unwrap_or_default()
    }

    /// Begins to post the entries of one call: for real, or only to see what would come of it.
    pub fn begin(&self, dry_run: DryRun) -> Session {
        let tried = dry_run.0.then(Mutex::default);
        Session { book: self.clone(), tried }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Entry>>> {
        // Nothing panics half-way through a change.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The entries of one call. A dry one answers as if each of them had been posted, and leaves the book as it was.
#[derive(Debug)]
pub struct Session {
    book: Book,
    /// What a dry run would have added, by account. `None` when it is for real.
    tried: Option<Mutex<BTreeMap<String, i64>>>,
}

impl Session {
    /// Posts an entry and returns the balance of its account after it.
    ///
    /// # Errors
    /// INVALID_ARGUMENT without an entry or an account; FAILED_PRECONDITION when the balance would fall below zero or
    /// exceed what a number holds.
    pub fn post(&self, entry: Option<Entry>) -> Result<i64, Status> {
        let entry = entry.filter(|entry| !entry.account.is_empty());
        let entry = entry.ok_or_else(|| Status::invalid_argument("an entry with an account is needed"))?;
        let mut entries = self.book.lock();
        let posted = entries.get(&entry.account).into_iter().flatten();
        // No sum of the posted ones is out of bounds, for each was checked before it was posted.
        let balance: i64 = posted.map(|entry| entry.cents).sum();
        let mut tried = self.tried.as_ref().map(|tried| tried.lock().unwrap_or_else(PoisonError::into_inner));
        let before = tried.as_ref().and_then(|tried| tried.get(&entry.account)).copied().unwrap_or_default();
        // Others may have posted since those were tried, so the two need not fit together any more.
        let after = balance.checked_add(before).and_then(|balance| balance.checked_add(entry.cents));
        let after = after.filter(|after| *after >= 0);
        let after = after.ok_or_else(|| Status::failed_precondition("the account cannot hold that"))?;
        match &mut tried {
            Some(tried) => _ = tried.insert(entry.account, after - balance),
            None => entries.entry(entry.account.clone()).or_default().push(entry),
        }
        Ok(after)
    }
}
