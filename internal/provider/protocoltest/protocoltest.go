// Package protocoltest drives one resource over the plugin protocol, as Terraform does,
// on clusters and a repository in memory: plans, applies, refreshes, imports and
// destroys, in milliseconds. It is no Terraform: it has one resource and no language, and
// holds to the protocol if a resource would notice.
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

	"github.com/hashicorp/terraform-plugin-framework/action"
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
	actions     []func() action.Action
}

func (*configured) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "carvel"
}
func (*configured) Schema(context.Context, provider.SchemaRequest, *provider.SchemaResponse) {}
func (c *configured) Configure(_ context.Context, _ provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	resp.ResourceData, resp.DataSourceData, resp.ActionData = c.data, c.data, c.data
}
func (c *configured) Actions(context.Context) []func() action.Action       { return c.actions }
func (c *configured) Resources(context.Context) []func() resource.Resource { return c.resources }
func (c *configured) DataSources(context.Context) []func() datasource.DataSource {
	return c.dataSources
}

// Config are the attributes of a configuration, null if they are missing: texts, bools,
// ints, maps and slices of these, and Unknown.
type Config map[string]any

// Uniform is a map of values of one type, as tomap makes it.
type Uniform map[string]any

// Unknown is a value that is known after apply.
const Unknown = unknown("known after apply")

type unknown string

// Resource is one resource of a configuration, and its state.
type Resource struct {
	t       testing.TB
	name    string
	make    func() resource.Resource
	sources []func() datasource.DataSource
	actions []func() action.Action
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
	c := &configured{data: r.data(), dataSources: r.sources, actions: r.actions}
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

// Failed reports whether there is an error among them.
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

// The actions of a plan.
const (
	None    Action = "no-op"
	Create  Action = "create"
	Update  Action = "update"
	Replace Action = "replace"
	Delete  Action = "delete"
)

// Of is another resource of the kind, which is not there yet, in another configuration.
func (r *Resource) Of(t testing.TB, data func() *providerdata.Data) *Resource {
	t.Helper()
	return New(t, r.make, data)
}

// In has the resource be in another configuration from now on.
func (r *Resource) In(data func() *providerdata.Data) { r.data = data }

// Exists reports whether there is a state.
func (r *Resource) Exists() bool { return !r.state.IsNull() }

// Attribute is one of the state, as its JSON; "null", and "unknown" in a plan.
func (r *Resource) Attribute(name string) string { return attribute(r.state, name) }

// Kind is the type of an attribute's value in the state.
func (r *Resource) Kind(name string) tftypes.Type { return r.attributes(r.state)[name].Type() }

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

// attributes of a value of the resource's type.
func (r *Resource) attributes(of tftypes.Value) map[string]tftypes.Value {
	r.t.Helper()
	var all map[string]tftypes.Value
	if err := of.As(&all); err != nil {
		r.t.Fatal(err)
	}
	return maps.Clone(all) // a value gives its own
}
