package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	netv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
)

// police enforces network policies with iptables, as k3s does with kube-router's controller.
func (n *node) police(ctx context.Context) error {
	if _, err := exec.LookPath("iptables-restore"); err != nil {
		say("warning", "Skipping network policy controller start, %v", err)
		return nil
	}
	factory := informers.NewSharedInformerFactory(n.api, 0)
	pods, spaces, policies := factory.Core().V1().Pods(), factory.Core().V1().Namespaces(), factory.Networking().V1().NetworkPolicies()
	var last string
	return onChange(ctx, "network policies", factory, func(ctx context.Context) error {
		c := cluster{namespaces: map[string]labels.Set{}}
		var namespaces []*v1.Namespace
		var err1, err2, err3 error
		c.pods, err1 = pods.Lister().List(labels.Everything())
		namespaces, err2 = spaces.Lister().List(labels.Everything())
		c.policies, err3 = policies.Lister().List(labels.Everything())
		if err := errors.Join(err1, err2, err3); err != nil {
			return err
		}
		for _, space := range namespaces {
			c.namespaces[space.Name] = space.Labels
		}
		slices.SortFunc(c.pods, func(a, b *v1.Pod) int { return strings.Compare(string(a.UID), string(b.UID)) })
		slices.SortFunc(c.policies, func(a, b *netv1.NetworkPolicy) int { return strings.Compare(string(a.UID), string(b.UID)) })
		return c.enforce(ctx, n.name, &last)
	}, pods.Informer(), spaces.Informer(), policies.Informer())
}

// enforce swaps the rules in when they differ from the last ones, and keeps the jumps to them in front of kube-proxy's, which accept what it marked.
func (c cluster) enforce(ctx context.Context, node string, last *string) error {
	listed, err := iptables(ctx, "", "iptables", "-w", "-S")
	if err != nil {
		return err
	}
	var present []string
	first := map[string]string{}
	for line := range strings.Lines(listed) {
		word := strings.Fields(line)
		if word[0] == "-N" && strings.HasPrefix(word[1], policyChain) {
			present = append(present, word[1])
		}
		if word[0] == "-A" && first[word[1]] == "" {
			first[word[1]] = strings.Join(word[2:], " ")
		}
	}
	if text := c.rules(node, present); text != *last || !slices.Contains(present, policyChain) {
		if _, err := iptables(ctx, text, "iptables-restore", "-w", "--noflush"); err != nil {
			return err
		}
		*last = c.rules(node, nil)
	}
	for _, chain := range []string{"FORWARD", "INPUT"} {
		if first[chain] == "-j "+policyChain {
			continue
		}
		// Absent at first; a doubled jump would only be judged twice.
		_, _ = iptables(ctx, "", "iptables", "-w", "-D", chain, "-j", policyChain)
		if _, err := iptables(ctx, "", "iptables", "-w", "-I", chain, "-j", policyChain); err != nil {
			return err
		}
	}
	return nil
}

func iptables(ctx context.Context, input, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdin = strings.NewReader(input)
	var out, failure bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &failure
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", program, err, bytes.TrimSpace(failure.Bytes()))
	}
	return out.String(), nil
}
