package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	atrest "k8s.io/apiserver/pkg/apis/apiserver/v1"
	"k8s.io/client-go/kubernetes"
)

const (
	encryptionConfig = credDir + "encryption-config.json"
	encryptionState  = credDir + "encryption-state.json"
	// encryptionStage is the node's annotation that says how far a change of keys is.
	encryptionStage = "k3s.io/encryption-config-hash"
	reencrypting    = "reencrypt_active"
	reencrypted     = "reencrypt_finished"
)

// encryption gives kube-apiserver's flags for Secrets at rest; a server that has no file yet makes one with a key.
func (n *node) encryption() ([]string, error) {
	if !n.opts.set("secrets-encryption") {
		return nil, nil
	}
	config, err := once(encryptionConfig, func() []byte { return providers(newKey("aescbckey")) })
	if err != nil {
		return nil, err
	}
	_, err = once(encryptionState, func() []byte { return stage("start", config) })
	return []string{"--encryption-provider-config=" + encryptionConfig, "--encryption-provider-config-automatic-reload=true"}, err
}

// encryptionNote is what the node says of it, if anything.
func (n *node) encryptionNote() (map[string]string, error) {
	if !n.opts.set("secrets-encryption") {
		return nil, nil
	}
	state, err := os.ReadFile(encryptionState)
	return map[string]string{encryptionStage: string(state)}, err
}

// providers is the file: the first key encrypts; without any Secrets are written as they are.
func providers(keys ...atrest.Key) []byte {
	var list []atrest.ProviderConfiguration
	if len(keys) > 0 {
		list = append(list, atrest.ProviderConfiguration{AESCBC: &atrest.AESConfiguration{Keys: keys}})
	}
	list = append(list, atrest.ProviderConfiguration{Identity: &atrest.IdentityConfiguration{}})
	data, err := json.Marshal(atrest.EncryptionConfiguration{
		TypeMeta:  metav1.TypeMeta{Kind: "EncryptionConfiguration", APIVersion: "apiserver.config.k8s.io/v1"},
		Resources: []atrest.ResourceConfiguration{{Resources: []string{"secrets"}, Providers: list}},
	})
	if err != nil {
		panic(err) // plain data
	}
	return data
}

// keysOf reads the file's keys.
func keysOf(config []byte) (keys []atrest.Key, err error) {
	var parsed atrest.EncryptionConfiguration
	if err := json.Unmarshal(config, &parsed); err != nil {
		return nil, err
	}
	for _, provider := range parsed.Resources[0].Providers {
		if provider.AESCBC != nil {
			keys = append(keys, provider.AESCBC.Keys...)
		}
	}
	return keys, nil
}

func newKey(name string) atrest.Key {
	key := make([]byte, 32)
	rand.Read(key) // never fails, by its documentation
	return atrest.Key{Name: name, Secret: base64.StdEncoding.EncodeToString(key)}
}

func stage(name string, config []byte) []byte {
	return fmt.Appendf(nil, "%s-%x", name, sha256.Sum256(config))
}

// secretsEncrypt is the subcommand of that name.
func secretsEncrypt(args []string) error {
	opts, err := readOptions(configPath)
	if err != nil {
		return err
	}
	config, err := adminConfig(credDir + "supervisor.kubeconfig")
	if err != nil {
		return err
	}
	api, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	keeper := &keeper{api: api, node: strings.ToLower(opts.last("node-name", host)), flag: opts.set("secrets-encryption")}
	done := ""
	switch strings.Join(args, " ") {
	case "status":
		done, err = keeper.status(ctx)
	case "enable":
		done, err = "secrets-encryption enabled", keeper.enable(ctx)
	case "rotate-keys":
		done, err = "keys rotated, reencryption started", keeper.rotate(ctx)
	case "reencrypt --force":
		done, err = "reencryption started", keeper.reencrypt(ctx)
	default:
		return errors.New("this stand-in knows secrets-encrypt status, enable, rotate-keys and reencrypt --force")
	}
	if err != nil {
		return fmt.Errorf("see server log for details: %w", err)
	}
	fmt.Println(done)
	return nil
}

// keeper changes how Secrets lie in the datastore. In k3s the server does it; here the command does.
type keeper struct {
	api  kubernetes.Interface
	node string
	flag bool
}

func (k *keeper) status(ctx context.Context) (string, error) {
	config, err := os.ReadFile(encryptionConfig)
	if !k.flag || errors.Is(err, os.ErrNotExist) {
		return "Encryption Status: Disabled, no configuration file found", nil
	}
	keys, err1 := keysOf(config)
	at, _, err2 := k.stage(ctx)
	status := "Enabled"
	if len(keys) == 0 {
		status = "Disabled"
	}
	return fmt.Sprintf("Encryption Status: %s\nCurrent Rotation Stage: %s\nServer Encryption Hashes: All hashes match\n", status, at), errors.Join(err, err1, err2)
}

