package app

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/filltest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

func TestSchema(t *testing.T) {
	var resp resource.SchemaResponse
	New().Schema(context.Background(), resource.SchemaRequest{}, &resp)
	if diags := resp.Schema.ValidateImplementation(context.Background()); diags.HasError() {
		t.Error(diags)
	}
}

// TestRoundTrip writes specs with anything that the API knows in them as an
// App, reads that, makes attributes of it, and those a spec again.
func TestRoundTrip(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		spec := carvel.AppSpec{Namespace: "dev", Name: "a"}
		for _, part := range []any{&spec.Cluster, &spec.Fetch, &spec.Template} {
			filltest.Random(t, r, part)
		}
		spec.Deploy = []carvel.Deploy{{}}
		filltest.Random(t, r, &spec.Deploy[0])
		obj, err := carvel.App(spec)
		if err != nil {
			t.Fatal(err)
		}
		// The controller would drop a false that is written, and take the field over.
		if text := fmt.Sprint(obj.Object["spec"]); strings.Contains(text, ":false") {
			t.Fatalf("seed %d: the App holds a false: %s", seed, text)
		}
		read, err := carvel.ReadApp(obj)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(spec, read); diff != "" {
			t.Fatalf("seed %d: the App holds something else: %s", seed, diff)
		}
		again := carvel.AppSpec{Namespace: "dev", Name: "a", Deploy: []carvel.Deploy{{}}}
		for _, part := range []struct {
			from any
			kind attr.Type
			to   any
		}{
			{read.Cluster, clusterType, &again.Cluster},
			{read.Fetch, fetchType, &again.Fetch},
			{read.Template, templateType, &again.Template},
			{read.Deploy[0], deployType, &again.Deploy[0]},
		} {
			value, err := tfvalue.FromStruct(part.from, part.kind)
			if err != nil {
				t.Fatal(err)
			}
			if err := tfvalue.ToStruct(value, part.to); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(spec, again); diff != "" {
			t.Fatalf("seed %d: the attributes hold something else: %s", seed, diff)
		}
	}
}

// TestWholeApp: every field of an App is taken over by an import, and comes back from
// the attributes, also one that comes later.
func TestWholeApp(t *testing.T) {
	ctx := context.Background()
	var whole carvel.AppSpec
	filltest.Whole(t, &whole)
	whole.SyncPeriod = "1m0s"
	var schema resource.SchemaResponse
	New().Schema(ctx, resource.SchemaRequest{}, &schema)
	state := tfsdk.State{Schema: schema.Schema, Raw: tftypes.NewValue(schema.Schema.Type().TerraformType(ctx), nil)}
	values, err := imported(whole, delivery.New(delivery.Config{}))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range values {
		if diags := state.SetAttribute(ctx, path.Root(name), value); diags.HasError() {
			t.Fatal(diags)
		}
	}
	var m model
	if diags := tfvalue.Get(ctx, state, &m); diags.HasError() {
		t.Fatal(diags)
	}
	got, diags := m.spec(ctx, delivery.New(delivery.Config{Defaults: whole.Defaults}))
	if diags.HasError() {
		t.Fatal(diags)
	}
	if diff := cmp.Diff(whole, got.AppSpec); diff != "" {
		t.Error(diff)
	}
}

// TestAttributesOfTheAPI: every field has an attribute, and no attribute is
// without a field.
func TestAttributesOfTheAPI(t *testing.T) {
	var walk func(at string, api reflect.Type, kind attr.Type)
	walk = func(at string, api reflect.Type, kind attr.Type) {
		for api.Kind() == reflect.Pointer || api.Kind() == reflect.Slice {
			api = api.Elem()
		}
		if list, ok := kind.(types.ListType); ok {
			kind = list.ElemType
		}
		object, ok := kind.(types.ObjectType)
		if !ok {
			return
		}
		names := map[string]bool{}
		for field := range api.Fields() {
			jsonName, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			name := tfvalue.AttributeName(jsonName)
			names[name] = true
			if object.AttrTypes[name] == nil {
				t.Errorf("%s has no attribute for %s", at, jsonName)
				continue
			}
			walk(at+"."+name, field.Type, object.AttrTypes[name])
		}
		for name := range object.AttrTypes {
			if !names[name] {
				t.Errorf("%s.%s is nothing of the API", at, name)
			}
		}
	}
	walk("cluster", reflect.TypeFor[carvel.Cluster](), clusterType)
	walk("fetch", reflect.TypeFor[carvel.Fetch](), fetchType)
	walk("template", reflect.TypeFor[carvel.Template](), templateType)
	walk("deploy", reflect.TypeFor[carvel.Deploy](), deployType)
}

func TestDefaults(t *testing.T) {
	d := delivery.New(delivery.Config{Location: delivery.Location{URL: "https://git.example.com/r.git", Branch: "main"}})
	null := model{
		Namespace: types.StringValue("dev"), Name: types.StringValue("a"), RunCluster: types.StringValue("staging"),
		Packages: types.ListValueMust(types.StringType, []attr.Value{types.StringValue("app.default.tap")}),
	}
	spec, diags := null.spec(context.Background(), d)
	if diags.HasError() {
		t.Fatal(diags)
	}
	want := carvel.AppSpec{
		Namespace: "dev", Name: "a",
		Fetch:    []carvel.Fetch{{Git: &carvel.GitFetch{URL: "https://git.example.com/r.git", Ref: "origin/main"}}},
		Template: []carvel.Template{{Ytt: &carvel.Ytt{Paths: []string{"app.default.tap/packages", "app.default.tap/staging"}}}},
		Deploy:   []carvel.Deploy{{Kapp: &carvel.Kapp{RawOptions: []string{carvel.AllowEmptyOption}}}},
	}
	if diff := cmp.Diff(want, spec.AppSpec); diff != "" {
		t.Error(diff)
	}
	null.FetchPerPackage = types.BoolValue(true)
	want.Fetch = []carvel.Fetch{
		{Git: &carvel.GitFetch{URL: "https://git.example.com/r.git", Ref: "origin/main", SubPath: "app.default.tap/packages"}},
		{Git: &carvel.GitFetch{URL: "https://git.example.com/r.git", Ref: "origin/main", SubPath: "app.default.tap/staging"}},
	}
	want.Template = []carvel.Template{{Ytt: &carvel.Ytt{}}}
	if spec, diags = null.spec(context.Background(), d); diags.HasError() {
		t.Fatal(diags)
	}
	if diff := cmp.Diff(want, spec.AppSpec); diff != "" {
		t.Error(diff)
	}
	if _, diags := null.spec(context.Background(), delivery.New(delivery.Config{})); !diags.HasError() {
		t.Error("packages without a repository were accepted")
	}
}
