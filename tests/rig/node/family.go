package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// family is the set of programs and loops that make up a node. k3s runs them in one process, so the end of one is the end of all.
type family struct {
	asked   context.Context // ends when the node is told to stop
	ctx     context.Context // ends with it, or when a member fails
	end     context.CancelCauseFunc
	members sync.WaitGroup
}

func newFamily(asked context.Context) *family {
	ctx, end := context.WithCancelCause(asked)
	return &family{asked: asked, ctx: ctx, end: end}
}

// start runs a program for the node's whole life.
func (f *family) start(out io.Writer, program string, args ...string) {
	f.loop(func(ctx context.Context) error {
		// The death signal follows the thread that forked, not the process.
		runtime.LockOSThread()
		cmd := exec.CommandContext(ctx, program, args...)
		cmd.Stdout, cmd.Stderr = out, out
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
		cmd.WaitDelay = 2 * time.Second
		err := cmd.Run()
		return fmt.Errorf("%s exited: %v", cmd.Args[:min(2, len(cmd.Args))], err)
	})
}

// part runs one of the Kubernetes programs in this binary.
func (f *family) part(name string, flags ...string) {
	f.start(os.Stderr, "/proc/self/exe", append([]string{name}, flags...)...)
}

// loop runs a function for the node's whole life.
func (f *family) loop(run func(context.Context) error) {
	f.members.Go(func() {
		if err := run(f.ctx); f.ctx.Err() == nil {
			f.end(err)
		}
	})
}

// wait blocks until the node ends, and gives the reason: nil when it was asked to.
func (f *family) wait() error {
	f.members.Wait()
	if f.asked.Err() != nil {
		return nil
	}
	return context.Cause(f.ctx)
}

// until asks again and again, until it is true or the time is over.
func until(ctx context.Context, what string, limit time.Duration, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: not within %s: %w", what, limit, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
