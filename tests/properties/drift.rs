//! What happens to a world between two runs.

use bedplate::model::{Action, ApiAction, FileKind, HostAction, HostId, JWT_PUBLIC, LiveRelease, MANAGED_BY, ObjectRef, Secret};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::fake::World;

/// Kinds, and the list of all of them.
macro_rules! kinds {
    ($($kind:ident)*) => {
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum Kind { $($kind),* }

        pub const KINDS: &[Kind] = &[$(Kind::$kind),*];
    };
}

kinds! {
    FileGone FileAltered FileMode FileOwner Linked
    HelmFormer Stopped Disabled NotReloaded RulesGone RulesOther
    ImageGone ImageOther ImageUnpinned
    ObjectGone ObjectAltered ObjectForeign
    SecretGone KeyAdded KeyRemoved KeyChanged
    ReleasePending ReleaseOtherPending ReleaseFailed ReleaseOld ReleaseGone
    PinGone KubeconfigGone KubeconfigForeign
}

use Kind::*;

/// A kind, and which one of the things of that kind.
#[derive(Clone, Copy, Debug)]
pub struct Drift {
    pub kind: Kind,
    /// Counted on from the first after the last.
    pub at: usize,
}

pub fn drifts() -> impl Strategy<Value = Vec<Drift>> {
    vec((select(KINDS), any::<usize>()).prop_map(|(kind, at)| Drift { kind, at }), 0..5)
}

impl Drift {
    /// Whether bedplate leaves it as it is.
    pub fn stays(&self) -> bool {
        matches!(self.kind, ObjectForeign | KubeconfigForeign)
    }

    /// Whether k3s may have to be started or restarted for it.
    pub fn concerns_k3s(&self) -> bool {
        matches!(self.kind, FileGone | FileAltered | FileMode | FileOwner | Linked | Stopped)
    }

