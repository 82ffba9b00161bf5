package cluster

import (
	"encoding/base64"
	"errors"
	"strings"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/credential"
)

// FieldError: a setting of a Config cannot be what it is. Its text quotes nothing.
type FieldError struct {
	Field  string // as a provider configuration calls it
	Secret bool   // a credential, or what may hold one
	Err    error
}

func (e *FieldError) Error() string { return e.Field + " " + e.Err.Error() }
func (e *FieldError) Unwrap() error { return e.Err }

// Check looks at the settings themselves. It reads no file that they name, and what it
// does not find may still be wrong.
func (c Config) Check() []*FieldError {
	var found []*FieldError
	check := func(field, value string, secret bool, is func(string) error) {
		if value == "" {
			return
		}
		err := credential.Unfilled(value)
		if err == nil {
			err = is(value)
		}
		if errors.Is(err, credential.ErrEncoded) {
			err = errors.New("is in base64, and is wanted as it was before: put base64decode(...) around it")
		}
		if err != nil {
			found = append(found, &FieldError{field, secret, err})
		}
	}
	check("host", c.Host, false, credential.Server)
	check("token", c.Token, true, credential.Token)
	check("username", c.Username, false, credential.Text)
	check("password", c.Password, true, credential.Text)
	check("tls_server_name", c.TLSServerName, false, credential.Text)
	check("cluster_ca_certificate", c.CACertificate, false, func(text string) error {
		_, err := credential.Authorities([]byte(text))
		return err
	})
	check("kubeconfig", c.Kubeconfig, true, kubeconfigText)
	check("proxy_url", c.ProxyURL, true, func(text string) error {
		if !isProxy(text) {
			return errors.New("is not a URL that begins with http://, https:// or socks5://")
		}
		return nil
	})
	before := len(found)
	check("client_certificate", c.ClientCertificate, false, func(text string) error {
		_, err := credential.ClientCertificate([]byte(text))
		return err
	})
	check("client_key", c.ClientKey, true, func(text string) error { return credential.ClientKey([]byte(text)) })
	if len(found) == before {
		found = append(found, c.checkPair()...)
	}
	if c.Insecure && c.CACertificate != "" {
		found = append(found, &FieldError{"insecure", false, errors.New("is true beside cluster_ca_certificate, which then would be for nothing: remove one of the two")})
	}
	return found
}

func (c Config) checkPair() []*FieldError {
	alone := c.Kubeconfig == "" && len(c.ConfigPaths) == 0 // which may have the other of the two
	switch {
	case c.ClientCertificate != "" && c.ClientKey == "" && alone:
		return []*FieldError{{"client_key", true, errors.New("is missing: client_certificate is of no use without it")}}
	case c.ClientKey != "" && c.ClientCertificate == "" && alone:
		return []*FieldError{{"client_certificate", false, errors.New("is missing: client_key is of no use without it")}}
	case c.ClientKey != "" && c.ClientCertificate != "":
		if err := credential.Pair([]byte(c.ClientCertificate), []byte(c.ClientKey)); err != nil {
			return []*FieldError{{"client_key", true, err}}
		}
	}
	return nil
}

func kubeconfigText(text string) error {
	_, err := clientcmd.Load([]byte(text))
	if err == nil {
		return nil
	}
	if decoded, notEncoded := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), "")); notEncoded == nil {
		if _, err := clientcmd.Load(decoded); err == nil {
			return credential.ErrEncoded
		}
	}
	if !strings.Contains(strings.TrimSpace(text), "\n") && !strings.Contains(text, "{") {
		return errors.New("is the text of a kubeconfig; the path of a file goes into config_path")
	}
	return errors.New("cannot be read as the YAML of kind Config")
}
