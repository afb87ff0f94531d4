package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
)

var base64url = base64.RawURLEncoding

type header struct {
	Algorithm string `json:"alg"`
	Key       string `json:"kid"`
}

type claims struct {
	Expires int64 `json:"exp"`
}

// keyID is the key's thumbprint (RFC 7638).
func keyID(key *rsa.PublicKey) string {
	e := base64url.EncodeToString(big.NewInt(int64(key.E)).Bytes())
	n := base64url.EncodeToString(key.N.Bytes())
	sum := sha256.Sum256(fmt.Appendf(nil, `{"e":"%s","kty":"RSA","n":"%s"}`, e, n))
	return base64url.EncodeToString(sum[:])
}

// sign makes a token (RFC 7515, RS256) that is valid until then.
func sign(key *rsa.PrivateKey, until time.Time) (string, error) {
	head, err := json.Marshal(header{Algorithm: "RS256", Key: keyID(&key.PublicKey)})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(claims{Expires: until.Unix()})
	if err != nil {
		return "", err
	}
	text := base64url.EncodeToString(head) + "." + base64url.EncodeToString(body)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	return text + "." + base64url.EncodeToString(signature), err
}

// verify says why a token is refused.
func verify(keys map[string]*rsa.PublicKey, token string, now time.Time) error {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return errors.New("it is no token")
	}
	var head header
	var body claims
	if err := errors.Join(decode(parts[0], &head), decode(parts[1], &body)); err != nil {
		return err
	}
	key := keys[head.Key]
	if key == nil || head.Algorithm != "RS256" {
		return fmt.Errorf("nobody knows key %s", head.Key)
	}
	signature, err := base64url.DecodeString(parts[2])
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature); err != nil {
		return err
	}
	if now.Unix() > body.Expires {
		return errors.New("it has expired")
	}
	return nil
}

func decode(text string, into any) error {
	plain, err := base64url.DecodeString(text)
	if err != nil {
		return err
	}
	return json.Unmarshal(plain, into)
}

// readKeys takes a JWKS document (RFC 7517).
func readKeys(text []byte) (map[string]*rsa.PublicKey, error) {
	var document struct {
		Keys []struct {
			Type     string `json:"kty"`
			ID       string `json:"kid"`
			Modulus  string `json:"n"`
			Exponent string `json:"e"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	keys := map[string]*rsa.PublicKey{}
	for _, jwk := range document.Keys {
		n, wrong := base64url.DecodeString(jwk.Modulus)
		e, alsoWrong := base64url.DecodeString(jwk.Exponent)
		if err := errors.Join(wrong, alsoWrong); err != nil {
			return nil, err
		}
		key := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
		if jwk.Type != "RSA" || keyID(key) != jwk.ID {
			return nil, fmt.Errorf("%s is not the thumbprint of its key", jwk.ID)
		}
		keys[jwk.ID] = key
	}
	return keys, nil
}
