package main

import (
	"context"
	"errors"
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
)

// balance gives LoadBalancer services the addresses of all nodes, where kube-proxy then serves them. It stands in for k3s' servicelb.
func (n *node) balance(ctx context.Context) error {
	if n.opts.disabled("servicelb") {
		return nil
	}
	factory := informers.NewSharedInformerFactory(n.api, 0)
	services, nodes := factory.Core().V1().Services(), factory.Core().V1().Nodes()
	mode := v1.LoadBalancerIPModeVIP
	return onChange(ctx, "servicelb", factory, func(ctx context.Context) (failed error) {
		known, err1 := nodes.Lister().List(labels.Everything())
		all, err2 := services.Lister().List(labels.Everything())
		var others []string
		for _, node := range known {
			if ip := internalIP(node); node.Name != n.name && ip != "" {
				others = append(others, ip)
			}
		}
		slices.Sort(others)
		var ingress []v1.LoadBalancerIngress
		for _, ip := range slices.Concat(n.balanced, others) {
			ingress = append(ingress, v1.LoadBalancerIngress{IP: ip, IPMode: &mode})
		}
		for _, service := range all {
			if service.Spec.Type != v1.ServiceTypeLoadBalancer || service.Spec.LoadBalancerClass != nil || equality.Semantic.DeepEqual(service.Status.LoadBalancer.Ingress, ingress) {
				continue
			}
			service = service.DeepCopy()
			service.Status.LoadBalancer.Ingress = ingress
			_, err := n.api.CoreV1().Services(service.Namespace).UpdateStatus(ctx, service, metav1.UpdateOptions{})
			if !apierrors.IsConflict(err) { // the newer service comes through the informer
				failed = errors.Join(failed, err)
			}
		}
		return errors.Join(err1, err2, failed)
	}, services.Informer(), nodes.Informer())
}
