package main

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

// signer answers with a new token.
func signer(path, lifetime string) (http.HandlerFunc, error) {
	valid, wrong := time.ParseDuration(lifetime)
	text, err := os.ReadFile(path)
	if err := errors.Join(wrong, err); err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM block")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.Join(errors.New("not an RSA key in PKCS#8"), err)
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		token, err := sign(key, time.Now().Add(valid))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, token)
	}, nil
}

// verifier answers 200 to a token that it believes, and 401 to another.
func verifier(path string) (http.HandlerFunc, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	keys, err := readKeys(text)
	if err != nil {
		return nil, err
	}
	return func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if err := verify(keys, token, time.Now()); err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
		}
	}, nil
}
