package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// write lays out a configuration folder and gives the path of its config.yaml.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "config.yaml")
}

func TestDropInsReplaceOrAppend(t *testing.T) {
	path := write(t, map[string]string{
		"config.yaml":          "tls-san: [a]\ndisable: traefik,servicelb\nkubelet-arg: [x=1,2]\nsecrets-encryption: true\n",
		"config.yaml.d/2.yaml": "node-name: second\n",
		"config.yaml.d/1.yaml": "tls-san+: [b]\nnode-name: first\nkubelet-arg: [y=1]\n",
		"config.yaml.d/3.yml":  "node-name: not read\n",
	})
	opts, err := serverOptions(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := opts.list("tls-san"); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("key+ must append: %q", got)
	}
	if got := opts.flags("kubelet-arg", "--ours"); !slices.Equal(got, []string{"--ours", "--y=1"}) {
		t.Errorf("a later key must replace: %q", got)
	}
	if got := opts.last("node-name", ""); got != "second" {
		t.Errorf("files must be read in alphabetical order: %q", got)
	}
	if !opts.disabled("servicelb") || opts.disabled("coredns") || !opts.set("secrets-encryption") {
		t.Errorf("lists and booleans: %v", opts)
	}
}

func TestUnknownKeyIsFatalOnAgentOnly(t *testing.T) {
	path := write(t, map[string]string{"config.yaml": "disable: [traefik]\n"})
	if _, err := agentOptions(path); err == nil || !strings.Contains(err.Error(), "flag provided but not defined: -disable") {
		t.Errorf("agent: %v", err)
	}
	if opts, err := serverOptions(path); err != nil || len(opts.unknown(serverKeys...)) != 0 {
		t.Errorf("server: %v %v", opts, err)
	}
}

func TestBrokenFileIsNamed(t *testing.T) {
	path := write(t, map[string]string{"config.yaml": "a: [\n"})
	if _, err := serverOptions(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("%v", err)
	}
}
