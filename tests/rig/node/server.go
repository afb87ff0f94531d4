package main

import (
	"context"
	"encoding/json"
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
func server(args []string) error { return run("k3s", args, serverOptions, (*node).bootServer) }

// agent runs a node of another's cluster until it is told to end.
func agent(args []string) error { return run("k3s agent", args, agentOptions, (*node).bootAgent) }

func run(what string, args []string, read func(string) (options, error), boot func(*node) error) error {
	if len(args) > 0 {
		return fmt.Errorf("flag provided but not defined: %s; this stand-in reads config.yaml only", args[0])
	}
	began := time.Now()
	opts, err := read(configPath)
	if err != nil {
		return err
	}
	asked, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	n, err := newNode(asked, opts)
	if err != nil {
		return err
	}
	if err := boot(n); err != nil {
		n.end(err)
	} else {
		say("info", "%s is up and running after %s", what, time.Since(began).Round(time.Millisecond))
	}
	return n.wait()
}

// newNode completes the configuration by what the host says of itself.
func newNode(asked context.Context, opts options) (*node, error) {
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

// bootServer starts everything in order and returns when the node has registered, its images are there and systemd is told.
func (n *node) bootServer() error {
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
	token, err := os.ReadFile(agentToken)
	if err != nil {
		return err
	}
	if err := n.join(ownServer, strings.TrimSpace(string(token))); err != nil {
		return err
	}
	if err := n.startAddons(); err != nil {
		return err
	}
	n.loop(n.balance)
	n.loop(n.forget)
	return n.work(images, n.adopt)
}

// bootAgent joins first, however long that takes, and is told ready by the same signs as a server.
func (n *node) bootAgent() error {
	token, err := n.opts.secret("token")
	switch {
	case err != nil:
		return err
	case token == "":
		return errors.New("--token is required")
	case n.opts.last("server", "") == "":
		return errors.New("--server is required")
	}
	prepareKernel()
	if err := n.join(n.opts.last("server", ""), token); err != nil {
		return err
	}
	if err := n.startContainerd(); err != nil {
		return err
	}
	config, err := adminConfig(agentDir + "/k3scontroller.kubeconfig")
	if err != nil {
		return err
	}
	if n.api, err = kubernetes.NewForConfig(config); err != nil {
		return err
	}
	return n.work(n.importImages(), n.settle)
}

// work starts what every node runs.
func (n *node) work(images <-chan struct{}, registered func(context.Context) error) error {
	if err := n.startKubelet(); err != nil {
		return err
	}
	if err := until(n.ctx, "node "+n.name, 2*time.Minute, registered); err != nil {
		return err
	}
	n.loop(n.route)
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

// adminConfig is how the node itself talks to the API server.
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

// adopt gives a registered server its role, which its kubelet may not do, and says how far the encryption of Secrets is.
func (n *node) adopt(ctx context.Context) error {
	notes, err := n.encryptionNote()
	if err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": map[string]string{"node-role.kubernetes.io/control-plane": "true"}, "annotations": notes}})
	if err != nil {
		return err
	}
	if _, err := n.api.CoreV1().Nodes().Patch(ctx, n.name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		return err
	}
	return n.settle(ctx)
}

// settle gives a registered node its pod network.
func (n *node) settle(ctx context.Context) error {
	found, err := n.api.CoreV1().Nodes().Get(ctx, n.name, metav1.GetOptions{})
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
