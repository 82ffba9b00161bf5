package cluster

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/credential/credentialtest"
)

func TestCheck(t *testing.T) {
	pem, key := credentialtest.Good(t)
	certificate, private := string(pem), string(key)
	_, otherKey := credentialtest.Good(t)
	encoded := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	for name, c := range map[string]struct {
		config Config
		want   []string // the fields, with words of each error
	}{
		"nothing":              {Config{}, nil},
		"all":                  {Config{Host: "https://h", Token: "t", CACertificate: certificate, ProxyURL: "http://p", TLSServerName: "n"}, nil},
		"a host alone":         {Config{Host: "10.0.0.1"}, nil},
		"client certificate":   {Config{Host: "h:6443", ClientCertificate: certificate, ClientKey: private}, nil},
		"its key elsewhere":    {Config{Kubeconfig: twoContexts, ClientCertificate: certificate}, nil},
		"host":                 {Config{Host: "ftp://h"}, []string{"host", "https://"}},
		"host, not filled in":  {Config{Host: "${s3cret}"}, []string{"host", "${...}"}},
		"authority in base64":  {Config{CACertificate: encoded(certificate)}, []string{"cluster_ca_certificate", "base64decode"}},
		"authority, a path":    {Config{CACertificate: "/s3cret/ca.pem"}, []string{"cluster_ca_certificate", "no PEM"}},
		"certificate, base64":  {Config{ClientCertificate: encoded(certificate), ClientKey: encoded(private)}, []string{"client_certificate", "base64decode", "client_key", "base64decode"}},
		"certificate alone":    {Config{ClientCertificate: certificate}, []string{"client_key", "is missing"}},
		"key alone":            {Config{ClientKey: private}, []string{"client_certificate", "is missing"}},
		"key of another":       {Config{ClientCertificate: certificate, ClientKey: string(otherKey)}, []string{"client_key", "not the key"}},
		"key and certificate":  {Config{ClientCertificate: private, ClientKey: certificate}, []string{"client_certificate", "private key", "client_key", "CERTIFICATE"}},
		"token":                {Config{Token: "s3cret\n"}, []string{"token", "trimspace"}},
		"token in base64":      {Config{Token: encoded(credentialtest.Token("{}"))}, []string{"token", "base64decode"}},
		"username":             {Config{Username: "ci\n"}, []string{"username", "trimspace"}},
		"password":             {Config{Password: "s3cret\n"}, []string{"password", "trimspace"}},
		"insecure":             {Config{Insecure: true, CACertificate: certificate}, []string{"insecure", "cluster_ca_certificate"}},
		"proxy":                {Config{ProxyURL: "s3cret"}, []string{"proxy_url", "socks5"}},
		"kubeconfig, base64":   {Config{Kubeconfig: encoded(twoContexts)}, []string{"kubeconfig", "base64decode"}},
		"kubeconfig, a path":   {Config{Kubeconfig: "~/.kube/s3cret"}, []string{"kubeconfig", "config_path"}},
		"kubeconfig, no YAML":  {Config{Kubeconfig: "a: {s3cret: ["}, []string{"kubeconfig", "cannot be read"}},
		"several, one by one":  {Config{Host: "https://", Token: "a b"}, []string{"host", "no host", "token", "white space"}},
		"name with line break": {Config{TLSServerName: "n\n"}, []string{"tls_server_name", "trimspace"}},
	} {
		t.Run(name, func(t *testing.T) {
			found := c.config.Check()
			if len(found) != len(c.want)/2 {
				t.Fatalf("%v, want %v", found, c.want)
			}
			for i, err := range found {
				if err.Field != c.want[2*i] || !strings.Contains(err.Error(), c.want[2*i+1]) || strings.Contains(err.Error(), "s3cret") {
					t.Errorf("%v, want %v", err, c.want)
				}
			}
		})
	}
}
