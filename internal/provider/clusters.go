package provider

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/redacted"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/redact"
)

const (
	runClusterPrefix = "CARVEL_RUN_CLUSTER_"
	tokenSuffix      = "_TOKEN"
	kubeconfigSuffix = "_KUBECONFIG"
)

// kubeVariables are read for the build cluster alone, as hashicorp/kubernetes
// reads them.
var kubeVariables = map[string]string{
	"host":                     "KUBE_HOST",
	"token":                    "KUBE_TOKEN",
	"username":                 "KUBE_USER",
	"password":                 "KUBE_PASSWORD",
	"client_certificate":       "KUBE_CLIENT_CERT_DATA",
	"client_key":               "KUBE_CLIENT_KEY_DATA",
	"cluster_ca_certificate":   "KUBE_CLUSTER_CA_CERT_DATA",
	"insecure":                 "KUBE_INSECURE",
	"tls_server_name":          "KUBE_TLS_SERVER_NAME",
	"proxy_url":                "KUBE_PROXY_URL",
	"in_cluster_config":        "KUBE_IN_CLUSTER_CONFIG",
	"config_path":              "KUBE_CONFIG_PATH",
	"config_paths":             "KUBE_CONFIG_PATHS",
	"config_context":           "KUBE_CTX",
	"config_context_auth_info": "KUBE_CTX_AUTH_INFO",
	"config_context_cluster":   "KUBE_CTX_CLUSTER",
}

func (m model) build(ctx context.Context, userAgent string, into *delivery.Config, unknown *providerdata.Unknown) diag.Diagnostics {
	if known, err := fullyKnown(ctx, m.BuildCluster); err != nil || !known {
		unknown.Build = true
		return nil
	}
	config, diags := clusterConfig(ctx, m.BuildCluster, path.Root("build_cluster"), kubeVariables)
	if m.BuildCluster.IsNull() && !named(config) {
		return nil // what the environment has is for others
	}
	if diags.HasError() {
		return diags
	}
	into.Build = cluster.New("build_cluster", userAgent, config)
	return diags
}

// named reports whether a server, a kubeconfig file or the Pod's own cluster is named.
func named(c cluster.Config) bool { return c.Host != "" || len(c.ConfigPaths) > 0 || c.InCluster }

func (m model) run(ctx context.Context, userAgent string, into *delivery.Config, unknown *providerdata.Unknown) diag.Diagnostics {
	var diags diag.Diagnostics
	if m.RunClusters.IsUnknown() {
		unknown.AllRunClusters = true
		return diags
	}
	into.Run = map[string]delivery.Cluster{}
	unknown.RunClusters = map[string]bool{}
	for name, value := range m.RunClusters.Elements() {
		object, ok := value.(types.Object)
		if known, err := fullyKnown(ctx, value); !ok || err != nil || !known {
			unknown.RunClusters[name] = true
			continue
		}
		prefix := runClusterPrefix + variableName(name)
		config, d := clusterConfig(ctx, object, path.Root("run_clusters").AtMapKey(name),
			map[string]string{"token": prefix + tokenSuffix, "kubeconfig": prefix + kubeconfigSuffix})
		diags.Append(d...)
		into.Run[name] = cluster.New("run_clusters["+strconv.Quote(name)+"]", userAgent, config)
	}
	return diags
}

