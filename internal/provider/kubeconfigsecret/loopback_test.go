package kubeconfigsecret

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
)

func TestWarnLoopback(t *testing.T) {
	const kubeconfig = `{current-context: c, clusters: [{name: c, cluster: {server: "SERVER"}}], users: [{name: c, user: {token: s3cret}}], contexts: [{name: c, context: {cluster: c, user: c}}]}`
	text := func(server string) types.String {
		return types.StringValue(strings.Replace(kubeconfig, "SERVER", server, 1))
	}
	account := func(server types.String) types.Object {
		values := map[string]attr.Value{
			"namespace": types.StringValue("apps"), "name": types.StringValue("apps-sa"), "server": server,
			"token_source": types.StringValue(fromSecret), "expiration_seconds": types.Int64Null(),
		}
		kinds := map[string]attr.Type{}
		for name, value := range values {
			kinds[name] = value.Type(t.Context())
		}
		return types.ObjectValueMust(kinds, values)
	}
	const far, near = "https://build.example.com", "https://127.0.0.1:6443"
	for name, c := range map[string]struct {
		build string
		model model
		at    string // "": no warning
	}{
		"kubeconfig":        {far, model{Kubeconfig: text(near)}, "kubeconfig"},
		"kubeconfig_wo":     {far, model{KubeconfigWO: text("https://localhost:6443")}, "kubeconfig_wo"},
		"service_account":   {far, model{ServiceAccount: account(types.StringNull())}, "service_account"},
		"server override":   {far, model{ServiceAccount: account(types.StringValue("https://kind-control-plane:6443"))}, ""},
		"reachable":         {far, model{Kubeconfig: text("https://run.example.com")}, ""},
		"unknown":           {far, model{Kubeconfig: types.StringUnknown()}, ""},
		"build beside it":   {near, model{Kubeconfig: text(near)}, ""},
		"no build cluster":  {"", model{Kubeconfig: text(near)}, ""},
		"unusable settings": {"https://[", model{Kubeconfig: text(near)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := delivery.New(delivery.Config{Run: map[string]delivery.Cluster{"staging": cluster.New("staging", "test", cluster.Config{Host: near})}})
			if c.build != "" {
				d.Build = cluster.New("build_cluster", "test", cluster.Config{Host: c.build})
			}
			r := &kubeconfigSecret{data: &providerdata.Data{Delivery: d}}
			c.model.RunCluster = types.StringValue("staging")
			diags := r.warnLoopback(t.Context(), c.model, c.model)
			var at string
			for _, found := range diags.Warnings() {
				if found, ok := found.(diag.DiagnosticWithPath); ok {
					at = found.Path().String()
				}
				if strings.Contains(found.Detail(), "s3cret") {
					t.Error("the warning shows the token")
				}
			}
			if at != c.at || diags.HasError() {
				t.Errorf("warned at %q, want %q", at, c.at)
			}
		})
	}
}

// TestWarnInsecure: who uses a kubeconfig is told if it does not verify its
// server.
func TestWarnInsecure(t *testing.T) {
	for name, c := range map[string]struct {
		config     cluster.Config
		runCluster types.String
		warns      bool
	}{
		"insecure":        {cluster.Config{Host: "https://run.example.com", Insecure: true}, types.StringValue("staging"), true},
		"verified":        {cluster.Config{Host: "https://run.example.com"}, types.StringValue("staging"), false},
		"unknown":         {cluster.Config{Host: "https://run.example.com", Insecure: true}, types.StringUnknown(), false},
		"not configured":  {cluster.Config{Host: "https://run.example.com", Insecure: true}, types.StringValue("other"), false},
		"unusable server": {cluster.Config{Insecure: true}, types.StringValue("staging"), false},
	} {
		t.Run(name, func(t *testing.T) {
			d := delivery.New(delivery.Config{Run: map[string]delivery.Cluster{"staging": cluster.New("staging", "test", c.config)}})
			r := &kubeconfigSecret{data: &providerdata.Data{Delivery: d}}
			diags := r.warnInsecure(model{RunCluster: c.runCluster})
			if warned := diags.WarningsCount() == 1; warned != c.warns || diags.HasError() {
				t.Errorf("%s: %v", name, diags)
			} else if warned && !strings.Contains(diags[0].Detail(), `run_clusters["staging"].insecure`) {
				t.Errorf("%s: the attribute is not named: %s", name, diags[0].Detail())
			}
		})
	}
}
