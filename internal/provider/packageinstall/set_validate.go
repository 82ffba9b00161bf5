package packageinstall

import (
	"context"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// validate checks what the entry gives as the schema of carvel_package_install checks it,
// and what both check beyond that.
func (e entry) validate(ctx context.Context) diag.Diagnostics {
	var diags diag.Diagnostics
	if e.unknown {
		return nil
	}
	if e.model.VersionConstraint.IsNull() {
		diags.Append(inPackage(e.name, "version_constraint", "is missing. Give a version such as \"1.2.3\", or a range such as \">=1.0.0 <2.0.0\"."))
	}
	for _, name := range slices.Sorted(maps.Keys(e.given)) {
		diags.Append(validate(ctx, path.Root(name), ofPackages()[name], e.given[name])...)
	}
	config := e.model
	config.ValuesWO = e.writeOnly
	diags.Append(config.check()...)
	return e.tell(diags)
}

// validate runs the validators of an attribute and of those in it. They look at nothing
// but the value.
func validate(ctx context.Context, at path.Path, attribute schema.Attribute, value attr.Value) diag.Diagnostics {
	switch a := attribute.(type) {
	case schema.StringAttribute:
		text, _ := value.(types.String)
		return ask(a.Validators, func(v validator.String, resp *validator.StringResponse) {
			v.ValidateString(ctx, validator.StringRequest{Path: at, ConfigValue: text}, resp)
		})
	case schema.ListAttribute:
		list, _ := value.(types.List)
		return ask(a.Validators, func(v validator.List, resp *validator.ListResponse) {
			v.ValidateList(ctx, validator.ListRequest{Path: at, ConfigValue: list}, resp)
		})
	case schema.MapAttribute:
		m, _ := value.(types.Map)
		return ask(a.Validators, func(v validator.Map, resp *validator.MapResponse) {
			v.ValidateMap(ctx, validator.MapRequest{Path: at, ConfigValue: m}, resp)
		})
	case schema.DynamicAttribute:
		dynamic, _ := value.(types.Dynamic)
		return ask(a.Validators, func(v validator.Dynamic, resp *validator.DynamicResponse) {
			v.ValidateDynamic(ctx, validator.DynamicRequest{Path: at, ConfigValue: dynamic}, resp)
		})
	case schema.SingleNestedAttribute:
		object, _ := value.(types.Object)
		return validateFields(ctx, at, a.Attributes, object.Attributes())
	default:
		return nil
	}
}

func validateFields(ctx context.Context, at path.Path, attributes map[string]schema.Attribute, fields map[string]attr.Value) diag.Diagnostics {
	var diags diag.Diagnostics
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		here, attribute, field := at.AtName(name), attributes[name], fields[name]
		if attribute.IsRequired() && field.IsNull() {
			diags.AddAttributeError(here, "Missing "+here.String(), "The attribute is required.")
		}
		diags.Append(validate(ctx, here, attribute, field)...)
	}
	return diags
}

// response is that of a validator, whatever the type that it validates.
type response interface {
	~struct{ Diagnostics diag.Diagnostics }
}

// ask asks each of the validators of a value.
func ask[V any, R response](validators []V, about func(V, *R)) diag.Diagnostics {
	var diags diag.Diagnostics
	for _, v := range validators {
		var resp R
		about(v, &resp)
		diags.Append(struct{ Diagnostics diag.Diagnostics }(resp).Diagnostics...)
	}
	return diags
}
