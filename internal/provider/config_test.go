package provider

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/redact"
)

type attributes map[string]any

// value makes a value of a type: attributes that are not given are null.
func value(t *testing.T, kind tftypes.Type, v any) tftypes.Value {
	t.Helper()
	switch v := v.(type) {
	case attributes:
		values := map[string]tftypes.Value{}
		if m, ok := kind.(tftypes.Map); ok {
			for name, element := range v {
				values[name] = value(t, m.ElementType, element)
			}
			return tftypes.NewValue(kind, values)
		}
		object, ok := kind.(tftypes.Object)
		if !ok {
			t.Fatalf("%s is not an object", kind)
		}
		for name, attributeType := range object.AttributeTypes {
			values[name] = value(t, attributeType, v[name])
		}
		return tftypes.NewValue(kind, values)
	default:
		return tftypes.NewValue(kind, v)
	}
}

func configure(t *testing.T, config attributes) (*providerdata.Data, diag.Diagnostics) {
	t.Helper()
	for _, variable := range kubeVariables {
		if variable != "KUBE_CONFIG_PATH" { // the tests set this one
			t.Setenv(variable, "")
		}
	}
	schema := providerSchema()
	raw := value(t, schema.Type().TerraformType(context.Background()), config)
	var resp provider.ConfigureResponse
	New("test")().Configure(context.Background(), provider.ConfigureRequest{Config: tfsdk.Config{Raw: raw, Schema: schema}}, &resp)
	data, _ := resp.ResourceData.(*providerdata.Data)
	return data, resp.Diagnostics
}

func clear(t *testing.T) {
	t.Helper()
	for _, variable := range []string{
		"KUBE_CONFIG_PATH", "CARVEL_GIT_URL", "CARVEL_GIT_BRANCH", "CARVEL_GIT_USERNAME", "CARVEL_GIT_PASSWORD", "CARVEL_GIT_TOKEN",
		"CARVEL_GIT_SSH_PRIVATE_KEY", "CARVEL_GIT_KNOWN_HOSTS", "CARVEL_RUN_CLUSTER_PROD_EU_TOKEN", "CARVEL_RUN_CLUSTER_PROD_EU_KUBECONFIG",
	} {
		t.Setenv(variable, "")
	}
}

// TestConfigureIsLazy: neither the server nor the files exist, and nothing
// looks for them.
func TestConfigureIsLazy(t *testing.T) {
	clear(t)
	data, diags := configure(t, attributes{
		"git":           attributes{"url": "https://127.0.0.1:1/gitops.git"},
		"build_cluster": attributes{"config_path": "/nosuch/kubeconfig"},
		"run_clusters":  attributes{"staging": attributes{"host": "https://127.0.0.1:1"}, "prod": attributes{}},
	})
	if diags.HasError() {
		t.Fatal(diags)
	}
	if data.Repository == nil || data.Build == nil || len(data.Run) != 2 {
		t.Errorf("%+v", data.Delivery)
	}
	if data.Location.Branch != "main" {
		t.Errorf("branch %q", data.Location.Branch)
	}
}

func TestConfigureNothing(t *testing.T) {
	clear(t)
	t.Setenv("KUBECONFIG", "/home/someone/.kube/config")
	data, diags := configure(t, attributes{})
	if diags.HasError() || data.Repository != nil || data.Build != nil || len(data.Run) != 0 {
		t.Errorf("%+v, %v", data.Delivery, diags)
	}
	if !data.CheckGit().HasError() || !data.CheckBuild().HasError() {
		t.Error("a missing part is not an error of the resource that needs it")
	}
}

