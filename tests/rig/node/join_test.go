package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"k8s.io/client-go/kubernetes/fake"
)

func TestTokensAreTakenApart(t *testing.T) {
	hash := strings.Repeat("ab", 32)
	for token, want := range map[string][3]string{
		"K10" + hash + "::node:secret":  {hash, "secret", ""},
		"K10" + hash + "::server:se:cr": {hash, "se:cr", ""},
		"short":                         {"", "short", ""},
		"K10abc::node:secret":           {"", "", "invalid token CA hash length"},
		"K10" + hash + "::node:":        {"", "", "invalid token format"},
		"K10" + hash:                    {"", "", "invalid token format"},
	} {
		gotHash, secret, err := parseToken(token)
		said := ""
		if err != nil {
			said = err.Error()
		}
		if got := [3]string{gotHash, secret, said}; got != want {
			t.Errorf("%s: %q", token, got)
		}
	}
}

func TestNodeKeepsItsFirstPassword(t *testing.T) {
	api, ctx := fake.NewClientset(), context.Background()
	for _, step := range []struct {
		node, password string
		want           error
	}{{"a", "one", nil}, {"a", "one", nil}, {"a", "two", errStranger}, {"b", "two", nil}} {
		if err := recognize(ctx, api, step.node, step.password); !errors.Is(err, step.want) {
			t.Errorf("%s with %s: %v", step.node, step.password, err)
		}
	}
}

func TestWrongServerIsNotTrusted(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Header["K3s-Node-Password"]) > 0 {
			t.Error("the password goes to a server that nobody has judged")
		}
		_, _ = w.Write([]byte("another CA"))
	}))
	defer server.Close()
	n := &node{family: newFamily(context.Background())}
	_, err := n.trust(server.URL, "K10"+strings.Repeat("ab", 32)+"::node:secret")
	if err == nil || !strings.Contains(err.Error(), "token CA hash does not match the Cluster CA certificate hash: abab") {
		t.Errorf("%v", err)
	}
	if _, err := n.trust(strings.Replace(server.URL, "https", "http", 1), "short"); err == nil || !strings.Contains(err.Error(), "only https:// URLs") {
		t.Errorf("%v", err)
	}
}

func TestSupervisorAsksForTheAgentsToken(t *testing.T) {
	api := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for path, want := range map[string]int{"/version": http.StatusTeapot, "/v1-k3s/config": http.StatusUnauthorized} {
		request := httptest.NewRequest(http.MethodGet, path, nil)
		request.SetBasicAuth("node", "")
		answer := httptest.NewRecorder()
		supervised(api, &node{}).ServeHTTP(answer, request)
		if answer.Code != want {
			t.Errorf("%s: %d", path, answer.Code)
		}
	}
}
