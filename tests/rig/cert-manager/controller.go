package main

import (
	"context"
	"net"
	"os"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	config "github.com/cert-manager/cert-manager/internal/apis/config/controller"
	"github.com/cert-manager/cert-manager/internal/apis/config/controller/scheme"
	defaults "github.com/cert-manager/cert-manager/internal/apis/config/controller/v1alpha1"
	"github.com/cert-manager/cert-manager/internal/kube"
	"github.com/cert-manager/cert-manager/pkg/apis/config/controller/v1alpha1"
	cm "github.com/cert-manager/cert-manager/pkg/controller"
	"github.com/cert-manager/cert-manager/pkg/healthz"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/acme"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
)

// selfCheckPause is what lies between two looks at a challenge that does not
// answer yet, of HTTP-01 as well. Upstream's ten seconds would be waited out
// once an order; none at all would be a loop that leaves the host no time.
const selfCheckPause = time.Second

// controller runs the controllers that upstream enables by default, behind
// leader election, with upstream's defaults for what the chart does not set,
// but for the pause between self-checks.
func controller(ctx context.Context, args []string) error {
	cfg, err := controllerConfig(args)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", cfg.HealthzListenAddress)
	if err != nil {
		return err
	}
	health := healthz.NewServer(cfg.LeaderElectionConfig.HealthzTimeout)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return health.Start(ctx, listener) })
	group.Go(func() error {
		return lead(ctx, cfg.LeaderElectionConfig, health.LeaderHealthzAdaptor, func(ctx context.Context) error {
			return control(ctx, cfg)
		})
	})
	return group.Wait()
}

func controllerConfig(args []string) (*config.ControllerConfiguration, error) {
	s, _, err := scheme.NewSchemeAndCodecs()
	if err != nil {
		return nil, err
	}
	cfg := &config.ControllerConfiguration{}
	if err := defaulted(s, &v1alpha1.ControllerConfiguration{}, cfg); err != nil {
		return nil, err
	}
	fs := flags("controller")
	logf.AddFlags(&cfg.Logging, fs)
	fs.StringVar(&cfg.ClusterResourceNamespace, "cluster-resource-namespace", cfg.ClusterResourceNamespace, "namespace of a cluster issuer's secrets")
	fs.StringVar(&cfg.LeaderElectionConfig.Namespace, "leader-election-namespace", cfg.LeaderElectionConfig.Namespace, "namespace of the lease")
	fs.StringVar(&cfg.ACMEHTTP01Config.SolverImage, "acme-http01-solver-image", cfg.ACMEHTTP01Config.SolverImage, "image of the solver pods")
	fs.IntVar(&cfg.MaxConcurrentChallenges, "max-concurrent-challenges", cfg.MaxConcurrentChallenges, "challenges worked on at once")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	return cfg, logf.ValidateAndApply(&cfg.Logging)
}

// lead runs work while this process holds the lease, and gives it back at the end.
func lead(ctx context.Context, cfg config.LeaderElectionConfig, watchdog *leaderelection.HealthzAdaptor, work func(context.Context) error) error {
	rest, err := kube.BuildClientConfig("", "")
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	lock, err := resourcelock.NewFromKubeconfig(resourcelock.LeasesResourceLock, cfg.Namespace, "cert-manager-controller",
		resourcelock.ResourceLockConfig{Identity: host + "-external-cert-manager-controller"}, rest, cfg.RenewDeadline)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
		Lock: lock, WatchDog: watchdog, ReleaseOnCancel: true,
		LeaseDuration: cfg.LeaseDuration, RenewDeadline: cfg.RenewDeadline, RetryPeriod: cfg.RetryPeriod,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(ctx context.Context) { defer stop(); ended <- work(ctx) },
			OnStoppedLeading: func() {},
		},
	})
	select {
	case err := <-ended:
		return err
	case <-time.After(10 * time.Second):
		return context.DeadlineExceeded
	}
}

func control(ctx context.Context, cfg *config.ControllerConfiguration) error {
	http := cfg.ACMEHTTP01Config
	shim := cfg.IngressShimConfig
	factory, err := cm.NewContextFactory(ctx, cm.ContextOptions{
		KubernetesAPIQPS:   cfg.KubernetesAPIQPS,
		KubernetesAPIBurst: cfg.KubernetesAPIBurst,
		IssuerOptions: cm.IssuerOptions{
			ClusterResourceNamespace:        cfg.ClusterResourceNamespace,
			ClusterIssuerAmbientCredentials: cfg.ClusterIssuerAmbientCredentials,
		},
		ACMEOptions: cm.ACMEOptions{
			HTTP01SolverImage:                 http.SolverImage,
			HTTP01SolverResourceRequestCPU:    resource.MustParse(http.SolverResourceRequestCPU),
			HTTP01SolverResourceRequestMemory: resource.MustParse(http.SolverResourceRequestMemory),
			HTTP01SolverResourceLimitsCPU:     resource.MustParse(http.SolverResourceLimitsCPU),
			HTTP01SolverResourceLimitsMemory:  resource.MustParse(http.SolverResourceLimitsMemory),
			ACMEHTTP01SolverRunAsNonRoot:      http.SolverRunAsNonRoot,
			DNS01CheckRetryPeriod:             selfCheckPause,
		},
		IngressShimOptions: cm.IngressShimOptions{
			DefaultIssuerKind:                 shim.DefaultIssuerKind,
			DefaultIssuerGroup:                shim.DefaultIssuerGroup,
			DefaultAutoCertificateAnnotations: shim.DefaultAutoCertificateAnnotations,
			ExtraCertificateAnnotations:       shim.ExtraCertificateAnnotations,
		},
		CertificateOptions: cm.CertificateOptions{
			CopiedAnnotationPrefixes:                 cfg.CopiedAnnotationPrefixes,
			CertificateRequestMinimumBackoffDuration: cfg.CertificateRequestMinimumBackoffDuration,
		},
		SchedulerOptions: cm.SchedulerOptions{MaxConcurrentChallenges: cfg.MaxConcurrentChallenges},
	})
	if err != nil {
		return err
	}
	shared, err := factory.Build()
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for name, build := range cm.Known() {
		if !slices.Contains(defaults.DefaultEnabledControllers, name) {
			continue
		}
		ctrl, err := build(factory)
		if err != nil {
			return err
		}
		group.Go(func() error { return ctrl.Run(cfg.NumberOfConcurrentWorkers, ctx) })
	}
	shared.SharedInformerFactory.Start(ctx.Done())
	shared.KubeSharedInformerFactory.Start(ctx.Done())
	shared.HTTP01ResourceMetadataInformersFactory.Start(ctx.Done())
	return group.Wait()
}
