//! The words that all rooms share: questions, answers, plans and actions. No I/O happens here.

mod action;
mod answer;
mod answers;
mod asked;
mod causes;
mod cluster;
mod database;
mod encryption;
mod event;
mod failure;
mod host;
mod id;
mod image;
mod key;
mod manifest;
mod outside;
mod pin;
mod plan;
mod program;
mod question;
mod reference;
mod release;
mod restart;
mod secret;
mod several;
mod size;
mod sshd;
mod step;
mod view;
mod world;

pub use action::{
    Action, ApiAction, Content, FIRST_REVISION, FileWrite, Gatekeeper, HostAction, ImageImport, Install, KubeconfigMerge, OperatorAction,
    Owner, REVISION, UnitChange,
};
pub use answer::{Answer, Reply};
pub use answers::{Blob, ChartFacts, Conflict, DryRun, ImageArchive, LiveRelease, LiveSecret};
pub use causes::{causes, chain};
pub use cluster::{AGENT_TOKEN, API_PORT, CLUSTER_CA, ClusterFacts, K3S_DATA, K3S_KUBECONFIG};
pub use database::{DatabaseKind, DatabaseLogin, NEW_PASSWORD, OLD_PASSWORD, PasswordRef, ROTATION, RotationAction};
pub use encryption::{ENCRYPTION_CONFIG, Encrypting, Provider};
pub use event::{Event, Sink};
pub use failure::{Exit, Failure};
pub use host::{FileKind, FileMeta, FormerImage, HostFacts, ImageOnHost, Listener, Privilege, Rules, UnitState};
pub use id::{HostId, Scope, StepId};
pub use image::ImageSource;
pub use key::{JWT_NEXT, JWT_OLD, JWT_PRIVATE, JWT_PUBLIC, KEY_ID, KeyKind, WITHDRAWN_AFTER};
pub use manifest::{MANAGED_BY, Manifest, ObjectRef};
pub use outside::{Exchange, NOT_BEGUN, Phase, Served};
pub use pin::{ArtifactRef, Pin, Pins};
pub use plan::{Condition, Finding, Missing, Note, Plan, Planned, Why};
pub use program::{EnvSource, Program};
pub use question::{ApiQuestion, HostQuestion, OperatorQuestion, OutsideQuestion, Question, RecordKind, Resolver, Tool, Trusted, Visit};
pub use reference::{full_reference, parsed_reference};
pub use release::{CHART_LABEL, ChartSource, ROLLED_BACK, ReleaseAction, ReleaseUpgrade, mark, marked};
pub use restart::Restart;
pub use secret::{CertificateSpec, MADE_UP, Recipe, Secret, SecretKind, SecretSpec, TLS_CA, TLS_CHAIN, TLS_KEY};
pub use several::several;
pub use size::Size;
pub use sshd::{PermitRootLogin, SSHD_DROP_IN, SSHD_UNPROVEN, STRANGER, SshdFacts};
pub use step::Step;
pub use view::{Seen, View};
pub use world::World;
