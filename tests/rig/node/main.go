// Command k3s stands in for k3s on the rig's hosts: upstream's Kubernetes in one program. See ../CONTRACT.md.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
)

// Set by the build: -ldflags "-X main.version=v1.35.4+k3s1 -X main.commit=<8 hex>".
var (
	version = "v0.0.0"
	commit  = "00000000"
)

func main() {
	name, args := split(os.Args)
	var err error
	switch name {
	case "-v", "--version":
		fmt.Printf("k3s version %s (%s)\ngo version %s\n", version, commit, runtime.Version())
	case "server":
		err = server(args)
	case "agent":
		err = agent(args)
	case "ctr":
		err = ctr(args)
	case "crictl":
		err = crictl(args)
	case "secrets-encrypt":
		err = secretsEncrypt(args)
	default:
		cmd := upstream(name)
		if cmd == nil {
			fmt.Fprintf(os.Stderr, "No help topic for '%s'\n", name)
			os.Exit(3)
		}
		// Started as /proc/self/exe, it would be called "exe" by whoever asks who holds a port; k3s calls itself k3s-server.
		if err := os.WriteFile("/proc/self/comm", []byte("k3s-"+name), 0); err != nil {
			say("warning", "name the process: %v", err)
		}
		os.Args = append([]string{name}, args...)
		os.Exit(cli.Run(cmd))
	}
	if err != nil {
		say("fatal", "%v", err)
		os.Exit(1)
	}
}

// split finds the subcommand: the name of a symlink as k3s' installer makes them, or the first argument.
func split(argv []string) (name string, args []string) {
	switch base := filepath.Base(argv[0]); {
	case base == "kubectl" || base == "ctr" || base == "crictl":
		return base, argv[1:]
	case len(argv) > 1:
		return argv[1], argv[2:]
	}
	return "--version", nil
}

// upstream gives the command of one of Kubernetes' own programs, or nil.
func upstream(name string) *cobra.Command {
	switch name {
	case "kube-apiserver":
		return apiServer()
	case "kube-controller-manager":
		return controllers.NewControllerManagerCommand()
	case "kube-scheduler":
		return scheduler.NewSchedulerCommand()
	case "kubelet":
		return kubelet.NewKubeletCommand(context.Background())
	case "kube-proxy":
		return proxy.NewProxyCommand()
	case "kubectl":
		if os.Getenv("KUBECONFIG") == "" {
			os.Setenv("KUBECONFIG", kubeconfigPath)
		}
		return kubectl.NewDefaultKubectlCommand()
	}
	return nil
}
