// Package schemas holds the attributes and validators that several parts of
// the provider share.
package schemas

import (
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Cluster is the model of a cluster connection.
type Cluster struct {
	Host                  types.String `tfsdk:"host"`
	Token                 types.String `tfsdk:"token"`
	TokenPath             types.String `tfsdk:"token_path"`
	Username              types.String `tfsdk:"username"`
	Password              types.String `tfsdk:"password"`
	ClientCertificate     types.String `tfsdk:"client_certificate"`
	ClientKey             types.String `tfsdk:"client_key"`
	ClusterCACertificate  types.String `tfsdk:"cluster_ca_certificate"`
	Insecure              types.Bool   `tfsdk:"insecure"`
	TLSServerName         types.String `tfsdk:"tls_server_name"`
	ProxyURL              types.String `tfsdk:"proxy_url"`
	ConfigPath            types.String `tfsdk:"config_path"`
	ConfigPaths           types.List   `tfsdk:"config_paths"`
	ConfigContext         types.String `tfsdk:"config_context"`
	ConfigContextAuthInfo types.String `tfsdk:"config_context_auth_info"`
	ConfigContextCluster  types.String `tfsdk:"config_context_cluster"`
	Kubeconfig            types.String `tfsdk:"kubeconfig"`
	InClusterConfig       types.Bool   `tfsdk:"in_cluster_config"`
	Exec                  types.Object `tfsdk:"exec"`
}

// Exec is the model of a credential plugin.
type Exec struct {
	APIVersion types.String `tfsdk:"api_version"`
	Command    types.String `tfsdk:"command"`
	Args       types.List   `tfsdk:"args"`
	Env        types.Map    `tfsdk:"env"`
}

// ClusterAttributes are the attributes of a cluster connection, under the
// names that hashicorp/kubernetes uses. environment adds to a description the
// variable that is read if the attribute is not set.
func ClusterAttributes(environment map[string]string) map[string]schema.Attribute {
	describe := func(name, text string) string {
		if variable := environment[name]; variable != "" {
			text += " Read from `" + variable + "` if it is not set."
		}
		return text
	}
	plain := func(name, text string) schema.Attribute {
		return schema.StringAttribute{Optional: true, MarkdownDescription: describe(name, text)}
	}
	secret := func(name, text string) schema.Attribute {
		return schema.StringAttribute{Optional: true, Sensitive: true, MarkdownDescription: describe(name, text)}
	}
	attributes := map[string]schema.Attribute{
		"insecure": schema.BoolAttribute{Optional: true, MarkdownDescription: describe("insecure",
			"Do not verify the API server's certificate. For experiments only.")},
		"in_cluster_config": schema.BoolAttribute{Optional: true, MarkdownDescription: describe("in_cluster_config",
			"Use the cluster that Terraform itself runs in, as the ServiceAccount of its Pod, if no kubeconfig is named. Without it no such cluster is used.")},
		"config_paths": schema.ListAttribute{Optional: true, ElementType: types.StringType, MarkdownDescription: describe("config_paths",
			"Paths of kubeconfig files, merged in order as kubectl does.")},
		"exec": schema.SingleNestedAttribute{
			Optional:            true,
			MarkdownDescription: "A credential plugin that is run to get a token or a client certificate.",
			Attributes: map[string]schema.Attribute{
				"api_version": schema.StringAttribute{Required: true, MarkdownDescription: "Version of the plugin protocol, for example `client.authentication.k8s.io/v1`."},
				"command":     schema.StringAttribute{Required: true, MarkdownDescription: "The program to run."},
				"args":        schema.ListAttribute{Optional: true, ElementType: types.StringType, MarkdownDescription: "Arguments of the program."},
				"env":         schema.MapAttribute{Optional: true, ElementType: types.StringType, MarkdownDescription: "Environment variables to add for the program."},
			},
		},
	}
	for name, text := range map[string]string{
		"host":                     "URL of the Kubernetes API server, `https://...`; a host alone, with or without a port, means `https`.",
		"username":                 "Username for basic authentication.",
		"cluster_ca_certificate":   "PEM-encoded certificate authorities that the API server's certificate is verified with. Without it, those of the system are used.",
		"client_certificate":       "PEM-encoded client certificate for TLS authentication.",
		"tls_server_name":          "Name to expect in the API server's certificate, if it is not the host's.",
		"config_path":              "Path of a kubeconfig file. It is read when a resource needs the cluster, and must exist then.",
		"config_context":           "Context of the kubeconfig to use instead of its current one.",
		"config_context_auth_info": "User of the kubeconfig to use instead of the context's.",
		"config_context_cluster":   "Cluster of the kubeconfig to use instead of the context's.",
		"token_path":               "Path of a file that holds a bearer token. It is read for every request.",
	} {
		attributes[name] = plain(name, text)
	}
	for name, text := range map[string]string{
		"token":      "Bearer token.",
		"password":   "Password for basic authentication.",
		"client_key": "PEM-encoded key of the client certificate.",
		"kubeconfig": "Text of a kubeconfig, used instead of a file.",
		"proxy_url":  "URL of a proxy for requests to the API server, `http://`, `https://` or `socks5://`. It may hold a password.",
	} {
		attributes[name] = secret(name, text)
	}
	return attributes
}
