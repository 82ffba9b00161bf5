package packageinstall

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/creation"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/packed"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/privatestate"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

var (
	_ resource.ResourceWithConfigure      = (*packageInstalls)(nil)
	_ resource.ResourceWithValidateConfig = (*packageInstalls)(nil)
	_ resource.ResourceWithModifyPlan     = (*packageInstalls)(nil)
	_ resource.ResourceWithImportState    = (*packageInstalls)(nil)
	_ packed.Resource                     = (*packageInstalls)(nil)
)

const setNoun = "package installs"

type packageInstalls struct {
	data *providerdata.Data
}

// NewSet makes the resource carvel_package_installs.
func NewSet() resource.Resource { return &packageInstalls{} }

func (r *packageInstalls) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_package_installs"
}

func (r *packageInstalls) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.data = providerdata.From(req, resp)
}

// Packed is the attribute that may have hundreds of packages in it.
func (r *packageInstalls) Packed() string { return "packages" }

// ValidateConfig checks the packages as far as they are known.
func (r *packageInstalls) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config setModel
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Config, &config)...)
	entries, _, diags := config.entries(ctx, config.ValuesWO)
	resp.Diagnostics.Append(diags...)
	for _, e := range entries {
		resp.Diagnostics.Append(e.validate(ctx)...)
	}
}

func (r *packageInstalls) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	expected, drop := r.data.Installs.Expect()
	defer drop()
	var plan setModel
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Plan, &plan)...)
	timeout, diags := plan.Timeouts.Create(ctx, schemas.WriteTimeout)
	resp.Diagnostics.Append(diags...)
	entries, diags := configured(ctx, plan, req.Config)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	offers, diags := r.checkApply(bounded, &plan, entries)
	if resp.Diagnostics.Append(diags...); resp.Diagnostics.HasError() {
		return
	}
	var set delivery.InstallSet
	for _, e := range entries {
		spec, diags := e.spec(ctx, plan.hold(e.name, nil))
		resp.Diagnostics.Append(diags...)
		set.New = append(set.New, spec)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	set.Expected = expected
	done, err := r.data.Installs.ApplySet(bounded, set)
	for _, e := range entries {
		r.data.Planned.Made(place(e.model))
	}
	if done.Changed() {
		plan.Creation, plan.Adopted = creation.Imported(done.Creation), knownMap(plan.Adopted)
		resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.State, r.with(plan, entries, done))...)
		resp.Diagnostics.Append(setIdentity.Set(ctx, resp.State, resp.Identity)...)
		resp.Diagnostics.Append(r.record(ctx, resp.Private, plan, entries, offers, done)...)
	}
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "create", Noun: setNoun, Name: plan.title(), Err: err}.Diagnostic())
	}
}

func (r *packageInstalls) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	expected, drop := r.data.Installs.Expect()
	defer drop()
	var plan, state setModel
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Plan, &plan)...)
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
	resp.Diagnostics.Append(setIdentity.Set(ctx, req.State, resp.Identity)...)
	timeout, diags := plan.Timeouts.Update(ctx, schemas.WriteTimeout)
	resp.Diagnostics.Append(diags...)
	entries, diags := configured(ctx, plan, req.Config)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	offers, checked := r.checkApply(bounded, &plan, entries)
	if plan.Commit.IsUnknown() {
		resp.Diagnostics.Append(checked...)
	}
	plan.Adopted = knownMap(plan.Adopted)
	if resp.Diagnostics.HasError() {
		return
	}
	if !plan.Commit.IsUnknown() { // no file changes, so the plan showed no commit
		plan.Creation = state.Creation
		resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.State, plan)...)
		resp.Diagnostics.Append(recordOffers(ctx, resp.Private, offers)...)
		return
	}
	set, diags := r.change(bounded, "update", req.Private, plan, state, entries)
	if resp.Diagnostics.Append(diags...); resp.Diagnostics.HasError() {
		return
	}
	set.Expected = expected
	done, err := r.data.Installs.ApplySet(bounded, set)
	for _, p := range set.New {
		r.data.Planned.Made(placeOf(p.At()))
	}
	resp.Diagnostics.Append(tfdiag.Left(done.Left)...)
	if done.Changed() {
		plan.Creation = state.Creation
		if done.Creation != "" {
			plan.Creation = creation.Record(done.Creation, true)
		}
		plan = plan.committed(state.commits())
		resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.State, r.with(plan, entries, done))...)
		resp.Diagnostics.Append(r.record(ctx, resp.Private, plan, entries, offers, done)...)
	}
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "update", Noun: setNoun, Name: plan.title(), Err: err}.Diagnostic())
	}
}

