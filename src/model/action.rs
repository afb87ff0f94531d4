//! Everything that bedplate can do to the world: a closed list of reviewed verbs. `remote`, `kube` and `operator` perform them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::{
    ArtifactRef, CertificateSpec, Encrypting, HostId, ImageSource, KeyKind, Manifest, ObjectRef, Pin, Recipe, ReleaseAction, Restart,
    RotationAction, Secret, SecretSpec,
};

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// On a host, as root.
    Host(HostId, HostAction),
    /// At the API server.
    Api(ApiAction),
    /// On the operator's side.
    Operator(OperatorAction),
}

/// Changes on a host.
#[derive(Clone, Debug, PartialEq)]
pub enum HostAction {
    /// Replace a file: temp file in the same folder, fsync, rename. Missing parents are made, with `owner`.
    WriteFile(FileWrite),
    /// Make a folder, or mend its mode and owner.
    MakeFolder {
        /// Absolute.
        path: String,
        /// Permission bits.
        mode: u32,
        /// Whose.
        owner: Owner,
    },
    /// Point a symbolic link at `target`.
    Link {
        /// Absolute.
        path: String,
        /// As written into the link.
        target: String,
    },
    /// Put 256 random bits into a file of root's, mode 0600, as lower-case hex. A file that holds something keeps it. Missing parents are made.
    MakeToken {
        /// Absolute.
        path: String,
    },
    /// Have somebody enforce a file who decides who comes in, and keep it once a new SSH connection has come in under it. Until then a timer
    /// on the host takes it back; so does a reboot.
    Enforce(Gatekeeper, FileWrite),
    /// Bring an artifact to the host: digest checked before it gets its name, then renamed. Missing parents are made, 0755, root's.
    Install(Install),
    /// Change a systemd unit's state.
    Unit {
        /// `k3s`.
        unit: String,
        /// What to do.
        change: UnitChange,
    },
    /// Have k3s encrypt Secrets in its datastore.
    Encrypt(Encrypting),
    /// Import an image into k3s' containerd and pin it.
    Import(ImageImport),
    /// Spare an image that is there from kubelet's garbage collection.
    PinImage {
        /// Full reference.
        name: String,
    },
    /// Remove an image that no container uses, with all of its names.
    RemoveImage {
        /// One of them, in full.
        name: String,
        /// Config digest.
        id: String,
    },
    /// Run helm.
    Release(ReleaseAction),
}

/// Who decides who comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gatekeeper {
    /// By our table.
    Nftables,
    /// By our drop-in.
    Sshd,
}

/// A file to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct FileWrite {
    /// Absolute.
    pub path: String,
    /// What it will hold.
    pub content: Content,
    /// Permission bits.
    pub mode: u32,
    /// Whose.
    pub owner: Owner,
}

/// A file's new content.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// May be shown in a plan.
    Plain(String),
    /// Must not.
    Hidden(Secret),
}

impl Content {
    /// The bytes to write.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Plain(text) => text.as_bytes(),
            Self::Hidden(secret) => secret.expose(),
        }
    }
}

/// Whose a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// uid 0, gid 0.
    Root,
    /// The login user.
    User {
        /// Numeric owner.
        uid: u32,
        /// Numeric group.
        gid: u32,
    },
}

impl Owner {
    /// Numeric owner and group.
    #[must_use]
    pub const fn ids(self) -> (u32, u32) {
        match self {
            Self::Root => (0, 0),
            Self::User { uid, gid } => (uid, gid),
        }
    }
}

/// An artifact to be installed.
#[derive(Clone, Debug, PartialEq)]
pub struct Install {
    /// What it must be.
    pub pin: Pin,
    /// The member to take out of a `.tar.gz`; none: the artifact is the file.
    pub member: Option<String>,
    /// Where it goes.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
}

/// What to do with a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitChange {
    /// `systemctl daemon-reload`.
    Reload,
    /// `systemctl enable`.
    Enable,
    /// `systemctl start --no-block`: a k3s that cannot join blocks for ever.
    Start,
    /// `systemctl restart --no-block`.
    Restart,
}

/// An image to be imported.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageImport {
    /// Where it comes from.
    pub source: ImageSource,
    /// For which machines, as the vendors call them.
    pub arch: String,
    /// Full references it carries.
    pub names: Vec<String>,
    /// Config digest that each must have afterwards.
    pub id: String,
    /// Bytes.
    pub size: u64,
}

/// Annotation of a `PutSecret`'s Secret: random, new with every change of data. What restarts hang on.
pub const REVISION: &str = "bedplate.dev/revision";
/// How the revision begins that a Secret was made with.
pub const FIRST_REVISION: &str = "first-";

