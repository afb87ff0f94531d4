// Command auth is the demo application's signer: it needs a private key and
// the whole environment of the application, and refuses to start without them.
package main

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"
)

const keyPath = "/keys/jwt_private.pem"

// required must be set; only RESEND_API_KEY may be empty (mail stays off).
var required = []string{
	"GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET", "RESEND_API_KEY", "EMAIL_FROM",
	"ADMIN_EMAILS", "GOOGLE_LOGIN_ENABLED", "NOTIFY_EMAIL",
}

// foreign are keys of the compose file that must not reach any pod.
var foreign = []string{"DATABASE_URL", "POSTGRES_PASSWORD", "JWT_PRIVATE_KEY_PATH"}

func main() {
	if err := checkEnvironment(); err != nil {
		log.Fatal(err)
	}
	key, err := readKey(keyPath)
	if err != nil {
		log.Fatalf("%s: %v", keyPath, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	server := &http.Server{Addr: ":8081", Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	log.Printf("auth listens on %s, signs with %d bits", server.Addr, key.N.BitLen())
	log.Fatal(server.ListenAndServe())
}

// checkEnvironment names what is wrong, never a value.
func checkEnvironment() error {
	var wrong []string
	for _, name := range required {
		value, set := os.LookupEnv(name)
		if !set || (value == "" && name != "RESEND_API_KEY") {
			wrong = append(wrong, name+" is missing")
		}
	}
	for _, name := range foreign {
		if _, set := os.LookupEnv(name); set {
			wrong = append(wrong, name+" does not belong here")
		}
	}
	if wrong == nil {
		return nil
	}
	return errors.New("environment: " + strings.Join(wrong, ", "))
}

func readKey(path string) (*rsa.PrivateKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM block")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if key, ok := parsed.(*rsa.PrivateKey); ok {
		return key, key.Validate()
	}
	return nil, errors.Join(errors.New("not an RSA key in PKCS#8"), err)
}
