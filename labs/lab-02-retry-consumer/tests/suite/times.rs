// Reads times as RFC 3339 writes them, in any of the ways in which it may write UTC.

use std::time::{Duration, SystemTime};

/// A time in UTC, or `None` where the text is no such time. It may end in `Z` or `+00:00`, and have any number of
/// digits after the second.
pub fn in_utc(text: &str) -> Option<SystemTime> {
    let text = ["Z", "z", "+00:00", "-00:00"].iter().find_map(|zone| text.strip_suffix(zone))?;
    let (date, time) = text.split_once(['T', 't', ' '])?;
    // humantime reads up to nine digits of a second, and the `T` and the `Z`.
    let (clock, digits) = time.split_once('.').unwrap_or((time, "0"));
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let nanos: u64 = format!("{digits:0<9.9}").parse().ok()?;
    let whole = humantime::parse_rfc3339(&format!("{date}T{clock}Z")).ok()?;
    Some(whole + Duration::from_nanos(nanos))
}

/// How many digits a time has after the second.
pub fn digits_of_a_second(text: &str) -> usize {
    text.split_once('.').map_or(0, |(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count())
}
