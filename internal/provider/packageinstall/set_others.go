package packageinstall

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/creation"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

// planDestroy refuses to delete what others have in the files, and warns of those that stay.
func (r *packageInstalls) planDestroy(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var state setModel
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
	if isOrphaned(state.OnDestroy) {
		_, dirs, diags := state.places(ctx)
		resp.Diagnostics.Append(diags...)
		resp.Diagnostics.Append(orphaned(setNoun, state.title(), false, state.commits(), dirs))
		return
	}
	entries, _, diags := state.entries(ctx, types.DynamicNull())
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(creation.PlanDestroy(ctx, resp.Private)...)
	documents, diags := readOthers(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	for _, e := range entries {
		if lost := documents.besides(e.name, nil); r.data != nil && len(lost) > 0 {
			resp.Diagnostics.Append(othersInFiles(r.data.Layout.Dir(state.at(e.name)), lost))
		}
		if r.data != nil && errors.Is(r.data.Planned.Destroy(place(e.model)), providerdata.ErrRenamed) {
			resp.Diagnostics.Append(tfdiag.ReplacedInPlace(noun, title(e.model)))
		}
	}
}

// keepsOthers refuses to write over files with documents of somebody else.
func (p *setPlan) keepsOthers(packageName string, spec delivery.PackageInstall) {
	if len(p.documents[packageName]) == 0 {
		return
	}
	says, err := p.r.data.Installs.Says(spec)
	if err != nil {
		return // which planning the files tells
	}
	dir := p.r.data.Layout.Dir(spec.At())
	kept, _ := p.seen.Kept(dir, says, false)
	if lost := p.documents.besides(packageName, kept); len(lost) > 0 {
		p.say(othersInFiles(dir, lost))
	}
}
