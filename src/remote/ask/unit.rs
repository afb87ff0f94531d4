//! systemd units and their journals.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::reply;
use crate::model::{Answer, Reply, UnitState};
use crate::remote::frame::Output;
use crate::remote::quote::quote;

pub(super) fn script(unit: &str) -> String {
    format!(
        "timeout --foreground 20 systemctl show --timestamp=us -p LoadState -p ActiveState -p SubState -p UnitFileState -p NeedDaemonReload \
         -p NRestarts -p Job -p ExecMainStartTimestamp -- {}",
        quote(unit)
    )
}

pub(super) fn journal_script(unit: &str) -> String {
    format!("timeout --foreground 20 journalctl -q --no-pager -o cat -n 40 -u {}", quote(unit))
}

/// `systemctl show` prints `Key=value` lines, and nothing is an error to it (systemd: man/systemctl.xml).
pub(super) fn parse(output: &Output) -> Answer {
    let text = output.text();
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    if output.status == 0 && value("LoadState") == Some("not-found") {
        return Answer::Absent;
    }
    reply(output, |_| {
        Some(Reply::Unit(UnitState {
            active: value("ActiveState")?.to_owned(),
            sub: value("SubState")?.to_owned(),
            enabled: value("UnitFileState")?.to_owned(),
            needs_reload: value("NeedDaemonReload")? == "yes",
            // Only services count restarts.
            restarts: value("NRestarts").map_or(Some(0), |count| count.parse().ok())?,
            job: value("Job").is_some_and(|job| !matches!(job, "" | "0")),
            // Only services have a main process.
            started: match value("ExecMainStartTimestamp").unwrap_or_default() {
                "" | "n/a" | "0" => 0,
                stamp => microseconds(stamp)?,
            },
        }))
    })
}

/// `Sat 2026-11-21 06:34:31.123456 UTC`: the worker runs with `TZ=UTC`.
fn microseconds(stamp: &str) -> Option<u64> {
    let time = DateTime::strptime("%a %Y-%m-%d %H:%M:%S%.f UTC", stamp).ok()?;
    u64::try_from(time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_microsecond()).ok()
}

pub(super) fn parse_journal(output: &Output) -> Answer {
    reply(output, |text| {
        let kept = |character: &char| !character.is_control() || *character == '\n';
        Some(Reply::Text(text.chars().filter(kept).collect()))
    })
}

#[cfg(test)]
mod tests {
    use super::super::{failed, printed};
    use super::*;

    #[test]
    fn a_running_unit() {
        let shown = "NRestarts=2\nLoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nNeedDaemonReload=no\n\
                     Job=812\nExecMainStartTimestamp=Sat 2026-11-21 06:34:31.123456 UTC\n";
        let state = UnitState {
            active: "active".into(),
            sub: "running".into(),
            enabled: "enabled".into(),
            needs_reload: false,
            restarts: 2,
            job: true,
            started: 1_795_242_871_123_456,
        };
        assert_eq!(parse(&printed(shown)), Answer::Present(Reply::Unit(state)));
    }

    #[test]
    fn a_unit_that_never_ran() {
        let shown = "LoadState=loaded\nActiveState=inactive\nSubState=dead\nUnitFileState=disabled\nNeedDaemonReload=yes\nJob=\nExecMainStartTimestamp=\n";
        let Answer::Present(Reply::Unit(state)) = parse(&printed(shown)) else { panic!() };
        assert_eq!((state.started, state.needs_reload, state.restarts, state.job), (0, true, 0, false));
    }

    #[test]
    fn no_unit_and_no_systemd_differ() {
        assert_eq!(parse(&printed("LoadState=not-found\nActiveState=inactive\nSubState=dead\n")), Answer::Absent);
        let none = failed(1, "System has not been booted with systemd as init system (PID 1). Can't operate.\n");
        assert!(matches!(parse(&none), Answer::Unreadable(why) if why.contains("not been booted with systemd")));
    }

    #[test]
    fn a_journal_can_steer_no_terminal() {
        assert_eq!(parse_journal(&printed("a\u{1b}[2J\nb\n")), Answer::Present(Reply::Text("a[2J\nb\n".into())));
    }
}
