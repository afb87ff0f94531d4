//! The causes: what stands in the namespace of each site, which words must be said of it, and the cure.

/// One site. Its name is its namespace's, its Ingress' and its domain's.
pub struct Site {
    pub name: &'static str,
    pub issuer: &'static str,
    /// The host's public address that its name leads to. What is amiss with port 80 is so at one address and not at the others.
    pub address: &'static str,
    /// What stands there before the Ingress.
    pub beside: &'static str,
    pub words: &'static [&'static str],
    /// A shell script. What the API server refused to cert-manager is told with a cure of its own: the challenge is deleted.
    pub cure: &'static str,
}

/// The project's own issuer.
pub const STAGING: &str = "letsencrypt-staging";

/// Where the shop is, too.
const HERE: &str = "203.0.113.10";
/// Where a firewall drops what comes to port 80.
const SHUT: &str = "203.0.113.81";
/// Where another web server has port 80.
const TAKEN: &str = "203.0.113.82";

/// Gives the host and Traefik those two addresses, as a provider's floating ones.
pub const ADDRESSES: &str = r#"set -eu
for address in 203.0.113.81 203.0.113.82; do ip address add "$address/24" dev host0; done
k3s kubectl -n kube-system patch service traefik --type=merge -p '{"spec":{"externalIPs":["203.0.113.81","203.0.113.82"]}}'
iptables -w -t raw -I PREROUTING -p tcp -d 203.0.113.81 --dport 80 -j DROP
printf '%b' 'HTTP/1.1 404 Not Found\r\nServer: nginx/1.22.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n' >/run/other-server
systemd-run --quiet --unit=other-server socat TCP-LISTEN:8881,fork,reuseaddr SYSTEM:'cat /run/other-server; timeout 1 cat >/dev/null'
iptables -w -t nat -I PREROUTING -p tcp -d 203.0.113.82 --dport 80 -j REDIRECT --to-ports 8881
"#;
/// Takes them away again.
pub const NO_ADDRESSES: &str = r#"k3s kubectl -n kube-system patch service traefik --type=merge -p '{"spec":{"externalIPs":null}}'
for address in 203.0.113.81 203.0.113.82; do ip address del $address/24 dev host0; done"#;

