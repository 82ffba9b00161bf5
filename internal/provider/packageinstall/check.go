package packageinstall

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/version"
)

// lookup is a question about a package's versions. It is nil if nothing is
// to be looked up, or not yet.
type lookup struct {
	source    delivery.PackageSource
	selection version.Selection
}

// lookup is what can be asked now. With package_source = "none" the version
// stays null, else it is unknown until the question is answered.
func (m model) lookup(ctx context.Context, data *providerdata.Data) (*lookup, types.String, diag.Diagnostics) {
	undecided := types.StringUnknown()
	if m.PackageSource.ValueString() == delivery.FromNowhere {
		return nil, types.StringNull(), nil
	}
	if m.PackageSource.IsUnknown() || m.Package.IsUnknown() || m.RunCluster.IsUnknown() || m.VersionConstraint.IsUnknown() || data.Unknown.Git {
		return nil, undecided, nil
	}
	if known, err := isKnown(ctx, m.Prereleases); err != nil || !known {
		return nil, undecided, nil
	}
	var prereleases *version.Prereleases
	diags := tfvalue.Part("prereleases", m.Prereleases, &prereleases)
	l := &lookup{
		source:    delivery.PackageSource{Kind: delivery.FromRepository},
		selection: version.Selection{Constraint: m.VersionConstraint.ValueString(), Prereleases: prereleases},
	}
	if m.PackageSource.ValueString() != delivery.FromCluster {
		return l, undecided, diags
	}
	l.source = delivery.PackageSource{Kind: delivery.FromCluster, RunCluster: m.RunCluster.ValueString(), Namespace: m.Namespace.ValueString()}
	if m.Namespace.IsUnknown() || !data.KnowsRunCluster(l.source.RunCluster) {
		return nil, undecided, diags
	}
	if m.Namespace.IsNull() { // a configuration that turns out so at apply
		diags.Append(noNamespace())
	}
	return l, undecided, diags
}

// planVersion plans the version, and refuses one that is not there and values
// that it does not take.
func (r *packageInstall) planVersion(ctx context.Context, req resource.ModifyPlanRequest, plan *model, writeOnly types.Dynamic) diag.Diagnostics {
	l, version, diags := plan.lookup(ctx, r.data)
	plan.ResolvedVersion = version
	if l == nil || diags.HasError() {
		return diags
	}
	var state *model
	if !req.State.Raw.IsNull() {
		state = &model{}
		diags.Append(tfvalue.Get(ctx, req.State, state)...)
	}
	verdict, d := r.check(ctx, *plan, state, l, plan.document(writeOnly))
	diags.Append(d...)
	switch {
	case verdict.Version != "":
		plan.ResolvedVersion = types.StringValue(verdict.Version)
	case state != nil && state.VersionConstraint.Equal(plan.VersionConstraint) && state.Prereleases.Equal(plan.Prereleases):
		plan.ResolvedVersion = state.ResolvedVersion // the cluster cannot be asked now
	}
	return diags
}

// checkApply checks again what the plan has checked, since it may not have
// known all of it. Nothing has been written by then.
func (r *packageInstall) checkApply(ctx context.Context, plan *model, config tfsdk.Config) diag.Diagnostics {
	l, version, diags := plan.lookup(ctx, r.data)
	if l != nil && !diags.HasError() {
		r.data.Catalog.Forget(l.source, plan.Package.ValueString())
		secret, d := writeOnly(ctx, config)
		diags.Append(d...)
		verdict, d := r.check(ctx, *plan, nil, l, plan.document(secret))
		diags.Append(d.Errors()...)
		version = types.StringNull()
		if verdict.Version != "" {
			version = types.StringValue(verdict.Version)
		}
	}
	if plan.ResolvedVersion.IsUnknown() {
		plan.ResolvedVersion = version
	}
	return diags
}

