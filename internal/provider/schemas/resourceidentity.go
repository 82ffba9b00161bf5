package schemas

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// ResourceIdentity are the attributes that tell a resource's objects apart, in
// the order of the import id. Terraform keeps them beside the state from 1.12
// on; an older one passes over them.
type ResourceIdentity []IdentityAttribute

// IdentityAttribute is a required string attribute of the resource.
type IdentityAttribute struct {
	Name, Description string
}

// Schema is the identity's schema.
func (i ResourceIdentity) Schema() identityschema.Schema {
	attributes := make(map[string]identityschema.Attribute, len(i))
	for _, a := range i {
		attributes[a.Name] = identityschema.StringAttribute{RequiredForImport: true, Description: a.Description}
	}
	return identityschema.Schema{Attributes: attributes}
}

// attributes is a state or a plan.
type attributes interface {
	GetAttribute(ctx context.Context, at path.Path, target any) diag.Diagnostics
}

// Set takes the identity from a state or a plan. A resource that is gone must
// have one too, so that Read calls it before it looks.
func (i ResourceIdentity) Set(ctx context.Context, from attributes, to *tfsdk.ResourceIdentity) diag.Diagnostics {
	var diags diag.Diagnostics
	for _, a := range i {
		var value types.String
		diags.Append(from.GetAttribute(ctx, path.Root(a.Name), &value)...)
		diags.Append(to.SetAttribute(ctx, path.Root(a.Name), value)...)
	}
	return diags
}

// PlanID plans the attribute id as soon as what it is made of is known, for the end of a
// ModifyPlan.
func (i ResourceIdentity) PlanID(ctx context.Context, resp *resource.ModifyPlanResponse) {
	parts := make([]string, len(i))
	for n, a := range i {
		var value types.String
		resp.Diagnostics.Append(resp.Plan.GetAttribute(ctx, path.Root(a.Name), &value)...)
		if value.IsUnknown() || value.IsNull() {
			return
		}
		parts[n] = value.ValueString()
	}
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("id"), strings.Join(parts, "/"))...)
}

// Form is what an import id looks like, such as PACKAGE/RUN-CLUSTER.
func (i ResourceIdentity) Form() string {
	names := make([]string, len(i))
	for n, a := range i {
		names[n] = strings.ToUpper(strings.ReplaceAll(a.Name, "_", "-"))
	}
	return strings.Join(names, "/")
}

// ImportID is the id that an import names, or the one that its identity stands
// for.
func (i ResourceIdentity) ImportID(ctx context.Context, req resource.ImportStateRequest) (string, diag.Diagnostics) {
	var diags diag.Diagnostics
	if req.ID != "" || req.Identity == nil {
		return req.ID, diags
	}
	parts := make([]string, len(i))
	for n, a := range i {
		var value types.String
		diags.Append(req.Identity.GetAttribute(ctx, path.Root(a.Name), &value)...)
		parts[n] = value.ValueString()
	}
	return strings.Join(parts, "/"), diags
}
