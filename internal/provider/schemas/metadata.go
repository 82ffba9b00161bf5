package schemas

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// keyed checks each entry of a map of texts, as a Kubernetes API server does.
type keyed struct {
	what  string
	check func(key, value string) error
	most  int // bytes of all entries; 0: any
}

var (
	labelsCheck      = keyed{"labels", carvel.ValidateLabel, 0}
	annotationsCheck = keyed{"annotations", carvel.ValidateAnnotation, carvel.MaxAnnotations}
)

// Labels checks labels.
func Labels() validator.Map { return labelsCheck }

// Annotations checks annotations.
func Annotations() validator.Map { return annotationsCheck }

func (k keyed) Description(context.Context) string { return "must be " + k.what + " of Kubernetes" }

func (k keyed) MarkdownDescription(ctx context.Context) string { return k.Description(ctx) }

func (k keyed) ValidateMap(_ context.Context, req validator.MapRequest, resp *validator.MapResponse) {
	elements := req.ConfigValue.Elements()
	size := 0
	for _, key := range slices.Sorted(maps.Keys(elements)) {
		text, ok := elements[key].(types.String)
		if !ok || text.IsUnknown() {
			continue
		}
		size += len(key) + len(text.ValueString())
		if err := k.check(key, text.ValueString()); err != nil {
			at := req.Path.AtMapKey(key)
			resp.Diagnostics.AddAttributeError(at, "Invalid "+at.String(), "Kubernetes would refuse it.\n\nProblem: "+err.Error())
		}
	}
	if k.most > 0 && size > k.most {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid "+req.Path.String(),
			fmt.Sprintf("The %s have %d bytes, and an object takes at most %d.", k.what, size, k.most))
	}
}
