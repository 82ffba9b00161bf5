package protocoltest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
)

// Action is what a plan is about to do.
type Action string

// Planned is a plan.
type Planned struct {
	Action  Action
	r       *Resource
	config  tftypes.Value
	prior   tftypes.Value
	planned tftypes.Value
	private []byte
}

// Attribute is one of the planned resource, as its JSON.
func (p Planned) Attribute(name string) string { return attribute(p.planned, name) }

func (r *Resource) validate(server tfprotov6.ProviderServer, config tftypes.Value) Diagnostics {
	r.t.Helper()
	resp, err := server.ValidateResourceConfig(r.t.Context(), &tfprotov6.ValidateResourceConfigRequest{
		TypeName: r.name, Config: r.dynamic(config), ClientCapabilities: &tfprotov6.ValidateResourceConfigClientCapabilities{WriteOnlyAttributesAllowed: true},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.Diagnostics
}

// Refresh reads the resource into the state.
func (r *Resource) Refresh() Diagnostics {
	r.t.Helper()
	return r.refresh(r.server())
}

// refresh reads what there is.
func (r *Resource) refresh(server tfprotov6.ProviderServer) Diagnostics {
	r.t.Helper()
	if r.state.IsNull() {
		return nil
	}
	resp, err := server.ReadResource(r.t.Context(), &tfprotov6.ReadResourceRequest{TypeName: r.name, CurrentState: r.dynamic(r.state), Private: r.private})
	if err != nil {
		r.t.Fatal(err)
	}
	if !Diagnostics(resp.Diagnostics).Failed() {
		r.state, r.private = r.value(resp.NewState), resp.Private
		r.Tainted = r.Tainted && !r.state.IsNull()
	}
	return resp.Diagnostics
}

// Plan refreshes, and plans what a configuration asks for; nil destroys.
func (r *Resource) Plan(c Config) (Planned, Diagnostics) {
	r.t.Helper()
	server := r.server()
	config := tftypes.NewValue(r.kind, nil)
	var diags Diagnostics
	if c != nil {
		config = r.encode(c)
		diags = r.validate(server, config)
	}
	if diags = append(diags, r.refresh(server)...); diags.Failed() {
		return Planned{}, diags
	}
	p, more := r.planRead(server, config, c != nil && r.Tainted, false)
	return p, append(diags, more...)
}

// PlanUnread plans a destroy without a refresh.
func (r *Resource) PlanUnread() (Planned, Diagnostics) {
	r.t.Helper()
	return r.planRead(r.server(), tftypes.NewValue(r.kind, nil), false, false)
}

// PlanReplace refreshes, and plans a replacement that is asked for, as by -replace.
func (r *Resource) PlanReplace(c Config) (Planned, Diagnostics) {
	r.t.Helper()
	server, config := r.server(), r.encode(c)
	diags := append(r.validate(server, config), r.refresh(server)...)
	if diags.Failed() {
		return Planned{}, diags
	}
	p, more := r.planRead(server, config, false, true)
	return p, append(diags, more...)
}

// planRead plans from the state as it is.
func (r *Resource) planRead(server tfprotov6.ProviderServer, config tftypes.Value, tainted, replace bool) (Planned, Diagnostics) {
	r.t.Helper()
	var diags Diagnostics
	prior, private := r.state, r.private
	if !tainted {
		p, more := r.plan(server, config, prior, private)
		if diags = append(diags, more...); p.Action != Replace && !replace || more.Failed() {
			return p, diags
		}
		private = p.private
	} else {
		private = nil // Terraform does not hand on that of a resource that is tainted
	}
	// What is to be replaced is planned as a new one.
	fresh, more := r.plan(server, config, tftypes.NewValue(r.kind, nil), private)
	fresh.Action, fresh.prior = Replace, prior
	return fresh, append(diags, more...)
}

func (r *Resource) plan(server tfprotov6.ProviderServer, config, prior tftypes.Value, private []byte) (Planned, Diagnostics) {
	r.t.Helper()
	if config.IsNull() && prior.IsNull() {
		return Planned{Action: None, r: r, config: config, prior: prior, planned: prior}, nil
	}
	resp, err := server.PlanResourceChange(r.t.Context(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: r.name, PriorState: r.dynamic(prior), ProposedNewState: r.dynamic(r.proposed(config, prior)), Config: r.dynamic(config), PriorPrivate: private,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	p := Planned{r: r, config: config, prior: prior, private: resp.PlannedPrivate}
	if Diagnostics(resp.Diagnostics).Failed() {
		return p, resp.Diagnostics
	}
	p.planned = r.value(resp.PlannedState)
	switch {
	case p.planned.Equal(prior):
		p.Action = None
	case config.IsNull():
		p.Action = Delete
	case prior.IsNull():
		p.Action = Create
	case len(resp.RequiresReplace) > 0:
		p.Action = Replace
	default:
		p.Action = Update
	}
	return p, resp.Diagnostics
}

// proposed is the configuration, and for what that leaves to the provider the prior
// state. What is write-only is in no plan.
func (r *Resource) proposed(config, prior tftypes.Value) tftypes.Value {
	r.t.Helper()
	if config.IsNull() {
		return config
	}
	given, before := r.attributes(config), map[string]tftypes.Value{}
	if !prior.IsNull() {
		before = r.attributes(prior)
	}
	for _, a := range r.schema.Block.Attributes {
		switch {
		case a.WriteOnly:
			given[a.Name] = tftypes.NewValue(a.ValueType(), nil)
		case a.Computed && given[a.Name].IsNull() && !prior.IsNull():
			given[a.Name] = before[a.Name]
		}
	}
	return tftypes.NewValue(r.kind, given)
}

// Apply plans and applies a configuration; nil destroys.
func (r *Resource) Apply(c Config) Diagnostics {
	r.t.Helper()
	p, diags := r.Plan(c)
	if diags.Failed() {
		return diags
	}
	return append(diags, p.Apply()...)
}

// Apply applies the plan as another process.
func (p Planned) Apply() Diagnostics {
	r := p.r
	r.t.Helper()
	server := r.server()
	null := tftypes.NewValue(r.kind, nil)
	switch p.Action {
	case None:
		return nil
	case Replace:
		if diags := r.change(server, p.prior, null, null, p.private); diags.Failed() {
			return diags
		}
		again, diags := r.again(server, p, null, nil)
		if diags.Failed() {
			return diags
		}
		return r.create(server, again)
	case Create:
		again, diags := r.again(server, p, null, nil)
		if diags.Failed() {
			return diags
		}
		return r.create(server, again)
	case Delete:
		return r.change(server, p.prior, null, null, p.private)
	default:
		again, diags := r.again(server, p, p.prior, r.private)
		if diags.Failed() {
			return diags
		}
		return r.change(server, p.prior, again.planned, p.config, again.private)
	}
}

// again plans once more, as Terraform does before it applies, and refuses a plan that is
// another one now.
func (r *Resource) again(server tfprotov6.ProviderServer, p Planned, prior tftypes.Value, private []byte) (Planned, Diagnostics) {
	r.t.Helper()
	again, diags := r.plan(server, p.config, prior, private)
	if diags.Failed() {
		return again, diags
	}
	for name, was := range r.attributes(p.planned) {
		if is := r.attributes(again.planned)[name]; was.IsFullyKnown() && !was.Equal(is) {
			diags = append(diags, &tfprotov6.Diagnostic{
				Severity: tfprotov6.DiagnosticSeverityError, Summary: "Provider produced inconsistent final plan", Detail: fmt.Sprintf("%s was %s, and is %s", name, was, is),
			})
		}
	}
	return again, diags
}

func (r *Resource) create(server tfprotov6.ProviderServer, p Planned) Diagnostics {
	r.t.Helper()
	if !r.attributes(p.planned)["id"].IsKnown() {
		r.t.Error("the id is not known in the plan, and all that it is made of is")
	}
	diags := r.change(server, tftypes.NewValue(r.kind, nil), p.planned, p.config, p.private)
	r.Tainted = diags.Failed() && !r.state.IsNull()
	return diags
}

func (r *Resource) change(server tfprotov6.ProviderServer, prior, planned, config tftypes.Value, private []byte) Diagnostics {
	r.t.Helper()
	resp, err := server.ApplyResourceChange(r.t.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: r.name, PriorState: r.dynamic(prior), PlannedState: r.dynamic(planned), Config: r.dynamic(config), PlannedPrivate: private,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.state, r.private = r.value(resp.NewState), resp.Private
	diags := Diagnostics(resp.Diagnostics)
	if !r.state.IsFullyKnown() {
		r.t.Errorf("the state after an apply has unknown values: %s", r.state)
	}
	if !diags.Failed() {
		r.agrees(planned)
	}
	return diags
}

// agrees: Terraform refuses a state in which a known planned value is another one.
func (r *Resource) agrees(planned tftypes.Value) {
	r.t.Helper()
	if planned.IsNull() || r.state.IsNull() {
		if !planned.IsNull() {
			r.t.Error("the resource is gone after its apply")
		}
		return
	}
	want, got := r.attributes(planned), r.attributes(r.state)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if want[name].IsFullyKnown() && !want[name].Equal(got[name]) {
			r.t.Errorf("after the apply %s is %s, and the plan said %s", name, got[name], want[name])
		}
	}
}

// Import takes over what is there, by its id.
func (r *Resource) Import(id string) Diagnostics {
	r.t.Helper()
	server := r.server()
	resp, err := server.ImportResourceState(r.t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: r.name, ID: id})
	if err != nil {
		r.t.Fatal(err)
	}
	diags := Diagnostics(resp.Diagnostics)
	if diags.Failed() || len(resp.ImportedResources) != 1 {
		return diags
	}
	r.state, r.private = r.value(resp.ImportedResources[0].State), resp.ImportedResources[0].Private
	return append(diags, r.refresh(server)...)
}

// Upgrade makes the state one of a version of the provider that does not know some of the
// attributes, as this version reads it.
func (r *Resource) Upgrade(unknown ...string) Diagnostics {
	r.t.Helper()
	state, _ := plain(r.state).(map[string]any)
	for _, name := range unknown {
		delete(state, name)
	}
	text, err := json.Marshal(state)
	if err != nil {
		r.t.Fatal(err)
	}
	resp, err := r.server().UpgradeResourceState(r.t.Context(), &tfprotov6.UpgradeResourceStateRequest{
		TypeName: r.name, Version: r.schema.Version, RawState: &tfprotov6.RawState{JSON: text},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	if !Diagnostics(resp.Diagnostics).Failed() {
		r.state = r.value(resp.UpgradedState)
	}
	return resp.Diagnostics
}

// Forget is `terraform state rm`.
func (r *Resource) Forget() {
	r.state, r.private, r.Tainted = tftypes.NewValue(r.kind, nil), nil, false
}

// Read reads a data source and returns its attributes, as their JSON.
func Read(t testing.TB, make func() datasource.DataSource, data func() *providerdata.Data, c Config) (map[string]string, Diagnostics) {
	t.Helper()
	var meta datasource.MetadataResponse
	make().Metadata(t.Context(), datasource.MetadataRequest{ProviderTypeName: "carvel"}, &meta)
	r := &Resource{t: t, name: meta.TypeName, data: data, sources: []func() datasource.DataSource{make}}
	server := r.server()
	schemas, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	r.kind, _ = schemas.DataSourceSchemas[r.name].ValueType().(tftypes.Object)
	config := r.dynamic(r.encode(c))
	valid, err := server.ValidateDataResourceConfig(t.Context(), &tfprotov6.ValidateDataResourceConfigRequest{TypeName: r.name, Config: config})
	if err != nil {
		t.Fatal(err)
	}
	if Diagnostics(valid.Diagnostics).Failed() {
		return nil, valid.Diagnostics
	}
	resp, err := server.ReadDataSource(t.Context(), &tfprotov6.ReadDataSourceRequest{TypeName: r.name, Config: config})
	if err != nil {
		t.Fatal(err)
	}
	if Diagnostics(resp.Diagnostics).Failed() || resp.State == nil {
		return nil, resp.Diagnostics
	}
	found := map[string]string{}
	state := r.value(resp.State)
	for name := range r.kind.AttributeTypes {
		found[name] = attribute(state, name)
	}
	return found, resp.Diagnostics
}
