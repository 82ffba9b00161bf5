// Package listing is what the list resources share.
package listing

import (
	"context"
	"iter"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/path"
)

// Stream is the results of what was found, as many as are asked for, and warnings after
// them.
func Stream[T any](req list.ListRequest, found []T, result func(T) list.ListResult, warnings ...diag.Diagnostic) iter.Seq[list.ListResult] {
	return func(push func(list.ListResult) bool) {
		for n, one := range found {
			if req.Limit > 0 && int64(n) == req.Limit {
				return
			}
			if !push(result(one)) {
				return
			}
		}
		if len(warnings) > 0 {
			push(list.ListResult{Diagnostics: warnings})
		}
	}
}

// Result is one of the results, with its name in the list and the texts of its identity.
func Result(ctx context.Context, req list.ListRequest, name string, identity map[string]string) list.ListResult {
	result := req.NewListResult(ctx)
	result.DisplayName = name
	for attribute, value := range identity {
		result.Diagnostics.Append(result.Identity.SetAttribute(ctx, path.Root(attribute), value)...)
	}
	return result
}

// Fill sets attributes of the resource of a result, and its id to its name.
func Fill(ctx context.Context, result *list.ListResult, attributes map[string]any) {
	result.Diagnostics.Append(result.Resource.SetAttribute(ctx, path.Root("id"), result.DisplayName)...)
	for name, value := range attributes {
		result.Diagnostics.Append(result.Resource.SetAttribute(ctx, path.Root(name), value)...)
	}
}
