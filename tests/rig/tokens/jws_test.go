package main

import (
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"
	"time"
)

func pair(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestOnlyAKnownKeyAndAValidTimeAreBelieved(t *testing.T) {
	known, other, now := pair(t), pair(t), time.Now()
	keys := map[string]*rsa.PublicKey{keyID(&known.PublicKey): &known.PublicKey}
	for _, row := range []struct {
		key   *rsa.PrivateKey
		until time.Time
		want  string
	}{
		{known, now.Add(time.Minute), ""},
		{known, now.Add(-time.Minute), "expired"},
		{other, now.Add(time.Minute), "nobody knows"},
	} {
		token, err := sign(row.key, row.until)
		if err != nil {
			t.Fatal(err)
		}
		err = verify(keys, token, now)
		if (err == nil) != (row.want == "") || (err != nil && !strings.Contains(err.Error(), row.want)) {
			t.Errorf("wanted %q, got %v", row.want, err)
		}
	}
	token, _ := sign(other, now.Add(time.Minute))
	forged := map[string]*rsa.PublicKey{keyID(&other.PublicKey): &known.PublicKey}
	if verify(forged, token, now) == nil {
		t.Error("a signature of another key was believed")
	}
}
