package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// options holds every key of config.yaml with its values.
type options map[string][]string

// Keys that change something here.
var (
	agentKeys = []string{"server", "token", "token-file", "node-name", "node-ip", "node-external-ip", "node-label", "node-taint", "kubelet-arg", "kube-proxy-arg"}
	ownKeys   = []string{"write-kubeconfig-mode", "tls-san", "disable", "disable-network-policy", "cluster-cidr", "service-cidr", "cluster-dns", "secrets-encryption",
		"agent-token", "agent-token-file", "kube-apiserver-arg", "kube-controller-manager-arg", "kube-scheduler-arg"}
	serverKeys = slices.Concat(agentKeys, ownKeys)
	// k3s knows these as well, the first also on agents; the stand-in says that it ignores them.
	agentIgnored = []string{"alsologtostderr", "bind-address", "data-dir", "debug", "default-runtime", "disable-default-registry-endpoint", "enable-pprof", "flannel-cni-conf",
		"flannel-conf", "flannel-iface", "image-credential-provider-bin-dir", "image-credential-provider-config", "image-service-endpoint", "lb-server-port", "log",
		"nonroot-devices", "pause-image", "prefer-bundled-bin", "private-registry", "protect-kernel-defaults", "resolv-conf", "selinux", "snapshotter", "v", "vmodule",
		"vpn-auth", "vpn-auth-file", "with-node-id"}
	ignoredKeys = slices.Concat(agentIgnored, []string{"cluster-init", "flannel-backend", "flannel-external-ip", "tls-san-security", "disable-cloud-controller",
		"disable-helm-controller", "embedded-registry", "etcd-snapshot-schedule-cron", "etcd-snapshot-retention", "service-node-port-range"})
)

// readOptions merges config.yaml and its drop-ins, in alphabetical order.
func readOptions(path string) (options, error) {
	dropIns, err := filepath.Glob(path + ".d/*.yaml")
	if err != nil {
		return nil, err
	}
	opts := options{}
	for _, p := range append([]string{path}, dropIns...) {
		data, err := os.ReadFile(p)
		if os.IsNotExist(err) {
			continue
		}
		if err == nil {
			err = opts.merge(data)
		}
		if err != nil {
			return nil, fmt.Errorf("failed to load %s: %w", p, err)
		}
	}
	return opts, nil
}

// merge lays one file over what is there: a key replaces, "key+" appends.
func (o options) merge(data []byte) error {
	var file map[string]any
	if err := yaml.Unmarshal(data, &file); err != nil {
		return err
	}
	for key, value := range file {
		var values []string
		if list, ok := value.([]any); ok {
			for _, v := range list {
				values = append(values, fmt.Sprint(v))
			}
		} else {
			values = []string{fmt.Sprint(value)}
		}
		if name, appends := strings.CutSuffix(key, "+"); appends {
			o[name] = append(o[name], values...)
		} else {
			o[key] = values
		}
	}
	return nil
}

// unknown lists the keys that are not among these, sorted.
func (o options) unknown(known ...string) (keys []string) {
	for key := range o {
		if !slices.Contains(known, key) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// serverOptions reads the configuration of a server; an unknown key only warns.
func serverOptions(path string) (options, error) {
	opts, err := readOptions(path)
	if opts.last("server", "") != "" {
		return nil, errors.New("this stand-in has no second server")
	}
	opts.confess(serverKeys...)
	for _, key := range opts.unknown(slices.Concat(serverKeys, ignoredKeys)...) {
		say("warning", "Unknown flag --%s found in config.yaml, skipping", key)
	}
	return opts, err
}

// agentOptions reads the configuration of an agent; an unknown or server-only key is fatal.
func agentOptions(path string) (options, error) {
	opts, err := readOptions(path)
	if err != nil {
		return nil, err
	}
	if bad := opts.unknown(slices.Concat(agentKeys, agentIgnored)...); len(bad) > 0 {
		return nil, fmt.Errorf("flag provided but not defined: -%s", bad[0])
	}
	opts.confess(agentKeys...)
	return opts, nil
}

// confess names the keys that are k3s' own and change nothing here.
func (o options) confess(heeded ...string) {
	for _, key := range o.unknown(heeded...) {
		if slices.Contains(ignoredKeys, key) {
			say("warning", "Flag --%s is k3s' own, this stand-in ignores it", key)
		}
	}
}

// secret is the value of a key, or the text of the file that its twin with "-file" names.
func (o options) secret(key string) (string, error) {
	path := o.last(key+"-file", "")
	if path == "" {
		return o.last(key, ""), nil
	}
	text, err := os.ReadFile(path)
	return strings.TrimSpace(string(text)), err
}

// last is the value of a key that takes one, or the default.
func (o options) last(key, fallback string) string {
	if v := o[key]; len(v) > 0 {
		return v[len(v)-1]
	}
	return fallback
}

// list is a key's values, those joined by commas taken apart.
func (o options) list(key string) (values []string) {
	for _, v := range o[key] {
		values = append(values, strings.Split(v, ",")...)
	}
	return values
}

// set tells whether a boolean key is true.
func (o options) set(key string) bool { return o.last(key, "false") == "true" }

// disabled tells whether a packaged component is switched off.
func (o options) disabled(component string) bool {
	return slices.Contains(o.list("disable"), component)
}

// flags appends the user's "name=value" settings of one program to ours; the last one counts.
func (o options) flags(key string, ours ...string) []string {
	for _, arg := range o[key] {
		ours = append(ours, "--"+arg)
	}
	return ours
}
