package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

//go:embed manifests/*.yaml
var packaged embed.FS

const manifestDir = serverDir + "/manifests"

var manifest = regexp.MustCompile(`\.(yaml|yml|json)$`)

// startAddons lays the packaged manifests out, removes those that are disabled, and applies the folder at start and on change.
func (n *node) startAddons() error {
	all, err := packaged.ReadDir("manifests")
	if err != nil {
		return err
	}
	for _, entry := range all {
		text, err := packaged.ReadFile("manifests/" + entry.Name())
		if err != nil {
			return err
		}
		component, _, _ := strings.Cut(entry.Name(), ".")
		if err := n.place(component, entry.Name(), bytes.ReplaceAll(text, []byte("%{CLUSTER_DNS}%"), []byte(n.clusterDNS()))); err != nil {
			return err
		}
	}
	crds, err := os.ReadFile(n.payload + "/manifests/traefik-crds.yaml")
	if err != nil {
		return err
	}
	if err := n.place("traefik", "traefik-crds.yaml", crds); err != nil {
		return err
	}
	n.loop(func(ctx context.Context) error {
		applied := map[string]string{}
		for tick := time.NewTicker(2 * time.Second); ; {
			applyChanged(ctx, applied)
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
		}
	})
	return nil
}

// place writes a packaged manifest, or takes it and its objects away when its component is disabled.
func (n *node) place(component, name string, text []byte) error {
	path := filepath.Join(manifestDir, name)
	if !n.opts.disabled(component) {
		return replace(path, text, 0o600)
	}
	err := os.Remove(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil // nothing of it was ever applied
	}
	if err == nil {
		err = kubectlOn(n.ctx, text, "delete", "--ignore-not-found", "--wait=false")
	}
	return err
}

// applyChanged applies every manifest whose text is not the one applied last; what fails is tried again.
func applyChanged(ctx context.Context, applied map[string]string) {
	entries, err := os.ReadDir(manifestDir)
	if err != nil {
		say("error", "Failed to read manifests: %v", err)
		return
	}
	for _, entry := range entries {
		path := filepath.Join(manifestDir, entry.Name())
		text, err := os.ReadFile(path)
		_, skip := os.Stat(path + ".skip")
		if err != nil || skip == nil || strings.HasPrefix(entry.Name(), ".") || !manifest.MatchString(entry.Name()) || applied[path] == string(text) {
			continue
		}
		if err := kubectlOn(ctx, text, "apply", "--server-side", "--force-conflicts", "--field-manager=deploy@k3s"); err != nil {
			if ctx.Err() != nil {
				return
			}
			say("error", "Failed to process config: failed to process %s: %v", path, err)
			continue
		}
		applied[path] = string(text)
		say("info", "Applied manifest at %q", path)
	}
}

// kubectlOn runs kubectl with a manifest on its standard input.
func kubectlOn(ctx context.Context, text []byte, verb string, flags ...string) error {
	cmd := exec.CommandContext(ctx, "/proc/self/exe", append([]string{"kubectl", verb, "--kubeconfig=" + credDir + "supervisor.kubeconfig", "-f", "-"}, flags...)...)
	cmd.Stdin = bytes.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}