func TestConfigureFromEnvironment(t *testing.T) {
	clear(t)
	t.Setenv("KUBE_CONFIG_PATH", "/nosuch/kubeconfig")
	t.Setenv("CARVEL_GIT_URL", "https://git.example.com/gitops.git")
	t.Setenv("CARVEL_GIT_BRANCH", "release")
	t.Setenv("CARVEL_GIT_USERNAME", "ci")
	t.Setenv("CARVEL_GIT_PASSWORD", "secret")
	t.Setenv("CARVEL_RUN_CLUSTER_PROD_EU_KUBECONFIG", kubeconfig)
	data, diags := configure(t, attributes{"run_clusters": attributes{"prod-eu": attributes{}}})
	if diags.HasError() {
		t.Fatal(diags)
	}
	if data.Build == nil || data.Location.URL != "https://git.example.com/gitops.git" || data.Location.Branch != "release" {
		t.Errorf("%+v", data.Delivery)
	}
	endpoint, err := data.Run["prod-eu"].Endpoint()
	if err != nil || endpoint.Server != "https://prod-eu.example.com" {
		t.Errorf("%+v, %v", endpoint, err)
	}
	// What is configured wins over the environment.
	data, _ = configure(t, attributes{"run_clusters": attributes{"prod-eu": attributes{"host": "https://other.example.com"}}})
	if endpoint, err = data.Run["prod-eu"].Endpoint(); err != nil || endpoint.Server != "https://other.example.com" {
		t.Errorf("%+v, %v", endpoint, err)
	}
}

// TestConfigureUser: a user name in the URL works beside a password or a token,
// and is nowhere else; the organization that Azure puts there works without.
func TestConfigureUser(t *testing.T) {
	clear(t)
	for name, git := range map[string]attributes{
		"password": {"url": "https://someone@git.example.com/g.git", "http": attributes{"password": "s3cret"}},
		"token":    {"url": "https://someone@git.example.com/g.git", "http": attributes{"bearer_token": "s3cret"}},
		"Azure":    {"url": "https://org@dev.azure.com/org/p/_git/r"},
	} {
		t.Run(name, func(t *testing.T) {
			data, diags := configure(t, attributes{"git": git})
			if diags.HasError() || data.Repository == nil || strings.Contains(data.Location.URL, "@") {
				t.Fatalf("%+v, %v", data, diags)
			}
			if named, is := data.Repository.(interface{ Repository() string }); !is || named.Repository() != data.Location.URL {
				t.Errorf("the engine names %v", data.Repository)
			}
		})
	}
}

// TestConfigureUser_refused: what may be a token in the URL is one error, which
// says what to set in its place, shows nothing of it, and is about no attribute:
// Terraform may show the lines of one.
func TestConfigureUser_refused(t *testing.T) {
	for name, url := range map[string]string{
		"token": "https://s3cret@git.example.com/g.git", "token at Azure": "https://s3cret@dev.azure.com/org/p/_git/r",
		"empty password": "https://s3cret:@git.example.com/g.git", "password": "https://u:s3cret@git.example.com/g.git",
		"no URL": "https://u:s3cret@host:port:x/%zz",
	} {
		for _, environment := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " of the environment: ", environment), func(t *testing.T) {
				clear(t)
				config := attributes{"git": attributes{"url": url}}
				if environment {
					t.Setenv("CARVEL_GIT_URL", url)
					config = attributes{}
				}
				data, diags := configure(t, config)
				if len(diags) != 1 || diags[0].Summary() != "Invalid git.url" || strings.Contains(diags[0].Detail(), "s3cret") || data.Repository != nil {
					t.Fatalf("%+v, %v", data, diags)
				}
				if at, isAttribute := diags[0].(diag.DiagnosticWithPath); isAttribute {
					t.Errorf("the error is about %s", at.Path())
				}
				for _, want := range []string{"git.http.username", "git.http.password", "git.http.bearer_token", "CARVEL_GIT_TOKEN"} {
					if strings.HasPrefix(name, "token") && !strings.Contains(diags[0].Detail(), want) {
						t.Errorf("%s is not in %s", want, diags[0].Detail())
					}
				}
			})
		}
	}
}

