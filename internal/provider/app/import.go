package app

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/giturl"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/creation"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

func (r *app) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	id, diags := identity.ImportID(ctx, req)
	resp.Diagnostics.Append(diags...)
	namespace, name, ok := strings.Cut(id, "/")
	if !ok || namespace == "" || name == "" || strings.Contains(name, "/") {
		resp.Diagnostics.Append(tfdiag.MalformedID{Resource: "carvel_app", Form: identity.Form(), Example: "dev/app-staging", Got: id}.Diagnostic())
		return
	}
	spec, made, err := r.data.Apps.Find(ctx, namespace, name)
	var values map[string]any
	if err == nil {
		values, err = imported(spec, r.data.Delivery)
	}
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "import", Noun: noun, Name: id, Err: err}.Diagnostic())
		return
	}
	values["creation"] = creation.Imported(made)
	for attribute, value := range values {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(attribute), value)...)
	}
	resp.Diagnostics.Append(identity.Set(ctx, resp.State, resp.Identity)...)
}

// imported are the attributes of an App that was found. What the defaults give
// is left out, as a configuration that relies on them has it.
func imported(s carvel.AppSpec, d *delivery.Delivery) (map[string]any, error) {
	values := map[string]any{
		"namespace":            s.Namespace,
		"name":                 s.Name,
		"labels":               s.Labels,
		"annotations":          s.Annotations,
		"service_account_name": optional(s.ServiceAccountName),
		"sync_period":          optional(s.SyncPeriod),
		"default_namespace":    optional(s.DefaultNamespace),
		"on_destroy":           onDestroyDelete,
		"wait":                 true,
		"adopt_existing":       false,
	}
	for name, set := range map[string]bool{"paused": s.Paused, "canceled": s.Canceled, "noop_delete": s.NoopDelete} {
		if set {
			values[name] = true
		}
	}
	type part struct {
		value any
		kind  attr.Type
	}
	s.Fetch = withoutUserInformation(s.Fetch)
	parts := map[string]part{"cluster": {s.Cluster, clusterType}}
	if found, ok := d.Apps.PackagesIn(s); ok {
		values["packages"], values["run_cluster"], s.Template = found.Names, found.RunCluster, found.Template
		if found.PerPackage {
			values["fetch_per_package"] = true
		}
		if found.Secret != "" {
			parts["git_secret_ref"] = part{carvel.LocalRef{Name: found.Secret}, gitSecretRefAttribute().GetType()}
		}
	} else {
		for _, f := range s.Fetch {
			if f.Git != nil {
				d.Apps.ReduceGit(f.Git)
			}
		}
		parts["fetch"] = part{s.Fetch, fetchType}
	}
	if !reflect.DeepEqual(s.Template, defaultTemplate("")) {
		parts["template"] = part{s.Template, templateType}
	}
	if len(s.Deploy) == 1 && !reflect.DeepEqual(s.Deploy, defaultDeploy(s)) {
		parts["deploy"] = part{s.Deploy[0], deployType}
	}
	for name, p := range parts {
		value, err := tfvalue.FromStruct(p.value, p.kind)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		values[name] = value
	}
	return values, nil
}

// withoutUserInformation are sources with URLs that may be shown: user
// information may be a token, and no configuration has it.
func withoutUserInformation(fetch []carvel.Fetch) []carvel.Fetch {
	for _, f := range fetch {
		switch {
		case f.Git != nil:
			f.Git.URL = giturl.Public(f.Git.URL)
		case f.HTTP != nil:
			f.HTTP.URL = giturl.Public(f.HTTP.URL)
		case f.HelmChart != nil && f.HelmChart.Repository != nil:
			f.HelmChart.Repository.URL = giturl.Public(f.HelmChart.Repository.URL)
		}
	}
	return fetch
}
