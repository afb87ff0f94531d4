package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"
)

const passwordPath = "/etc/rancher/node/password"

// supervisor is a server's end of the join, seen from a node that trusts it.
type supervisor struct {
	url    string
	client *http.Client
	ask    http.Header // says who asks
}

// join gets all that a node needs from a server. It goes on for ever, as k3s does, and says what is in the way.
func (n *node) join(server, token string) error {
	for {
		from, err := n.trust(server, token)
		if err != nil {
			say("error", "Failed to validate connection to cluster at %s: %v", server, err)
		} else if err = n.retrieve(from); err != nil {
			say("info", "Waiting to retrieve agent configuration; server is not ready: %v", err)
		} else {
			return nil
		}
		select {
		case <-n.ctx.Done():
			return context.Cause(n.ctx)
		case <-time.After(2 * time.Second):
		}
	}
}

// trust holds the server's CA against the hash in the token; without one it is taken as it is.
func (n *node) trust(server, token string) (*supervisor, error) {
	hash, secret, err := parseToken(token)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(server, "https://") {
		return nil, errors.New("only https:// URLs are supported, invalid scheme: " + server)
	}
	from := &supervisor{strings.TrimRight(server, "/"), client(&tls.Config{InsecureSkipVerify: true}), http.Header{}}
	ca, err := from.get(n.ctx, "/cacerts")
	if err != nil {
		return nil, fmt.Errorf("failed to get CA certs: %w", err)
	}
	if seen := fmt.Sprintf("%x", sha256.Sum256(ca)); hash != "" && hash != seen {
		return nil, fmt.Errorf("token CA hash does not match the Cluster CA certificate hash: %s != %s", hash, seen)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	from.client = client(&tls.Config{RootCAs: roots})
	own, err := once(passwordPath, func() []byte { return append(randomHex(), '\n') })
	request := http.Request{Header: from.ask}
	request.SetBasicAuth("node", secret)
	from.ask.Set("k3s-Node-Name", n.name)
	from.ask.Set("k3s-Node-IP", n.ip)
	from.ask.Set("k3s-Node-Password", strings.TrimSpace(string(own)))
	return from, err
}

func client(config *tls.Config) *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
}

func (s *supervisor) get(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header = s.ask
	answer, err := s.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
		return io.ReadAll(answer.Body)
	case http.StatusForbidden:
		return nil, fmt.Errorf("Node password rejected, duplicate hostname or contents of '%s' may not match server node-passwd entry, "+
			"try enabling a unique node name with the --with-node-id flag", passwordPath)
	}
	return nil, fmt.Errorf("%s: %s", s.url+path, answer.Status)
}

// retrieve writes certificates and kubeconfigs, and takes over the settings that are the same on every node.
func (n *node) retrieve(from *supervisor) error {
	given, err := from.get(n.ctx, "/v1-k3s/config")
	if err != nil {
		return fmt.Errorf("failed to retrieve configuration from server: %w", err)
	}
	settings := options{}
	if err := json.Unmarshal(given, &settings); err != nil {
		return err
	}
	for _, file := range []struct{ name, kubeconfig string }{
		{"client-ca", ""}, {"server-ca", ""}, {"serving-kubelet", ""},
		{"client-kubelet", "kubelet"}, {"client-kube-proxy", "kubeproxy"}, {"client-k3s-controller", "k3scontroller"},
	} {
		text, err := from.get(n.ctx, "/v1-k3s/"+file.name+".crt")
		if err != nil {
			return err
		}
		p := pair{agentDir + "/" + file.name + ".crt", agentDir + "/" + file.name + ".key"}
		cert, rest, _ := bytes.Cut(text, []byte("-----BEGIN EC"))
		err = replace(p.cert, cert, 0o600)
		if len(rest) > 0 {
			err = errors.Join(err, replace(p.key, append([]byte("-----BEGIN EC"), rest...), 0o600))
		}
		if file.kubeconfig != "" {
			err = errors.Join(err, writeKubeconfig(agentDir+"/"+file.kubeconfig+".kubeconfig", 0o600, from.url, agentDir+"/server-ca.crt", p))
		}
		if err != nil {
			return err
		}
	}
	maps.Copy(n.opts, settings)
	return nil
}
