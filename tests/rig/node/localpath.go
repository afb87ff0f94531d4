package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	corelisters "k8s.io/client-go/listers/core/v1"
)

const (
	localClass  = "local-path"
	provisioner = "rancher.io/local-path"
)

// provision makes and removes the volumes of the local-path class: folders of this node, as k3s' local-path-provisioner does.
func (n *node) provision(ctx context.Context) error {
	if n.opts.disabled("local-storage") {
		return nil
	}
	factory := informers.NewSharedInformerFactory(n.api, 0)
	claims, volumes := factory.Core().V1().PersistentVolumeClaims(), factory.Core().V1().PersistentVolumes()
	return onChange(ctx, provisioner, factory, func(ctx context.Context) error {
		return errors.Join(n.bind(ctx, claims.Lister()), n.reclaim(ctx, volumes.Lister()))
	}, claims.Informer(), volumes.Informer())
}

// bind makes a volume for each claim that the scheduler has sent to this node.
func (n *node) bind(ctx context.Context, claims corelisters.PersistentVolumeClaimLister) (failed error) {
	all, err := claims.List(labels.Everything())
	for _, claim := range all {
		class := claim.Spec.StorageClassName
		if claim.Status.Phase != v1.ClaimPending || class == nil || *class != localClass || claim.Annotations["volume.kubernetes.io/selected-node"] != n.name {
			continue
		}
		volume := localVolume(n.name, claim)
		path := volume.Spec.HostPath.Path
		if err := errors.Join(os.MkdirAll(path, 0o777), os.Chmod(path, 0o777)); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		if _, err := n.api.CoreV1().PersistentVolumes().Create(ctx, volume, metav1.CreateOptions{}); !apierrors.IsAlreadyExists(err) {
			failed = errors.Join(failed, err)
		}
	}
	return errors.Join(err, failed)
}

// localVolume is the volume of a claim, tied to the node that holds the folder.
func localVolume(node string, claim *v1.PersistentVolumeClaim) *v1.PersistentVolume {
	name := "pvc-" + string(claim.UID)
	kind := v1.HostPathDirectoryOrCreate
	here := v1.NodeSelectorRequirement{Key: v1.LabelHostname, Operator: v1.NodeSelectorOpIn, Values: []string{node}}
	return &v1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{"pv.kubernetes.io/provisioned-by": provisioner}},
		Spec: v1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: v1.PersistentVolumeReclaimDelete, StorageClassName: localClass, AccessModes: claim.Spec.AccessModes,
			Capacity: v1.ResourceList{v1.ResourceStorage: claim.Spec.Resources.Requests[v1.ResourceStorage]}, VolumeMode: claim.Spec.VolumeMode,
			ClaimRef: &v1.ObjectReference{APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID},
			PersistentVolumeSource: v1.PersistentVolumeSource{HostPath: &v1.HostPathVolumeSource{
				Path: fmt.Sprintf("%s/storage/%s_%s_%s", dataDir, name, claim.Namespace, claim.Name), Type: &kind}},
			NodeAffinity: &v1.VolumeNodeAffinity{Required: &v1.NodeSelector{NodeSelectorTerms: []v1.NodeSelectorTerm{{MatchExpressions: []v1.NodeSelectorRequirement{here}}}}},
		},
	}
}

// reclaim removes the volumes that were let go, with what is in them.
func (n *node) reclaim(ctx context.Context, volumes corelisters.PersistentVolumeLister) (failed error) {
	all, err := volumes.List(labels.Everything())
	for _, volume := range all {
		if volume.Status.Phase != v1.VolumeReleased || volume.Annotations["pv.kubernetes.io/provisioned-by"] != provisioner ||
			volume.Spec.HostPath == nil || volume.Spec.PersistentVolumeReclaimPolicy != v1.PersistentVolumeReclaimDelete {
			continue
		}
		err := os.RemoveAll(volume.Spec.HostPath.Path)
		if err == nil {
			err = n.api.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, metav1.DeleteOptions{})
		}
		if !apierrors.IsNotFound(err) {
			failed = errors.Join(failed, err)
		}
	}
	return errors.Join(err, failed)
}
