package carvel

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/giturl"
)

// The keys that the controller accepts in a Secret for Git. It refuses a Secret
// with any other.
const (
	GitUsernameKey   = "username"
	GitPasswordKey   = "password"
	GitPrivateKeyKey = "ssh-privatekey"
	GitKnownHostsKey = "ssh-knownhosts"
)

// AgeKeyKey is the key of a Secret that holds age keys; the controller takes
// any.
const AgeKeyKey = "key.txt"

// DefaultGitSecretName is the name of the Secret with an App's own Git
// credentials if none is given.
func DefaultGitSecretName(app string) string { return app + "-git" }

// AgeSecretName is the name of the Secret with an App's own age key.
func AgeSecretName(app string) string { return app + "-sops-age" }

// CredentialSecret builds a Secret for an App's controller. It is opaque: the
// controller looks at the keys alone, and the type of a Secret cannot change.
func CredentialSecret(namespace, name string, data map[string][]byte) *unstructured.Unstructured {
	obj := object(Secrets, "Secret", namespace, name, managedBy(), nil)
	encoded := make(map[string]any, len(data))
	for key, value := range data {
		encoded[key] = base64.StdEncoding.EncodeToString(value)
	}
	obj.Object["type"], obj.Object["data"] = DefaultSecretType, encoded
	return obj
}

// SecretKeys are the keys of a Secret, in no order.
func SecretKeys(obj *unstructured.Unstructured) []string {
	data, _, err := unstructured.NestedMap(obj.Object, "data")
	if err != nil {
		return nil // not a Secret that an API server has stored
	}
	keys := make([]string, 0, len(data))
	for key := range data {
		keys = append(keys, key)
	}
	return keys
}

// UseGitSecret names a Secret in the Git sources that name none and are on the
// host of the first of these. Credentials are not sent to another host.
func UseGitSecret(fetch []Fetch, name string) {
	host := ""
	for _, f := range fetch {
		if f.Git == nil || f.Git.SecretRef != nil {
			continue
		}
		if host == "" {
			host = giturl.Host(f.Git.URL)
		}
		if giturl.Host(f.Git.URL) == host {
			f.Git.SecretRef = &LocalRef{Name: name}
		}
	}
}

// CheckGitCredential refuses a kind of credential that the controller cannot
// use for a URL.
func CheckGitCredential(repository string, password, privateKey bool) error {
	https := strings.HasPrefix(repository, "https://")
	switch {
	case password && !https:
		return fmt.Errorf("a username and a password can be used with an https:// URL alone, and a source's URL is %s", repository)
	case privateKey && (https || strings.HasPrefix(repository, "http://")):
		return fmt.Errorf("an SSH key cannot be used with the URL %s", repository)
	}
	return nil
}

// ValidateAgeKey checks age keys without repeating them.
func ValidateAgeKey(keys string) error {
	for line := range strings.Lines(keys) {
		if strings.HasPrefix(strings.TrimSpace(line), "AGE-SECRET-KEY-") {
			return nil
		}
	}
	return errors.New("no line begins with AGE-SECRET-KEY-")
}

// ValidatePrivateKey checks an SSH key without repeating it.
func ValidatePrivateKey(key string) error {
	if !strings.HasPrefix(strings.TrimSpace(key), "-----BEGIN ") {
		return errors.New("it does not begin with -----BEGIN")
	}
	return nil
}

// UsesSecret reports whether an App names a Secret of its namespace.
func UsesSecret(app *unstructured.Unstructured, name string) bool {
	spec, _, err := unstructured.NestedMap(app.Object, "spec")
	return err == nil && refersTo(spec, name)
}

// refersTo looks for fields such as secretRef and privateKeysSecretRef.
func refersTo(value any, name string) bool {
	switch value := value.(type) {
	case map[string]any:
		for field, v := range value {
			if ref, ok := v.(map[string]any); ok && strings.HasSuffix(strings.ToLower(field), "secretref") && ref["name"] == name {
				return true
			}
			if refersTo(v, name) {
				return true
			}
		}
	case []any:
		for _, v := range value {
			if refersTo(v, name) {
				return true
			}
		}
	}
	return false
}
