// Command rig is cert-manager's five programs in one: the mains that upstream
// keeps in modules of their own, over upstream's unchanged packages. The first
// argument chooses the program; the rest are the flags that upstream's chart
// passes to it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/runtime"

	logf "github.com/cert-manager/cert-manager/pkg/logs"
)

var programs = map[string]func(ctx context.Context, args []string) error{
	"controller":      controller,
	"webhook":         webhook,
	"cainjector":      cainjector,
	"acmesolver":      acmesolver,
	"startupapicheck": startupapicheck,
}

func main() {
	if len(os.Args) < 2 || programs[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: cert-manager controller|webhook|cainjector|acmesolver|startupapicheck [flags]")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	logf.InitLogs()
	name := os.Args[1]
	ctx = logf.NewContext(ctx, logf.Log, name)
	err := programs[name](ctx, os.Args[2:])
	logf.FlushLogs()
	if err != nil {
		fmt.Fprintf(os.Stderr, "cert-manager %s: %v\n", name, err)
		os.Exit(1)
	}
}

// defaulted fills cfg with the defaults of versioned, its public form.
func defaulted(s *runtime.Scheme, versioned, cfg runtime.Object) error {
	s.Default(versioned)
	return s.Convert(versioned, cfg, nil)
}

// flags is an empty flag set that reports errors instead of exiting.
func flags(program string) *pflag.FlagSet {
	return pflag.NewFlagSet(program, pflag.ContinueOnError)
}
