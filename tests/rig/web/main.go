// Command web is the demo application's front: a titled page and its health.
package main

import (
	"fmt"
	"html"
	"log"
	"net/http"
	"os"
	"time"
)

const page = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Shop</title></head>
<body><h1>Shop</h1><p>Questions? Write to %s.</p></body>
</html>
`

func main() {
	notify := os.Getenv("NOTIFY_EMAIL")
	if notify == "" {
		log.Fatal("NOTIFY_EMAIL is not set")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, page, html.EscapeString(notify))
	})
	server := &http.Server{Addr: ":8080", Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	log.Print("web listens on ", server.Addr)
	log.Fatal(server.ListenAndServe())
}
