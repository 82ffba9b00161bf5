package secrets_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/redacted"
)

// If a secret is given to an attribute: in the working run, as one that the
// test makes up or one of the lab's, or in a run that fails.
const (
	ofLab   = "the lab's "
	failing = "failing: "
)

// canaryOf tells for every attribute that is sensitive or write-only which
// canary is given to it, and searched for.
var canaryOf = map[string]string{
	"provider.git.http.password":               ofLab + "Git password",
	"provider.git.http.bearer_token":           failing + "wrong Git token",
	"provider.git.http.github_app.private_key": failing + "GitHub App key that is none",
	"provider.git.http.client_key":             failing + "Git client key that is none",
	"provider.git.forge.token":                 failing + "forge that echoes a token in a redirect",
	"provider.git.ssh.private_key":             failing + "SSH key that is none",
	"provider.git.ssh.password":                failing + "SSH key that is none",
	"provider.git.signing.open_pgp_key":        failing + "OpenPGP key that is none",
	"provider.git.signing.open_pgp_passphrase": failing + "OpenPGP key that is none",
	"provider.git.signing.ssh_key":             failing + "SSH key to sign with that is none",
	"provider.git.signing.ssh_passphrase":      failing + "SSH key to sign with that is none",
	"provider.build_cluster.token":             ofLab + "build cluster",
	"provider.build_cluster.client_key":        ofLab + "build cluster",
	// The attributes of the build cluster are those of a run cluster.
	"provider.build_cluster.password":               failing + "wrong cluster password",
	"provider.build_cluster.kubeconfig":             failing + "cluster kubeconfig that is none",
	"provider.build_cluster.proxy_url":              failing + "proxy that is none",
	"provider.run_clusters.token":                   failing + "wrong cluster token",
	"provider.run_clusters.password":                failing + "wrong cluster password",
	"provider.run_clusters.client_key":              failing + "client key that is none",
	"provider.run_clusters.kubeconfig":              failing + "cluster kubeconfig that is none",
	"provider.run_clusters.proxy_url":               failing + "proxy that is none",
	"carvel_kubeconfig_secret.kubeconfig":           "kubeconfig",
	"carvel_kubeconfig_secret.kubeconfig_wo":        "kubeconfig_wo",
	"carvel_package_install.values_wo":              "values_wo",
	"carvel_package_installs.values_wo":             "values_wo of a set",
	"carvel_app.git_credentials.password_wo":        "git_credentials.password_wo",
	"carvel_app.git_credentials.ssh_private_key_wo": "git_credentials.ssh_private_key_wo",
	"carvel_app.sops_age_key_wo":                    "sops_age_key_wo",
	"ephemeral.carvel_kubeconfig.kubeconfig":        ofLab + "run cluster",
	"ephemeral.carvel_kubeconfig.token":             ofLab + "run cluster",
}

// TestInputs: there is a canary for every attribute that a schema has as
// sensitive or write-only, and the table names no other.
func TestInputs(t *testing.T) {
	schemas, err := redacted.Server(provider.New("test")())().GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil || len(schemas.Diagnostics) > 0 {
		t.Fatal(err, schemas)
	}
	var secrets []string
	var walk func(above string, attributes []*tfprotov6.SchemaAttribute)
	walk = func(above string, attributes []*tfprotov6.SchemaAttribute) {
		for _, a := range attributes {
			if a.Sensitive || a.WriteOnly {
				secrets = append(secrets, above+"."+a.Name)
			}
			if a.NestedType != nil {
				walk(above+"."+a.Name, a.NestedType.Attributes)
			}
		}
	}
	walk("provider", schemas.Provider.Block.Attributes)
	for _, all := range []struct {
		above   string
		schemas map[string]*tfprotov6.Schema
	}{{"", schemas.ResourceSchemas}, {"data.", schemas.DataSourceSchemas}, {"ephemeral.", schemas.EphemeralResourceSchemas}} {
		t.Run(all.above, func(t *testing.T) {
			for name, schema := range all.schemas {
				walk(all.above+name, schema.Block.Attributes)
			}
		})
	}
	runs := failures(t, &acctest.Env{T: t, Lab: &lab.Lab{}, Name: "x"})
	for _, attribute := range secrets {
		canary, ok := canaryOf[attribute]
		run, fails := strings.CutPrefix(canary, failing)
		_, hasRun := runs[run]
		switch {
		case !ok:
			t.Errorf("no canary is given to %s", attribute)
		case fails && !hasRun:
			t.Errorf("%s: there is no failing run %q", attribute, run)
		case !fails && !strings.HasPrefix(canary, ofLab) && !slices.Contains(made, canary):
			t.Errorf("%s: the working run makes no secret %q", attribute, canary)
		}
	}
	for attribute := range maps.Keys(canaryOf) {
		if !slices.Contains(secrets, attribute) {
			t.Errorf("%s is no attribute that is sensitive or write-only", attribute)
		}
	}
}
