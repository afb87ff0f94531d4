package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cert-manager/cert-manager/pkg/issuer/acme/http/solver"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/util/cmapichecker"
)

// acmesolver answers one HTTP-01 challenge until it is told to stop.
func acmesolver(ctx context.Context, args []string) error {
	s := &solver.HTTP01Solver{}
	fs := flags("acmesolver")
	fs.IntVar(&s.ListenPort, "listen-port", 8089, "port to answer on")
	fs.StringVar(&s.Domain, "domain", "", "domain of the challenge")
	fs.StringVar(&s.Token, "token", "", "token of the challenge")
	fs.StringVar(&s.Key, "key", "", "key authorization to answer with")
	if err := fs.Parse(args); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Listen(logf.FromContext(ctx)) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return nil
	}
}

// startupapicheck is `check api`: it waits until the webhook answers.
func startupapicheck(ctx context.Context, args []string) error {
	if len(args) < 2 || args[0] != "check" || args[1] != "api" {
		return errors.New("only `check api` is known")
	}
	fs := flags("startupapicheck")
	within := fs.Duration("wait", 0, "how long to go on asking")
	fs.CountP("verbose", "v", "upstream's chart sets it; every answer is printed anyhow")
	if err := fs.Parse(args[2:]); err != nil {
		return err
	}
	rest, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	checker, err := cmapichecker.New(rest, os.Getenv("POD_NAMESPACE"))
	if err != nil {
		return err
	}
	var last error
	err = wait.PollUntilContextTimeout(ctx, 5*time.Second, *within, true, func(ctx context.Context) (bool, error) {
		last = checker.Check(ctx)
		if last != nil {
			fmt.Fprintf(os.Stderr, "not ready: %v\n", last)
		}
		return last == nil, nil
	})
	if err == nil {
		fmt.Println("The cert-manager API is ready")
	}
	return errors.Join(err, last)
}
