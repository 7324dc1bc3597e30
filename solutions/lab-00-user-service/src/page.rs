//! Which users are on a page: arithmetic, and nothing else.

use tonic::Status;

/// The part of all users that is on one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// Users before the page.
    pub(crate) skip: u64,
    /// Users on the page, at most.
    pub(crate) take: u64,
}

/// Users on a page when the request does not say.
const DEFAULT_PAGE_SIZE: u64 = 20;
/// The most users on a page, whatever the request says.
const MAX_PAGE_SIZE: u64 = 100;

/// What is on a page. The first page is 1, and 0 means the first as well; a size of 0 means 20, one above 100 means
/// 100. Any two numbers that are not negative have an answer.
///
/// # Errors
/// INVALID_ARGUMENT when a number is negative.
pub(crate) fn window(page: i32, page_size: i32) -> Result<Window, Status> {
    // stub: todo!("step 2: how many users come before the page, and how many are on it")
    let (Ok(page), Ok(page_size)) = (u64::try_from(page), u64::try_from(page_size)) else {
        return Err(Status::invalid_argument("page and page_size are not negative"));
    };
    let take = if page_size == 0 { DEFAULT_PAGE_SIZE } else { page_size.min(MAX_PAGE_SIZE) };
    // Both come from 31 bits, so the product has room in 64.
    Ok(Window { skip: page.saturating_sub(1) * take, take })
    // stub: end
}
