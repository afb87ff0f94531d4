//! Whether a certificate is renewed in time, by its own lifetime: 90, 45 or 6 days (contract §4.8). cert-manager says when it will
//! (`status.renewalTime`); where it does not, its default counts: when a third of the lifetime is left (§4.5).

use serde_json::Value;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// When a certificate is to be renewed, and when it ends; seconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// From then on cert-manager orders its successor.
    pub due: i64,
    /// Its last second.
    pub ends: i64,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Not due, or due just now.
    InTime,
    /// Due for longer than an order takes. Visitors notice nothing yet, and a CA may be down for an hour.
    Late,
    /// A quarter of the time that is left for it is gone, or three weeks are left at most.
    Overdue,
}

impl Renewal {
    /// As a Certificate's status has it; none: nothing is issued yet.
    pub fn of(certificate: &Value) -> Option<Self> {
        let time = |field: &str| certificate["status"][field].as_str()?.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second);
        Some(Self { due: time("renewalTime")?, ends: time("notAfter")? })
    }

    /// As cert-manager does it unless it is told otherwise.
    pub fn by_default(not_before: i64, not_after: i64) -> Self {
        Self { due: not_after - (not_after - not_before) / 3, ends: not_after }
    }

    /// Judges it at a time.
    pub fn progress(self, now: i64) -> Progress {
        let margin = self.ends - self.due;
        let (late, left) = (now - self.due, self.ends - now);
        if late > 0 && left < (21 * DAY).min(margin * 3 / 4) {
            Progress::Overdue
        } else if late > HOUR.min(margin / 24) {
            Progress::Late
        } else {
            Progress::InTime
        }
    }

    /// Since when it is due, and what is left, in words.
    pub fn told(self, now: i64) -> String {
        let left = match self.ends - now {
            ..=0 => "it has ended".into(),
            left => format!("it ends in {}", span(left)),
        };
        format!("was due {} ago, and {left}", span(now - self.due))
    }
}

/// A span of time in the unit that a person would choose.
pub fn span(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7200 => format!("{} minutes", seconds / 60),
        7200..172_800 => format!("{} hours", seconds / HOUR),
        _ => format!("{} days", seconds / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds after it is due by default, for a lifetime.
    fn at(lifetime: i64, late: i64) -> Progress {
        let renewal = Renewal::by_default(0, lifetime);
        renewal.progress(renewal.due + late)
    }

    #[test]
    fn each_lifetime_has_its_own_measure() {
        use Progress::{InTime, Late, Overdue};
        // 90, 45 and 6 days; the last one is Let's Encrypt's 160 h.
        for (lifetime, overdue) in [(90 * DAY, 9 * DAY), (45 * DAY, 15 * DAY / 4), (160 * HOUR, 40 * HOUR / 3)] {
            let seen = [-1, HOUR, HOUR + 1, overdue, overdue + 1, lifetime / 3 + DAY].map(|late| at(lifetime, late));
            assert_eq!(seen, [InTime, InTime, Late, Late, Overdue, Overdue], "{} days", lifetime / DAY);
        }
    }

    #[test]
    fn minutes_are_enough_for_a_certificate_of_an_hour() {
        assert_eq!([at(HOUR, 50), at(HOUR, 51), at(HOUR, 301)], [Progress::InTime, Progress::Late, Progress::Overdue]);
    }

    #[test]
    fn who_renews_late_on_purpose_is_in_time() {
        let renewal = Renewal { due: 85 * DAY, ends: 90 * DAY };
        assert_eq!(
            [80, 85, 86, 87].map(|day| renewal.progress(day * DAY)),
            [Progress::InTime, Progress::InTime, Progress::Late, Progress::Overdue]
        );
    }

    #[test]
    fn a_status_is_read() {
        let status = serde_json::json!({ "status": { "notAfter": "1970-01-02T00:00:00Z", "renewalTime": "1970-01-01T16:00:00Z" } });
        let renewal = Renewal::of(&status).unwrap();
        assert_eq!(renewal, Renewal { due: 16 * HOUR, ends: DAY });
        assert_eq!(renewal.told(20 * HOUR), "was due 4 hours ago, and it ends in 4 hours");
        assert_eq!(renewal.told(25 * HOUR), "was due 9 hours ago, and it has ended");
        assert_eq!(Renewal::of(&serde_json::json!({ "status": {} })), None);
    }
}
