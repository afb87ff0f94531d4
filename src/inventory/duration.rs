//! Durations as users write them.

use std::time::Duration;

/// `90s`, `4m`, `1h`: a whole number above 0 and one unit. `None` if it is anything else.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    let (number, seconds) =
        [("s", 1), ("m", 60), ("h", 3600)].iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, *seconds)))?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let total = number.parse::<u64>().ok()?.checked_mul(seconds)?;
    (total > 0).then(|| Duration::from_secs(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_numbers_with_one_unit() {
        assert_eq!(duration("150s"), Some(Duration::from_secs(150)));
        assert_eq!(duration("4m"), Some(Duration::from_secs(240)));
        assert_eq!(duration("1h"), Some(Duration::from_secs(3600)));
        for wrong in ["", "s", "4", "0s", "-4m", "+4m", "4 m", "1.5h", "4M", "4m30s", "99999999999999999999h", "18446744073709551615h"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }
}
