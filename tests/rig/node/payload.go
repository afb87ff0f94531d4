package main

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// The release artifact is this program, a gzip'd tar, and a trailer: the tar's length (8 bytes, big-endian) and the magic.
const (
	magic       = "bedplate-payload"
	trailerSize = int64(8 + len(magic))
)

// payload finds the tar at the end of the program's own file.
func payload(self *os.File) (*io.SectionReader, error) {
	info, err := self.Stat()
	if err != nil {
		return nil, err
	}
	trailer := make([]byte, trailerSize)
	if _, err := self.ReadAt(trailer, info.Size()-trailerSize); err != nil {
		return nil, err
	}
	if string(trailer[8:]) != magic {
		return nil, fmt.Errorf("%s carries no payload; run the release artifact, not the bare program", self.Name())
	}
	size := int64(binary.BigEndian.Uint64(trailer))
	if size > info.Size()-trailerSize {
		return nil, fmt.Errorf("%s is cut: its payload should be %d bytes", self.Name(), size)
	}
	return io.NewSectionReader(self, info.Size()-trailerSize-size, size), nil
}

// unpack lays the payload out under data/, as k3s does with its own, and gives the folder: bin/ and manifests/ are in it.
func unpack() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	self, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer self.Close()
	body, err := payload(self)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, body); err != nil {
		return "", err
	}
	dir := fmt.Sprintf("%s/data/%x", dataDir, sum.Sum(nil))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".unpack")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	untar := exec.Command("tar", "-xz", "--no-same-owner", "-C", tmp)
	untar.Stdin = io.NewSectionReader(body, 0, body.Size())
	if out, err := untar.CombinedOutput(); err != nil {
		return "", fmt.Errorf("unpacking %s: %w: %s", path, err, out)
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return "", err
	}
	// Another process may have been faster; its folder is as good.
	if err := os.Rename(tmp, dir); err != nil && !errors.Is(err, os.ErrExist) && !errors.Is(err, syscall.ENOTEMPTY) {
		return "", err
	}
	return dir, nil
}

// ctr becomes containerd's own ctr, pointed at the node's containerd and namespace as `k3s ctr` is.
func ctr(args []string) error {
	dir, err := unpack()
	if err != nil {
		return err
	}
	env := append(os.Environ(), "CONTAINERD_ADDRESS="+containerdSock, "CONTAINERD_NAMESPACE=k8s.io")
	return syscall.Exec(dir+"/bin/ctr", append([]string{"ctr"}, args...), env)
}
