package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Where k3s keeps its files; none of it can be moved here.
const (
	dataDir        = "/var/lib/rancher/k3s"
	serverDir      = dataDir + "/server"
	agentDir       = dataDir + "/agent"
	configPath     = "/etc/rancher/k3s/config.yaml"
	registriesPath = "/etc/rancher/k3s/registries.yaml"
	kubeconfigPath = "/etc/rancher/k3s/k3s.yaml"
	containerdSock = "/run/k3s/containerd/containerd.sock"
)

// say logs one line in the form of k3s' own log.
func say(level, format string, a ...any) {
	fmt.Fprintf(os.Stderr, "time=%q level=%s msg=%q\n", time.Now().UTC().Format(time.RFC3339), level, fmt.Sprintf(format, a...))
}

// replace writes a file whole or not at all, and makes its folder. An equal file is only given its mode.
func replace(path string, data []byte, mode os.FileMode) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
		return os.Chmod(path, mode)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path))
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	if err := errors.Join(err, tmp.Chmod(mode), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// once gives what the file holds; make fills it when it is not there yet.
func once(path string, make func() []byte) ([]byte, error) {
	data, err := os.ReadFile(path)
	if !errors.Is(err, os.ErrNotExist) {
		return data, err
	}
	data = make()
	return data, replace(path, data, 0o600)
}

// randomHex is a secret of 16 random bytes.
func randomHex() []byte {
	b := make([]byte, 16)
	rand.Read(b) // never fails, by its documentation
	return []byte(hex.EncodeToString(b))
}
