package main

import (
	"crypto/sha256"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	netv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// policyChain judges every packet to or from a pod; chains of single pods begin with its name.
const policyChain = "KUBE-NETPOL"

// cluster is what network policies are judged by.
type cluster struct {
	pods       []*v1.Pod
	namespaces map[string]labels.Set
	policies   []*netv1.NetworkPolicy
}

// peer is an address range that a rule allows; the pod is known when the rule selected one.
type peer struct {
	cidr string // empty for anyone
	pod  *v1.Pod
}

// rules gives the whole filter for one node's pods as text for iptables-restore, which swaps it in at once. Stale chains are removed.
func (c cluster) rules(node string, present []string) string {
	var chains, body strings.Builder
	fmt.Fprintf(&chains, "*filter\n:%s - [0:0]\n", policyChain)
	// What has begun goes on, and a node always reaches its own pods: kubelet's probes need that.
	fmt.Fprintf(&body, "-A %[1]s -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN\n-A %[1]s -m addrtype --src-type LOCAL -j RETURN\n", policyChain)
	var made []string
	for _, pod := range c.pods {
		if pod.Spec.NodeName != node || !addressed(pod) {
			continue
		}
		for _, way := range []netv1.PolicyType{netv1.PolicyTypeEgress, netv1.PolicyTypeIngress} {
			policies := c.selecting(pod, way)
			if len(policies) == 0 {
				continue
			}
			chain := fmt.Sprintf("%s-%.1s-%.4x", policyChain, way, sha256.Sum256([]byte(pod.UID)))
			made = append(made, chain)
			fmt.Fprintf(&chains, ":%s - [0:0]\n", chain)
			own, _ := sides(way)
			fmt.Fprintf(&body, "-A %s %s %s/32 -j %s\n", policyChain, own, pod.Status.PodIP, chain)
			for _, policy := range policies {
				for _, match := range c.matches(policy, pod, way) {
					fmt.Fprintf(&body, "-A %s%s -j RETURN\n", chain, match)
				}
			}
			fmt.Fprintf(&body, "-A %s -j REJECT\n", chain)
		}
	}
	for _, chain := range present {
		if chain != policyChain && !slices.Contains(made, chain) {
			fmt.Fprintf(&chains, ":%s - [0:0]\n", chain)
			fmt.Fprintf(&body, "-X %s\n", chain)
		}
	}
	return chains.String() + body.String() + "COMMIT\n"
}

// sides names the selected pod's end of a packet and its peer's.
func sides(way netv1.PolicyType) (own, other string) {
	if way == netv1.PolicyTypeEgress {
		return "-s", "-d"
	}
	return "-d", "-s"
}

// addressed tells whether a pod has an address of its own now.
func addressed(pod *v1.Pod) bool {
	return pod.Status.PodIP != "" && !pod.Spec.HostNetwork && pod.Status.Phase != v1.PodSucceeded && pod.Status.Phase != v1.PodFailed
}

// matching tells whether a selector takes a set; the API server has validated the selector.
func matching(selector *metav1.LabelSelector, set labels.Set) bool {
	s, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && s.Matches(set)
}

// selecting lists the policies that apply to a pod in one direction.
func (c cluster) selecting(pod *v1.Pod, way netv1.PolicyType) (found []*netv1.NetworkPolicy) {
	for _, p := range c.policies {
		if p.Namespace == pod.Namespace && slices.Contains(p.Spec.PolicyTypes, way) && matching(&p.Spec.PodSelector, pod.Labels) {
			found = append(found, p)
		}
	}
	return found
}

// matches gives the iptables matches that a policy allows for a pod.
func (c cluster) matches(policy *netv1.NetworkPolicy, pod *v1.Pod, way netv1.PolicyType) (found []string) {
	if way == netv1.PolicyTypeEgress {
		for _, rule := range policy.Spec.Egress {
			for _, p := range c.peers(policy.Namespace, rule.To) {
				found = append(found, crossed(p, rule.Ports, p.pod, way)...)
			}
		}
		return found
	}
	for _, rule := range policy.Spec.Ingress {
		for _, p := range c.peers(policy.Namespace, rule.From) {
			found = append(found, crossed(p, rule.Ports, pod, way)...)
		}
	}
	return found
}

// peers lists whom a rule allows: none given means anyone.
func (c cluster) peers(namespace string, from []netv1.NetworkPolicyPeer) (found []peer) {
	if len(from) == 0 {
		return []peer{{}}
	}
	for _, f := range from {
		if f.IPBlock != nil {
			for _, cidr := range without(f.IPBlock.CIDR, f.IPBlock.Except) {
				found = append(found, peer{cidr: cidr})
			}
			continue
		}
		for _, pod := range c.pods {
			inside := pod.Namespace == namespace
			if f.NamespaceSelector != nil {
				inside = matching(f.NamespaceSelector, c.namespaces[pod.Namespace])
			}
			if inside && addressed(pod) && (f.PodSelector == nil || matching(f.PodSelector, pod.Labels)) {
				found = append(found, peer{pod.Status.PodIP + "/32", pod})
			}
		}
	}
	return found
}

// crossed joins a peer with the ports of a rule; target is the pod whose named ports are meant, if it is known.
func crossed(p peer, ports []netv1.NetworkPolicyPort, target *v1.Pod, way netv1.PolicyType) (found []string) {
	address := ""
	if p.cidr != "" {
		_, other := sides(way)
		address = fmt.Sprintf(" %s %s", other, p.cidr)
	}
	if len(ports) == 0 {
		return []string{address}
	}
	for _, port := range ports {
		protocol := v1.ProtocolTCP
		if port.Protocol != nil {
			protocol = *port.Protocol
		}
		match := fmt.Sprintf("%s -p %s", address, strings.ToLower(string(protocol)))
		switch {
		case port.Port == nil:
			found = append(found, match)
		case port.EndPort != nil:
			found = append(found, fmt.Sprintf("%s --dport %d:%d", match, port.Port.IntVal, *port.EndPort))
		case port.Port.Type == intstr.Int:
			found = append(found, fmt.Sprintf("%s --dport %d", match, port.Port.IntVal))
		default:
			for _, number := range named(target, port.Port.StrVal, protocol) {
				found = append(found, fmt.Sprintf("%s --dport %d", match, number))
			}
		}
	}
	return found
}

// named looks a port's name up in a pod.
func named(pod *v1.Pod, name string, protocol v1.Protocol) (found []int32) {
	if pod == nil {
		return nil
	}
	for _, container := range pod.Spec.Containers {
		for _, port := range container.Ports {
			if port.Name == name && port.Protocol == protocol {
				found = append(found, port.ContainerPort)
			}
		}
	}
	return found
}

// without cuts the exceptions out of an IPv4 range. IPv6 is left out: the rig's pods have none.
func without(cidr string, except []string) []string {
	whole, err := netip.ParsePrefix(cidr)
	if err != nil || !whole.Addr().Is4() {
		return nil
	}
	whole = whole.Masked()
	for _, e := range except {
		hole, err := netip.ParsePrefix(e)
		switch {
		case err != nil || !hole.Overlaps(whole):
			continue
		case hole.Bits() <= whole.Bits():
			return nil
		}
		low := netip.PrefixFrom(whole.Addr(), whole.Bits()+1)
		bytes := whole.Addr().As4()
		bytes[whole.Bits()/8] |= 0x80 >> (whole.Bits() % 8)
		high := netip.PrefixFrom(netip.AddrFrom4(bytes), whole.Bits()+1)
		return append(without(low.String(), except), without(high.String(), except)...)
	}
	return []string{whole.String()}
}
