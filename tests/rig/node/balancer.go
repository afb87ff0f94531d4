package main

import (
	"context"
	"errors"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
)

// balance gives LoadBalancer services this node's addresses, where kube-proxy then serves them. It stands in for k3s' servicelb.
func (n *node) balance(ctx context.Context) error {
	if n.opts.disabled("servicelb") {
		return nil
	}
	factory := informers.NewSharedInformerFactory(n.api, 0)
	services := factory.Core().V1().Services()
	var ingress []v1.LoadBalancerIngress
	mode := v1.LoadBalancerIPModeVIP
	for _, ip := range n.balanced {
		ingress = append(ingress, v1.LoadBalancerIngress{IP: ip, IPMode: &mode})
	}
	return onChange(ctx, "servicelb", factory, func(ctx context.Context) (failed error) {
		all, err := services.Lister().List(labels.Everything())
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
		return errors.Join(err, failed)
	}, services.Informer())
}