func (r *packageInstall) check(ctx context.Context, plan model, state *model, l *lookup, values document) (delivery.PackageVerdict, diag.Diagnostics) {
	asked := delivery.PackageCheck{
		At: install(plan), Source: l.source, Selection: l.selection,
		AllowDowngrade: plan.AllowDowngrade.IsUnknown() || plan.AllowDowngrade.ValueBool(),
		Values:         values.merged, Partial: values.partial,
	}
	if state != nil && install(*state) == asked.At {
		asked.Installed = state.ResolvedVersion.ValueString()
	}
	bounded, cancel := context.WithTimeout(ctx, plan.lookTimeout(ctx, l.source))
	defer cancel()
	verdict, err := r.data.Catalog.Check(bounded, asked)
	var diags diag.Diagnostics
	if len(verdict.Unreadable) > 0 {
		diags.Append(tfdiag.UnreadablePackages(verdict.Unreadable))
	}
	diags.Append(lookupFailed(plan, l.source, err)...)
	if verdict.Version == "" {
		return verdict, diags
	}
	if verdict.HeldBack != "" {
		diags.Append(heldBack(plan, verdict))
	}
	if plan.SchemaCheck.IsUnknown() || plan.SchemaCheck.ValueString() == schemaNone {
		return verdict, diags
	}
	verdict.Enforced = verdict.Enforced && plan.SchemaCheck.ValueString() != schemaWarn
	for _, f := range verdict.Findings {
		at, attribute := values.locate(f)
		diags.Append(ofFinding(at, attribute, f, verdict, plan.Package.ValueString()))
	}
	if len(verdict.Findings) == 0 && len(verdict.Elsewhere) > 0 {
		diags.Append(elsewhere(root(values.attribute()), plan.Package.ValueString(), verdict))
	}
	return verdict, diags
}

// lookTimeout is short for a cluster, which the same run may make.
func (m model) lookTimeout(ctx context.Context, from delivery.PackageSource) time.Duration {
	whole := schemas.PlanTimeout(ctx, m.Timeouts)
	if from.Kind == delivery.FromCluster {
		return min(schemas.LookTimeout, whole)
	}
	return whole
}

// lookupFailed tells a version that is known to be wrong from a cluster that
// cannot be asked.
func lookupFailed(m model, from delivery.PackageSource, err error) diag.Diagnostics {
	var diags diag.Diagnostics
	if err == nil {
		return diags
	}
	if d, ok := refusedVersion(err); ok {
		diags.Append(d)
		return diags
	}
	if from.Kind == delivery.FromCluster && !errors.As(err, new(*delivery.MissingPartError)) {
		diags.Append(notLookedUp(m.Package.ValueString(), err))
		return diags
	}
	diags.Append(tfdiag.Failure{Verb: "look up the version of", Noun: noun, Name: title(m), Err: err}.Diagnostic())
	return diags
}

// prefetch brings in what reading the resource and looking up its version need.
func (r *packageInstall) prefetch(ctx context.Context, m model) error {
	return r.data.Catalog.Prefetch(ctx, install(m), m.PackageSource.ValueString())
}

// readVersion is the model with the version that its constraint selects now. A
// version that was known stays if none is found: it is still installed.
func (r *packageInstall) readVersion(ctx context.Context, m model) (model, diag.Diagnostics) {
	if m.PackageSource.IsNull() {
		m.PackageSource = types.StringValue(delivery.FromRepository)
	}
	l, resolved, diags := m.lookup(ctx, r.data)
	if l == nil || diags.HasError() {
		if resolved.IsNull() {
			m.ResolvedVersion = resolved
		}
		return m, nil
	}
	bounded, cancel := context.WithTimeout(ctx, m.lookTimeout(ctx, l.source))
	defer cancel()
	found, err := r.data.Catalog.Find(bounded, l.source, m.Package.ValueString(), l.selection)
	if err != nil {
		if l.source.Kind == delivery.FromRepository && !errors.As(err, new(*delivery.NoVersionError)) {
			diags.Append(tfdiag.Failure{Verb: "look up the version of", Noun: noun, Name: title(m), Err: err}.Diagnostic())
		}
		return m, diags // the plan tells what there is to tell
	}
	before := m.ResolvedVersion.ValueString()
	if order, err := version.Compare(found.Version, before); err == nil && order < 0 && !m.AllowDowngrade.ValueBool() {
		diags.Append(removedVersion(m, found.Version))
	}
	m.ResolvedVersion = types.StringValue(found.Version)
	return m, diags
}
