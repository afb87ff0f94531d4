package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRegistries(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "certs.d")
	text := `
mirrors:
  "*": {endpoint: ["http://192.0.2.1:5000"]}
configs:
  "192.0.2.1:5000": {auth: {username: a, password: b}, tls: {ca_file: /ca}}
`
	if err := writeRegistries([]byte(text), dir); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "_default", "hosts.toml"))
	want := `[host."http://192.0.2.1:5000"]
  capabilities = ["pull", "resolve"]
  ca = "/ca"
  [host."http://192.0.2.1:5000".header]
    Authorization = "Basic YTpi"
`
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s", err, got)
	}
	if err := writeRegistries([]byte("mirrors: {q: {rewrite: {a: b}}}"), dir); err == nil {
		t.Error("a rewrite must be refused")
	}
}
