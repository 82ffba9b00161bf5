package providerdata

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/creation"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
)

// PlanClaim claims a place for a resource that is planned to be, "" if that
// is not known yet, and notes a creation for the delete that may come before
// it. id is its import id.
func (d *Data) PlanClaim(ctx context.Context, noun, name, place, id string, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) diag.Diagnostics {
	if place == "" {
		id = ""
	}
	var diags diag.Diagnostics
	if req.State.Raw.IsNull() {
		diags.Append(creation.PlanCreate(ctx, resp.Private, id)...)
	}
	if d == nil || place == "" {
		return diags
	}
	diags.Append(d.Claim(noun, name, place, req)...)
	return diags
}

// Claim claims a place.
func (d *Data) Claim(noun, name, place string, req resource.ModifyPlanRequest) diag.Diagnostics {
	err := d.Planned.Claim(place, req.Config.Raw, !req.State.Raw.IsNull())
	switch {
	case errors.Is(err, ErrClaimed):
		return diag.Diagnostics{tfdiag.SameObject(noun, name)}
	case errors.Is(err, ErrRenamed):
		return diag.Diagnostics{tfdiag.ReplacedInPlace(noun, name)}
	}
	return nil
}

// PlanDestroy notes that a resource is planned to be destroyed, and refuses that
// if the same plan creates another one in its place.
func (d *Data) PlanDestroy(ctx context.Context, noun, name, place string, resp *resource.ModifyPlanResponse) diag.Diagnostics {
	diags := creation.PlanDestroy(ctx, resp.Private)
	if d != nil && errors.Is(d.Planned.Destroy(place), ErrRenamed) {
		diags.Append(tfdiag.ReplacedInPlace(noun, name))
	}
	return diags
}

// Told warns of what was found to belong to another resource, and of a creation
// that is not complete.
func (d *Data) Told(noun, name, place string, recorded types.String, takenBy string) diag.Diagnostics {
	var diags diag.Diagnostics
	if creation.IsIncomplete(recorded) {
		d.Planned.Retried(place)
		diags.Append(tfdiag.Incomplete(noun, name))
	}
	if takenBy != "" {
		diags.Append(tfdiag.Taken(noun, name, takenBy))
	}
	return diags
}
