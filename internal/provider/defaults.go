package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

// defaults are the labels and annotations of everything that is made. A plan cannot show
// what is made without them.
func (m model) defaults(ctx context.Context, into *carvel.Metadata) diag.Diagnostics {
	var diags diag.Diagnostics
	for _, d := range []struct {
		name string
		from types.Map
		into *map[string]string
	}{{"default_labels", m.DefaultLabels, &into.Labels}, {"default_annotations", m.DefaultAnnotations, &into.Annotations}} {
		if known, err := fullyKnown(ctx, d.from); err != nil || !known {
			diags.AddAttributeError(path.Root(d.name), "Invalid "+d.name,
				d.name+" must be known when Terraform plans: a value in it comes from something that the same run makes. Give it another source, or make that first.")
			continue
		}
		texts, more := tfvalue.ToStringMap(ctx, d.from)
		diags.Append(more...)
		*d.into = texts
	}
	return diags
}
