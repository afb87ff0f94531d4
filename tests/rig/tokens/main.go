// Command tokens is three services that live by one key pair: `sign` gives
// out tokens, `verify` accepts or refuses them, and `load` takes both to their
// word. Keys are read once, at the start, as most services do.
package main

import (
	"context"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// linger is how long a pod that was told to end goes on to answer: kube-proxy
// learns of it at the same moment.
const linger = 3 * time.Second

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: tokens sign|verify|load")
	}
	var answer http.HandlerFunc
	var err error
	switch os.Args[1] {
	case "sign":
		answer, err = signer("/keys/jwt_private.pem", os.Getenv("TOKEN_LIFETIME"))
	case "verify":
		answer, err = verifier("/keys/jwks.json")
	case "load":
		answer, err = loader(os.Getenv("TOKEN_LIFETIME"), os.Getenv("SIGNER"), os.Getenv("VERIFIERS"))
	default:
		log.Fatalf("there is no service %s", os.Args[1])
	}
	if err != nil {
		log.Fatal(err)
	}
	serve(answer)
}

func serve(answer http.HandlerFunc) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /{$}", answer)
	server := &http.Server{Addr: ":8080", Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	asked, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	done := make(chan struct{})
	go func() {
		<-asked.Done()
		time.Sleep(linger)
		_ = server.Shutdown(context.Background())
		close(done)
	}()
	log.Print(os.Args[1], " listens on ", server.Addr)
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		log.Fatal(err)
	}
	<-done
}