    fn pick<'a, T>(&self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.at.checked_rem(of.len())?)
    }

    /// `whole`: all that bedplate does to such a world.
    pub fn apply(&self, world: &mut World, whole: &[Action]) {
        match self.kind {
            FileGone | FileAltered | FileMode | FileOwner | Linked => self.file(world, whole),
            HelmFormer | Stopped | Disabled | NotReloaded | RulesGone | RulesOther => self.host(world),
            ImageGone | ImageOther | ImageUnpinned => self.host(world),
            ObjectGone | ObjectAltered | ObjectForeign => self.object(world, whole),
            SecretGone | KeyAdded | KeyRemoved | KeyChanged => self.secret(world),
            ReleasePending | ReleaseOtherPending | ReleaseFailed | ReleaseOld | ReleaseGone => self.release(world),
            PinGone => {
                let pins = &mut world.operator.pins;
                if !pins.is_empty() {
                    pins.remove(self.at % pins.len());
                }
            }
            KubeconfigGone => world.operator.kubeconfig = None,
            KubeconfigForeign => {
                let other = "apiVersion: v1\nkind: Config\ncontexts:\n- name: other\n  context: {cluster: other, user: other}\ncurrent-context: other\n";
                world.operator.kubeconfig = Some(Secret::new(other));
            }
        }
        world.api.reconcile();
    }

    /// A file that bedplate writes; a few kinds of drift it must not see through, and those are no drift of that file.
    fn file(&self, world: &mut World, whole: &[Action]) {
        let written: Vec<(HostId, String)> = whole.iter().filter_map(written).collect();
        let Some((id, path)) = self.pick(&written) else { return };
        let host = world.host(id);
        let user = path.ends_with("/.bashrc");
        let helm = path.contains("/helm-");
        // Who takes away both config.yaml and the unit has no k3s of ours any more.
        let mark = path.ends_with("/config.yaml");
        let unit = path.ends_with(".service");
        match self.kind {
            FileGone if !user && !mark => {
                if let Some(file) = host.files.remove(path)
                    && file.kind == FileKind::Folder
                {
                    host.files.retain(|other, _| !other.starts_with(&format!("{path}/")));
                }
            }
            Linked if !user && !mark && !unit && host.files.get(path).is_some_and(|file| file.kind == FileKind::File) => {
                host.put(path, FileKind::Link("/nowhere".into()), Vec::new(), 0o777, (0, 0));
            }
            FileAltered if !helm => {
                let Some(file) = host.files.get(path).filter(|file| file.kind == FileKind::File) else { return };
                let (mode, owner) = (file.mode, file.owner);
                let altered = match path {
                    _ if user => b"# mine\n".to_vec(),
                    path if path.ends_with("/.kube/config") => Vec::new(),
                    _ => [&file.bytes[..], b"# by hand\n"].concat(),
                };
                host.put(path, FileKind::File, altered, mode, owner);
            }
            FileMode | FileOwner if !user => {
                let changed = host.tick();
                if let Some(file) = host.files.get_mut(path).filter(|file| !matches!(file.kind, FileKind::Link(_))) {
                    if self.kind == FileMode {
                        file.mode = 0o666
                    } else {
                        file.owner = (1234, 1234)
                    }
                    file.modified = changed;
                }
            }
            _ => {}
        }
    }

    fn host(&self, world: &mut World) {
        let ids: Vec<HostId> = world.hosts.keys().cloned().collect();
        let Some(id) = self.pick(&ids) else { return };
        let host = world.host(id);
        let images: Vec<String> = host.images.keys().cloned().collect();
        match (self.kind, self.pick(&images)) {
            (HelmFormer, _) if host.files.contains_key("/usr/local/bin/helm") => {
                host.put("/usr/local/bin/helm", FileKind::Link("/usr/local/lib/bedplate/helm-former".into()), Vec::new(), 0o777, (0, 0));
            }
            (Stopped, _) => host.active_since = None,
            (Disabled, _) => host.enabled = false,
            (NotReloaded, _) => host.loaded = 0,
            (RulesGone, _) => host.rules = None,
            (RulesOther, _) => host.rules.iter_mut().for_each(|rules| rules.extend(b"# by hand\n")),
            (ImageGone, Some(name)) => drop(host.images.remove(name)),
            (ImageOther, Some(name)) => drop(host.images.insert(name.clone(), ("sha256:other".into(), true))),
            (ImageUnpinned, Some(name)) => host.images.get_mut(name).into_iter().for_each(|image| image.1 = false),
            _ => {}
        }
    }

    /// An object of ours, or of a release's.
    fn object(&self, world: &mut World, whole: &[Action]) {
        let released = world.api.releases.values().filter_map(|revisions| revisions.last()).flat_map(|release| release.objects.iter());
        let released = released.filter_map(|body| bedplate::model::Manifest::new(body.clone()));
        let applied = whole
            .iter()
            .filter_map(|action| if let Action::Api(ApiAction::Apply(manifest)) = action { Some(manifest.clone()) } else { None });
        let ours: Vec<ObjectRef> = applied.chain(released).map(|manifest| manifest.object().clone()).collect();
        let Some(object) = self.pick(&ours) else { return };
        let Some(body) = world.api.objects.get_mut(object) else { return };
        match self.kind {
            ObjectGone => world.api.delete(object),
            ObjectForeign => body["metadata"]["labels"]["foreign"] = json!("yes"),
            _ if object.kind == "Namespace" => body["metadata"]["labels"][MANAGED_BY.0] = json!("somebody"),
            _ => alter(&mut body["spec"]),
        }
    }

    fn secret(&self, world: &mut World) {
        let keys: Vec<(String, String)> = world.api.secrets.keys().cloned().collect();
        let Some(name) = self.pick(&keys) else { return };
        if self.kind == SecretGone {
            world.api.secrets.remove(name);
            return;
        }
        let Some(live) = world.api.secrets.get_mut(name) else { return };
        let first = live.data.keys().next().cloned();
        live.resource_version = format!("{}0", live.resource_version);
        match (self.kind, first) {
            // cert-manager's own.
            _ if live.kind != "Opaque" => {}
            // The private half is nobody's to change: see the golden cases.
            (KeyRemoved | KeyChanged, Some(key)) if key.ends_with(".pem") => drop(live.data.remove(JWT_PUBLIC)),
            (KeyRemoved, Some(key)) => drop(live.data.remove(&key)),
            (KeyChanged, Some(key)) => drop(live.data.insert(key, Secret::new("changed"))),
            (KeyAdded, Some(key)) if !key.ends_with(".pem") => drop(live.data.insert("ADDED".into(), Secret::new("by hand"))),
            _ => {}
        }
    }

    fn release(&self, world: &mut World) {
        let names: Vec<(String, String)> = world.api.releases.keys().cloned().collect();
        let Some((namespace, name)) = self.pick(&names) else { return };
        let Some(newest) = world.api.newest(namespace, name) else { return };
        let other = "d".repeat(40);
        let revisions = world.api.releases.entry((namespace.clone(), name.clone())).or_default();
        match self.kind {
            ReleasePending => world.api.pend(namespace, name, LiveRelease { status: "pending-upgrade".into(), ..newest }),
            ReleaseOtherPending => {
                world.api.pend(namespace, name, LiveRelease { status: "pending-upgrade".into(), chart_digest: other, ..newest });
            }
            ReleaseFailed => revisions.last_mut().into_iter().for_each(|last| last.status = "failed".into()),
            ReleaseOld => revisions.last_mut().into_iter().for_each(|last| last.chart_digest.clone_from(&other)),
            _ => {
                world.api.releases.remove(&(namespace.clone(), name.clone()));
                for manifest in newest.objects.into_iter().filter_map(bedplate::model::Manifest::new) {
                    world.api.delete(manifest.object());
                }
            }
        }
    }
}

/// The path that an action makes, if it is no link.
fn written(action: &Action) -> Option<(HostId, String)> {
    let Action::Host(host, action) = action else { return None };
    let path = match action {
        HostAction::WriteFile(file) | HostAction::Enforce(_, file) => &file.path,
        HostAction::Install(install) => &install.path,
        HostAction::MakeFolder { path, .. } => path,
        _ => return None,
    };
    Some((host.clone(), path.clone()))
}

/// Changes the first value that stands in it.
fn alter(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().next().into_iter().for_each(alter),
        Value::Array(items) if !items.is_empty() => alter(&mut items[0]),
        other => *other = json!("by hand"),
    }
}
