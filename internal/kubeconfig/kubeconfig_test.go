package kubeconfig

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

const kubeconfigForm = `apiVersion: v1
kind: Config
current-context: %s
clusters:
- name: c
  cluster: {%s}
- name: other
  cluster: {server: https://other.example.com}
users:
- name: u
  user: {%s}
- name: other
  user: {token: other-token}
contexts:
- name: x
  context: {cluster: c, user: u, namespace: ns}
- name: dangling
  context: {cluster: gone, user: gone}
- name: other
  context: {cluster: other, user: other}
`

func TestPortableKubeconfig(t *testing.T) {
	in := fmt.Sprintf(kubeconfigForm, "x", "server: https://c.example.com, certificate-authority-data: Y2E=", "token: s3cret")
	out, err := Portable([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	if out.Server != "https://c.example.com" {
		t.Errorf("server %q", out.Server)
	}
	for _, gone := range []string{"other"} {
		if strings.Contains(string(out.YAML), gone) {
			t.Errorf("%q is left:\n%s", gone, out.YAML)
		}
	}
	again, err := Portable(out.YAML)
	if err != nil || string(again.YAML) != string(out.YAML) {
		t.Errorf("reducing a reduced kubeconfig changed it: %v", err)
	}
	context, err := CurrentContext(out.YAML)
	if err != nil || context != (Context{Cluster: "c", User: "u", Namespace: "ns", Token: "s3cret"}) {
		t.Errorf("context of cluster %q, user %q, namespace %q, %v", context.Cluster, context.User, context.Namespace, err)
	}
}

func TestPortableKubeconfigRefuses(t *testing.T) {
	const server, token = "server: https://c.example.com", "token: s3cret"
	for name, c := range map[string]struct{ context, cluster, user, finding string }{
		"exec":                  {"x", server, "exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, interactiveMode: Never}", "exec plugin"},
		"tokenFile":             {"x", server, "tokenFile: /var/token", "tokenFile"},
		"client-certificate":    {"x", server, "client-certificate: /c.pem", "client-certificate-data"},
		"client-key":            {"x", server, "client-key: /c.key", "client-key-data"},
		"certificate-authority": {"x", server + ", certificate-authority: /ca.pem", token, "certificate-authority-data"},
		"auth-provider":         {"x", server, "auth-provider: {name: gcp}", "auth-provider"},
		"as-uid":                {"x", server, token + ", as: someone, as-uid: '1'", "as-uid"},
		"no server":             {"x", "insecure-skip-tls-verify: true", token, "no server"},
		"no current-context":    {"''", server, token, "current-context is not set"},
		"unknown context":       {"nosuch", server, token, "no such context"},
		"dangling context":      {"dangling", server, token, "no such cluster"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Portable([]byte(fmt.Sprintf(kubeconfigForm, c.context, c.cluster, c.user)))
			var portability *PortabilityError
			if !errors.As(err, &portability) || !strings.Contains(err.Error(), c.finding) {
				t.Errorf("got %v, want a finding about %q", err, c.finding)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error shows the token: %v", err)
			}
		})
	}
	if _, err := Portable([]byte("s3cret: [")); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("text that is not YAML: %v", err)
	}
}

func TestServiceAccountKubeconfig(t *testing.T) {
	at := APIServer{URL: "https://s.example.com", CA: []byte("ca"), TLSServerName: "api.internal"}
	k, err := ForServiceAccount("staging", at, "ns", "sa", "token")
	if err != nil {
		t.Fatal(err)
	}
	portable, err := Portable(k.YAML)
	if err != nil || string(portable.YAML) != string(k.YAML) {
		t.Errorf("it is not portable as it is: %v", err)
	}
	if !strings.Contains(string(k.YAML), "tls-server-name: api.internal") {
		t.Errorf("the name in the server's certificate is lost:\n%s", k.YAML)
	}
}
