package provider

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/gitserver"
)

// TestImport_values: an import puts no values of the repository into the state,
// nor what they could be guessed by. The plan after it commits if the
// configuration says something else than the repository, and nowhere else, and
// warns if it has no values at all.
func TestImport_values(t *testing.T) {
	clear(t)
	const password = "canary-0123456789"
	const written = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: app-values\nstringData:\n  values.yaml: |\n    ---\n    password: " + password + "\n"
	git, err := gitserver.Start(gitserver.Options{Dir: t.TempDir(), Username: "ci", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := git.Close(); err != nil {
			t.Error(err)
		}
	})
	values := func(password string) tftypes.Value {
		kind := tftypes.Object{AttributeTypes: map[string]tftypes.Type{"password": tftypes.String}}
		return tftypes.NewValue(kind, map[string]tftypes.Value{"password": tftypes.NewValue(tftypes.String, password)})
	}
	for form, params := range map[string]string{"written": written, "by-hand": "# by hand\n" + written} {
		repository := form + ".git"
		if err := git.CreateRepository(repository, gitserver.AllowFilter, gitserver.AllowAnySHA1InWant); err != nil {
			t.Fatal(err)
		}
		if _, err := git.Seed(repository, "Start", map[string]string{
			"app.default.tap/staging/packageinstall.yaml": installFile + "  values: [{secretRef: {name: app-values}}]\n", "app.default.tap/staging/params.yaml": params,
		}); err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			attribute string
			values    tftypes.Value
			commits   bool
			warns     bool
		}{
			"the same values":      {"values", values(password), false, false},
			"other values":         {"values", values("other"), true, false},
			"the same, write-only": {"values_wo", values(password), form == "by-hand", false}, // whose other form is not compared
			"others, write-only":   {"values_wo", values("other"), true, false},
			"no values":            {"values", tftypes.NewValue(tftypes.DynamicPseudoType, nil), true, true},
		} {
			t.Run(form+", "+name, func(t *testing.T) {
				// Each plan configures the provider anew.
				server := serve(t, attributes{"git": attributes{
					"url":  git.URL(repository),
					"http": attributes{"username": "ci", "password": "secret", "certificate_authority": git.CertificateAuthority()},
				}})
				state, private := importInstall(t, server)
				if text := fmt.Sprint(state) + string(private); strings.Contains(text, password) || strings.Contains(text, base64.RawStdEncoding.EncodeToString([]byte(password))[:16]) {
					t.Errorf("the import shows the values: %s", text)
				}
				planned := planInstall(t, server, state, private, attributes{
					"package": "app.default.tap", "run_cluster": "staging", "service_account_name": "apps-sa", "version_constraint": "1.0.0",
					"package_source": "none", c.attribute: c.values,
				})
				after, err := planned.PlannedState.Unmarshal(stateType(t, server, "carvel_package_install"))
				if err != nil {
					t.Fatal(err)
				}
				fields := map[string]tftypes.Value{}
				if err := after.As(&fields); err != nil {
					t.Fatal(err)
				}
				if commits := !fields["commit"].IsKnown(); commits != c.commits {
					t.Errorf("a commit is planned: %t", commits)
				}
				warned := false
				for _, d := range planned.Diagnostics {
					warned = warned || d.Severity == tfprotov6.DiagnosticSeverityWarning && strings.Contains(d.Summary, "will be removed")
				}
				if warned != c.warns {
					t.Errorf("a warning is given: %t", warned)
				}
				delete(fields, "values") // of the configuration
				if text := fmt.Sprint(fields, planned.Diagnostics) + string(planned.PlannedPrivate); strings.Contains(text, password) {
					t.Errorf("the plan shows the values: %s", text)
				}
			})
		}
	}
}

func importInstall(t *testing.T, server tfprotov6.ProviderServer) (tftypes.Value, []byte) {
	t.Helper()
	const name = "carvel_package_install"
	imported, err := server.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: name, ID: "app.default.tap/staging"})
	if err != nil || len(imported.Diagnostics) > 0 {
		t.Fatal(err, imported.Diagnostics)
	}
	found := imported.ImportedResources[0]
	read, err := server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{TypeName: name, CurrentState: found.State, Private: found.Private})
	if err != nil || len(read.Diagnostics) > 0 {
		t.Fatal(err, read.Diagnostics)
	}
	state, err := read.NewState.Unmarshal(stateType(t, server, name))
	if err != nil || state.IsNull() {
		t.Fatal(err, state)
	}
	return state, read.Private
}

// planInstall plans as Terraform does: what the configuration leaves out is
// proposed as it is in the state if it is computed.
func planInstall(t *testing.T, server tfprotov6.ProviderServer, state tftypes.Value, private []byte, given attributes) *tfprotov6.PlanResourceChangeResponse {
	t.Helper()
	const name = "carvel_package_install"
	kind := stateType(t, server, name)
	config := map[string]tftypes.Value{}
	if err := value(t, kind, attributes{}).As(&config); err != nil {
		t.Fatal(err)
	}
	for attribute, v := range given {
		if known, ok := v.(tftypes.Value); ok {
			config[attribute] = known
		} else {
			config[attribute] = tftypes.NewValue(tftypes.String, v)
		}
	}
	proposed := map[string]tftypes.Value{}
	if err := state.As(&proposed); err != nil {
		t.Fatal(err)
	}
	for attribute, v := range config {
		if computed := attribute == "id" || attribute == "name" || attribute == "path" || attribute == "files" || attribute == "commit"; !computed {
			proposed[attribute] = v
		}
	}
	proposed["values_wo"] = tftypes.NewValue(tftypes.DynamicPseudoType, nil)
	proposed["values_secret_name"] = tftypes.NewValue(tftypes.String, "app-values")
	planned, err := server.PlanResourceChange(t.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: name, PriorState: pack(t, kind, state), PriorPrivate: private,
		Config: pack(t, kind, tftypes.NewValue(kind, config)), ProposedNewState: pack(t, kind, tftypes.NewValue(kind, proposed)),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range planned.Diagnostics {
		if d.Severity == tfprotov6.DiagnosticSeverityError {
			t.Fatalf("%s: %s", d.Summary, d.Detail)
		}
	}
	return planned
}
