package provider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/gitserver"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/redacted"
)

// generate is the configuration that is made of a state.
func generate(t *testing.T, server tfprotov6.ProviderServer, name string, state tftypes.Value) (map[string]tftypes.Value, []*tfprotov6.Diagnostic) {
	t.Helper()
	kind := stateType(t, server, name)
	resp, err := server.GenerateResourceConfig(t.Context(), &tfprotov6.GenerateResourceConfigRequest{TypeName: name, State: pack(t, kind, state)})
	if err != nil {
		t.Fatal(err)
	}
	if resp.Config == nil {
		return nil, resp.Diagnostics
	}
	config, err := resp.Config.Unmarshal(kind)
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]tftypes.Value{}
	if err := config.As(&fields); err != nil {
		t.Fatal(err)
	}
	return fields, resp.Diagnostics
}

// TestGenerate: the values that an import leaves out of the state are in the configuration, and what a
// default or another attribute gives is not. Values that were write-only stay so.
func TestGenerate(t *testing.T) {
	clear(t)
	const secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: NAME\nstringData:\n  values.yaml: |\n    ---\n    replicas: TEXT\n"
	git, err := gitserver.Start(gitserver.Options{Dir: t.TempDir(), Username: "ci", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := git.Close(); err != nil {
			t.Error(err)
		}
	})
	for name, c := range map[string]struct {
		secretName, text string
		in               string // the attribute that has the values
	}{
		"values":               {"app-values", "2", "values"},
		"values of no object":  {"app-values", "2.0", "values_yaml"},
		"another Secret's":     {"mine", "2", "values"},
		"none":                 {"", "", ""},
		"text like a template": {"app-values", `"${x}"`, "values"},
	} {
		t.Run(name, func(t *testing.T) {
			repository := strings.ReplaceAll(name, " ", "-") + ".git"
			repository = strings.ReplaceAll(repository, "'", "")
			if err := git.CreateRepository(repository, gitserver.AllowFilter, gitserver.AllowAnySHA1InWant); err != nil {
				t.Fatal(err)
			}
			files := map[string]string{"app.default.tap/staging/packageinstall.yaml": installFile}
			if c.secretName != "" {
				files["app.default.tap/staging/packageinstall.yaml"] += "  values: [{secretRef: {name: " + c.secretName + "}}]\n"
				files["app.default.tap/staging/params.yaml"] = strings.NewReplacer("NAME", c.secretName, "TEXT", c.text).Replace(secret)
			}
			if _, err := git.Seed(repository, "By hand", files); err != nil {
				t.Fatal(err)
			}
			server := serve(t, attributes{"git": attributes{
				"url":  git.URL(repository),
				"http": attributes{"username": "ci", "password": "secret", "certificate_authority": git.CertificateAuthority()},
			}})
			state, _ := importInstall(t, server)
			config, diags := generate(t, server, "carvel_package_install", state)
			if len(diags) > 0 {
				t.Fatal(diags[0].Summary, diags[0].Detail)
			}
			for _, attribute := range []string{"id", "name", "path", "files", "commit", "adopt_existing", "allow_downgrade", "package_source", "creation"} {
				if !config[attribute].IsNull() {
					t.Errorf("%s is %s", attribute, config[attribute])
				}
			}
			for _, attribute := range []string{"values", "values_yaml", "values_wo"} {
				if given := !config[attribute].IsNull(); given != (attribute == c.in) {
					t.Errorf("%s is %s", attribute, config[attribute])
				}
			}
			if own := !config["values_secret_name"].IsNull(); own != (c.secretName == "mine") {
				t.Errorf("values_secret_name is %s", config["values_secret_name"])
			}
			if config["version_constraint"].IsNull() || config["service_account_name"].IsNull() {
				t.Error("what is required is missing")
			}
		})
	}
}

// TestGenerate_unconfigured: a provider that is not configured makes of a state what it can, and says nothing of
// a resource that it does not have.
func TestGenerate_unconfigured(t *testing.T) {
	server := redacted.Server(New("test")())()
	kind := stateType(t, server, "carvel_package_install")
	state := value(t, kind, attributes{"package": "app.default.tap", "run_cluster": "staging", "name": "app", "version_constraint": "1.0.0"})
	config, diags := generate(t, server, "carvel_package_install", state)
	if len(diags) > 0 || config["version_constraint"].IsNull() || !config["name"].IsNull() {
		t.Error(config, diags)
	}
	resp, err := server.GenerateResourceConfig(t.Context(), &tfprotov6.GenerateResourceConfigRequest{TypeName: "carvel_nothing", State: pack(t, kind, state)})
	if err == nil && len(resp.Diagnostics) == 0 {
		t.Error("a resource that there is not has a configuration")
	}
}

// TestGenerate_withoutState: Terraform 1.14.0 hands no state over.
func TestGenerate_withoutState(t *testing.T) {
	server := redacted.Server(New("test")())()
	resp, err := server.GenerateResourceConfig(t.Context(), &tfprotov6.GenerateResourceConfigRequest{TypeName: "carvel_app"})
	if err != nil || len(resp.Diagnostics) != 1 || !strings.Contains(resp.Diagnostics[0].Detail, "1.14.3") {
		t.Error(resp, err)
	}
}

// TestGenerate_kubeconfig: a kubeconfig is never written into a configuration.
func TestGenerate_kubeconfig(t *testing.T) {
	server := redacted.Server(New("test")())()
	kind := stateType(t, server, "carvel_kubeconfig_secret")
	state := value(t, kind, attributes{"run_cluster": "staging", "namespace": "dev", "name": "staging-kubeconfig", "key": "value"})
	if _, diags := generate(t, server, "carvel_kubeconfig_secret", state); len(diags) != 1 || !strings.Contains(diags[0].Summary, "must be given") {
		t.Error(diags)
	}
}