/// All of them.
pub const SITES: [Site; 12] = [
    Site {
        name: "shut",
        issuer: STAGING,
        address: HERE,
        beside: "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: default-deny-ingress, namespace: shut}\n\
                 spec: {podSelector: {}, policyTypes: [Ingress]}\n---\n\
                 apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: allow-traefik-to-web, namespace: shut}\n\
                 spec: {podSelector: {matchLabels: {app.kubernetes.io/name: shut}}, policyTypes: [Ingress], ingress: [{\
                 from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}], ports: [{port: 8080, protocol: TCP}]}]}\n",
        words: &[
            "wrong status code '502'",
            "networkpolicy shut/default-deny-ingress lets nobody in",
            "applies networkpolicy shut/bedplate-acme-solver",
        ],
        cure: "k3s kubectl -n shop get networkpolicy bedplate-acme-solver -o json \
               | sed 's/\"namespace\": \"shop\"/\"namespace\": \"shut\"/; /\"uid\":/d; /\"resourceVersion\":/d' | k3s kubectl create -f -",
    },
    Site {
        name: "elsewhere",
        issuer: STAGING,
        address: HERE,
        beside: "",
        words: &["elsewhere.example leads to 203.0.113.99", "and must lead to 203.0.113.10", "point its A or AAAA record at 203.0.113.10"],
        cure: "",
    },
    Site {
        name: "six",
        issuer: STAGING,
        address: HERE,
        beside: "",
        words: &[
            "was refused by the CA",
            "six.example leads to 203.0.113.10 and 2001:db8::7",
            "2001:db8::7 does not answer",
            "`bedplate bootstrap` asks anew",
        ],
        cure: "k3s kubectl -n six delete certificate six-tls",
    },
    Site {
        name: "class",
        issuer: "other-class",
        address: HERE,
        beside: "",
        words: &[
            "wrong status code '404'",
            "is of the ingress class nginx, which nobody serves",
            "ingressClassName of the issuer's solver to traefik",
        ],
        cure: "k3s kubectl -n class annotate --overwrite ingress class cert-manager.io/cluster-issuer=letsencrypt-staging",
    },
    Site {
        name: "rivals",
        issuer: STAGING,
        address: HERE,
        beside: "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: another, namespace: rivals}\n\
                 spec: {secretName: rivals-tls, dnsNames: [another.example], issuerRef: {name: letsencrypt-staging, kind: ClusterIssuer}}\n",
        words: &[
            "certificate rivals/rivals-tls waits for ever",
            "certificate rivals/another writes the same secret rivals-tls",
            "another tls.secretName",
        ],
        cure: "k3s kubectl -n rivals delete certificate another; k3s kubectl -n rivals annotate certificate rivals-tls asked=anew",
    },
    Site {
        name: "full",
        issuer: STAGING,
        address: HERE,
        beside: "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: none, namespace: full}\nspec: {hard: {pods: \"0\"}}\n",
        words: &["exceeded quota: none", "resourcequota full/none leaves no room", "kubectl -n full describe resourcequota none"],
        cure: "k3s kubectl -n full delete resourcequota none; k3s kubectl -n full delete challenge --all",
    },
    Site {
        name: "limits",
        issuer: STAGING,
        address: HERE,
        beside: "apiVersion: v1\nkind: LimitRange\nmetadata: {name: tight, namespace: limits}\nspec: {limits: [{type: Container, max: {cpu: 50m}}]}\n",
        words: &["maximum cpu usage per Container is 50m", "a limitrange of limits does not fit", "kubectl -n limits describe limitrange"],
        cure: "k3s kubectl -n limits delete limitrange tight; k3s kubectl -n limits delete challenge --all",
    },
    Site {
        name: "webhook",
        issuer: STAGING,
        address: HERE,
        beside: "apiVersion: v1\nkind: Service\nmetadata: {name: away, namespace: webhook}\nspec: {selector: {app: away}, ports: [{port: 443}]}\n---\n\
                 apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: away}\nwebhooks:\n\
                 - {name: pods.away.example, failurePolicy: Fail, sideEffects: None, admissionReviewVersions: [v1], timeoutSeconds: 2,\n\
                 \x20  clientConfig: {service: {name: away, namespace: webhook}},\n\
                 \x20  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: webhook}},\n\
                 \x20  rules: [{apiGroups: [\"\"], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}\n",
        words: &[
            "failed calling webhook",
            "must ask admission webhook pods.away.example",
            "delete its configuration if it was left behind",
        ],
        cure: "k3s kubectl delete validatingwebhookconfiguration away; k3s kubectl -n webhook delete challenge --all",
    },
    Site {
        name: "nobody",
        issuer: "nobody-home",
        address: HERE,
        beside: "",
        words: &[
            "clusterissuer nobody-home is not ready",
            "does not answer this machine either: refused",
            "cert-manager tries again by itself",
        ],
        cure: "k3s kubectl -n nobody annotate --overwrite ingress nobody cert-manager.io/cluster-issuer=letsencrypt-staging",
    },
    Site {
        name: "mail",
        issuer: "no-address",
        address: HERE,
        beside: "",
        words: &[
            "clusterissuer no-address is not ready",
            "urn:ietf:params:acme:error:invalidContact",
            "the CA does not take the e-mail address of the account",
            "set acme.email to an address that receives mail",
        ],
        cure: "k3s kubectl -n mail annotate --overwrite ingress mail cert-manager.io/cluster-issuer=letsencrypt-staging",
    },
    Site {
        name: "closed",
        issuer: STAGING,
        address: SHUT,
        beside: "",
        words: &[
            "the challenge of closed.example does not get on",
            "port 80 of 203.0.113.81 does not answer",
            "let TCP 80 in to 203.0.113.81",
        ],
        cure: "iptables -w -t raw -D PREROUTING -p tcp -d 203.0.113.81 --dport 80 -j DROP",
    },
    Site {
        name: "other",
        issuer: STAGING,
        address: TAKEN,
        beside: "",
        words: &[
            "wrong status code '404'",
            "another web server (nginx/1.22.1) answers on port 80 of 203.0.113.82",
            "so that Traefik gets port 80",
        ],
        cure: "iptables -w -t nat -D PREROUTING -p tcp -d 203.0.113.82 --dport 80 -j REDIRECT --to-ports 8881
               systemctl stop other-server; rm /run/other-server",
    },
];

/// Three issuers like the staging one, but nobody's whom `--prune` takes away: of a class that nobody serves, of a CA that nobody runs, and of an account without an address.
pub const ISSUERS: &str = r#"set -eu
alike() { k3s kubectl get clusterissuer letsencrypt-staging -o json | sed "s/\"letsencrypt-staging\"/\"$1\"/; s/\"bedplate\"/\"somebody\"/; $2; /\"uid\":/d; /\"resourceVersion\":/d" | k3s kubectl create -f -; }
alike other-class 's/"ingressClassName": "traefik"/"ingressClassName": "nginx"/'
alike nobody-home 's/:14000/:14009/; s/letsencrypt-staging-account/nobody-home-account/'
alike no-address 's/"email": "[^"]*"/"email": "nobody"/; s/letsencrypt-staging-account/no-address-account/'
"#;

/// What must be said of a site.
pub fn words(site: &str) -> &'static [&'static str] {
    SITES.iter().find(|known| known.name == site).map_or(&[], |known| known.words)
}
