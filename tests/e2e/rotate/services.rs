//! The services of `tests/rig/tokens`: one signs, two verify, in two namespaces, and one is their load.

/// Each pod by itself; a new one is there before the old one goes.
pub const MANIFESTS: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: sign, namespace: tokens}
spec:
  selector: {matchLabels: {app: sign}}
  strategy: {rollingUpdate: {maxUnavailable: 0}}
  template:
    metadata: {labels: {app: sign}}
    spec:
      securityContext: {runAsNonRoot: true, fsGroup: 65532}
      containers:
        - name: sign
          image: docker.io/shop/tokens:1.0.0
          imagePullPolicy: IfNotPresent
          args: [sign]
          env: [{name: TOKEN_LIFETIME, value: 30s}]
          readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
          volumeMounts: [{name: keys, mountPath: /keys, readOnly: true}]
      volumes: [{name: keys, secret: {secretName: jwt-keys, defaultMode: 0440}}]
---
apiVersion: v1
kind: Service
metadata: {name: sign, namespace: tokens}
spec: {selector: {app: sign}, ports: [{port: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: desk, namespace: tokens}
spec:
  selector: {matchLabels: {app: verify}}
  strategy: {rollingUpdate: {maxUnavailable: 0}}
  template:
    metadata: {labels: {app: verify}}
    spec:
      containers:
        - name: verify
          image: docker.io/shop/tokens:1.0.0
          imagePullPolicy: IfNotPresent
          args: [verify]
          readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
          volumeMounts: [{name: keys, mountPath: /keys, readOnly: true}]
      volumes: [{name: keys, configMap: {name: jwt-public}}]
---
apiVersion: v1
kind: Service
metadata: {name: verify, namespace: tokens}
spec: {selector: {app: verify}, ports: [{port: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: gate, namespace: far}
spec:
  selector: {matchLabels: {app: verify}}
  strategy: {rollingUpdate: {maxUnavailable: 0}}
  template:
    metadata: {labels: {app: verify}}
    spec:
      containers:
        - name: verify
          image: docker.io/shop/tokens:1.0.0
          imagePullPolicy: IfNotPresent
          args: [verify]
          readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
          volumeMounts: [{name: keys, mountPath: /keys, readOnly: true}]
      volumes: [{name: keys, configMap: {name: jwt-public}}]
---
apiVersion: v1
kind: Service
metadata: {name: verify, namespace: far}
spec: {selector: {app: verify}, ports: [{port: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: load, namespace: tokens}
spec:
  selector: {matchLabels: {app: load}}
  template:
    metadata: {labels: {app: load}}
    spec:
      containers:
        - name: load
          image: docker.io/shop/tokens:1.0.0
          imagePullPolicy: IfNotPresent
          args: [load]
          env:
            - {name: TOKEN_LIFETIME, value: 30s}
            - {name: SIGNER, value: "http://sign.tokens:8080/"}
            - {name: VERIFIERS, value: "http://verify.tokens:8080/,http://verify.far:8080/"}
          readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: load, namespace: tokens}
spec: {selector: {app: load}, ports: [{port: 8080}]}
"#;

/// Signs nothing that anybody asked for.
pub const SPY: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: spy, namespace: tokens}
spec:
  selector: {matchLabels: {app: spy}}
  template:
    metadata: {labels: {app: spy}}
    spec:
      containers:
        - name: spy
          image: docker.io/shop/tokens:1.0.0
          imagePullPolicy: IfNotPresent
          args: [sign]
          env: [{name: TOKEN_LIFETIME, value: 30s}]
          readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
          volumeMounts: [{name: keys, mountPath: /keys, readOnly: true}]
      volumes: [{name: keys, secret: {secretName: jwt-keys}}]
"#;
