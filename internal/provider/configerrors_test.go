package provider

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"golang.org/x/crypto/ssh"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/credential/credentialtest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/redact"
)

// TestConfigureErrors_origin: what is wrong with a credential, a URL or a host's keys is one error of the plan, at the attribute, or about the
// variable that it comes from.
func TestConfigureErrors_origin(t *testing.T) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	sshKey := string(pem.EncodeToMemory(block))
	const url, over = "https://git.example.com/team/r.git", "git@git.example.com:r.git"
	certificate, key := credentialtest.Good(t)
	expired, expiredKey := credentialtest.Pair(t, time.Now().Add(-2*time.Hour), time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC))
	http := func(more attributes) attributes { return attributes{"url": url, "http": more} }
	api := func(more attributes) attributes {
		more["kind"] = "gitea"
		return attributes{"url": url, "push_branch": "next", "http": attributes{"password": "good"}, "forge": more}
	}
	app := func(id, installation, key string) attributes {
		return attributes{"url": "https://github.com/team/r", "http": attributes{"github_app": attributes{"id": id, "installation_id": installation, "private_key": key}}}
	}
	for name, test := range map[string]struct {
		environment map[string]string
		git         attributes
		at, says    string // at: "" for a variable
	}{
		"password":               {nil, http(attributes{"password": "s3cret\n"}), "git.http.password", "git.http.password ends with a line break"},
		"password of CI":         {map[string]string{"CARVEL_GIT_PASSWORD": "s3cret\n"}, attributes{"url": url}, "", "git.http.password, which CARVEL_GIT_PASSWORD in the environment sets, ends with a line break"},
		"password of both":       {map[string]string{"CARVEL_GIT_PASSWORD": "good"}, http(attributes{"password": " s3cret"}), "git.http.password", "git.http.password begins or ends with white space"},
		"user of CI":             {map[string]string{"CARVEL_GIT_USERNAME": "ci\n", "CARVEL_GIT_PASSWORD": "s3cret"}, attributes{"url": url}, "", "which CARVEL_GIT_USERNAME in the environment sets, ends"},
		"token":                  {nil, http(attributes{"bearer_token": "s3cret "}), "git.http.bearer_token", "begins or ends with white space"},
		"token of CI":            {map[string]string{"CARVEL_GIT_TOKEN": "s3cret\r\n"}, http(attributes{}), "", "which CARVEL_GIT_TOKEN in the environment sets, ends with a line break"},
		"forge's token":          {nil, api(attributes{"token": "s3cret\n"}), "git.forge.token", "ends with a line break"},
		"forge's token of CI":    {map[string]string{"CARVEL_FORGE_TOKEN": "\ts3cret"}, api(attributes{}), "", "git.forge.token, which CARVEL_FORGE_TOKEN in the environment sets, begins or ends"},
		"forge's password":       {nil, api(attributes{"token": "s3cret\n", "username": "ci"}), "git.forge.token", "ends with a line break"},
		"forge's user":           {nil, api(attributes{"token": "good", "username": "ci\n"}), "git.forge.username", "ends with a line break"},
		"app's key in base64":    {nil, app("12", "7", base64.StdEncoding.EncodeToString(key)), "git.http.github_app.private_key", "is in base64: give it decoded"},
		"URL of CI":              {map[string]string{"CARVEL_GIT_URL": url + "\n"}, nil, "", "git.url, which CARVEL_GIT_URL in the environment sets, ends with a line break"},
		"URL":                    {nil, attributes{"url": "https://git.example.com/a b"}, "git.url", "%20"},
		"branch of CI":           {map[string]string{"CARVEL_GIT_BRANCH": "main\n"}, attributes{"url": url}, "", "which CARVEL_GIT_BRANCH in the environment sets, ends"},
		"AGit":                   {nil, attributes{"url": url, "push_branch": "refs/for/main/topic"}, "git.push_branch", "git.push_branch is no branch: below refs/for/ a host takes changes for review"},
		"AGit, what to do":       {nil, attributes{"url": url, "push_branch": "refs/for/main"}, "git.push_branch", "such as terraform/prod, and git.forge: a carvel_pull_request then opens the request."},
		"AGit as the branch":     {nil, attributes{"url": url, "branch": "refs/for/main"}, "git.branch", "Set git.push_branch to the name of a branch"},
		"a draft of CI":          {map[string]string{"CARVEL_GIT_PUSH_BRANCH": "refs/drafts/main"}, attributes{"url": url}, "", "which CARVEL_GIT_PUSH_BRANCH in the environment sets, is no branch"},
		"a ref":                  {nil, attributes{"url": url, "push_branch": "refs/heads/next"}, "git.push_branch", "write it without refs/heads/"},
		"known hosts":            {nil, attributes{"url": over, "ssh": attributes{"private_key": sshKey, "known_hosts": "# x\ngit.example.com\n"}}, "git.ssh.known_hosts", "line 2 has a host's name alone"},
		"known hosts of CI":      {map[string]string{"CARVEL_GIT_KNOWN_HOSTS": "git.example.com"}, attributes{"url": over, "ssh": attributes{"private_key": sshKey}}, "", "which CARVEL_GIT_KNOWN_HOSTS in the environment sets, cannot be read: line 1"},
		"certificate alone":      {nil, http(attributes{"client_certificate": string(certificate)}), "git.http.client_key", "is required"},
		"key alone":              {nil, http(attributes{"client_key": string(key)}), "git.http.client_certificate", "is required"},
		"key in base64":          {nil, http(attributes{"client_certificate": string(certificate), "client_key": base64.StdEncoding.EncodeToString(key)}), "git.http.client_key", "base64decode"},
		"another's key":          {nil, http(attributes{"client_certificate": string(certificate), "client_key": string(expiredKey)}), "git.http.client_key", "is not the key of the client certificate"},
		"expired":                {nil, http(attributes{"client_certificate": string(expired), "client_key": string(expiredKey)}), "git.http.client_certificate", "expired on 2020-01-02T03:04:05Z"},
		"certificate over SSH":   {nil, attributes{"url": over, "ssh": attributes{"private_key": sshKey}, "http": attributes{"client_certificate": string(certificate), "client_key": string(key)}}, "git.http", "does not go with an SSH URL"},
		"expired, for the forge": {nil, attributes{"url": "git@github.com:team/r", "push_branch": "next", "ssh": attributes{"private_key": sshKey}, "forge": attributes{"token": "good"}, "http": attributes{"client_certificate": string(expired), "client_key": string(expiredKey)}}, "git.http.client_certificate", "expired on"},
	} {
		t.Run(name, func(t *testing.T) {
			clear(t)
			t.Setenv("CARVEL_FORGE_TOKEN", "")
			for variable, value := range test.environment {
				t.Setenv(variable, value)
			}
			config := attributes{}
			if test.git != nil {
				config["git"] = test.git
			}
			_, diags := configure(t, config)
			if len(diags) != 1 || !strings.Contains(diags[0].Detail(), test.says) || strings.Contains(diags[0].Detail(), "s3cret") {
				t.Fatalf("got %v, want %s", diags, test.says)
			}
			at := ""
			if with, ok := diags[0].(diag.DiagnosticWithPath); ok {
				at = with.Path().String()
			}
			if at != test.at {
				t.Errorf("the error is at %q, want %q", at, test.at)
			}
		})
	}
}

// TestConfigureKnows_clientKey: the key is known before anything is sent.
func TestConfigureKnows_clientKey(t *testing.T) {
	clear(t)
	certificate, key := credentialtest.Good(t)
	r := redact.New()
	schema := providerSchema()
	raw := value(t, schema.Type().TerraformType(t.Context()), attributes{"git": attributes{
		"url": "https://git.example.com/r", "http": attributes{"client_certificate": string(certificate), "client_key": string(key)},
	}})
	var resp provider.ConfigureResponse
	New("test")().Configure(redact.NewContext(t.Context(), r), provider.ConfigureRequest{Config: tfsdk.Config{Raw: raw, Schema: schema}}, &resp)
	if resp.Diagnostics.HasError() || strings.Contains(r.Text("a "+string(key)+" b"), "PRIVATE") {
		t.Error(resp.Diagnostics, r.Text("a "+string(key)+" b"))
	}
}