// variableName is a run cluster's name in an environment variable: PROD_EU for
// prod-eu.
func variableName(name string) string {
	return strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// clusterConfig reads the cluster connection at a path, and from the environment what
// it does not set: a kubeconfig where it names no server.
func clusterConfig(ctx context.Context, object types.Object, at path.Path, variables map[string]string) (cluster.Config, diag.Diagnostics) {
	var m schemas.Cluster
	var diags diag.Diagnostics
	if !object.IsNull() {
		diags.Append(object.As(ctx, &m, basetypes.ObjectAsOptions{})...)
	}
	get := func(value types.String, name string) string { return setting(value, variables[name]) }
	c := cluster.Config{
		Host:                  get(m.Host, "host"),
		Token:                 get(m.Token, "token"),
		TokenPath:             m.TokenPath.ValueString(),
		Username:              get(m.Username, "username"),
		Password:              get(m.Password, "password"),
		ClientCertificate:     get(m.ClientCertificate, "client_certificate"),
		ClientKey:             get(m.ClientKey, "client_key"),
		CACertificate:         get(m.ClusterCACertificate, "cluster_ca_certificate"),
		TLSServerName:         get(m.TLSServerName, "tls_server_name"),
		ProxyURL:              get(m.ProxyURL, "proxy_url"),
		ConfigContext:         get(m.ConfigContext, "config_context"),
		ConfigContextAuthInfo: get(m.ConfigContextAuthInfo, "config_context_auth_info"),
		ConfigContextCluster:  get(m.ConfigContextCluster, "config_context_cluster"),
		Kubeconfig:            m.Kubeconfig.ValueString(),
		Learn:                 redact.From(ctx).Know,
	}
	redact.From(ctx).Know(c.Token, c.Password, c.ClientKey)
	redact.From(ctx).Know(redact.URLPasswords(c.ProxyURL)...)
	for name, flag := range map[string]struct {
		set  types.Bool
		into *bool
	}{"insecure": {m.Insecure, &c.Insecure}, "in_cluster_config": {m.InClusterConfig, &c.InCluster}} {
		text := os.Getenv(variables[name])
		if !flag.set.IsNull() || text == "" {
			*flag.into = flag.set.ValueBool()
			continue
		}
		var err error
		if *flag.into, err = strconv.ParseBool(text); err != nil {
			diags.AddError("Invalid "+variables[name], "The environment variable must be true or false.")
		}
	}
	diags.Append(configPaths(ctx, m, variables, &c)...)
	diags.Append(execConfig(ctx, m.Exec, &c)...)
	if c.Kubeconfig == "" && !named(c) {
		c.Kubeconfig = os.Getenv(variables["kubeconfig"])
	}
	given := object.Attributes()
	for _, wrong := range c.Check() {
		variable := ""
		if value, isSet := given[wrong.Field]; !isSet || value.IsNull() {
			variable = variables[wrong.Field]
		}
		diags.Append(invalidField(at, wrong, variable))
	}
	return c, diags
}

// invalidField is about a setting of a cluster connection, which may be a variable's in
// the environment.
func invalidField(at path.Path, wrong *cluster.FieldError, variable string) diag.Diagnostic {
	name := at.AtName(wrong.Field).String()
	if variable != "" && os.Getenv(variable) != "" {
		return diag.NewErrorDiagnostic("Invalid "+variable, fmt.Sprintf("%s, which the environment sets for %s, %s.", variable, name, wrong.Err))
	}
	if wrong.Secret { // Terraform may show the lines of an attribute that an error is about
		return diag.NewErrorDiagnostic("Invalid "+name, fmt.Sprintf("%s %s.", name, wrong.Err))
	}
	return diag.NewAttributeErrorDiagnostic(at.AtName(wrong.Field), "Invalid "+name, fmt.Sprintf("%s %s.", name, wrong.Err))
}

func configPaths(ctx context.Context, m schemas.Cluster, variables map[string]string, c *cluster.Config) diag.Diagnostics {
	if !schemas.IsAbsent(m.ConfigPaths) {
		return m.ConfigPaths.ElementsAs(ctx, &c.ConfigPaths, false)
	}
	if single := setting(m.ConfigPath, variables["config_path"]); single != "" {
		c.ConfigPaths = []string{single}
	} else if variable := variables["config_paths"]; variable != "" && os.Getenv(variable) != "" {
		c.ConfigPaths = filepath.SplitList(os.Getenv(variable))
	}
	return nil
}

func execConfig(ctx context.Context, object types.Object, c *cluster.Config) diag.Diagnostics {
	if object.IsNull() {
		return nil
	}
	var m schemas.Exec
	diags := object.As(ctx, &m, basetypes.ObjectAsOptions{})
	c.Exec = &cluster.Exec{APIVersion: m.APIVersion.ValueString(), Command: m.Command.ValueString()}
	if !m.Args.IsNull() {
		diags.Append(m.Args.ElementsAs(ctx, &c.Exec.Args, false)...)
	}
	if !m.Env.IsNull() {
		diags.Append(m.Env.ElementsAs(ctx, &c.Exec.Env, false)...)
		for name, value := range c.Exec.Env {
			redact.From(ctx).Know(redacted.Variable(name, value)...)
		}
	}
	return diags
}
