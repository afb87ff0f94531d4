// Command serve stands in for the download sites: one folder over HTTP, and over HTTPS with the rig's certificate.
package main

import (
	"flag"
	"log"
	"net/http"
)

func main() {
	folder := flag.String("folder", "", "what to serve")
	plain := flag.String("http", "", "address for HTTP")
	secure := flag.String("https", "", "address for HTTPS")
	certificate := flag.String("certificate", "", "PEM chain for HTTPS")
	key := flag.String("key", "", "PEM key for HTTPS")
	flag.Parse()

	files := logged(http.FileServer(http.Dir(*folder)))
	go func() { log.Fatal(http.ListenAndServe(*plain, files)) }()
	log.Fatal(http.ListenAndServeTLS(*secure, *certificate, *key, files))
}

// logged writes a line per request, so that a test can tell what was fetched and by whom.
func logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		log.Printf("%s %s %s %s", r.RemoteAddr, r.Method, r.URL.Path, r.Header.Get("Range"))
		next.ServeHTTP(w, r)
	})
}
