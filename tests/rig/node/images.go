package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"
)

// The archives that k3s imports and that ctr can unpack by itself.
var archive = regexp.MustCompile(`\.(tar|tar\.gz|tgz|tar\.zst|tzst)$`)

// stamp is how a changed archive is told from one seen before.
type stamp struct {
	size     int64
	modified time.Time
}

// importImages imports what lies in agent/images and then watches the folder. The channel closes after the first round.
func (n *node) importImages() <-chan struct{} {
	first := make(chan struct{})
	n.loop(func(ctx context.Context) error {
		err := until(ctx, "containerd", time.Minute, func(ctx context.Context) error {
			return exec.CommandContext(ctx, "/proc/self/exe", "ctr", "version").Run()
		})
		if err != nil {
			return err
		}
		seen, done := map[string]stamp{}, map[string]stamp{}
		// Twice: at the start an archive counts as settled.
		sweep(ctx, seen, done)
		sweep(ctx, seen, done)
		close(first)
		for tick := time.NewTicker(2 * time.Second); ; {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
				sweep(ctx, seen, done)
			}
		}
	})
	return first
}

// sweep imports each archive that is new or changed and has not grown since the sweep before.
func sweep(ctx context.Context, seen, done map[string]stamp) {
	entries, err := os.ReadDir(agentDir + "/images")
	if err != nil {
		return // the folder is the user's to make
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() || !archive.MatchString(entry.Name()) {
			continue
		}
		now := stamp{info.Size(), info.ModTime()}
		if done[entry.Name()] == now {
			continue
		}
		if seen[entry.Name()] != now {
			seen[entry.Name()] = now
			continue
		}
		path := filepath.Join(agentDir, "images", entry.Name())
		// Both labels are k3s' own; the kubelet never collects an image that has them.
		out, err := exec.CommandContext(ctx, "/proc/self/exe", "ctr", "images", "import",
			"--label", "io.cri-containerd.pinned=pinned", "--label", "io.cattle.k3s.pinned=pinned", path).CombinedOutput()
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			say("error", "Failed to import images from %s: %v: %s", path, err, out)
			continue
		}
		done[entry.Name()] = now
		say("info", "Imported images from %s", path)
	}
}
