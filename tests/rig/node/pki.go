package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
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

// leaf is a certificate to be signed, for client and server use.
func leaf(who subject) *x509.Certificate {
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
	return template
}

// issue gives a certificate on disk, a new one only when the present one does not do.
func (a *authority) issue(name string, who subject) (pair, error) {
	p := pairOf(name)
	template := leaf(who)
	if old, err := tls.LoadX509KeyPair(p.cert, p.key); err == nil && old.Leaf.CheckSignatureFrom(a.Leaf) == nil && time.Until(old.Leaf.NotAfter) > 120*24*time.Hour &&
		old.Leaf.Subject.String() == template.Subject.String() && slices.Equal(old.Leaf.DNSNames, template.DNSNames) &&
		slices.EqualFunc(old.Leaf.IPAddresses, template.IPAddresses, net.IP.Equal) {
		return p, nil
	}
	return p, sign(p, template, a)
}

// sign makes a pair on disk, signed by the authority or by itself.
func sign(p pair, template *x509.Certificate, by *authority) error {
	cert, key, err := mint(template, by)
	if err != nil {
		return err
	}
	return errors.Join(replace(p.cert, cert, 0o644), replace(p.key, key, 0o600))
}

// mint makes a key and its certificate, in PEM.
func mint(template *x509.Certificate, by *authority) (cert, private []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template.SerialNumber, template.NotBefore = big.NewInt(time.Now().UnixNano()), time.Now().Add(-time.Hour)
	parent, signer := template, crypto.PrivateKey(key)
	if by != nil {
		parent, signer = by.Leaf, by.PrivateKey
	}
	signed, err1 := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	plain, err2 := x509.MarshalECPrivateKey(key)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: plain}), errors.Join(err1, err2)
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
func writeKubeconfig(path string, mode os.FileMode, server, ca string, user pair) error {
	fields := make([]any, 0, 4)
	for _, p := range []string{ca, user.cert, user.key} {
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		fields = append(fields, base64.StdEncoding.EncodeToString(data))
	}
	fields = append(fields, server)
	return replace(path, fmt.Appendf(nil, `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: %[1]s
    server: %[4]s
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
    client-certificate-data: %[2]s
    client-key-data: %[3]s
`, fields...), mode)
}
