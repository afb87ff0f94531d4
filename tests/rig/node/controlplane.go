package main

import (
	"errors"
	"net/netip"
	"os"
	"strconv"

	"k8s.io/client-go/rest"
)

const (
	credDir   = serverDir + "/cred/"
	ownServer = "https://127.0.0.1:6443"
)

func (n *node) clusterCIDR() string { return n.opts.last("cluster-cidr", "10.42.0.0/16") }
func (n *node) serviceCIDR() string { return n.opts.last("service-cidr", "10.43.0.0/16") }

// clusterDNS is the address of the kube-dns service: the tenth of the service range unless set.
func (n *node) clusterDNS() string { return n.opts.last("cluster-dns", n.serviceIP(10)) }

// serviceIP is the nth address of the service range; a broken range is refused by kube-apiserver, with its reason.
func (n *node) serviceIP(nth int) string {
	p, _ := netip.ParsePrefix(n.serviceCIDR())
	ip := p.Masked().Addr()
	for range nth {
		ip = ip.Next()
	}
	return ip.String()
}

// startControlPlane makes certificates, tokens and kubeconfigs and starts kube-apiserver. The configuration is the node's own.
func (n *node) startControlPlane() (*rest.Config, error) {
	servers, err1 := openAuthority("server-ca")
	clients, err2 := openAuthority("client-ca")
	front, err3 := openAuthority("request-header-ca")
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	sans := append([]string{"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "localhost", n.name,
		"127.0.0.1", n.serviceIP(1)}, append(n.balanced, n.opts.list("tls-san")...)...)
	serving, err1 := servers.issue("serving-kube-apiserver", subject{name: "kube-apiserver", sans: sans})
	outward, err2 := clients.issue("client-kube-apiserver", subject{name: "kube-apiserver", groups: []string{"system:masters"}})
	proxied, err3 := front.issue("client-auth-proxy", subject{name: "system:auth-proxy"})
	accounts, err4 := serviceKey()
	err := errors.Join(err1, err2, err3, err4, n.writeTokens(servers.cert))

	mode, err1 := strconv.ParseUint(n.opts.last("write-kubeconfig-mode", "0600"), 8, 32)
	own := credDir + "supervisor.kubeconfig"
	for _, user := range []struct {
		cert, path string
		who        subject
		mode       os.FileMode
	}{
		{"client-admin", kubeconfigPath, subject{name: "system:admin", groups: []string{"system:masters"}}, os.FileMode(mode)},
		{"client-supervisor", own, subject{name: "system:k3s-supervisor", groups: []string{"system:masters"}}, 0o600},
		{"client-controller", credDir + "controller.kubeconfig", subject{name: "system:kube-controller-manager"}, 0o600},
		{"client-scheduler", credDir + "scheduler.kubeconfig", subject{name: "system:kube-scheduler"}, 0o600},
	} {
		leaf, issued := clients.issue(user.cert, user.who)
		err1 = errors.Join(err1, issued)
		if issued == nil {
			err1 = errors.Join(err1, writeKubeconfig(user.path, user.mode, ownServer, servers.cert, leaf))
		}
	}
	encryption, err2 := n.encryption()
	if err := errors.Join(err, err1, err2); err != nil {
		return nil, err
	}
	n.part("kube-apiserver", n.opts.flags("kube-apiserver-arg", append(encryption,
		"--advertise-address="+n.ip, "--secure-port=6443", "--allow-privileged=true", "--anonymous-auth=false", "--authorization-mode=Node,RBAC", "--profiling=false",
		"--etcd-servers=unix://"+serverDir+"/kine.sock", "--tls-cert-file="+serving.cert, "--tls-private-key-file="+serving.key, "--client-ca-file="+clients.cert,
		"--kubelet-client-certificate="+outward.cert, "--kubelet-client-key="+outward.key, "--kubelet-certificate-authority="+servers.cert,
		"--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname", "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--api-audiences=https://kubernetes.default.svc.cluster.local,k3s", "--service-account-key-file="+accounts, "--service-account-signing-key-file="+accounts,
		"--service-cluster-ip-range="+n.serviceCIDR(), "--requestheader-client-ca-file="+front.cert, "--requestheader-allowed-names=system:auth-proxy",
		"--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group", "--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file="+proxied.cert, "--proxy-client-key-file="+proxied.key, "--enable-aggregator-routing=true", "--enable-admission-plugins=NodeRestriction")...)...)
	return adminConfig(own)
}

// startControllers starts what needs a ready kube-apiserver.
func (n *node) startControllers() {
	config := credDir + "controller.kubeconfig"
	n.part("kube-controller-manager", n.opts.flags("kube-controller-manager-arg",
		"--kubeconfig="+config, "--authorization-kubeconfig="+config, "--authentication-kubeconfig="+config, "--service-account-private-key-file="+tlsDir+"service.key",
		"--root-ca-file="+tlsDir+"server-ca.crt", "--cluster-signing-cert-file="+tlsDir+"client-ca.crt", "--cluster-signing-key-file="+tlsDir+"client-ca.key",
		"--allocate-node-cidrs=true", "--cluster-cidr="+n.clusterCIDR(), "--use-service-account-credentials=true", "--leader-elect=false",
		"--controllers=*,tokencleaner", "--profiling=false", "--bind-address=127.0.0.1")...)
	config = credDir + "scheduler.kubeconfig"
	n.part("kube-scheduler", n.opts.flags("kube-scheduler-arg", "--kubeconfig="+config, "--authorization-kubeconfig="+config,
		"--authentication-kubeconfig="+config, "--leader-elect=false", "--profiling=false", "--bind-address=127.0.0.1")...)
}
