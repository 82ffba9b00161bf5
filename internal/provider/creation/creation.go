// Package creation is what the resources share about whose an object is: the
// attributes creation and adopted, and what a plan tells the delete and the
// create that follow.
package creation

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/privatestate"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
)

// incomplete begins the attribute creation while what it records has not been
// completed. It is in the state, not in the private state: Terraform does not
// hand the private state of a tainted resource to the delete that is the first
// half of its replacement.
const incomplete = "incomplete:"

// Attribute is the attribute creation. mark says where the mark is.
func Attribute(mark string) schema.Attribute {
	return schema.StringAttribute{
		Computed: true,
		MarkdownDescription: "Random id of the creation or adoption that this resource records; " + mark +
			" bears it too. What bears another one has been taken over by another resource, and is neither changed nor deleted by this one. " +
			"While the creation has not been completed it begins with `incomplete:`, and the next apply goes on with it.",
		PlanModifiers: []planmodifier.String{stringplanmodifier.UseNonNullStateForUnknown()},
	}
}

// AdoptedAttribute is the attribute adopted.
func AdoptedAttribute() schema.Attribute {
	return schema.StringAttribute{
		Computed: true,
		MarkdownDescription: "What `adopt_existing` took over, as the plan saw it; null if nothing was there. " +
			"The apply fails if that has changed since the plan.",
		PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
	}
}

// Record is the value of the attribute creation.
func Record(id string, complete bool) types.String {
	if !complete {
		id = incomplete + id
	}
	return types.StringValue(id)
}

// Recorded is the value of the attribute after an update, which completes a
// creation if it succeeds.
func Recorded(id string, before types.String, succeeded bool) types.String {
	return Record(id, succeeded || !IsIncomplete(before))
}

// Imported is the value of the attribute creation of what is imported; id is
// empty if it bears no mark.
func Imported(id string) types.String {
	if id == "" {
		return types.StringNull()
	}
	return types.StringValue(id)
}

// IsIncomplete reports whether a creation has failed half-way.
func IsIncomplete(value types.String) bool { return strings.HasPrefix(value.ValueString(), incomplete) }

// Hold is what the attributes tell.
func Hold(recorded, adopted types.String, adopt types.Bool) delivery.Hold {
	h := delivery.Hold{
		Creation:   strings.TrimPrefix(recorded.ValueString(), incomplete),
		Incomplete: IsIncomplete(recorded),
		Adopt:      adopt.ValueBool(),
	}
	if !adopted.IsUnknown() {
		seen := adopted.ValueString()
		h.Seen = &seen
	}
	return h
}

// Adopted is the value of the attribute adopted.
func Adopted(a delivery.Adoption) types.String {
	if a.Seen == "" {
		return types.StringNull()
	}
	return types.StringValue(a.Seen)
}

// Known is a planned value of the attribute adopted once it is applied.
func Known(adopted types.String) types.String {
	if adopted.IsUnknown() {
		return types.StringNull()
	}
	return adopted
}

// plannedKey holds, in the private state, what was planned last. Terraform
// hands what the plan of a replacement has put there to its delete.
const plannedKey = "planned"

type planned struct {
	// Create is the import id of the resource that is created, empty if it is
	// not known yet; nil: none is.
	Create *string `json:"create,omitempty"`
}

// PlanCreate notes that a resource with this import id is planned to be
// created, which is empty if it is not known yet.
func PlanCreate(ctx context.Context, to privatestate.Writer, id string) diag.Diagnostics {
	return privatestate.Set(ctx, to, plannedKey, planned{Create: &id})
}

// PlanDestroy notes that a resource is planned to be destroyed, and no other to
// take its place.
func PlanDestroy(ctx context.Context, to privatestate.Writer) diag.Diagnostics {
	return privatestate.Set(ctx, to, plannedKey, planned{})
}

// IsRetried reports whether a delete is the first half of a replacement by a
// resource with the same import id. If that was not known, and the creation
// that is recorded was not completed, it warns of what is left.
func IsRetried(ctx context.Context, from privatestate.Reader, id string, recorded types.String) (bool, diag.Diagnostics) {
	p, diags := privatestate.Get[planned](ctx, from, plannedKey)
	if p.Create != nil && *p.Create == "" && IsIncomplete(recorded) {
		diags.Append(tfdiag.SuccessorUnknown(id))
	}
	return p.Create != nil && (*p.Create == id || *p.Create == ""), diags
}

// PlanUpdate plans a mark if the state records none yet and something
// changes, and the completion of a creation that is not complete. It is called
// once all else is planned.
func PlanUpdate(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.State.Raw.IsNull() || resp.Diagnostics.HasError() {
		return
	}
	var recorded types.String
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("creation"), &recorded)...)
	if IsIncomplete(recorded) || recorded.IsNull() && !resp.Plan.Raw.Equal(req.State.Raw) {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("creation"), types.StringUnknown())...)
	}
}
