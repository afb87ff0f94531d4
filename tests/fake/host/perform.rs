//! What a host does.

use std::path::Path;

use bedplate::model::{Failure, FileKind, Gatekeeper, HostAction, Owner, ReleaseAction, SSHD_UNPROVEN};

use super::disk::digest_of;
use super::{HELM, Host};
use crate::fake::api::Api;

impl Host {
    pub fn perform(&mut self, action: &HostAction, api: &mut Api) -> Result<(), Failure> {
        match action {
            HostAction::WriteFile(file) => {
                self.parents(&file.path, file.owner.ids());
                self.tidy(&file.path);
                self.put(&file.path, FileKind::File, file.content.bytes().into(), file.mode, file.owner.ids());
            }
            HostAction::MakeFolder { path, mode, owner } => {
                self.parents(path, owner.ids());
                self.put(path, FileKind::Folder, Vec::new(), *mode, owner.ids());
            }
            HostAction::Link { path, target } => {
                self.parents(path, Owner::Root.ids());
                self.tidy(path);
                self.put(path, FileKind::Link(target.clone()), target.as_bytes().to_vec(), 0o777, (0, 0));
            }
            HostAction::MakeToken { path } => {
                self.parents(path, Owner::Root.ids());
                self.tidy(path);
                if !self.files.contains_key(path) {
                    self.put(path, FileKind::File, digest_of(path).into(), 0o600, (0, 0));
                }
            }
            HostAction::Enforce(by, file) => {
                self.perform(&HostAction::WriteFile(file.clone()), api)?;
                match by {
                    Gatekeeper::Nftables => self.rules = Some(file.content.bytes().into()),
                    Gatekeeper::Sshd => drop(self.files.remove(SSHD_UNPROVEN)),
                }
            }
            HostAction::Install(install) => {
                self.parents(&install.path, Owner::Root.ids());
                self.tidy(&install.path);
                self.put(&install.path, FileKind::File, Vec::new(), install.mode, (0, 0));
                if let (Some(file), None) = (self.files.get_mut(&install.path), &install.member) {
                    file.digest.clone_from(&install.pin.sha256);
                }
            }
            HostAction::Encrypt(how) => return self.encrypt(*how, api),
            HostAction::Unit { unit, change } => return self.change(unit, *change),
            HostAction::Import(_) | HostAction::PinImage { .. } | HostAction::RemoveImage { .. } if !self.runs() => {
                return Err(Failure::new("reach containerd", "k3s does not run", ""));
            }
            HostAction::Import(image) => {
                for name in &image.names {
                    self.images.insert(name.clone(), (image.id.clone(), true));
                }
            }
            HostAction::RemoveImage { id, .. } => self.images.retain(|_, image| image.0 != *id),
            HostAction::PinImage { name } => {
                if let Some(image) = self.images.get_mut(name) {
                    image.1 = true;
                }
            }
            HostAction::Release(action) => return self.release(action, api),
        }
        Ok(())
    }

    fn release(&mut self, action: &ReleaseAction, api: &mut Api) -> Result<(), Failure> {
        if self.follow(Path::new(HELM)).is_none() || !self.serves() {
            return Err(Failure::new("run helm", "helm or k3s is not there", ""));
        }
        match action {
            ReleaseAction::Upgrade { release, .. } => api.upgrade(release)?,
            ReleaseAction::Uninstall { namespace, name } => api.uninstall(namespace, name),
            ReleaseAction::ClearPending { namespace, name, deployed, .. } => api.clear(namespace, name, *deployed),
        }
        self.clear_workplace();
        Ok(())
    }
}
