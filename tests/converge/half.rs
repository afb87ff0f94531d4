//! What a verb leaves behind when it is killed in the middle: the points at which `remote/perform` can stop, no others. A request to the
//! API server and a `systemctl` are whole or not at all; what systemd was told to do without waiting, it does.

use bedplate::model::{
    Action, Encrypting, FileKind, FileWrite, Gatekeeper, HostAction, HostId, Install, ReleaseAction, SSHD_UNPROVEN, UnitChange,
};

use crate::fake::World;

type Half = Box<dyn FnOnce(&mut World)>;

/// Leaves the action half done in the `way`th way; false: there is no such way.
pub fn half(world: &mut World, action: &Action, way: usize) -> bool {
    let Action::Host(host, action) = action else { return false };
    let Some(half) = ways(world, host, action).into_iter().nth(way) else { return false };
    half(world);
    true
}

fn ways(world: &mut World, id: &HostId, action: &HostAction) -> Vec<Half> {
    match action {
        HostAction::WriteFile(FileWrite { path, .. }) | HostAction::Link { path, .. } | HostAction::MakeToken { path } => {
            unnamed(world, id, path, &["XXXXXX"])
        }
        HostAction::Enforce(Gatekeeper::Nftables, FileWrite { path, content, .. }) => {
            // Enforced, and proven by nobody: the switch has not fallen yet.
            let (own, bytes) = (id.clone(), content.bytes().to_vec());
            let unproven: Half = Box::new(move |world| world.host(&own).rules = Some(bytes));
            unnamed(world, id, path, &["XXXXXX"]).into_iter().chain([unproven]).collect()
        }
        HostAction::Enforce(Gatekeeper::Sshd, file) => {
            // What goes back lies there, and then the settings, too: the switch has not fallen yet.
            let unproven = |tried: bool| -> Half {
                let (id, file) = (id.clone(), file.clone());
                Box::new(move |world| {
                    let host = world.host(&id);
                    host.put(SSHD_UNPROVEN, FileKind::File, b"r!".into(), 0o644, (0, 0));
                    if tried {
                        host.put(&file.path, FileKind::File, file.content.bytes().into(), file.mode, file.owner.ids());
                    }
                })
            };
            unnamed(world, id, &file.path, &["XXXXXX"]).into_iter().chain([unproven(false), unproven(true)]).collect()
        }
        // The archive, and its member beside it.
        HostAction::Install(Install { path, member: Some(_), .. }) => unnamed(world, id, path, &["XXXXXX", "XXXXXX.YYYYYY"]),
        HostAction::Install(Install { path, .. }) => unnamed(world, id, path, &["XXXXXX"]),
        HostAction::MakeFolder { path, owner, .. } => {
            let folder = |ids: (u32, u32)| -> Half {
                let (id, path) = (id.clone(), path.clone());
                Box::new(move |world| world.host(&id).put(&path, FileKind::Folder, Vec::new(), 0o700, ids))
            };
            vec![folder((0, 0)), folder(owner.ids())]
        }
        // The link in multi-user.target.wants, and systemd not yet told.
        HostAction::Unit { change: UnitChange::Enable, .. } => {
            let id = id.clone();
            vec![Box::new(move |world| world.host(&id).enabled = true)]
        }
        HostAction::Unit { .. } | HostAction::PinImage { .. } | HostAction::RemoveImage { .. } => Vec::new(),
        // Not the run alone dies, but k3s as well.
        HostAction::Encrypt(Encrypting::RotateKeys) => {
            let id = id.clone();
            vec![Box::new(move |world| world.hosts.get_mut(&id).unwrap().dies_encrypting(&mut world.api))]
        }
        HostAction::Encrypt(Encrypting::Enable | Encrypting::Reencrypt) => Vec::new(),
        HostAction::Import(image) => {
            // containerd names one after the other, and pins come afterwards.
            let upto = |named: usize, pinned: usize| -> Half {
                let (id, image) = (id.clone(), image.clone());
                Box::new(move |world| {
                    for (place, name) in image.names.iter().take(named).enumerate() {
                        world.host(&id).images.insert(name.clone(), (image.id.clone(), place < pinned));
                    }
                })
            };
            let all = image.names.len();
            (1..=all).map(|named| upto(named, 0)).chain((1..all).map(|pinned| upto(all, pinned))).collect()
        }
        HostAction::Release(release) => helm(world, id, release),
    }
}

/// A path whose folders are there in part, or whose content lies beside it.
fn unnamed(world: &mut World, id: &HostId, path: &str, beside: &'static [&'static str]) -> Vec<Half> {
    let lacking: Vec<String> = world.host(id).lacking(path).into_iter().map(str::to_owned).collect();
    let mut ways: Vec<Half> = Vec::new();
    for upto in 1..=lacking.len() {
        let (id, made) = (id.clone(), lacking[..upto].to_vec());
        // Made, and not yet given to its owner.
        ways.push(Box::new(move |world| {
            made.iter().for_each(|folder| world.host(&id).put(folder, FileKind::Folder, Vec::new(), 0o755, (0, 0)))
        }));
    }
    for upto in 1..=beside.len() {
        let (id, path) = (id.clone(), path.to_owned());
        ways.push(Box::new(move |world| {
            let host = world.host(&id);
            host.parents(&path, (0, 0));
            host.temporary(&path, beside[0]);
            for unique in &beside[1..upto] {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                host.put(&format!("{folder}/.bedplate-{unique}"), FileKind::File, Vec::new(), 0o600, (0, 0));
            }
        }));
    }
    ways
}

/// A pending revision, and none, some or all of its objects.
fn helm(world: &mut World, id: &HostId, action: &ReleaseAction) -> Vec<Half> {
    let applied = |upto: usize| -> Half {
        let (id, action) = (id.clone(), action.clone());
        Box::new(move |world| {
            world.host(&id).workplace("XXXXXX");
            let objects = match &action {
                ReleaseAction::Upgrade { release, .. } => world.api.begin(release).unwrap_or_default(),
                ReleaseAction::Uninstall { namespace, name } => {
                    world.api.begin_uninstall(namespace, name);
                    Vec::new()
                }
                ReleaseAction::ClearPending { namespace, name, deployed, .. } => {
                    deployed.map(|good| world.api.begin_rollback(namespace, name, good)).unwrap_or_default()
                }
            };
            objects.into_iter().take(upto).for_each(|object| world.api.put(object));
            // A killed helm stays killed, and what it applied comes to life: the next run may be a day away.
            world.api.reconcile();
        })
    };
    match action {
        ReleaseAction::Upgrade { release, .. } => (0..=world.api.rendered(release).len()).map(applied).collect(),
        ReleaseAction::Uninstall { .. } => vec![applied(0)],
        ReleaseAction::ClearPending { deployed: Some(_), .. } => vec![applied(0), applied(usize::MAX)],
        ReleaseAction::ClearPending { .. } => Vec::new(),
    }
}
