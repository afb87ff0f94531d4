package main

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

// registries is the part of registries.yaml that upstream's containerd can honour.
type registries struct {
	Mirrors map[string]struct {
		Endpoint []string          `json:"endpoint"`
		Rewrite  map[string]string `json:"rewrite"`
	} `json:"mirrors"`
	Configs map[string]struct {
		Auth struct {
			Username string `json:"username"`
			Password string `json:"password"`
		} `json:"auth"`
		TLS struct {
			CA         string `json:"ca_file"`
			Cert       string `json:"cert_file"`
			Key        string `json:"key_file"`
			SkipVerify bool   `json:"insecure_skip_verify"`
		} `json:"tls"`
	} `json:"configs"`
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
		if len(mirror.Rewrite) > 0 {
			return fmt.Errorf("rewrite of %s: only k3s' own containerd can do that", name)
		}
		hosts := ""
		for _, endpoint := range mirror.Endpoint {
			hosts += from.host(endpoint)
		}
		if name == "*" {
			name = "_default"
		}
		if err := replace(filepath.Join(dir, name, "hosts.toml"), []byte(hosts), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// host is one endpoint's table in hosts.toml.
func (r registries) host(endpoint string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "[host.%q]\n  capabilities = [\"pull\", \"resolve\"]\n", endpoint)
	address, err := url.Parse(endpoint)
	if err != nil {
		return out.String()
	}
	config := r.Configs[address.Host]
	if ca := config.TLS.CA; ca != "" {
		fmt.Fprintf(&out, "  ca = %q\n", ca)
	}
	if config.TLS.Cert != "" {
		fmt.Fprintf(&out, "  client = [[%q, %q]]\n", config.TLS.Cert, config.TLS.Key)
	}
	if config.TLS.SkipVerify {
		out.WriteString("  skip_verify = true\n")
	}
	if config.Auth.Username != "" {
		secret := base64.StdEncoding.EncodeToString([]byte(config.Auth.Username + ":" + config.Auth.Password))
		fmt.Fprintf(&out, "  [host.%q.header]\n    Authorization = %q\n", endpoint, "Basic "+secret)
	}
	return out.String()
}
