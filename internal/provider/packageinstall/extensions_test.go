package packageinstall

import (
	"context"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

// TestSchemaSize: the processor time of a plan grows with the square of the
// attributes at the top of the schema. Those that few package installs have go
// into extensions.
func TestSchemaSize(t *testing.T) {
	var resp resource.SchemaResponse
	(&packageInstall{}).Schema(context.Background(), resource.SchemaRequest{}, &resp)
	if n := len(resp.Schema.Attributes); n > 40 {
		t.Errorf("the schema has %d attributes, want at most 40", n)
	}
}

// TestReadExtensions: what says nothing stays as it was written, so that a plan
// after it is empty, and what is found is told.
func TestReadExtensions(t *testing.T) {
	kind, _ := extensionsType.(types.ObjectType)
	written := func(set map[string]attr.Value) types.Object {
		all := map[string]attr.Value{
			"ignore_kubernetes_version_selection": types.BoolNull(), "ignore_kapp_controller_version_selection": types.BoolNull(),
			"ytt_data_values_overlays": types.BoolNull(), "helm_template_name": types.StringNull(), "helm_template_namespace": types.StringNull(),
			"helm_template_values_secrets": types.ListNull(types.StringType), "fetch_secrets": types.MapNull(types.StringType),
		}
		maps.Copy(all, set)
		return types.ObjectValueMust(kind.AttrTypes, all)
	}
	null := types.ObjectNull(kind.AttrTypes)
	says := written(map[string]attr.Value{"helm_template_name": types.StringValue("release"), "ytt_data_values_overlays": types.BoolValue(true)})
	nothing := written(map[string]attr.Value{
		"ytt_data_values_overlays":     types.BoolValue(false),
		"helm_template_values_secrets": types.ListValueMust(types.StringType, nil), "fetch_secrets": types.MapValueMust(types.StringType, nil),
	})
	release := carvel.Extensions{HelmTemplateName: "release", YttDataValuesOverlays: true}
	for name, c := range map[string]struct {
		found       carvel.Extensions
		prior, want types.Object
	}{
		"none, none written":          {carvel.Extensions{}, null, null},
		"none, before the first read": {carvel.Extensions{}, types.Object{}, null},
		"none, an empty object":       {carvel.Extensions{}, written(nil), written(nil)},
		"none, what says nothing":     {carvel.Extensions{}, nothing, nothing},
		"removed by someone":          {carvel.Extensions{}, says, written(nil)},
		"added by someone":            {release, null, says},
		"as written":                  {release, says, says},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readExtensions(c.found, c.prior)
			if err != nil || !got.Equal(c.want) {
				t.Errorf("got %s, %v, want %s", got, err, c.want)
			}
			var back carvel.Extensions
			if err := tfvalue.ToStruct(got, &back); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.found, back, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
