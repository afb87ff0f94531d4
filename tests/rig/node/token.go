package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strings"
)

const agentToken = serverDir + "/agent-token"

// writeTokens keeps server/token in its full form, the link that k3s makes beside it, and the agents' own token if there is one.
func (n *node) writeTokens(ca string) error {
	path := serverDir + "/token"
	given, err1 := n.opts.secret("token")
	agents, err2 := n.opts.secret("agent-token")
	bundle, err3 := os.ReadFile(ca)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	full := func(user, password string) []byte {
		return fmt.Appendf(nil, "K10%x::%s:%s\n", sha256.Sum256(bundle), user, password)
	}
	held, err := once(path, func() []byte {
		if given == "" {
			given = string(randomHex())
		}
		return full("server", password(given))
	})
	if err != nil {
		return err
	}
	if given != "" && password(given) != password(string(held)) {
		return errors.New("bootstrap data already found and encrypted with different token")
	}
	if err := link(path, serverDir+"/node-token"); err != nil {
		return err
	}
	if agents == "" {
		return link(path, agentToken)
	}
	return replace(agentToken, full("node", password(agents)), 0o600)
}

// link makes a symbolic link, in place of whatever was there.
func link(to, path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Symlink(to, path)
}

// password is the secret part of a token in any form.
func password(token string) string {
	if _, user, full := strings.Cut(token, "::"); full {
		_, token, _ = strings.Cut(user, ":")
	}
	return strings.TrimSpace(token)
}

// parseToken takes a token apart; a short one has no hash of the CA.
func parseToken(token string) (hash, secret string, err error) {
	rest, full := strings.CutPrefix(token, "K10")
	if !full {
		return "", token, nil
	}
	hash, _, found := strings.Cut(rest, "::")
	switch {
	case !found || password(token) == "":
		return "", "", errors.New("invalid token format")
	case len(hash) != 2*sha256.Size:
		return "", "", errors.New("invalid token CA hash length")
	}
	return hash, password(token), nil
}
