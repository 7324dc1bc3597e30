//! The rules of the contract for what a request may say.

use crate::{NewUser, pb::CreateUserRequest};
use tonic_types::FieldViolation;

/// Whether this can be somebody's id: 1 to 36 characters, each of them a lower-case letter from `a` to `z`, a digit or
/// a hyphen.
pub(crate) fn is_id(id: &str) -> bool {
    // stub: todo!("step 1: its length, and each of its characters")
    let allowed = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    matches!(id.len(), 1..=36) && id.bytes().all(allowed)
    // stub: end
}

/// Who wants to become a user, if the request keeps every rule that the contract has for its fields.
///
/// # Errors
/// A violation for each field that breaks one, with the field's name as the contract writes it and what is wrong in
/// words for people. Fields that are right are not mentioned.
pub(crate) fn new_user(request: CreateUserRequest) -> Result<NewUser, Vec<FieldViolation>> {
    // stub: todo!("step 3: look at each field, gather what is wrong, and only then decide")
    let CreateUserRequest { name, email, phone } = request;
    let rules = [
        ("name", is_name(&name), "1 to 64 characters, not only white space"),
        ("email", is_email(&email), "one @ with something on both sides, no white space, at most 254 bytes"),
        (
            "phone",
            phone.as_deref().is_none_or(is_phone),
            "a plus sign and 7 to 15 digits, or no phone at all",
        ),
    ];
    let broken = rules.into_iter().filter(|(_, kept, _)| !kept);
    let violations: Vec<_> = broken.map(|(field, _, rule)| FieldViolation::new(field, rule)).collect();
    if violations.is_empty() { Ok(NewUser { name, email, phone }) } else { Err(violations) }
    // stub: end
}
// stub: drop

fn is_name(name: &str) -> bool {
    matches!(name.chars().count(), 1..=64) && !name.trim().is_empty()
}

fn is_email(email: &str) -> bool {
    let sides = email.split_once('@').filter(|(_, after)| !after.contains('@'));
    let whole = sides.is_some_and(|(before, after)| !before.is_empty() && !after.is_empty());
    whole && email.len() <= 254 && !email.contains(char::is_whitespace)
}

fn is_phone(phone: &str) -> bool {
    let digits = phone.strip_prefix('+').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    digits.is_some_and(|digits| matches!(digits.len(), 7..=15))
}
// stub: end
