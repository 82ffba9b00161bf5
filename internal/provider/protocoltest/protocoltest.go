// Package protocoltest drives one resource over the plugin protocol, as Terraform does,
// on clusters and a repository in memory: plans, applies, refreshes, imports and
// destroys, in milliseconds. It is no Terraform: it has one resource and no language, and
// holds to the protocol where a resource would notice.
package protocoltest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/redacted"
)

// configured is the provider with one resource, whose configuration is given.
type configured struct {
	data        *providerdata.Data
	resources   []func() resource.Resource
	dataSources []func() datasource.DataSource
}

func (*configured) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "carvel"
}
func (*configured) Schema(context.Context, provider.SchemaRequest, *provider.SchemaResponse) {}
func (c *configured) Configure(_ context.Context, _ provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	resp.ResourceData, resp.DataSourceData = c.data, c.data
}
func (c *configured) Resources(context.Context) []func() resource.Resource { return c.resources }
func (c *configured) DataSources(context.Context) []func() datasource.DataSource {
	return c.dataSources
}

// Config are the attributes of a configuration, null where they are missing: texts, bools,
// ints, maps and slices of these, and Unknown.
type Config map[string]any

// Unknown is a value that is known after apply.
const Unknown = unknown("known after apply")

type unknown string

// Resource is one resource of a configuration, and its state.
type Resource struct {
	t       testing.TB
	name    string
	make    func() resource.Resource
	sources []func() datasource.DataSource
	data    func() *providerdata.Data
	kind    tftypes.Object
	schema  *tfprotov6.Schema
	state   tftypes.Value
	private []byte
	// Tainted: the last apply has failed to create it.
	Tainted bool
}

// New is a resource that is not there yet. data is asked for anew with each run.
func New(t testing.TB, make func() resource.Resource, data func() *providerdata.Data) *Resource {
	t.Helper()
	r := &Resource{t: t, make: make, data: data}
	var meta resource.MetadataResponse
	make().Metadata(t.Context(), resource.MetadataRequest{ProviderTypeName: "carvel"}, &meta)
	r.name = meta.TypeName
	schemas, err := r.server().GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	r.schema = schemas.ResourceSchemas[r.name]
	r.kind, _ = r.schema.ValueType().(tftypes.Object)
	r.state = tftypes.NewValue(r.kind, nil)
	return r
}

// server is that of another process.
func (r *Resource) server() tfprotov6.ProviderServer {
	r.t.Helper()
	c := &configured{data: r.data(), dataSources: r.sources}
	if r.make != nil {
		c.resources = append(c.resources, r.make)
	}
	server := redacted.Server(c)()
	empty := tftypes.NewValue(tftypes.Object{}, map[string]tftypes.Value{})
	dynamic, err := tfprotov6.NewDynamicValue(tftypes.Object{}, empty)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := server.ConfigureProvider(r.t.Context(), &tfprotov6.ConfigureProviderRequest{Config: &dynamic}); err != nil {
		r.t.Fatal(err)
	}
	return server
}

// Diagnostics are what Terraform would print.
type Diagnostics []*tfprotov6.Diagnostic

// Failed tells whether there is an error among them.
func (d Diagnostics) Failed() bool {
	return slices.ContainsFunc(d, func(d *tfprotov6.Diagnostic) bool { return d.Severity == tfprotov6.DiagnosticSeverityError })
}

func (d Diagnostics) String() string {
	var lines []string
	for _, d := range d {
		at := ""
		if d.Attribute != nil {
			at = d.Attribute.String() + ": "
		}
		lines = append(lines, fmt.Sprintf("%s: %s%s: %s", d.Severity, at, d.Summary, d.Detail))
	}
	return strings.Join(lines, "\n")
}

// Action is what a plan is about to do.
type Action string

// The actions of a plan.
const (
	None    Action = "no-op"
	Create  Action = "create"
	Update  Action = "update"
	Replace Action = "replace"
	Delete  Action = "delete"
)

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

// Exists tells whether there is a state.
func (r *Resource) Exists() bool { return !r.state.IsNull() }

// Attribute is one of the state, as its JSON; "null", and "unknown" in a plan.
func (r *Resource) Attribute(name string) string { return attribute(r.state, name) }

func attribute(of tftypes.Value, name string) string {
	if of.IsNull() {
		return "null"
	}
	var all map[string]tftypes.Value
	if err := of.As(&all); err != nil {
		return err.Error()
	}
	text, err := json.Marshal(plain(all[name]))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// plain is a value as encoding/json writes it.
func plain(v tftypes.Value) any {
	if !v.IsKnown() {
		return "unknown"
	}
	if v.IsNull() {
		return nil
	}
	var text string
	var flag bool
	var number big.Float
	var list []tftypes.Value
	var object map[string]tftypes.Value
	switch {
	case v.As(&text) == nil:
		return text
	case v.As(&flag) == nil:
		return flag
	case v.As(&number) == nil:
		return json.Number(number.Text('f', -1))
	case v.As(&list) == nil:
		all := make([]any, len(list))
		for i, e := range list {
			all[i] = plain(e)
		}
		return all
	case v.As(&object) == nil:
		all := map[string]any{}
		for name, e := range object {
			all[name] = plain(e)
		}
		return all
	}
	return v.String()
}

func (r *Resource) dynamic(v tftypes.Value) *tfprotov6.DynamicValue {
	r.t.Helper()
	d, err := tfprotov6.NewDynamicValue(r.kind, v)
	if err != nil {
		r.t.Fatal(err)
	}
	return &d
}

func (r *Resource) value(d *tfprotov6.DynamicValue) tftypes.Value {
	r.t.Helper()
	v, err := d.Unmarshal(r.kind)
	if err != nil {
		r.t.Fatal(err)
	}
	return v
}

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
	prior, private := r.state, r.private
	if !r.Tainted || c == nil {
		p, more := r.plan(server, config, prior, private)
		if diags = append(diags, more...); p.Action != Replace || more.Failed() {
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
// another one by now.
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

// attributes of a value of the resource's type.
func (r *Resource) attributes(of tftypes.Value) map[string]tftypes.Value {
	r.t.Helper()
	var all map[string]tftypes.Value
	if err := of.As(&all); err != nil {
		r.t.Fatal(err)
	}
	return maps.Clone(all) // a value gives its own
}

func (r *Resource) create(server tfprotov6.ProviderServer, p Planned) Diagnostics {
	r.t.Helper()
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