func (r *packageInstalls) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state setModel
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
	timeout, diags := state.Timeouts.Delete(ctx, schemas.WriteTimeout)
	resp.Diagnostics.Append(diags...)
	if isOrphaned(state.OnDestroy) {
		places, _, diags := state.places(ctx)
		resp.Diagnostics.Append(diags...)
		resp.Diagnostics.Append(orphan(ctx, r.data, req.Private, places...)...)
		return
	}
	expected, drop := r.data.Installs.Expect()
	defer drop()
	if resp.Diagnostics.HasError() {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	set, diags := r.change(bounded, "delete", req.Private, setModel{RunCluster: state.RunCluster}, state, nil)
	if resp.Diagnostics.Append(diags...); resp.Diagnostics.HasError() {
		return
	}
	set.Expected, set.Gone = expected, true
	done, err := r.data.Installs.ApplySet(bounded, set)
	resp.Diagnostics.Append(tfdiag.Left(done.Left)...)
	var empty *delivery.EmptyRequestError
	if errors.As(err, &empty) {
		resp.Diagnostics.Append(emptyRequest(empty))
		return
	}
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "delete", Noun: setNoun, Name: state.title(), Err: err}.Diagnostic())
	}
}

func (r *packageInstalls) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	id, diags := setIdentity.ImportID(ctx, req)
	resp.Diagnostics.Append(diags...)
	target, ok := parseSetID(id)
	if !ok {
		resp.Diagnostics.Append(tfdiag.MalformedID{
			Resource: "carvel_package_installs", Form: "RUN-CLUSTER or RUN-CLUSTER/PACKAGE,PACKAGE, either followed by /values if the values are to be read into the state",
			Example: "staging/app.default.tap,db.default.tap", Got: id,
		}.Diagnostic())
		return
	}
	if resp.Diagnostics.Append(r.data.CheckGit()...); resp.Diagnostics.HasError() {
		return
	}
	names, diags := r.importable(ctx, target, req.ID == "")
	if resp.Diagnostics.Append(diags...); resp.Diagnostics.HasError() {
		return
	}
	for attribute, value := range map[string]any{
		"id": target.runCluster, "run_cluster": target.runCluster, "adopt_existing": false, "allow_downgrade": false, "package_source": delivery.FromRepository,
	} {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(attribute), value)...)
	}
	resp.Diagnostics.Append(setIdentity.Set(ctx, resp.State, resp.Identity)...)
	resp.Diagnostics.Append(privatestate.Set(ctx, resp.Private, importedKey, names)...)
	resp.Diagnostics.Append(privatestate.Change(ctx, resp.Private, secretKey, !target.values)...) // until a plan tells that none is
}

// setID is what an import of a set names.
type setID struct {
	runCluster string
	packages   []string // nil: all
	values     bool     // are read into the state
}

func parseSetID(id string) (target setID, ok bool) {
	id, target.values = strings.CutSuffix(id, valuesSuffix)
	runCluster, list, named := strings.Cut(id, "/")
	target.runCluster = runCluster
	if !named {
		return target, carvel.ValidateRunCluster(runCluster) == nil
	}
	target.packages = slices.Sorted(slices.Values(strings.Split(list, ",")))
	twice := len(slices.Compact(slices.Clone(target.packages))) != len(target.packages)
	wrong := slices.ContainsFunc(target.packages, func(name string) bool { return carvel.ValidatePackageName(name) != nil })
	return target, !twice && !wrong && carvel.ValidateRunCluster(runCluster) == nil
}

