package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

const networkDir = agentDir + "/etc/cni/net.d"

// startContainerd starts it with the unpacked runc, shim and CNI plugins; its containers survive it.
func (n *node) startContainerd() error {
	path := agentDir + "/etc/containerd/config.toml"
	registries, err := os.ReadFile(registriesPath)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	certs := agentDir + "/etc/containerd/certs.d"
	if err := writeRegistries(registries, certs); err != nil {
		return fmt.Errorf("%s: %w", registriesPath, err)
	}
	// restrict_oom_score_adj: root in a container may not lower its score, and every sandbox would die of trying.
	err = replace(path, fmt.Appendf(nil, `version = 3
root = "%[1]s/containerd"
state = "/run/k3s/containerd"
[grpc]
  address = "%[2]s"
[plugins.'io.containerd.cri.v1.images']
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = "rancher/mirrored-pause:3.6"
  [plugins.'io.containerd.cri.v1.images'.registry]
    config_path = "%[3]s"
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["%[4]s/bin"]
    conf_dir = "%[5]s"
`, agentDir, containerdSock, certs, n.payload, networkDir), 0o600)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(agentDir+"/containerd", 0o711); err != nil {
		return err
	}
	log, err := os.OpenFile(agentDir+"/containerd/containerd.log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := os.Setenv("PATH", n.payload+"/bin:"+os.Getenv("PATH")); err != nil {
		return err
	}
	n.start(log, n.payload+"/bin/containerd", "-c", path)
	return nil
}

// writeNetwork gives containerd the node's pod range: a bridge, and ports of the host. What leaves the cluster is masqueraded by `route`.
func writeNetwork(podCIDR string) error {
	return replace(networkDir+"/10-bridge.conflist", fmt.Appendf(nil, `{"cniVersion":"1.0.0","name":"cbr0","plugins":[
{"type":"bridge","bridge":"cni0","isGateway":true,"hairpinMode":true,
 "ipam":{"type":"host-local","ranges":[[{"subnet":%q}]],"routes":[{"dst":"0.0.0.0/0"}]}},
{"type":"portmap","capabilities":{"portMappings":true}}]}
`, podCIDR), 0o644)
}

// startKubelet starts kubelet and kube-proxy. Drop-ins beside ours change the kubelet's configuration, as in k3s.
func (n *node) startKubelet() error {
	dir := agentDir + "/etc/kubelet.conf.d"
	// evictionHard, imageGC: k3s' 5 % and 85 % are of a disk that here belongs to the whole machine, and builds fill it. 100: never.
	err := replace(dir+"/00-k3s-defaults.conf", fmt.Appendf(nil, `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: %[1]s/client-ca.crt}}
authorization: {mode: Webhook}
cgroupDriver: cgroupfs
clusterDNS: [%[2]q]
clusterDomain: cluster.local
containerRuntimeEndpoint: unix://%[3]s
evictionHard: {imagefs.available: 500Mi, nodefs.available: 500Mi}
failSwapOn: false
imageGCHighThresholdPercent: 100
resolvConf: /etc/resolv.conf
serializeImagePulls: false
tlsCertFile: %[1]s/serving-kubelet.crt
tlsPrivateKeyFile: %[1]s/serving-kubelet.key
`, agentDir, n.clusterDNS(), containerdSock), 0o600)
	if err != nil {
		return err
	}
	err = until(n.ctx, "containerd", time.Minute, func(context.Context) error {
		_, err := os.Stat(containerdSock)
		return err
	})
	if err != nil {
		return err
	}
	labels := append([]string{"node.kubernetes.io/instance-type=k3s"}, n.opts.list("node-label")...)
	n.part("kubelet", n.opts.flags("kubelet-arg", "--config-dir="+dir, "--kubeconfig="+agentDir+"/kubelet.kubeconfig", "--node-ip="+n.ip,
		"--hostname-override="+n.name, "--node-labels="+strings.Join(labels, ","), "--register-with-taints="+strings.Join(n.opts.list("node-taint"), ","))...)
	// Zero keeps kube-proxy from conntrack settings that a container may not write.
	n.part("kube-proxy", n.opts.flags("kube-proxy-arg", "--kubeconfig="+agentDir+"/kubeproxy.kubeconfig", "--cluster-cidr="+n.clusterCIDR(),
		"--hostname-override="+n.name, "--proxy-mode=iptables", "--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0",
		"--conntrack-tcp-timeout-close-wait=0", "--healthz-bind-address=127.0.0.1")...)
	return nil
}
