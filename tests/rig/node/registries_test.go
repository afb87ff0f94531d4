package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRegistries(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "certs.d")
	text := `mirrors: {"*": {endpoint: ["http://192.0.2.1:5000"]}}`
	if err := writeRegistries([]byte(text), dir); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "_default", "hosts.toml"))
	want := `[host."http://192.0.2.1:5000"]
  capabilities = ["pull", "resolve"]
`
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s", err, got)
	}
	if err := writeRegistries([]byte("mirrors: {q: {rewrite: {a: b}}}"), dir); err == nil {
		t.Error("what cannot be done must be refused")
	}
}
