package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"slices"
	"strings"
	"time"
)

const tlsDir = serverDir + "/tls/"

// pair names a certificate and its key on disk.
type pair struct{ cert, key string }

func pairOf(name string) pair { return pair{tlsDir + name + ".crt", tlsDir + name + ".key"} }

// subject is who a leaf certificate speaks for.
type subject struct {
	name   string   // common name
	groups []string // organizations
	sans   []string // names and addresses
}

// authority is a CA that outlives restarts; its leaves are reused until 120 days before their end, as in k3s.
type authority struct {
	pair
	tls.Certificate
}

// openAuthority reads a CA, or makes it at the first start.
func openAuthority(name string) (*authority, error) {
	p := pairOf(name)
	if _, err := os.Stat(p.key); errors.Is(err, os.ErrNotExist) {
		template := &x509.Certificate{
			Subject: pkix.Name{CommonName: fmt.Sprintf("k3s-%s@%d", name, time.Now().Unix())}, NotAfter: time.Now().AddDate(10, 0, 0),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature | x509.KeyUsageCRLSign,
		}
		if err := sign(p, template, nil); err != nil {
			return nil, err
		}
	}
	loaded, err := tls.LoadX509KeyPair(p.cert, p.key)
	return &authority{p, loaded}, err
}

// issue gives a certificate for client and server use, a new one only when the present one does not do.
func (a *authority) issue(name string, who subject) (pair, error) {
	p := pairOf(name)
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: who.name, Organization: who.groups}, NotAfter: time.Now().AddDate(1, 0, 0),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	for _, san := range who.sans {
		if ip := net.ParseIP(san); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, san)
		}
	}
	if old, err := tls.LoadX509KeyPair(p.cert, p.key); err == nil && old.Leaf.CheckSignatureFrom(a.Leaf) == nil && time.Until(old.Leaf.NotAfter) > 120*24*time.Hour &&
		old.Leaf.Subject.String() == template.Subject.String() && slices.Equal(old.Leaf.DNSNames, template.DNSNames) &&
		slices.EqualFunc(old.Leaf.IPAddresses, template.IPAddresses, net.IP.Equal) {
		return p, nil
	}
	return p, sign(p, template, a)
}

// sign makes a key and its certificate, by the authority or by itself.
func sign(p pair, template *x509.Certificate, by *authority) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template.SerialNumber, template.NotBefore = big.NewInt(time.Now().UnixNano()), time.Now().Add(-time.Hour)
	parent, signer := template, crypto.PrivateKey(key)
	if by != nil {
		parent, signer = by.Leaf, by.PrivateKey
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return err
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return errors.Join(
		replace(p.cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o644),
		replace(p.key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}), 0o600))
}

// serviceKey signs the tokens of service accounts.
func serviceKey() (string, error) {
	path := tlsDir + "service.key"
	_, err := once(path, func() []byte {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil
		}
		return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	})
	return path, err
}

// writeKubeconfig makes a kubeconfig in k3s' form: cluster, user and context are all named default.
func writeKubeconfig(path string, mode os.FileMode, ca string, user pair) error {
	fields := make([]any, 0, 3)
	for _, p := range []string{ca, user.cert, user.key} {
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		fields = append(fields, base64.StdEncoding.EncodeToString(data))
	}
	return replace(path, fmt.Appendf(nil, `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: %s
    server: https://127.0.0.1:6443
  name: default
contexts:
- context:
    cluster: default
    user: default
  name: default
current-context: default
kind: Config
users:
- name: default
  user:
    client-certificate-data: %s
    client-key-data: %s
`, fields...), mode)
}

// writeTokens keeps server/token in its full form, with the links that k3s makes beside it.
func writeTokens(ca, given string) error {
	path := serverDir + "/token"
	bundle, err := os.ReadFile(ca)
	if err != nil {
		return err
	}
	password := given[strings.LastIndex(given, ":")+1:]
	held, err := once(path, func() []byte {
		if password == "" {
			password = string(randomHex())
		}
		return fmt.Appendf(nil, "K10%x::server:%s\n", sha256.Sum256(bundle), password)
	})
	if err != nil {
		return err
	}
	if password != "" && !strings.HasSuffix(strings.TrimSpace(string(held)), ":"+password) {
		return errors.New("bootstrap data already found and encrypted with different token")
	}
	for _, link := range []string{"node-token", "agent-token"} {
		if err := os.Symlink(path, serverDir+"/"+link); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	_, err = once("/etc/rancher/node/password", randomHex)
	return err
}
