//! Whether k3s must be started or restarted. The clock of its main process against the clocks of its files is the memory that a killed
//! run leaves behind: no other note is needed.

use crate::model::{UnitChange, UnitState};

/// How far a file's clock may lag behind (the kernel's tick at 100 Hz), µs. A process that started within it may have missed the file:
/// one restart too many rather than one too few.
const TICK: u64 = 10_000;

/// How the files stand to the process that reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Files {
    /// Last changed at this time, µs since the epoch.
    Since(u64),
    /// This plan writes them.
    Rewritten,
}

enum Process {
    /// It has read the files, or is about to.
    Running,
    /// Systemd will start it by itself; it will read the files as they are then.
    Coming,
    Down,
}

fn process(unit: &UnitState) -> Process {
    match (unit.active.as_str(), unit.sub.as_str()) {
        ("activating", "condition" | "start-pre" | "auto-restart" | "auto-restart-queued") => Process::Coming,
        // The job is its own start, which for k3s lasts until the node has joined.
        ("activating", _) => Process::Running,
        _ if unit.job => Process::Coming,
        ("active" | "reloading" | "refreshing", _) => Process::Running,
        _ => Process::Down,
    }
}

/// What the unit needs; none: nothing, or it is on its way already.
pub fn change(unit: &UnitState, files: Files) -> Option<UnitChange> {
    match (process(unit), files) {
        (Process::Down, _) => Some(UnitChange::Start),
        (_, Files::Rewritten) => Some(UnitChange::Restart),
        (Process::Running, Files::Since(changed)) if unit.started <= changed + TICK => Some(UnitChange::Restart),
        _ => None,
    }
}

/// Whether what runs has read a file that was last changed then.
pub fn has_read(unit: &UnitState, changed: u64) -> bool {
    change(unit, Files::Since(changed)).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: u64 = 1_700_000_000_000_000;

    fn unit(active: &str, sub: &str, started: u64, job: bool) -> UnitState {
        UnitState { active: active.into(), sub: sub.into(), enabled: "enabled".into(), needs_reload: false, restarts: 0, job, started }
    }

    #[test]
    fn a_process_older_than_its_files_is_restarted_and_one_of_the_same_moment_too() {
        let seen = |started| change(&unit("active", "running", started, false), Files::Since(AT));
        assert_eq!(seen(AT - 1), Some(UnitChange::Restart));
        assert_eq!(seen(AT + TICK), Some(UnitChange::Restart));
        assert_eq!(seen(AT + TICK + 1), None);
    }

    #[test]
    fn a_queued_restart_is_not_asked_for_twice() {
        assert_eq!(change(&unit("active", "running", AT - 1, true), Files::Since(AT)), None);
        assert_eq!(change(&unit("deactivating", "stop-sigterm", AT - 1, true), Files::Since(AT)), None);
        assert_eq!(change(&unit("activating", "start-pre", AT - 1, true), Files::Since(AT)), None);
    }

    #[test]
    fn a_start_that_hangs_on_old_files_is_restarted() {
        assert_eq!(change(&unit("activating", "start", AT - 1, true), Files::Since(AT)), Some(UnitChange::Restart));
        assert_eq!(change(&unit("activating", "start", 2 * AT, true), Files::Since(AT)), None);
    }

    #[test]
    fn what_is_down_is_started_unless_systemd_is_at_it() {
        assert_eq!(change(&unit("inactive", "dead", AT, false), Files::Rewritten), Some(UnitChange::Start));
        assert_eq!(change(&unit("failed", "failed", 2 * AT, false), Files::Since(AT)), Some(UnitChange::Start));
        assert_eq!(change(&unit("deactivating", "stop-sigterm", AT, false), Files::Since(AT)), Some(UnitChange::Start));
        assert_eq!(change(&unit("activating", "auto-restart", AT - 1, false), Files::Since(AT)), None);
        assert_eq!(change(&unit("activating", "auto-restart", AT - 1, false), Files::Rewritten), Some(UnitChange::Restart));
    }
}
