package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/k3s-io/kine/pkg/endpoint"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// node is what every part of a running node has to know.
type node struct {
	*family
	opts     options
	name     string
	ip       string   // the address in the cluster
	balanced []string // the addresses that LoadBalancer services answer on
	payload  string   // the unpacked payload
	systemd  string   // the socket that waits for READY=1; empty without systemd
	api      kubernetes.Interface
}

// server runs a node with its own control plane until it is told to end.
func server(args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("flag provided but not defined: %s; this stand-in reads config.yaml only", args[0])
	}
	began := time.Now()
	asked, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	n, err := newNode(asked)
	if err != nil {
		return err
	}
	if err := n.boot(); err != nil {
		n.end(err)
	} else {
		say("info", "k3s is up and running after %s", time.Since(began).Round(time.Millisecond))
	}
	return n.wait()
}

// newNode reads the configuration and what the host says of itself.
func newNode(asked context.Context) (*node, error) {
	opts, err := serverOptions(configPath)
	if err != nil {
		return nil, err
	}
	if opts.last("server", "") != "" {
		return nil, errors.New("this stand-in cannot join another server")
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	ip := opts.last("node-ip", "")
	if ip == "" {
		chosen, err := utilnet.ChooseHostInterface()
		if err != nil {
			return nil, err
		}
		ip = chosen.String()
	}
	n := &node{family: newFamily(asked), opts: opts, name: strings.ToLower(opts.last("node-name", host)), ip: ip}
	n.balanced = slices.Compact(append(opts.list("node-external-ip"), ip))
	// Not for the children: each of them would say that the node is ready.
	n.systemd = os.Getenv("NOTIFY_SOCKET")
	if err := os.Unsetenv("NOTIFY_SOCKET"); err != nil {
		return nil, err
	}
	n.payload, err = unpack()
	return n, err
}

// boot starts everything in order and returns when the node has registered, its images are there and systemd is told.
func (n *node) boot() error {
	prepareKernel()
	if err := n.startContainerd(); err != nil {
		return err
	}
	store := endpoint.Config{
		Listener: "unix://" + serverDir + "/kine.sock", Endpoint: "sqlite://" + serverDir + "/db/state.db?_journal=WAL&cache=shared",
		NotifyInterval: 5 * time.Second, EmulatedETCDVersion: "3.6.11", CompactInterval: 5 * time.Minute, CompactTimeout: 5 * time.Second,
		CompactMinRetain: 1000, CompactBatchSize: 1000, PollBatchSize: 500,
	}
	if err := os.MkdirAll(serverDir+"/db", 0o700); err != nil {
		return err
	}
	// Kine outlives the others' farewell: they still write while they end.
	if _, err := endpoint.Listen(context.Background(), store); err != nil {
		return err
	}
	config, err := n.startControlPlane()
	if err != nil {
		return err
	}
	if n.api, err = kubernetes.NewForConfig(config); err != nil {
		return err
	}
	images := n.importImages()
	if err := until(n.ctx, "kube-apiserver", 2*time.Minute, n.ready); err != nil {
		return err
	}
	n.startControllers()
	if err := n.startKubelet(); err != nil {
		return err
	}
	if err := n.startAddons(); err != nil {
		return err
	}
	if err := until(n.ctx, "node "+n.name, 2*time.Minute, n.adopt); err != nil {
		return err
	}
	n.loop(n.balance)
	n.loop(n.provision)
	if !n.opts.set("disable-network-policy") {
		n.loop(n.police)
	}
	select {
	case <-images:
		return tell(n.systemd, "READY=1")
	case <-n.ctx.Done():
		return context.Cause(n.ctx)
	}
}

// adminConfig is how the node itself talks to its API server.
func adminConfig(path string) (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err == nil {
		config.QPS, config.Burst = 50, 100
	}
	return config, err
}

func (n *node) ready(ctx context.Context) error {
	return n.api.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
}

// adopt waits for the kubelet's registration and gives the node its role and its pod network; a kubelet may do neither.
func (n *node) adopt(ctx context.Context) error {
	patch := []byte(`{"metadata":{"labels":{"node-role.kubernetes.io/control-plane":"true"}}}`)
	found, err := n.api.CoreV1().Nodes().Patch(ctx, n.name, types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return err
	}
	if found.Spec.PodCIDR == "" {
		return errors.New("no pod range yet")
	}
	return writeNetwork(found.Spec.PodCIDR)
}

// tell gives systemd the node's state, when it asks to be told.
func tell(address, state string) error {
	if address == "" {
		return nil
	}
	socket, err := net.Dial("unixgram", address)
	if err != nil {
		return err
	}
	_, err = socket.Write([]byte(state))
	return errors.Join(err, socket.Close())
}

// prepareKernel sets what pod traffic needs; like k3s, it only warns.
func prepareKernel() {
	for _, key := range []string{"net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables"} {
		if err := os.WriteFile("/proc/sys/"+key, []byte("1"), 0o644); err != nil {
			say("warning", "Failed to set sysctl: %v", err)
		}
	}
}

// agent checks its configuration as k3s' agent does. Joining is not built.
func agent([]string) error {
	opts, err := agentOptions(configPath)
	if err != nil {
		return err
	}
	for _, key := range []string{"token", "server"} {
		if opts.last(key, "") == "" {
			return fmt.Errorf("--%s is required", key)
		}
	}
	return errors.New("this stand-in cannot join a server")
}
