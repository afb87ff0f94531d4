//! Kinds known by heart: asking the server for them would cost every run a round trip.

use ::kube::core::{ApiResource, GroupVersionKind};
use ::kube::discovery::Scope;
use k8s_openapi::api::admissionregistration::v1::{MutatingWebhookConfiguration, ValidatingWebhookConfiguration};
use k8s_openapi::api::{
    apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet},
    autoscaling::v2::HorizontalPodAutoscaler,
    batch::v1::{CronJob, Job},
    coordination::v1::Lease,
    core::v1::{
        ConfigMap, Endpoints, Event, Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod, ReplicationController, Secret, Service,
        ServiceAccount,
    },
    networking::v1::{Ingress, IngressClass, NetworkPolicy},
    policy::v1::PodDisruptionBudget,
    rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding},
    storage::v1::StorageClass,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
use k8s_openapi::{ClusterResourceScope, NamespaceResourceScope, Resource};

use super::kinds::Kind;

/// A kind's scope, from its type.
trait Scoped {
    const SCOPE: Scope;
}

impl Scoped for ClusterResourceScope {
    const SCOPE: Scope = Scope::Cluster;
}

impl Scoped for NamespaceResourceScope {
    const SCOPE: Scope = Scope::Namespaced;
}

type Row = (&'static str, &'static str, &'static str, Scope);

const fn row<K: Resource<Scope: Scoped>>() -> Row {
    (K::API_VERSION, K::KIND, K::URL_PATH_SEGMENT, K::Scope::SCOPE)
}

/// API version, kind, plural, scope. Kubernetes' own from its types; custom ones from the definitions that cert-manager and Traefik ship.
const KNOWN: &[Row] = &[
    row::<APIService>(),
    row::<ClusterRole>(),
    row::<ClusterRoleBinding>(),
    row::<ConfigMap>(),
    row::<CronJob>(),
    row::<CustomResourceDefinition>(),
    row::<DaemonSet>(),
    row::<Deployment>(),
    row::<Endpoints>(),
    row::<Event>(),
    row::<HorizontalPodAutoscaler>(),
    row::<Ingress>(),
    row::<IngressClass>(),
    row::<Job>(),
    row::<Lease>(),
    row::<MutatingWebhookConfiguration>(),
    row::<Namespace>(),
    row::<NetworkPolicy>(),
    row::<Node>(),
    row::<PersistentVolume>(),
    row::<PersistentVolumeClaim>(),
    row::<Pod>(),
    row::<PodDisruptionBudget>(),
    row::<ReplicaSet>(),
    row::<ReplicationController>(),
    row::<Role>(),
    row::<RoleBinding>(),
    row::<Secret>(),
    row::<Service>(),
    row::<ServiceAccount>(),
    row::<StatefulSet>(),
    row::<StorageClass>(),
    row::<ValidatingWebhookConfiguration>(),
    ("acme.cert-manager.io/v1", "Challenge", "challenges", Scope::Namespaced),
    ("acme.cert-manager.io/v1", "Order", "orders", Scope::Namespaced),
    ("cert-manager.io/v1", "Certificate", "certificates", Scope::Namespaced),
    ("cert-manager.io/v1", "CertificateRequest", "certificaterequests", Scope::Namespaced),
    ("cert-manager.io/v1", "ClusterIssuer", "clusterissuers", Scope::Cluster),
    ("cert-manager.io/v1", "Issuer", "issuers", Scope::Namespaced),
    ("traefik.io/v1alpha1", "IngressRoute", "ingressroutes", Scope::Namespaced),
    ("traefik.io/v1alpha1", "Middleware", "middlewares", Scope::Namespaced),
];

/// One of the kinds known by heart.
pub fn kind(version: &str, kind: &str) -> Option<Kind> {
    let (version, kind, plural, scope) = KNOWN.iter().find(|row| (row.0, row.1) == (version, kind))?;
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    let resource = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural);
    Some(Kind { resource, scope: scope.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ObjectRef;

    #[test]
    fn known_kinds_lie_where_the_server_has_them() {
        // As `kubectl get --raw` addresses them (Kubernetes' API reference; cert-manager's and Traefik's definitions).
        let cases = [
            ("v1", "Node", "", "/api/v1/nodes"),
            ("v1", "Service", "shop", "/api/v1/namespaces/shop/services"),
            ("networking.k8s.io/v1", "NetworkPolicy", "", "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies"),
            ("cert-manager.io/v1", "ClusterIssuer", "", "/apis/cert-manager.io/v1/clusterissuers"),
            ("traefik.io/v1alpha1", "Middleware", "shop", "/apis/traefik.io/v1alpha1/namespaces/shop/middlewares"),
        ];
        for (version, name, namespace, path) in cases {
            assert_eq!(kind(version, name).unwrap().home(&ObjectRef::new(version, name, namespace, "x")), path);
        }
        assert!(kind("v1beta1", "Node").is_none() && kind("example.com/v1", "Page").is_none());
    }
}
