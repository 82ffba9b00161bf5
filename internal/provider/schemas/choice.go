package schemas

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Choice checks how many of some attributes are set: of an object, or of a resource as
// its ConfigValidator. Its errors name all of them.
type Choice struct {
	names       []string
	least, most int
}

var (
	_ validator.Object         = Choice{}
	_ resource.ConfigValidator = Choice{}
)

// ExactlyOneOf is a Choice of one.
func ExactlyOneOf(names ...string) Choice { return Choice{names, 1, 1} }

// AtMostOneOf is a Choice of one or none.
func AtMostOneOf(names ...string) Choice { return Choice{names, 0, 1} }

// AtLeastOneOf is a Choice of any but none.
func AtLeastOneOf(names ...string) Choice { return Choice{names, 1, len(names)} }

// Description is what is to be set.
func (c Choice) Description(context.Context) string { return "must set " + c.what() }

// MarkdownDescription is Description.
func (c Choice) MarkdownDescription(ctx context.Context) string { return c.Description(ctx) }

func (c Choice) what() string {
	switch all := listed(c.names); {
	case len(c.names) == 1:
		return all
	case c.most > 1:
		return "at least one of " + all
	case c.least == 0:
		return "at most one of " + all
	default:
		return "exactly one of " + all
	}
}

func listed(names []string) string {
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// ValidateObject looks at an object's attributes.
func (c Choice) ValidateObject(_ context.Context, req validator.ObjectRequest, resp *validator.ObjectResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	resp.Diagnostics.Append(c.check(req.Path, req.ConfigValue.Attributes())...)
}

// ValidateResource looks at the attributes at the top of a resource.
func (c Choice) ValidateResource(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	attributes := map[string]attr.Value{}
	for _, name := range c.names {
		var value attr.Value
		resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root(name), &value)...)
		attributes[name] = value
	}
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(c.check(path.Empty(), attributes)...)
	}
}

func (c Choice) check(at path.Path, attributes map[string]attr.Value) diag.Diagnostics {
	var set []string
	unknown := false
	for _, name := range c.names {
		switch value := attributes[name]; {
		case value.IsUnknown():
			unknown = true
		case !IsAbsent(value):
			set = append(set, name)
		}
	}
	var diags diag.Diagnostics
	switch {
	case len(set) > c.most:
		diags.AddAttributeError(at.AtName(set[0]), c.summary(at), listed(set)+" are set. Remove all but one of them.")
	case len(set) < c.least && !unknown && len(c.names) == 1:
		diags.AddAttributeError(at.AtName(c.names[0]), c.summary(at), "It is not set. Set "+c.names[0]+".")
	case len(set) < c.least && !unknown:
		diags.AddAttributeError(at.AtName(c.names[0]), c.summary(at), "None of them is set. Set one of "+strings.Join(c.names, ", ")+".")
	}
	return diags
}

func (c Choice) summary(at path.Path) string {
	text := "must be set"
	if at.Equal(path.Empty()) {
		what := c.what()
		return strings.ToUpper(what[:1]) + what[1:] + " " + text
	}
	return at.String() + ": " + c.what() + " " + text
}

// Requires is about an attribute that is of no use without another one.
func Requires(name, other string) resource.ConfigValidator { return requires{name, other} }

type requires struct{ name, other string }

func (r requires) Description(context.Context) string { return r.name + " needs " + r.other }

func (r requires) MarkdownDescription(ctx context.Context) string { return r.Description(ctx) }

func (r requires) ValidateResource(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var name, other attr.Value
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root(r.name), &name)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root(r.other), &other)...)
	if resp.Diagnostics.HasError() || IsAbsent(name) || name.IsUnknown() || !IsAbsent(other) {
		return
	}
	if flag, isBool := name.(types.Bool); isBool && !flag.ValueBool() {
		return
	}
	resp.Diagnostics.AddAttributeError(path.Root(r.name), r.name+" needs "+r.other, r.other+" is not set. Set it, or remove "+r.name+".")
}

// IsAbsent reports whether a value is null, or a list, a set or a map without elements:
// modules pass these where they have nothing to set.
func IsAbsent(v attr.Value) bool {
	if v == nil || v.IsNull() {
		return true
	}
	if v.IsUnknown() {
		return false
	}
	switch v := v.(type) {
	case types.List:
		return len(v.Elements()) == 0
	case types.Set:
		return len(v.Elements()) == 0
	case types.Map:
		return len(v.Elements()) == 0
	}
	return false
}
