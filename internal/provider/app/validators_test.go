package app

import (
	"context"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// objectOf makes an object of string attributes: "" is null, "?" unknown.
func objectOf(values map[string]string) types.Object {
	kinds, attributes := map[string]attr.Type{}, map[string]attr.Value{}
	for name, value := range values {
		kinds[name] = types.StringType
		switch value {
		case "":
			attributes[name] = types.StringNull()
		case "?":
			attributes[name] = types.StringUnknown()
		default:
			attributes[name] = types.StringValue(value)
		}
	}
	return types.ObjectValueMust(kinds, attributes)
}

func TestObjectValidators(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		check  validator.Object
		values map[string]string
		want   string // in the error; "" for none
	}{
		"a tag and a selection": {untagged{"url"}, map[string]string{"url": "r/a:1", "tag_selection": "x"}, "names a tag or a digest"},
		"a tag alone":           {untagged{"url"}, map[string]string{"url": "r/a:1", "tag_selection": ""}, ""},
		"a selection alone":     {untagged{"url"}, map[string]string{"url": "r:5000/a", "tag_selection": "x"}, ""},
		"an image not known":    {untagged{"url"}, map[string]string{"url": "?", "tag_selection": "x"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var resp validator.ObjectResponse
			c.check.ValidateObject(ctx, validator.ObjectRequest{Path: path.Root("at"), ConfigValue: objectOf(c.values)}, &resp)
			if resp.Diagnostics.HasError() != (c.want != "") {
				t.Errorf("%s: %v", name, resp.Diagnostics)
				return
			}
			if c.want != "" && !strings.Contains(resp.Diagnostics[0].Detail(), c.want) {
				t.Errorf("%s: %q, want %q", name, resp.Diagnostics[0].Detail(), c.want)
			}
		})
	}
}

func TestSopsFirst(t *testing.T) {
	sops, ytt, unknown := objectOf(map[string]string{"sops": "x", "ytt": ""}), objectOf(map[string]string{"sops": "", "ytt": "x"}), objectOf(map[string]string{"sops": "?", "ytt": "x"})
	for name, c := range map[string]struct {
		steps []attr.Value
		want  string // the path of the error
	}{
		"before":    {[]attr.Value{sops, sops, ytt}, ""},
		"without":   {[]attr.Value{ytt, ytt}, ""},
		"after":     {[]attr.Value{sops, ytt, sops}, "template[2]"},
		"alone":     {[]attr.Value{sops}, ""},
		"not known": {[]attr.Value{unknown, sops, ytt, unknown}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var resp validator.ListResponse
			list := types.ListValueMust(sops.Type(context.Background()), c.steps)
			sopsFirst{}.ValidateList(context.Background(), validator.ListRequest{Path: path.Root("template"), ConfigValue: list}, &resp)
			got := ""
			for _, d := range resp.Diagnostics.Errors() {
				got += strings.TrimPrefix(d.Summary(), "Invalid ")
			}
			if got != c.want {
				t.Errorf("%s: error at %q, want %q", name, got, c.want)
			}
		})
	}
}
