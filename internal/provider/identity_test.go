package provider

import (
	"context"
	"slices"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/gitserver"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/redacted"
)

// identities are the attributes by which Terraform tells objects apart.
var identities = map[string][]string{
	"carvel_run_namespace":     {"name", "run_cluster"},
	"carvel_package_install":   {"package", "run_cluster"},
	"carvel_package_installs":  {"run_cluster"},
	"carvel_kubeconfig_secret": {"name", "namespace"},
	"carvel_app":               {"name", "namespace"},
	"carvel_pull_request":      {"source"},
}

// serve is the provider as Terraform calls it.
func serve(t *testing.T, config attributes) tfprotov6.ProviderServer {
	t.Helper()
	server := redacted.Server(New("test")())()
	kind := providerSchema().Type().TerraformType(t.Context())
	configured, err := server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: pack(t, kind, value(t, kind, config))})
	if err != nil || len(configured.Diagnostics) > 0 {
		t.Fatal(err, configured)
	}
	return server
}

func pack(t *testing.T, kind tftypes.Type, v tftypes.Value) *tfprotov6.DynamicValue {
	t.Helper()
	packed, err := tfprotov6.NewDynamicValue(kind, v)
	if err != nil {
		t.Fatal(err)
	}
	return &packed
}

func TestIdentitySchemas(t *testing.T) {
	clear(t)
	schemas, err := serve(t, attributes{}).GetResourceIdentitySchemas(t.Context(), &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil || len(schemas.Diagnostics) > 0 || len(schemas.IdentitySchemas) != len(identities) {
		t.Fatal(err, schemas)
	}
	for name, want := range identities {
		schema := schemas.IdentitySchemas[name]
		if schema == nil {
			t.Errorf("%s has no identity", name)
			continue
		}
		var got []string
		for _, a := range schema.IdentityAttributes {
			got = append(got, a.Name)
			if !a.RequiredForImport || !a.Type.Is(tftypes.String) || a.Description == "" {
				t.Errorf("%s: %s is %+v", name, a.Name, a)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s has the identity %v, want %v", name, got, want)
		}
	}
}

const installFile = `apiVersion: packaging.carvel.dev/v1alpha1
kind: PackageInstall
metadata: {name: app}
spec:
  serviceAccountName: apps-sa
  packageRef: {refName: app.default.tap, versionSelection: {constraints: 1.0.0}}
`

// TestIdentity_import imports what is in a repository by its identity and by its
// id, reads it, and reads what is gone from there.
func TestIdentity_import(t *testing.T) {
	clear(t)
	git, err := gitserver.Start(gitserver.Options{Dir: t.TempDir(), Username: "ci", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := git.Close(); err != nil {
			t.Error(err)
		}
	})
	const repository, name = "gitops.git", "carvel_package_install"
	if err := git.CreateRepository(repository, gitserver.AllowFilter, gitserver.AllowAnySHA1InWant); err != nil {
		t.Fatal(err)
	}
	if _, err := git.Seed(repository, "Start", map[string]string{"app.default.tap/staging/packageinstall.yaml": installFile}); err != nil {
		t.Fatal(err)
	}
	server := serve(t, attributes{"git": attributes{
		"url":  git.URL(repository),
		"http": attributes{"username": "ci", "password": "secret", "certificate_authority": git.CertificateAuthority()},
	}})
	kind := tftypes.Object{AttributeTypes: map[string]tftypes.Type{"package": tftypes.String, "run_cluster": tftypes.String}}
	identify := func(runCluster string) *tfprotov6.ResourceIdentityData {
		return &tfprotov6.ResourceIdentityData{IdentityData: pack(t, kind, value(t, kind, attributes{"package": "app.default.tap", "run_cluster": runCluster}))}
	}
	checkIdentity := func(what string, got *tfprotov6.ResourceIdentityData, runCluster string) {
		t.Helper()
		if got == nil || got.IdentityData == nil {
			t.Fatalf("%s: no identity", what)
		}
		v, err := got.IdentityData.Unmarshal(kind)
		want := value(t, kind, attributes{"package": "app.default.tap", "run_cluster": runCluster})
		if err != nil || !v.Equal(want) {
			t.Errorf("%s: the identity is %s, %v", what, v, err)
		}
	}
	for what, req := range map[string]*tfprotov6.ImportResourceStateRequest{
		"by identity": {TypeName: name, Identity: identify("staging")},
		"by id":       {TypeName: name, ID: "app.default.tap/staging"},
	} {
		t.Run(what, func(t *testing.T) {
			imported, err := server.ImportResourceState(t.Context(), req)
			if err != nil || len(imported.Diagnostics) > 0 || len(imported.ImportedResources) != 1 {
				t.Fatal(err, imported)
			}
			found := imported.ImportedResources[0]
			checkIdentity("imported", found.Identity, "staging")
			// An older Terraform hands over no identity.
			for _, before := range []*tfprotov6.ResourceIdentityData{found.Identity, nil} {
				read, err := server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{
					TypeName: name, CurrentState: found.State, CurrentIdentity: before, Private: found.Private,
				})
				if err != nil || len(read.Diagnostics) > 0 {
					t.Fatal(err, read.Diagnostics)
				}
				checkIdentity("read", read.NewIdentity, "staging")
			}
		})
	}
	gone, err := server.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: name, Identity: identify("prod")})
	if err != nil || len(gone.Diagnostics) > 0 {
		t.Fatal(err, gone)
	}
	read, err := server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{TypeName: name, CurrentState: gone.ImportedResources[0].State})
	if err != nil || len(read.Diagnostics) > 0 {
		t.Fatal(err, read.Diagnostics)
	}
	checkIdentity("gone", read.NewIdentity, "prod")
	if state, err := read.NewState.Unmarshal(stateType(t, server, name)); err != nil || !state.IsNull() {
		t.Errorf("what is gone has the state %s, %v", state, err)
	}
	refused, err := server.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: name, Identity: identify("packages")})
	if err != nil || len(refused.Diagnostics) != 1 || refused.Diagnostics[0].Summary != "Invalid import id" {
		t.Errorf("an identity that cannot be: %v, %v", err, refused)
	}
}

func stateType(t *testing.T, server tfprotov6.ProviderServer, name string) tftypes.Type {
	t.Helper()
	schemas, err := server.GetProviderSchema(context.Background(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	return schemas.ResourceSchemas[name].ValueType()
}
