//! What is done to a bare host.

use bedplate::model::{
    Action, ApiAction, ApiQuestion, Content, Failure, FileWrite, Gatekeeper, HostAction, HostQuestion, Owner, Question, SSHD_DROP_IN,
    SSHD_UNPROVEN, Secret, Tool, UnitChange,
};

use crate::api::{manifest, namespace};
use crate::twins::Twins;

/// The rig's login user, as the fake has it.
const USER: Owner = Owner::User { uid: 1000, gid: 1000 };
const FILE: &str = "/etc/agree.conf";
const DEEP: &str = "/home/appuser/agree/deep/file";
const FOLDER: &str = "/home/appuser/agree/folder";
const INNER: &str = "/etc/agree.d/inner";
const LINK: &str = "/etc/agree.d/link";
const UNIT: &str = "/etc/systemd/system/k3s.service";
const RULES: &str = "/etc/bedplate/firewall.nft";
/// Asked about after every action.
const PATHS: [&str; 15] = [
    FILE,
    DEEP,
    "/home/appuser/agree/deep",
    "/home/appuser/agree",
    FOLDER,
    INNER,
    "/etc/agree.d",
    LINK,
    UNIT,
    "/etc/rancher/k3s/k3s.yaml",
    "/etc/bedplate",
    RULES,
    SSHD_DROP_IN,
    SSHD_UNPROVEN,
    "/etc/ssh/sshd_config.d",
];

pub async fn agree(twins: &mut Twins<'_>) -> Result<(), Failure> {
    let questions = questions(twins);
    twins.compare("nothing", &questions).await?;
    for action in files().into_iter().chain(rules()).chain(logins()).chain(units()) {
        twins.perform(&twins.act(action), &questions).await?;
    }
    // Without k3s there is no API server to change.
    twins.perform(&Action::Api(ApiAction::Apply(manifest(namespace())?)), &questions).await
}

fn questions(twins: &Twins<'_>) -> Vec<Question> {
    let mut questions = vec![
        HostQuestion::Stat("/etc/systemd/system".into()),
        HostQuestion::Unit("k3s".into()),
        HostQuestion::Unit("k3s-agent".into()),
        HostQuestion::Version(Tool::K3s),
        HostQuestion::Version(Tool::Helm),
        HostQuestion::Images,
        HostQuestion::Rules(RULES.into()),
        HostQuestion::Encryption,
        HostQuestion::Sshd,
    ];
    for path in PATHS.map(str::to_owned) {
        questions.extend([HostQuestion::Stat(path.clone()), HostQuestion::Digest(path.clone()), HostQuestion::Content(path)]);
    }
    let api = Question::Api(ApiQuestion::Ready);
    questions.into_iter().map(|question| twins.ask(question)).chain([api]).collect()
}

fn files() -> Vec<HostAction> {
    let folder = |path: &str, mode, owner| HostAction::MakeFolder { path: path.into(), mode, owner };
    let link = |target: &str| HostAction::Link { path: LINK.into(), target: target.into() };
    vec![
        file(FILE, "one\n", 0o600, Owner::Root),
        file(FILE, "two\n", 0o600, Owner::Root),
        file(FILE, "two\n", 0o644, Owner::Root),
        HostAction::WriteFile(FileWrite { path: DEEP.into(), content: Content::Hidden(Secret::new("x'y")), mode: 0o640, owner: USER }),
        file(DEEP, "", 0o600, Owner::Root),
        folder(FOLDER, 0o700, USER),
        folder(FOLDER, 0o755, Owner::Root),
        folder(INNER, 0o750, Owner::Root),
        link("../agree.conf"),
        link(DEEP),
        link("/etc/agree.d"),
        link("/nowhere"),
        // A file takes the place of a link, not of what it leads to.
        file(LINK, "three\n", 0o600, Owner::Root),
    ]
}

fn rules() -> Vec<HostAction> {
    let text = |port: u16| {
        let chain = format!("type filter hook prerouting priority -150; policy accept; tcp dport {{ 22, {port} }} accept");
        format!("table inet bedplate\ndelete table inet bedplate\ntable inet bedplate {{ chain doors {{ {chain}; }}; }}\n")
    };
    let enforce = |port| {
        HostAction::Enforce(
            Gatekeeper::Nftables,
            FileWrite { path: RULES.into(), content: Content::Plain(text(port)), mode: 0o644, owner: Owner::Root },
        )
    };
    vec![enforce(80), enforce(80), file(RULES, &text(443), 0o600, Owner::Root), enforce(80), enforce(443)]
}

fn logins() -> Vec<HostAction> {
    let enforce = |text: &str| {
        let file = FileWrite { path: SSHD_DROP_IN.into(), content: Content::Plain(text.into()), mode: 0o644, owner: Owner::Root };
        HostAction::Enforce(Gatekeeper::Sshd, file)
    };
    let both = "PasswordAuthentication no\nPermitRootLogin no\n";
    vec![enforce("PasswordAuthentication no\n"), enforce(both), file(SSHD_DROP_IN, "# by hand\n", 0o600, Owner::Root), enforce(both)]
}

fn units() -> Vec<HostAction> {
    let change = |change| HostAction::Unit { unit: "k3s".into(), change };
    let unit = |seconds: &str| {
        let text = format!("[Service]\nExecStart=/bin/sleep {seconds}\n[Install]\nWantedBy=multi-user.target\n");
        file(UNIT, &text, 0o644, Owner::Root)
    };
    vec![
        // There is no such unit yet.
        change(UnitChange::Enable),
        change(UnitChange::Start),
        unit("infinity"),
        change(UnitChange::Reload),
        change(UnitChange::Enable),
        unit("86400"),
        change(UnitChange::Reload),
        change(UnitChange::Start),
        change(UnitChange::Start),
        unit("infinity"),
        change(UnitChange::Restart),
        change(UnitChange::Reload),
        change(UnitChange::Restart),
        unit("86400"),
        change(UnitChange::Enable),
    ]
}

fn file(path: &str, text: &str, mode: u32, owner: Owner) -> HostAction {
    HostAction::WriteFile(FileWrite { path: path.into(), content: Content::Plain(text.into()), mode, owner })
}
