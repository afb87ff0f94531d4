//! How many of something, in words.

/// `1 step`, `2 steps`.
#[must_use]
pub fn several(some: usize, what: &str) -> String {
    if some == 1 { format!("1 {what}") } else { format!("{some} {what}s") }
}
