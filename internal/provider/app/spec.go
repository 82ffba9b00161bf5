package app

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	apitypes "k8s.io/apimachinery/pkg/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/creation"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

// spec is the App with every default filled in. The model must be fully known,
// but for what is computed.
func (m model) spec(ctx context.Context, d *delivery.Delivery) (delivery.App, diag.Diagnostics) {
	labels, diags := tfvalue.ToStringMap(ctx, m.Labels)
	annotations, more := tfvalue.ToStringMap(ctx, m.Annotations)
	diags.Append(more...)
	syncPeriod, err := carvel.CanonicalDuration(m.SyncPeriod.ValueString())
	if err != nil {
		diags.AddAttributeError(path.Root("sync_period"), "Invalid sync_period", err.Error())
	}
	a, more := m.identity(ctx)
	diags.Append(more...)
	s := &a.AppSpec
	s.Labels, s.Annotations, s.SyncPeriod = labels, annotations, syncPeriod
	s.Defaults = d.Defaults
	s.ServiceAccountName = m.ServiceAccountName.ValueString()
	s.Paused, s.Canceled, s.NoopDelete = m.Paused.ValueBool(), m.Canceled.ValueBool(), m.NoopDelete.ValueBool()
	s.DefaultNamespace = m.DefaultNamespace.ValueString()
	diags.Append(tfvalue.Part("cluster", m.Cluster, &s.Cluster)...)
	gitSecret, ageSecret, more := m.secretNames(ctx)
	diags.Append(more...)
	a.CreateDirectories = m.CreateDirectories.ValueBool()
	a.Packages, more = m.packages(ctx)
	diags.Append(more...)
	diags.Append(m.sources(d, a.Packages, gitSecret, s)...)
	diags.Append(m.steps(ageSecret, s)...)
	diags.Append(selectPackages(a.Packages, s)...)
	diags.Append(m.deploy(s)...)
	return a, diags
}

// identity is the App without its spec: all that deleting it needs, so that
// this works whatever became of the provider's configuration.
func (m model) identity(ctx context.Context) (delivery.App, diag.Diagnostics) {
	secrets, diags := m.ownSecrets(ctx)
	return delivery.App{
		AppSpec:    carvel.AppSpec{Namespace: m.Namespace.ValueString(), Name: m.Name.ValueString()},
		RunCluster: m.RunCluster.ValueString(),
		Secrets:    secrets,
		Orphan:     m.OnDestroy.ValueString() == onDestroyOrphan,
		Wait:       m.Wait.ValueBool(),
		UID:        apitypes.UID(m.UID.ValueString()),
		ForCluster: schemas.ForCluster(m.FieldManager, creation.Hold(m.Creation, m.Adopted, m.AdoptExisting)),
	}, diags
}

// packages are those that the App delivers by their names, nil if it has none.
func (m model) packages(ctx context.Context) (*delivery.Packages, diag.Diagnostics) {
	if schemas.IsAbsent(m.Packages) {
		return nil, nil
	}
	p := delivery.Packages{RunCluster: m.RunCluster.ValueString(), PerPackage: m.FetchPerPackage.ValueBool()}
	diags := m.Packages.ElementsAs(ctx, &p.Names, false)
	return &p, diags
}

// selectPackages has the steps read the directories of packages that come from one source.
func selectPackages(p *delivery.Packages, s *carvel.AppSpec) diag.Diagnostics {
	if p == nil || p.PerPackage {
		return nil
	}
	template, unfit, ok := carvel.SelectPaths(s.Template, p.Paths())
	if !ok {
		return diag.Diagnostics{unfitStep(unfit)}
	}
	s.Template = template
	return nil
}

// found is a state as it is read. Steps that name files say that each directory of the
// packages has a source of its own, whatever the next plan makes of that.
func (m model) found() model {
	var template []carvel.Template
	if diags := tfvalue.Part("template", m.Template, &template); schemas.IsAbsent(m.Packages) || diags.HasError() {
		return m
	}
	if _, _, ok := carvel.SelectPaths(template, nil); !ok {
		m.FetchPerPackage = types.BoolValue(true)
	}
	return m
}

// sources are what the App fetches. secret is the App's own for Git, or empty.
func (m model) sources(d *delivery.Delivery, packages *delivery.Packages, secret string, s *carvel.AppSpec) diag.Diagnostics {
	diags := tfvalue.Part("fetch", m.Fetch, &s.Fetch)
	if packages != nil {
		s.Fetch = d.Apps.PackageSources(*packages)
		if d.Location.URL == "" {
			diags.Append(noRepositoryForPackages())
			return diags
		}
	}
	for i, f := range s.Fetch {
		if f.Git == nil {
			continue
		}
		for _, name := range d.Apps.CompleteGit(f.Git) {
			diags.Append(missingGitField(i, name))
		}
	}
	if !m.GitSecretRef.IsNull() {
		var ref carvel.LocalRef
		diags.Append(tfvalue.Part("git_secret_ref", m.GitSecretRef, &ref)...)
		secret = ref.Name
	}
	if secret != "" {
		carvel.UseGitSecret(s.Fetch, secret)
	}
	return diags
}

// steps are what the App runs to make objects. secret is the App's own for age,
// or empty.
func (m model) steps(secret string, s *carvel.AppSpec) diag.Diagnostics {
	if schemas.IsAbsent(m.Template) {
		s.Template = defaultTemplate(secret)
		return nil
	}
	diags := tfvalue.Part("template", m.Template, &s.Template)
	for i, t := range s.Template {
		if t.Sops == nil || t.Sops.Age == nil || t.Sops.Age.PrivateKeysSecretRef != nil {
			continue
		}
		if secret == "" {
			diags.Append(missingAgeKey(i))
			continue
		}
		t.Sops.Age.PrivateKeysSecretRef = &carvel.LocalRef{Name: secret}
	}
	return diags
}

func defaultTemplate(ageSecret string) []carvel.Template {
	ytt := carvel.Template{Ytt: &carvel.Ytt{}}
	if ageSecret == "" {
		return []carvel.Template{ytt}
	}
	return []carvel.Template{{Sops: &carvel.Sops{Age: &carvel.PrivateKeys{PrivateKeysSecretRef: &carvel.LocalRef{Name: ageSecret}}}}, ytt}
}

func (m model) deploy(s *carvel.AppSpec) diag.Diagnostics {
	if m.Deploy.IsNull() {
		s.Deploy = defaultDeploy(*s)
		return nil
	}
	var d carvel.Deploy
	diags := tfvalue.Part("deploy", m.Deploy, &d)
	s.Deploy = []carvel.Deploy{d}
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

func optional(s string) types.String { return tfvalue.String(s) }
