package main

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
)

// routeMark is the routing protocol's number under which our routes are known again; nobody else uses it.
const routeMark netlink.RouteProtocol = 73

// internalIP is a node's address in the cluster.
func internalIP(node *v1.Node) string {
	for _, address := range node.Status.Addresses {
		if address.Type == v1.NodeInternalIP {
			return address.Address
		}
	}
	return ""
}

// route keeps one route to each other node's pods, as flannel's host-gw does, and hides pods behind their node when they leave the cluster.
func (n *node) route(ctx context.Context) error {
	factory := informers.NewSharedInformerFactory(n.api, 0)
	nodes := factory.Core().V1().Nodes()
	return onChange(ctx, "routes", factory, func(ctx context.Context) error {
		all, err := nodes.Lister().List(labels.Everything())
		if err != nil {
			return err
		}
		return errors.Join(n.masquerade(ctx), routes(n.name, all))
	}, nodes.Informer())
}

// routes sets what is wanted and removes what was wanted once.
func routes(own string, nodes []*v1.Node) (failed error) {
	wanted := map[string]bool{}
	for _, node := range nodes {
		gateway := net.ParseIP(internalIP(node))
		_, pods, err := net.ParseCIDR(node.Spec.PodCIDR)
		if node.Name == own || gateway == nil || err != nil {
			continue // it has not got them yet
		}
		wanted[pods.String()] = true
		if err := netlink.RouteReplace(&netlink.Route{Dst: pods, Gw: gateway, Protocol: routeMark}); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s via %s: %w", pods, gateway, err))
		}
	}
	present, err := netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Protocol: routeMark}, netlink.RT_FILTER_PROTOCOL)
	failed = errors.Join(failed, err)
	for _, route := range present {
		if !wanted[route.Dst.String()] {
			failed = errors.Join(failed, netlink.RouteDel(&route))
		}
	}
	return failed
}

func (n *node) masquerade(ctx context.Context) error {
	rule := []string{"POSTROUTING", "-s", n.clusterCIDR(), "!", "-d", n.clusterCIDR(), "-j", "MASQUERADE"}
	if _, err := iptables(ctx, "", "iptables", append([]string{"-w", "-t", "nat", "-C"}, rule...)...); err == nil {
		return nil
	}
	_, err := iptables(ctx, "", "iptables", append([]string{"-w", "-t", "nat", "-A"}, rule...)...)
	return err
}
