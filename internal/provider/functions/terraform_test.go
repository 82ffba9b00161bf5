package functions_test

import (
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

const kubeconfig = `{apiVersion: v1, kind: Config, current-context: a,
  clusters: [{name: a, cluster: {server: "https://api.example.com:6443"}}],
  users: [{name: a, user: {token: canary}}], contexts: [{name: a, context: {cluster: a, user: a}}]}`

const withExec = `{apiVersion: v1, kind: Config, current-context: a,
  clusters: [{name: a, cluster: {server: "https://api.example.com:6443"}}],
  users: [{name: a, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: canary}}}], contexts: [{name: a, context: {cluster: a, user: a}}]}`

func step(dir, name string, value config.Variable) resource.TestStep {
	variables := config.Variables{"kubeconfig": config.StringVariable(kubeconfig)}
	if dir != "functions" {
		variables = config.Variables{}
	}
	if name != "" {
		variables[name] = value
	}
	return resource.TestStep{
		ProtoV6ProviderFactories: acctest.Providers,
		ConfigDirectory:          config.StaticDirectory("testdata/" + dir),
		ConfigVariables:          variables,
	}
}

// TestAccFunctions needs Terraform alone: no cluster, no repository and no
// configuration of the provider.
func TestAccFunctions(t *testing.T) {
	// Terraform knows the functions of a provider that required_providers names.
	t.Setenv("TF_ACC_PROVIDER_NAMESPACE", "carvel-gitops")
	works := step("functions", "", nil)
	for name, want := range map[string]knownvalue.Check{
		"path":                knownvalue.StringExact("app.default.tap/staging"),
		"path_below_prefix":   knownvalue.StringExact("clusters/apps/app.default.tap/staging"),
		"matches":             knownvalue.Bool(true),
		"selected":            knownvalue.StringExact("1.10.0"),
		"selected_prerelease": knownvalue.StringExact("2.0.0-rc.1"),
		"none":                knownvalue.StringExact("none"),
		"healthy":             knownvalue.Bool(true),
		"not_told":            knownvalue.Bool(false),
		"same_values":         knownvalue.Bool(true),
		"server":              knownvalue.StringExact("https://api.example.com:6443"),
	} {
		works.ConfigStateChecks = append(works.ConfigStateChecks, statecheck.ExpectKnownOutputValue(name, want))
	}
	refused := func(dir, name string, value config.Variable, pattern string) resource.TestStep {
		s := step(dir, name, value)
		s.ExpectError = regexp.MustCompile(`(?s)` + regexp.MustCompile(` +`).ReplaceAllString(pattern, `[\s│]+`))
		return s
	}
	resource.Test(t, resource.TestCase{
		TerraformVersionChecks: acctest.Needs(acctest.Functions, acctest.WriteOnly),
		Steps: []resource.TestStep{
			works,
			refused("functions", "package", config.StringVariable("app"), `Invalid value for "package" parameter: .*at least three segments`),
			refused("functions", "version_under_test", config.StringVariable("latest"), `Invalid value for "version" parameter: "latest" is not a version`),
			refused("functions", "constraint", config.StringVariable("~> 1.0"), `Invalid value for "constraint" parameter: .*"~>" is not an operator`),
			refused("functions", "versions", config.ListVariable(config.StringVariable("latest")), `Invalid value for "versions" parameter: no version is selected`),
			refused("functions", "soak", config.StringVariable("1d"), `Invalid value for "duration" parameter: "1d" is not a duration such as 24h`),
			refused("functions", "kubeconfig", config.StringVariable(withExec), `Invalid value for "kubeconfig" parameter: .*exec plugin`),
			refused("marks", "sensitive", config.StringVariable(kubeconfig), `Output refers to sensitive values`),
			refused("marks", "ephemeral", config.StringVariable(kubeconfig), `Ephemeral value not allowed|Output does not allow ephemeral value`),
		},
	})
}
