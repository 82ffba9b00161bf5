package kubeconfig

import (
	"fmt"
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/credential/credentialtest"
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
	in := fmt.Sprintf(kubeconfigForm, "x", "server: https://c.example.com, insecure-skip-tls-verify: true", "token: s3cret")
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

func TestServiceAccountKubeconfig(t *testing.T) {
	authority, _ := credentialtest.Good(t)
	at := APIServer{URL: "https://s.example.com", CA: authority, TLSServerName: "api.internal"}
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
