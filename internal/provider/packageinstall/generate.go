package packageinstall

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/generated"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

var (
	_ generated.Resource = (*packageInstall)(nil)
	_ generated.Resource = (*packageInstalls)(nil)
)

// Generate puts the values into the configuration, which an import leaves in the
// repository.
func (r *packageInstall) Generate(ctx context.Context, req generated.Request, resp *generated.Response) {
	var state, config model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
	resp.Diagnostics.Append(tfvalue.Get(ctx, resp.Config, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if r.data != nil && r.data.Location.URL != "" && !r.data.Unknown.Git {
		bounded, cancel := context.WithTimeout(ctx, schemas.ReadTimeout)
		defer cancel()
		found, _, err := r.data.Installs.ReadNew(bounded, install(state))
		if err == nil {
			config, err = config.withFound(found)
		}
		if err != nil && !errors.Is(err, delivery.ErrNotFound) {
			resp.Diagnostics.Append(tfdiag.Failure{Verb: "read the values of", Noun: noun, Name: title(state), Err: err}.Diagnostic())
			return
		}
	}
	resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.Config, config.short())...)
}

// withFound is the model with all values that the files have, as write-only ones if the
// name of their Secret tells that they were.
func (m model) withFound(found delivery.PackageInstall) (model, error) {
	m.Values, m.ValuesYAML, m.ValuesWO = types.DynamicNull(), types.ListNull(types.StringType), types.DynamicNull()
	if found.Values == nil {
		return m, nil
	}
	with, err := m.withValues(found.Values)
	if err == nil && found.WriteOnlyValues && !with.Values.IsNull() {
		with.Values, with.ValuesWO = types.DynamicNull(), with.Values
	}
	return with, err
}

// short is the model without the names that follow from others.
func (m model) short() model {
	if m.Name.ValueString() == carvel.DefaultInstallName(m.Package.ValueString()) {
		m.Name = types.StringNull()
	}
	name := m.Name.ValueString()
	if name == "" {
		name = carvel.DefaultInstallName(m.Package.ValueString())
	}
	if m.ValuesSecretName.ValueString() == carvel.DefaultValuesSecretName(name) {
		m.ValuesSecretName = types.StringNull()
	}
	return m
}

// Generate puts the values into the configuration, as for a single package install.
func (r *packageInstalls) Generate(ctx context.Context, _ generated.Request, resp *generated.Response) {
	var config setModel
	resp.Diagnostics.Append(tfvalue.Get(ctx, resp.Config, &config)...)
	entries, _, diags := config.entries(ctx, types.DynamicNull())
	if resp.Diagnostics.Append(diags...); resp.Diagnostics.HasError() || r.data == nil || r.data.Location.URL == "" || r.data.Unknown.Git {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, schemas.ReadTimeout)
	defer cancel()
	writeOnly := map[string]attr.Value{}
	for i, e := range entries {
		found, _, err := r.data.Installs.ReadNew(bounded, config.at(e.name))
		if errors.Is(err, delivery.ErrNotFound) {
			continue
		}
		m := e.model
		if err == nil {
			m, err = e.model.withFound(found)
		}
		if err != nil {
			resp.Diagnostics.Append(tfdiag.Failure{Verb: "read the values of", Noun: noun, Name: title(e.model), Err: err}.Diagnostic())
			return
		}
		entries[i] = e.withValues(m)
		if !m.ValuesWO.IsNull() {
			writeOnly[e.name] = m.ValuesWO.UnderlyingValue()
		}
	}
	config.Packages = packagesOf(ctx, entries, types.DynamicNull())
	if len(writeOnly) > 0 {
		config.ValuesWO = types.DynamicValue(tfvalue.Object(writeOnly))
	}
	resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.Config, config)...)
}

// withValues is the entry with the values of a model.
func (e entry) withValues(m model) entry {
	e.model, e.raw, e.given = m, nil, maps.Clone(e.given)
	for _, name := range []string{"values", "values_yaml"} {
		delete(e.given, name)
		if value := m.get(name); !value.IsNull() {
			e.given[name] = value
		}
	}
	return e
}

// imported is the model of a package install of which nothing is known but what its files
// say, without the values.
func imported(ctx context.Context, at repolayout.Install, found delivery.PackageInstall, defaults carvel.Metadata, null model) (model, error) {
	m := null
	m.ID = types.StringValue(at.Package + "/" + at.RunCluster)
	m.Package, m.RunCluster = types.StringValue(at.Package), types.StringValue(at.RunCluster)
	m.AdoptExisting, m.PackageSource = types.BoolValue(false), types.StringValue(delivery.FromRepository)
	return m.read(ctx, found, true, defaults)
}

// notListed warns of package installs that cannot be imported and left as they are, if
// there are any.
func notListed(problems []delivery.ListedInstall) diag.Diagnostics {
	if len(problems) == 0 {
		return nil
	}
	const most = 50
	var text strings.Builder
	text.WriteString("An import of these package installs would be followed by a commit, or cannot be, so that they are not in the list:\n")
	for i, l := range problems {
		if i == most {
			text.WriteString("\n  - and more")
			break
		}
		text.WriteString("\n  - " + title(model{Package: types.StringValue(l.At.Package), RunCluster: types.StringValue(l.At.RunCluster)}) + ": " + why(l.Problem))
	}
	text.WriteString("\n\nWrite such a resource by hand and import it, and the plan shows what would change; or bring the files into a form that is read: packageinstall.yaml and params.yaml, " +
		"a Secret with one key in stringData.")
	return diag.Diagnostics{diag.NewWarningDiagnostic("Some package installs are not listed", text.String())}
}

// why is the problem of a package install, in a line.
func why(problem error) string {
	var other *delivery.OtherFileError
	var rewritten *delivery.RewrittenError
	var encrypted *delivery.EncryptedValuesError
	switch {
	case errors.As(problem, &other):
		return other.Kind + " " + other.Name + " is in " + other.File + ". The provider knows " + repolayout.PackageInstallFile + " and " + repolayout.ParamsFile + " alone: rename the file."
	case errors.As(problem, &rewritten):
		files := slices.Clone(rewritten.Files)
		return strings.Join(files, " and ") + " would be written anew: what is there holds more than the resource has attributes for, or holds it in another file or as base64."
	case errors.As(problem, &encrypted):
		return encrypted.File + " is encrypted, and the provider has no key to read the values. Give them in values_wo."
	}
	return problem.Error()
}
