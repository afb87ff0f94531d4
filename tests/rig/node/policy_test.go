package main

import (
	"slices"
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
	netv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func pod(namespace, app, ip string) *v1.Pod {
	return &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: app, UID: types.UID(app), Labels: map[string]string{"app": app}},
		Spec:       v1.PodSpec{NodeName: "here", Containers: []v1.Container{{Ports: []v1.ContainerPort{{Name: "http", ContainerPort: 8080, Protocol: v1.ProtocolTCP}}}}},
		Status:     v1.PodStatus{PodIP: ip, Phase: v1.PodRunning},
	}
}

func selector(key, value string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{key: value}}
}

func policy(ingress ...netv1.NetworkPolicyIngressRule) *netv1.NetworkPolicy {
	return &netv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop"},
		Spec:       netv1.NetworkPolicySpec{PolicyTypes: []netv1.PolicyType{netv1.PolicyTypeIngress}, Ingress: ingress},
	}
}

// allowed gives the matches that the web pod's ingress chain lets pass, in order.
func allowed(t *testing.T, policies ...*netv1.NetworkPolicy) (matches []string) {
	t.Helper()
	c := cluster{
		pods:       []*v1.Pod{pod("shop", "web", "10.42.0.5"), pod("shop", "auth", "10.42.0.6"), pod("kube-system", "traefik", "10.42.0.2")},
		namespaces: map[string]labels.Set{"shop": {"name": "shop"}, "kube-system": {"name": "kube-system"}},
		policies:   policies,
	}
	text := c.rules("here", nil)
	_, after, found := strings.Cut(text, "-d 10.42.0.5/32 -j ")
	if !found {
		return []string{"everything"}
	}
	chain, _, _ := strings.Cut(after, "\n")
	for line := range strings.Lines(text) {
		if match, ok := strings.CutPrefix(strings.TrimSpace(line), "-A "+chain); ok {
			matches = append(matches, strings.TrimSpace(match))
		}
	}
	return matches
}

func TestIngress(t *testing.T) {
	tcp, named, first, last := v1.ProtocolTCP, intstr.FromString("http"), intstr.FromInt32(9000), int32(9010)
	traefik := netv1.NetworkPolicyPeer{NamespaceSelector: selector("name", "kube-system"), PodSelector: selector("app", "traefik")}
	own := netv1.NetworkPolicyPeer{PodSelector: selector("app", "auth")}
	block := netv1.NetworkPolicyPeer{IPBlock: &netv1.IPBlock{CIDR: "192.0.2.0/30", Except: []string{"192.0.2.1/32"}}}
	for name, test := range map[string]struct {
		policies []*netv1.NetworkPolicy
		want     []string
	}{
		"none":         {nil, []string{"everything"}},
		"default deny": {[]*netv1.NetworkPolicy{policy()}, []string{"-j REJECT"}},
		"anyone":       {[]*netv1.NetworkPolicy{policy(netv1.NetworkPolicyIngressRule{})}, []string{"-j RETURN", "-j REJECT"}},
		"named port": {
			[]*netv1.NetworkPolicy{policy(), policy(netv1.NetworkPolicyIngressRule{From: []netv1.NetworkPolicyPeer{traefik}, Ports: []netv1.NetworkPolicyPort{{Protocol: &tcp, Port: &named}}})},
			[]string{"-s 10.42.0.2/32 -p tcp --dport 8080 -j RETURN", "-j REJECT"},
		},
		"port range": {
			[]*netv1.NetworkPolicy{policy(netv1.NetworkPolicyIngressRule{From: []netv1.NetworkPolicyPeer{own}, Ports: []netv1.NetworkPolicyPort{{Port: &first, EndPort: &last}}})},
			[]string{"-s 10.42.0.6/32 -p tcp --dport 9000:9010 -j RETURN", "-j REJECT"},
		},
		"exception": {
			[]*netv1.NetworkPolicy{policy(netv1.NetworkPolicyIngressRule{From: []netv1.NetworkPolicyPeer{block}})},
			[]string{"-s 192.0.2.0/32 -j RETURN", "-s 192.0.2.2/31 -j RETURN", "-j REJECT"},
		},
	} {
		if got := allowed(t, test.policies...); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestStaleChainsGo(t *testing.T) {
	text := cluster{}.rules("here", []string{policyChain, policyChain + "-I-00000000"})
	if !strings.Contains(text, "-X KUBE-NETPOL-I-00000000\n") || strings.Contains(text, "-X KUBE-NETPOL\n") {
		t.Error(text)
	}
}
