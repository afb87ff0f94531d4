//! A point in time, as the user's own clock shows it.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::{OperatorQuestion, Question, View};

/// What must be known to tell it.
pub const QUESTION: Question = Question::Operator(OperatorQuestion::Zone);

/// `2026-01-02 11:00:00 CET`; in UTC where this machine's zone is not known. `seconds` since the epoch.
pub fn told(seconds: i64, seen: &View<'_>) -> String {
    let zone = seen.zone().ok().flatten().and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
    match Timestamp::from_second(seconds) {
        Ok(time) => time.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S %Z").to_string(),
        Err(_) => seconds.to_string(),
    }
}
