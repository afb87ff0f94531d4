package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/server/options/encryptionconfig/controller"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/component-base/compatibility"
	logsapi "k8s.io/component-base/logs/api/v1"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	flags "k8s.io/kubernetes/cmd/kube-apiserver/app/options"
)

// errStranger is a node whose password is not the one that its name was first used with.
var errStranger = errors.New("node password rejected")

// apiServer is kube-apiserver with k3s' supervisor in front: both answer on one port. The rest is as in upstream's own command.
func apiServer() *cobra.Command {
	s := flags.NewServerRunOptions()
	registry := s.GenericServerRunOptions.ComponentGlobalsRegistry
	cmd := &cobra.Command{
		Use: "kube-apiserver", SilenceUsage: true,
		PersistentPreRunE: func(*cobra.Command, []string) error { return registry.Set() },
		RunE: func(*cobra.Command, []string) error {
			if err := logsapi.ValidateAndApply(s.Logs, registry.FeatureGateFor(compatibility.DefaultKubeComponent)); err != nil {
				return err
			}
			return serve(genericapiserver.SetupSignalContext(), s)
		},
	}
	for _, set := range s.Flags().FlagSets {
		cmd.Flags().AddFlagSet(set)
	}
	return cmd
}

func serve(ctx context.Context, s *flags.ServerRunOptions) error {
	controller.EncryptionConfigFileChangePollDuration = 5 * time.Second // a minute, upstream
	opts, err := readOptions(configPath)
	if err != nil {
		return err
	}
	completed, err := s.Complete(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(completed.Validate()...); err != nil {
		return err
	}
	config, err := apiserver.NewConfig(completed)
	if err != nil {
		return err
	}
	usual := config.Aggregator.GenericConfig.BuildHandlerChainFunc
	config.Aggregator.GenericConfig.BuildHandlerChainFunc = func(api http.Handler, c *genericapiserver.Config) http.Handler {
		return supervised(usual(api, c), &node{opts: opts})
	}
	ready, err := config.Complete()
	if err != nil {
		return err
	}
	chain, err := apiserver.CreateServerChain(ready)
	if err != nil {
		return err
	}
	prepared, err := chain.PrepareRun()
	if err != nil {
		return err
	}
	return prepared.Run(ctx)
}

// supervised adds the CA for anybody, and what a node needs for who knows the agents' token.
func supervised(api http.Handler, n *node) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, ours := strings.CutPrefix(r.URL.Path, "/v1-k3s/")
		switch {
		case r.URL.Path == "/cacerts":
			name = "server-ca.crt"
		case !ours:
			api.ServeHTTP(w, r)
			return
		default:
			token, err := os.ReadFile(agentToken)
			user, given, _ := r.BasicAuth()
			if err != nil || user != "node" || subtle.ConstantTimeCompare([]byte(given), []byte(password(string(token)))) != 1 {
				http.Error(w, "Unauthorized", http.StatusUnauthorized)
				return
			}
		}
		data, err := n.supply(r.Context(), name, r.Header)
		switch {
		case errors.Is(err, errStranger):
			http.Error(w, err.Error(), http.StatusForbidden)
		case err != nil:
			http.Error(w, err.Error(), http.StatusInternalServerError)
		default:
			_, _ = w.Write(data) // who has gone away asks again
		}
	})
}

// supply gives one of the files that a node asks for.
func (n *node) supply(ctx context.Context, name string, asking http.Header) ([]byte, error) {
	host := asking.Get("k3s-Node-Name")
	by, who := "client-ca", subject{}
	switch name {
	case "client-ca.crt", "server-ca.crt":
		return os.ReadFile(tlsDir + name)
	case "config":
		return json.Marshal(options{"cluster-cidr": {n.clusterCIDR()}, "cluster-dns": {n.clusterDNS()}, "disable": n.opts.list("disable"),
			"disable-network-policy": n.opts["disable-network-policy"]})
	case "client-kube-proxy.crt":
		who.name = "system:kube-proxy"
	case "client-k3s-controller.crt":
		who.name = "system:k3s-controller"
	case "client-kubelet.crt":
		who = subject{name: "system:node:" + host, groups: []string{"system:nodes"}}
	case "serving-kubelet.crt":
		by, who = "server-ca", subject{name: host, sans: []string{host, "127.0.0.1", asking.Get("k3s-Node-IP")}}
	default:
		return nil, fmt.Errorf("this stand-in does not serve %s", name)
	}
	if strings.HasSuffix(name, "kubelet.crt") {
		config, err := adminConfig(credDir + "supervisor.kubeconfig")
		if err != nil {
			return nil, err
		}
		api, err := kubernetes.NewForConfig(config)
		if err != nil {
			return nil, err
		}
		if err := recognize(ctx, api, host, asking.Get("k3s-Node-Password")); err != nil {
			return nil, err
		}
	}
	authority, err := openAuthority(by)
	if err != nil {
		return nil, err
	}
	cert, key, err := mint(leaf(who), authority)
	return append(cert, key...), err
}

func passwordSecret(node string) string { return node + ".node-password.k3s" }

// recognize keeps a node's password when its name is new, and compares it afterwards.
func recognize(ctx context.Context, api kubernetes.Interface, node, password string) error {
	digest := fmt.Appendf(nil, "%x", sha256.Sum256([]byte(password)))
	immutable := true
	secrets := api.CoreV1().Secrets(metav1.NamespaceSystem)
	_, err := secrets.Create(ctx, &v1.Secret{ObjectMeta: metav1.ObjectMeta{Name: passwordSecret(node)}, Immutable: &immutable,
		Data: map[string][]byte{"hash": digest}}, metav1.CreateOptions{})
	if !apierrors.IsAlreadyExists(err) {
		return err
	}
	held, err := secrets.Get(ctx, passwordSecret(node), metav1.GetOptions{})
	if err == nil && !bytes.Equal(held.Data["hash"], digest) {
		return errStranger
	}
	return err
}

// forget removes the password of a node that was removed, so that another host may take its name.
func (n *node) forget(ctx context.Context) error {
	factory := informers.NewSharedInformerFactory(n.api, 0)
	gone := cache.ResourceEventHandlerFuncs{DeleteFunc: func(gone any) {
		name, err := cache.DeletionHandlingMetaNamespaceKeyFunc(gone)
		if err == nil {
			err = n.api.CoreV1().Secrets(metav1.NamespaceSystem).Delete(ctx, passwordSecret(name), metav1.DeleteOptions{})
		}
		if err != nil && !apierrors.IsNotFound(err) {
			say("error", "Failed to remove the password of node %s: %v", name, err)
		}
	}}
	if _, err := factory.Core().V1().Nodes().Informer().AddEventHandler(gone); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	<-ctx.Done()
	factory.Shutdown()
	return nil
}