// importable are the packages of an import. One by identity, which a query has found, has
// those that the query has: all that can be left as they are.
func (r *packageInstalls) importable(ctx context.Context, target setID, listed bool) ([]string, diag.Diagnostics) {
	if listed {
		found, problems, err := query{RunCluster: types.StringValue(target.runCluster)}.find(ctx, r.data.Installs)
		if err != nil {
			return nil, diag.Diagnostics{tfdiag.Failure{Verb: "import", Noun: setNoun, Name: target.runCluster, Err: err}.Diagnostic()}
		}
		diags := notListed(problems)
		if len(found) == 0 {
			diags.Append(notInstalled(target.runCluster, r.data.Location.Branch, nil))
		}
		return namesOf(found), diags
	}
	installed, err := r.data.Installs.On(ctx, target.runCluster)
	if err != nil {
		return nil, diag.Diagnostics{tfdiag.Failure{Verb: "import", Noun: setNoun, Name: target.runCluster, Err: err}.Diagnostic()}
	}
	names := target.packages
	if names == nil {
		names = installed
	}
	missing := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(installed, name) })
	if len(names) == 0 || len(missing) > 0 {
		return nil, diag.Diagnostics{notInstalled(target.runCluster, r.data.Location.Branch, missing)}
	}
	return names, nil
}

func namesOf(found []delivery.ListedInstall) []string {
	names := make([]string, len(found))
	for i, l := range found {
		names[i] = l.At.Package
	}
	return names
}

// configured are the packages of a plan that is known in full, with the values that only
// the configuration holds.
func configured(ctx context.Context, plan setModel, config tfsdk.Config) ([]entry, diag.Diagnostics) {
	secret, diags := writeOnly(ctx, config)
	entries, _, d := plan.entries(ctx, secret)
	diags.Append(d...)
	for _, e := range entries {
		diags.Append(e.validate(ctx)...)
	}
	return entries, diags
}

// with is the model with what is in the repository now.
func (r *packageInstalls) with(m setModel, entries []entry, done delivery.SetReceipt) setModel {
	m.ID = m.RunCluster
	switch {
	case done.Reached != delivery.Reached{}:
		m = m.committed(written(done.Reached))
	case m.Commit.IsUnknown() || m.Commit.IsNull() && m.PendingCommit.IsNull():
		m.Commit, m.PendingCommit = types.StringValue(""), types.StringNull() // there is nothing to write
	}
	m.Paths = r.paths(m, entries)
	return m
}

func (r *packageInstalls) paths(m setModel, entries []entry) types.Map {
	paths := map[string]string{}
	for _, e := range entries {
		paths[e.name] = r.data.Layout.Dir(m.at(e.name))
	}
	return tfvalue.StringMap(paths)
}

// record notes what is in the repository now.
func (r *packageInstalls) record(ctx context.Context, private privatestate.State, m setModel, entries []entry, offers []string, done delivery.SetReceipt) diag.Diagnostics {
	before, diags := readSeen(ctx, private)
	others, d := readCreations(ctx, private)
	diags.Append(d...)
	now, kept := installfiles.Seen{}, creations{}
	for _, e := range entries {
		dir := r.data.Layout.Dir(m.at(e.name))
		receipt, written := done.Installs[m.at(e.name)]
		switch {
		case !written:
			now = now.With(before.Only(dir))
			if id, ok := others[e.name]; ok {
				kept[e.name] = id
			}
		case e.writeOnly.IsNull():
			now = now.With(before.Only(dir).Written(dir, receipt.Blobs, receipt.Says))
		default:
			now = now.With(before.Only(dir).See(dir, receipt.Blobs, receipt.Says, true))
		}
	}
	diags.Append(writeSeenShort(ctx, private, now)...)
	diags.Append(writeCreations(ctx, private, kept)...)
	diags.Append(privatestate.Change(ctx, private, secretKey, false)...)
	known := verifiedBy(r.data.Renderer(), entries)
	known.Offers = offers
	diags.Append(privatestate.Set(ctx, private, verifiedKey, known)...)
	return diags
}

// knownMap is a planned value of the attribute adopted once it is applied.
func knownMap(adopted types.Map) types.Map {
	if adopted.IsUnknown() {
		return types.MapNull(types.StringType)
	}
	return adopted
}
