//! systemd units.

use crate::model::UnitChange;
use crate::remote::quote::quote;

/// `--no-block`: a k3s that can't join never becomes ready, and systemctl would wait with it.
pub(super) fn script(unit: &str, change: UnitChange) -> String {
    let verb = match change {
        UnitChange::Reload => return "timeout --foreground 60 systemctl daemon-reload".to_owned(),
        UnitChange::Enable => "enable -q",
        UnitChange::Start => "start --no-block",
        UnitChange::Restart => "restart --no-block",
    };
    format!("timeout --foreground 60 systemctl {verb} -- {}", quote(unit))
}