// TestConfigureKnows: secrets that come from the environment are known.
func TestConfigureKnows(t *testing.T) {
	clear(t)
	for name, value := range map[string]string{
		"CARVEL_GIT_URL": "https://git.example.com/g.git", "CARVEL_GIT_PASSWORD": "s3cret-git", "CARVEL_RUN_CLUSTER_PROD_EU_TOKEN": "s3cret-run",
		"https_proxy": "http://u:s3cret-proxy@proxy:3128",
	} {
		t.Setenv(name, value)
	}
	r := redact.New()
	schema := providerSchema()
	raw := value(t, schema.Type().TerraformType(t.Context()), attributes{"run_clusters": attributes{"prod-eu": attributes{
		"host": "https://h", "proxy_url": "http://u:s3cret-cluster@proxy", "exec": attributes{
			"api_version": "v1", "command": "c", "env": map[string]tftypes.Value{
				"AWS_SECRET": tftypes.NewValue(tftypes.String, "s3cret-plugin"), "AWS_REGION": tftypes.NewValue(tftypes.String, "eu-west-1"),
			},
		},
	}}})
	var resp provider.ConfigureResponse
	New("test")().Configure(redact.NewContext(t.Context(), r), provider.ConfigureRequest{Config: tfsdk.Config{Raw: raw, Schema: schema}}, &resp)
	if resp.Diagnostics.HasError() {
		t.Fatal(resp.Diagnostics)
	}
	said := r.Text("s3cret-git s3cret-run s3cret-proxy s3cret-cluster s3cret-plugin eu-west-1")
	if strings.Contains(said, "s3cret") || !strings.Contains(said, "eu-west-1") {
		t.Error(said)
	}
}

const kubeconfig = `{apiVersion: v1, kind: Config, current-context: a, contexts: [{name: a, context: {cluster: a, user: a}}],
clusters: [{name: a, cluster: {server: "https://prod-eu.example.com"}}], users: [{name: a, user: {token: t}}]}`

// TestConfigureUnknown: what another resource of the same run makes is not
// known at plan, and is no error.
func TestConfigureUnknown(t *testing.T) {
	clear(t)
	data, diags := configure(t, attributes{
		"git":           attributes{"url": tftypes.UnknownValue},
		"build_cluster": tftypes.UnknownValue,
		"run_clusters":  attributes{"staging": attributes{"host": tftypes.UnknownValue}, "prod": attributes{"host": "https://h"}},
	})
	if diags.HasError() {
		t.Fatal(diags)
	}
	if !data.Unknown.Git || !data.Unknown.Build || data.KnowsRunCluster("staging") || !data.KnowsRunCluster("prod") {
		t.Errorf("%+v", data.Unknown)
	}
	if data.CheckGit().HasError() || data.CheckBuild().HasError() {
		t.Error("an unknown part is an error")
	}
	if data, _ = configure(t, attributes{"run_clusters": tftypes.UnknownValue}); data.KnowsRunCluster("any") {
		t.Error("a run cluster of an unknown map is known")
	}
}

func TestConfigureErrors(t *testing.T) {
	clear(t)
	for want, config := range map[string]attributes{
		"git.url":               {"git": attributes{"url": "http://git.example.com/gitops.git"}},
		"git.url ":              {"git": attributes{"branch": "main"}},
		"git.path_prefix":       {"git": attributes{"url": "https://git.example.com/g.git", "path_prefix": "clusters/GIT~1 "}},
		"git.push_interval":     {"git": attributes{"url": "https://git.example.com/g.git", "push_interval": "soon"}},
		"git.branch":            {"git": attributes{"url": "https://git.example.com/g.git", "branch": "a..b"}},
		"git.http.password":     {"git": attributes{"url": "https://git.example.com/g.git", "http": attributes{"username": "u"}}},
		"git.http.bearer_token": {"git": attributes{"url": "https://git.example.com/g.git", "http": attributes{"username": "u", "password": "s3cret", "bearer_token": "s3cret"}}},
		"git.ssh":               {"git": attributes{"url": "https://git.example.com/g.git", "ssh": attributes{"private_key": "s3cret"}}},
	} {
		t.Run(want, func(t *testing.T) {
			_, diags := configure(t, config)
			ok := slices.ContainsFunc(diags.Errors(), func(d diag.Diagnostic) bool {
				at, isAttribute := d.(diag.DiagnosticWithPath)
				return isAttribute && at.Path().String() == strings.TrimSpace(want)
			})
			if !ok {
				t.Errorf("no error at %s: %v", want, diags)
			}
			for _, d := range diags {
				if strings.Contains(d.Summary()+d.Detail(), "s3cret") {
					t.Errorf("%s: the error shows a secret", want)
				}
			}
		})
	}
}

