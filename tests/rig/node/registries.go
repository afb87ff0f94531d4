package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

// registries is the part of registries.yaml that the rig uses; anything else in the file is refused.
type registries struct {
	Mirrors map[string]struct {
		Endpoint []string `json:"endpoint"`
	} `json:"mirrors"`
}

// writeRegistries turns registries.yaml into one hosts.toml per registry, under a folder made anew.
func writeRegistries(text []byte, dir string) error {
	var from registries
	if err := yaml.UnmarshalStrict(text, &from); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	for name, mirror := range from.Mirrors {
		var hosts strings.Builder
		for _, endpoint := range mirror.Endpoint {
			fmt.Fprintf(&hosts, "[host.%q]\n  capabilities = [\"pull\", \"resolve\"]\n", endpoint)
		}
		if name == "*" {
			name = "_default"
		}
		if err := replace(filepath.Join(dir, name, "hosts.toml"), []byte(hosts.String()), 0o600); err != nil {
			return err
		}
	}
	return nil
}