/// Changes at the API server.
#[derive(Clone, Debug, PartialEq)]
pub enum ApiAction {
    /// Server-side apply with force, under bedplate's field manager.
    Apply(Manifest),
    /// Create or bring to exactly these keys.
    PutSecret(SecretSpec),
    /// The same, with further keys whose values are made up as it is written.
    MakeUp(SecretSpec, BTreeMap<String, Recipe>),
    /// Make a key pair in memory and create a Secret of it; a Secret that is there already is left alone.
    CreateKeyPair {
        /// Namespace.
        namespace: String,
        /// Name of the Secret.
        name: String,
        /// Of which kind.
        kind: KeyKind,
    },
    /// Make a key pair in memory and put its private half beside the one of a Secret, as the one that signs next; a Secret that somebody
    /// changed since the plan is left alone.
    AddKeyPair {
        /// Namespace.
        namespace: String,
        /// Name of the Secret.
        name: String,
        /// Of which kind.
        kind: KeyKind,
        /// Id of the key that it follows.
        follows: String,
        /// `resourceVersion` of the live Secret that the plan was made from.
        resource_version: String,
    },
    /// Make a certificate in memory, as a TLS Secret; one that somebody made or changed since the plan is left alone.
    CreateCertificate(CertificateSpec),
    /// Let cert-manager issue a Certificate anew at once, as `cmctl renew` does; one that is being issued already is left alone.
    Renew {
        /// Namespace.
        namespace: String,
        /// Name of the Certificate.
        name: String,
    },
    /// Replace a workload's pods, as its strategy says: its pod template is told the revision of something that they read. The revision
    /// that stands there already replaces none.
    Restart(Restart),
    /// Go on with the rotation of a database's password.
    Rotate(RotationAction),
    /// Delete an object.
    Delete(ObjectRef),
}

/// Changes on the operator's side.
#[derive(Clone, Debug, PartialEq)]
pub enum OperatorAction {
    /// First meeting with an artifact: take the vendor's sum over verified TLS, fetch, compare, record in `bedplate.lock`.
    Learn(ArtifactRef),
    /// Merge our context into the operator's kubeconfig, with a backup.
    MergeKubeconfig(KubeconfigMerge),
}

/// The operator's kubeconfig as it must be.
#[derive(Clone, Debug, PartialEq)]
pub struct KubeconfigMerge {
    /// Absolute.
    pub path: PathBuf,
    /// What was there when it was looked at: nothing else is replaced.
    pub base: Option<Secret>,
    /// The whole merged file.
    pub content: Secret,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(_, action) => action.fmt(f),
            Self::Api(action) => action.fmt(f),
            Self::Operator(action) => action.fmt(f),
        }
    }
}

impl fmt::Display for HostAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WriteFile(file) => write!(f, "write {} (mode {:04o})", file.path, file.mode),
            Self::MakeFolder { path, mode, .. } => write!(f, "make folder {path} (mode {mode:04o})"),
            Self::Link { path, target } => write!(f, "link {path} -> {target}"),
            Self::MakeToken { path } => write!(f, "make a random token in {path} (mode 0600)"),
            Self::Enforce(_, file) => write!(f, "enforce {}, kept once a new ssh connection comes in", file.path),
            Self::Install(install) => write!(f, "install {} as {}", install.pin.artifact, install.path),
            Self::Unit { unit, change } => match change {
                UnitChange::Reload => f.write_str("reload systemd"),
                UnitChange::Enable => write!(f, "enable {unit}"),
                UnitChange::Start => write!(f, "start {unit}"),
                UnitChange::Restart => write!(f, "restart {unit}"),
            },
            Self::Encrypt(how) => how.fmt(f),
            Self::Import(image) => write!(f, "import image {}", image.names.join(", ")),
            Self::PinImage { name } => write!(f, "pin image {name}"),
            Self::RemoveImage { name, .. } => write!(f, "remove image {name}"),
            Self::Release(action) => action.fmt(f),
        }
    }
}

impl fmt::Display for ApiAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Apply(manifest) => write!(f, "apply {}", manifest.object()),
            Self::PutSecret(secret) | Self::MakeUp(secret, _) => write!(f, "write secret {}/{}", secret.namespace, secret.name),
            Self::CreateKeyPair { namespace, name, kind } => write!(f, "make {kind} as secret {namespace}/{name}"),
            Self::AddKeyPair { namespace, name, kind, follows, .. } => {
                write!(f, "make {kind} to follow {follows} in secret {namespace}/{name}")
            }
            Self::Restart(Restart { workload, .. }) => write!(f, "restart {workload}"),
            Self::CreateCertificate(wanted) => write!(f, "make {wanted}"),
            Self::Renew { namespace, name } => write!(f, "have certificate {namespace}/{name} issued anew"),
            Self::Rotate(action) => action.fmt(f),
            Self::Delete(object) => write!(f, "delete {object}"),
        }
    }
}

impl fmt::Display for OperatorAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Learn(artifact) => write!(f, "fetch {artifact} and pin it in bedplate.lock"),
            Self::MergeKubeconfig(merge) => write!(f, "merge the cluster into {}", merge.path.display()),
        }
    }
}