// TestRunTrailers: commits say which run has made them.
func TestRunTrailers(t *testing.T) {
	github := map[string]string{"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/gitops", "GITHUB_RUN_ID": "7"}
	with := func(more map[string]string) map[string]string {
		all := maps.Clone(github)
		maps.Copy(all, more)
		return all
	}
	for name, test := range map[string]struct{ env, want map[string]string }{
		"on a machine":  {},
		"HCP Terraform": {map[string]string{"TFC_RUN_ID": "run-123", "TFC_WORKSPACE_NAME": "prod"}, map[string]string{"TFC-Run-ID": "run-123", "TFC-Workspace-Name": "prod"}},
		"GitHub":        {github, map[string]string{"GitHub-Run": "https://github.com/acme/gitops/actions/runs/7"}},
		"Gitea":         {with(map[string]string{"GITEA_ACTIONS": "true"}), nil},
		"Forgejo":       {with(map[string]string{"FORGEJO_ACTIONS": "true"}), nil},
		"half of it":    {map[string]string{"GITHUB_RUN_ID": "7", "CI_JOB_URL": "https://ci.example.com/7"}, nil},
		"GitLab":        {map[string]string{"GITLAB_CI": "true", "CI_JOB_URL": "https://gitlab.com/acme/gitops/-/jobs/7"}, map[string]string{"GitLab-Job": "https://gitlab.com/acme/gitops/-/jobs/7"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, variable := range []string{
				"TFC_RUN_ID", "TFC_WORKSPACE_NAME", "GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID", "GITEA_ACTIONS", "FORGEJO_ACTIONS", "GITLAB_CI", "CI_JOB_URL",
			} {
				t.Setenv(variable, test.env[variable])
			}
			got := map[string]string{}
			for _, trailer := range runTrailers() {
				if trailer.Value != "" {
					got[trailer.Name] = trailer.Value
				}
			}
			if !maps.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// TestGitConfigIsWhole: whatever the engine can be told has an attribute that reaches it,
// also what comes later.
func TestGitConfigIsWhole(t *testing.T) {
	clear(t)
	t.Setenv("TFC_RUN_ID", "run-123")
	git := providerSchema().Attributes["git"].GetType().TerraformType(t.Context())
	object, _ := git.(tftypes.Object)
	var filled func(kind tftypes.Type, name string) any
	filled = func(kind tftypes.Type, name string) any {
		object, isObject := kind.(tftypes.Object)
		switch {
		case isObject:
			all := attributes{}
			for name, of := range object.AttributeTypes {
				all[name] = filled(of, name)
			}
			return all
		case kind.Is(tftypes.Bool):
			return true
		case kind.Is(tftypes.List{}):
			return []tftypes.Value{tftypes.NewValue(tftypes.String, "of "+name)}
		case name == "push_interval":
			return "1s"
		}
		return "of " + name
	}
	for url, part := range map[string]func(gitops.Config) any{
		"https://git.example.com/r.git": func(c gitops.Config) any { return c.HTTP },
		"ssh://git@git.example.com/r":   func(c gitops.Config) any { return c.SSH },
	} {
		t.Run(url, func(t *testing.T) {
			all, _ := filled(object, "").(attributes)
			all["url"] = url
			raw := value(t, providerSchema().Type().TerraformType(t.Context()), attributes{"git": all})
			var m model
			if diags := (tfsdk.Config{Raw: raw, Schema: providerSchema()}).Get(t.Context(), &m); diags.HasError() {
				t.Fatal(diags)
			}
			config, prefix, diags := m.gitConfig(t.Context(), "agent")
			if diags.HasError() || prefix != "of path_prefix" {
				t.Fatal(prefix, diags)
			}
			for _, of := range []any{part(config), config.Signing, config} {
				v := reflect.ValueOf(of)
				for field, is := range v.Fields() {
					other := field.Name == "HTTP" || field.Name == "SSH" || // which is for another URL
						field.Name == "Source" // of the whole block
					if is.IsZero() && !other {
						t.Errorf("%s: %s.%s has no attribute", url, v.Type(), field.Name)
					}
				}
			}
		})
	}
}