// enable lays down a file without a key, where there is none.
func (k *keeper) enable(ctx context.Context) error {
	if err := k.api.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error(); err != nil {
		return err
	}
	config, err := os.ReadFile(encryptionConfig)
	if errors.Is(err, os.ErrNotExist) {
		return replace(encryptionConfig, providers(), 0o600)
	}
	if keys, err := keysOf(config); err != nil || len(keys) > 0 {
		return err
	}
	// As k3s v1.36.2 was seen to end (curie-eng/curie#1243): its code looks for a second provider.
	return fmt.Errorf("Put \"%s/v1-k3s/encrypt/config\": EOF", ownServer)
}

// rotate makes a key, has kube-apiserver read it, and finishes with it.
func (k *keeper) rotate(ctx context.Context) error {
	config, err := os.ReadFile(encryptionConfig)
	if err != nil {
		return err
	}
	at, digest, err := k.stage(ctx)
	switch {
	case err != nil:
		return err
	case at != "start" && at != reencrypted:
		return fmt.Errorf("incorrect stage: %s found on node %s", at, k.node)
	case digest != fmt.Sprintf("%x", sha256.Sum256(config)):
		return fmt.Errorf("invalid hash: %s found on node %s", digest, k.node)
	}
	before, err1 := k.reloads(ctx)
	keys, err2 := keysOf(config)
	if err := errors.Join(err1, err2, k.note(ctx, stage(reencrypting, config))); err != nil {
		return err
	}
	keys = append([]atrest.Key{newKey("aescbckey-" + time.Now().Format(time.RFC3339))}, keys...)
	if err := replace(encryptionConfig, providers(keys...), 0o600); err != nil {
		return err
	}
	err = until(ctx, "kube-apiserver and its new key", time.Minute, func(ctx context.Context) error {
		if now, err := k.reloads(ctx); err != nil || now > before {
			return err
		}
		return errors.New("it has not read it yet")
	})
	if err != nil {
		return err
	}
	return k.finish(ctx, keys)
}

// reencrypt goes on whatever the stage is: by the keys in the file, which kube-apiserver read as it started.
func (k *keeper) reencrypt(ctx context.Context) error {
	config, err := os.ReadFile(encryptionConfig)
	if err != nil {
		return err
	}
	keys, err := keysOf(config)
	if err := errors.Join(err, k.note(ctx, stage(reencrypting, config))); err != nil {
		return err
	}
	return k.finish(ctx, keys)
}

// finish writes every Secret by the first key, and drops the last of several.
func (k *keeper) finish(ctx context.Context, keys []atrest.Key) error {
	if err := k.rewrite(ctx); err != nil {
		return err
	}
	config := providers(keys[:max(1, len(keys)-1)]...)
	done := stage(reencrypted, config)
	return errors.Join(replace(encryptionConfig, config, 0o600), k.note(ctx, done), replace(encryptionState, done, 0o600))
}

// rewrite writes every Secret as it is: kube-apiserver does it where another key is to be used.
func (k *keeper) rewrite(ctx context.Context) error {
	all, err := k.api.CoreV1().Secrets(v1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, secret := range all.Items {
		_, err := k.api.CoreV1().Secrets(secret.Namespace).Update(ctx, &secret, metav1.UpdateOptions{})
		// Who wrote it meanwhile used the new key.
		if err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

// stage is what the node says, and of which file.
func (k *keeper) stage(ctx context.Context) (at, digest string, err error) {
	found, err := k.api.CoreV1().Nodes().Get(ctx, k.node, metav1.GetOptions{})
	if err != nil {
		return "", "", err
	}
	at, digest, noted := strings.Cut(found.Annotations[encryptionStage], "-")
	if !noted {
		return "", "", fmt.Errorf("missing annotation on node %s", k.node)
	}
	return at, digest, nil
}

func (k *keeper) note(ctx context.Context, state []byte) error {
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`, encryptionStage, state)
	_, err := k.api.CoreV1().Nodes().Patch(ctx, k.node, types.MergePatchType, patch, metav1.PatchOptions{})
	return err
}

// reloads counts how often kube-apiserver has read the file since it started.
func (k *keeper) reloads(ctx context.Context) (count float64, err error) {
	metrics, err := k.api.Discovery().RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	for line := range strings.Lines(string(metrics)) {
		if strings.HasPrefix(line, "apiserver_encryption_config_controller_automatic_reloads_total{") && strings.Contains(line, `status="success"`) {
			return strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndex(line, " "):]), 64)
		}
	}
	return 0, err
}
