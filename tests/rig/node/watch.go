package main

import (
	"context"
	"time"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

// onChange calls act once its informers have synced, after every change, and every ten seconds; what fails is logged and tried again.
func onChange(ctx context.Context, what string, factory informers.SharedInformerFactory, act func(context.Context) error, on ...cache.SharedIndexInformer) error {
	changed := make(chan struct{}, 1)
	poke := func() {
		select {
		case changed <- struct{}{}:
		default: // one is on its way already
		}
	}
	for _, informer := range on {
		handler := cache.ResourceEventHandlerFuncs{AddFunc: func(any) { poke() }, UpdateFunc: func(any, any) { poke() }, DeleteFunc: func(any) { poke() }}
		if _, err := informer.AddEventHandler(handler); err != nil {
			return err
		}
	}
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	factory.WaitForCacheSync(ctx.Done())
	for tick := time.NewTicker(10 * time.Second); ; {
		if err := act(ctx); err != nil && ctx.Err() == nil {
			say("error", "%s: %v", what, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-tick.C:
		}
	}
}
