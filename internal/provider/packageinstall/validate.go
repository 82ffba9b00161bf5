package packageinstall

import (
	"context"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

// ValidateConfig refuses annotations that an attribute stands for.
func (r *packageInstall) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Config, &config)...)
	for _, annotation := range slices.Sorted(maps.Keys(config.Annotations.Elements())) {
		attribute := carvel.AnnotationAttribute(annotation)
		if annotation == carvel.OverlaysAnnotation && !config.YttOverlays.IsNull() {
			attribute = "ytt_overlays"
		}
		if attribute != "" {
			resp.Diagnostics.Append(tfdiag.ReservedAnnotation(annotation, attribute))
		}
	}
}
