package provider

import (
	"encoding/base64"
	"maps"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/credential/credentialtest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
)

// TestConfigureCluster: what is wrong with a cluster's connection is an error of the
// plan, at its attribute unless that is a secret, or about the variable that it is from.
func TestConfigureCluster(t *testing.T) {
	authority, key := credentialtest.Good(t)
	encoded := base64.StdEncoding.EncodeToString(authority)
	for name, c := range map[string]struct {
		set         attributes
		environment map[string]string
		at, says    string
	}{
		"authority":         {set: attributes{"cluster_ca_certificate": encoded}, at: "cluster_ca_certificate", says: "base64decode"},
		"certificate":       {set: attributes{"client_certificate": encoded, "client_key": string(key)}, at: "client_certificate", says: "base64decode"},
		"host":              {set: attributes{"host": "https//h"}, at: "host", says: "https://"},
		"token":             {set: attributes{"token": "s3cret\n"}, says: "token ends with a line break"},
		"proxy":             {set: attributes{"proxy_url": "s3cret"}, says: "proxy_url is not a URL"},
		"certificate alone": {set: attributes{"client_certificate": string(authority)}, says: "client_key is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			clear(t)
			set := attributes{"host": "h.example.com"}
			maps.Copy(set, c.set)
			for at, config := range map[string]attributes{`build_cluster`: {"build_cluster": set}, `run_clusters["prod"]`: {"run_clusters": attributes{"prod": set}}} {
				_, diags := configure(t, config)
				if len(diags) != 1 || !strings.Contains(diags[0].Detail(), at+".") || !strings.Contains(diags[0].Detail(), c.says) || strings.Contains(diags[0].Detail(), "s3cret") {
					t.Fatal(diags)
				}
				withPath, isAttribute := diags[0].(diag.DiagnosticWithPath)
				if isAttribute != (c.at != "") || isAttribute && withPath.Path().String() != at+"."+c.at {
					t.Errorf("it is at %v", withPath)
				}
			}
		})
	}
	clear(t)
	t.Setenv("CARVEL_RUN_CLUSTER_PROD_TOKEN", "s3cret\n")
	_, diags := configure(t, attributes{"run_clusters": attributes{"prod": attributes{"host": "10.0.0.2"}}})
	if len(diags) != 1 || !strings.Contains(diags[0].Detail(), "CARVEL_RUN_CLUSTER_PROD_TOKEN, which the environment sets") {
		t.Error(diags)
	}
	t.Setenv("KUBE_CLUSTER_CA_CERT_DATA", encoded)
	_, diags = clusterConfig(t.Context(), types.ObjectNull(nil), path.Root("build_cluster"), kubeVariables)
	if len(diags) != 1 || !strings.Contains(diags[0].Detail(), "KUBE_CLUSTER_CA_CERT_DATA, which the environment sets for build_cluster.cluster_ca_certificate") {
		t.Error(diags)
	}
}

// TestConfigureHost: a host without a scheme means https.
func TestConfigureHost(t *testing.T) {
	clear(t)
	data, diags := configure(t, attributes{"build_cluster": attributes{"host": "34.1.2.3"}, "run_clusters": attributes{"prod": attributes{"host": "34.1.2.4:6443"}}})
	if diags.HasError() {
		t.Fatal(diags)
	}
	for want, c := range map[string]delivery.Cluster{"https://34.1.2.3": data.Build, "https://34.1.2.4:6443": data.Run["prod"]} {
		if endpoint, err := c.Endpoint(); err != nil || endpoint.Server != want {
			t.Errorf("%+v, %v", endpoint, err)
		}
	}
}

// TestConfigureEmpty: an empty list of kubeconfigs is none.
func TestConfigureEmpty(t *testing.T) {
	clear(t)
	data, diags := configure(t, attributes{"build_cluster": attributes{"config_paths": []tftypes.Value{}, "config_path": "/nosuch/kubeconfig"}, "run_clusters": attributes{}})
	if diags.HasError() {
		t.Fatal(diags)
	}
	if _, err := data.Build.Endpoint(); err == nil || !strings.Contains(err.Error(), "/nosuch/kubeconfig") {
		t.Error(err)
	}
}

// TestConfigureDefaults: labels and annotations for everything are taken over, and
// refused where Kubernetes would refuse them or a plan cannot know them.
func TestConfigureDefaults(t *testing.T) {
	clear(t)
	texts := map[string]tftypes.Value{"team": tftypes.NewValue(tftypes.String, "apps")}
	data, diags := configure(t, attributes{"default_labels": texts, "default_annotations": texts})
	if diags.HasError() || data.Defaults().Labels["team"] != "apps" || data.Defaults().Annotations["team"] != "apps" {
		t.Errorf("%v %v", data.Defaults(), diags)
	}
	for _, name := range []string{"default_labels", "default_annotations"} {
		_, diags := configure(t, attributes{name: map[string]tftypes.Value{"team": tftypes.NewValue(tftypes.String, tftypes.UnknownValue)}})
		if !diags.HasError() || !strings.Contains(diags[0].Detail(), name) {
			t.Error(diags)
		}
	}
}
