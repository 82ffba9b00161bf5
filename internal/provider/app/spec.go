package app

import (
	"context"
	"fmt"
	"reflect"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

// spec is the App with every default filled in. at is the provider's
// repository.
func (m model) spec(ctx context.Context, at delivery.Location) (delivery.App, diag.Diagnostics) {
	labels, diags := tfvalue.ToStringMap(ctx, m.Labels)
	annotations, d := tfvalue.ToStringMap(ctx, m.Annotations)
	diags.Append(d...)
	syncPeriod, err := carvel.CanonicalDuration(m.SyncPeriod.ValueString())
	if err != nil {
		diags.AddAttributeError(path.Root("sync_period"), "Invalid sync_period", err.Error())
	}
	s := carvel.AppSpec{
		Namespace:          m.Namespace.ValueString(),
		Name:               m.Name.ValueString(),
		Labels:             labels,
		Annotations:        annotations,
		ServiceAccountName: m.ServiceAccountName.ValueString(),
		Template:           []carvel.Template{{Ytt: &carvel.Ytt{}}},
		SyncPeriod:         syncPeriod,
		Paused:             m.Paused.ValueBool(),
		Canceled:           m.Canceled.ValueBool(),
		NoopDelete:         m.NoopDelete.ValueBool(),
		DefaultNamespace:   m.DefaultNamespace.ValueString(),
	}
	if !m.Cluster.IsNull() {
		var c clusterModel
		diags.Append(m.Cluster.As(ctx, &c, basetypes.ObjectAsOptions{})...)
		s.Cluster = &carvel.Cluster{
			Namespace: c.Namespace.ValueString(),
			KubeconfigSecretRef: &carvel.SecretKeyRef{
				Name: c.KubeconfigSecretRef.Name.ValueString(), Key: c.KubeconfigSecretRef.Key.ValueString(),
			},
		}
	}
	diags.Append(m.fetch(ctx, at, &s)...)
	diags.Append(m.deploy(ctx, &s)...)
	return delivery.App{
		AppSpec: s, Wait: m.Wait.ValueBool(), ForCluster: schemas.ForCluster(m.FieldManager, m.AdoptExisting),
	}, diags
}

func (m model) fetch(ctx context.Context, at delivery.Location, s *carvel.AppSpec) diag.Diagnostics {
	var entries []fetchModel
	diags := m.Fetch.ElementsAs(ctx, &entries, false)
	for i, entry := range entries {
		if entry.Inline != nil {
			paths, d := tfvalue.ToStringMap(ctx, entry.Inline.Paths)
			diags.Append(d...)
			s.Fetch = append(s.Fetch, carvel.Fetch{Inline: &carvel.InlineFetch{Paths: paths}})
			continue
		}
		if entry.Git == nil {
			continue // refused by the schema
		}
		git := &carvel.GitFetch{
			URL: entry.Git.URL.ValueString(), Ref: entry.Git.Ref.ValueString(), SubPath: entry.Git.SubPath.ValueString(),
		}
		if git.URL == "" {
			git.URL = at.URL
		}
		if git.Ref == "" && at.Branch != "" {
			git.Ref = originRef(at.Branch)
		}
		for name, value := range map[string]string{"url": git.URL, "ref": git.Ref} {
			if value == "" {
				diags.AddAttributeError(path.Root("fetch").AtListIndex(i).AtName("git").AtName(name),
					fmt.Sprintf("Missing fetch[%d].git.%s", i, name),
					"The provider configures no repository to take it from. Set it here, or set git.url in the provider configuration.")
			}
		}
		if entry.Git.SecretRef != nil {
			git.SecretRef = &carvel.LocalRef{Name: entry.Git.SecretRef.Name.ValueString()}
		}
		s.Fetch = append(s.Fetch, carvel.Fetch{Git: git})
	}
	return diags
}

func originRef(branch string) string { return "origin/" + branch }

func (m model) deploy(ctx context.Context, s *carvel.AppSpec) diag.Diagnostics {
	if m.Deploy.IsNull() {
		s.Deploy = defaultDeploy(*s)
		return nil
	}
	var d deployModel
	diags := m.Deploy.As(ctx, &d, basetypes.ObjectAsOptions{})
	kapp := &carvel.Kapp{IntoNs: d.Kapp.IntoNs.ValueString()}
	if !d.Kapp.RawOptions.IsNull() {
		diags.Append(d.Kapp.RawOptions.ElementsAs(ctx, &kapp.RawOptions, false)...)
	}
	s.Deploy = []carvel.Deploy{{Kapp: kapp}}
	return diags
}

// defaultDeploy is the delivery document's: everything into the run cluster's
// namespace.
func defaultDeploy(s carvel.AppSpec) []carvel.Deploy {
	kapp := &carvel.Kapp{RawOptions: []string{carvel.AllowEmptyOption}}
	if s.Cluster != nil {
		kapp.IntoNs = s.Cluster.Namespace
	}
	return []carvel.Deploy{{Kapp: kapp}}
}

func isDefaultDeploy(s carvel.AppSpec) bool { return reflect.DeepEqual(s.Deploy, defaultDeploy(s)) }

func importedFetch(fetch []carvel.Fetch, at delivery.Location) []fetchModel {
	entries := make([]fetchModel, 0, len(fetch))
	for _, f := range fetch {
		switch {
		case f.Inline != nil:
			entries = append(entries, fetchModel{Inline: &inlineModel{Paths: tfvalue.StringMap(f.Inline.Paths)}})
		case f.Git != nil:
			git := &gitModel{URL: optional(f.Git.URL), Ref: optional(f.Git.Ref), SubPath: optional(f.Git.SubPath)}
			if f.Git.URL == at.URL && f.Git.Ref == originRef(at.Branch) {
				git.URL, git.Ref = types.StringNull(), types.StringNull()
			}
			if f.Git.SecretRef != nil {
				git.SecretRef = &nameModel{Name: types.StringValue(f.Git.SecretRef.Name)}
			}
			entries = append(entries, fetchModel{Git: git})
		}
	}
	return entries
}

func optional(s string) types.String { return tfvalue.String(s) }
