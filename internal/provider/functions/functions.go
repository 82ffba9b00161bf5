// Package functions holds the functions of the provider, which compute from
// their arguments alone: no provider configuration, no cluster and no
// repository is needed.
package functions

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/function"
)

// All are the functions, one of each.
func All() []func() function.Function {
	return []func() function.Function{
		newHealthyFor,
		newPackageInstallPath,
		newPortableKubeconfig,
		newSelectVersion,
		newValuesDigest,
		newVersionMatches,
	}
}

// refused is the error of an argument, by its position from 0.
func refused(argument int64, err error) *function.FuncError {
	if err == nil {
		return nil
	}
	return function.NewArgumentFuncError(argument, err.Error())
}

// answer sets the result, or the error if there is one.
func answer(ctx context.Context, resp *function.RunResponse, result any, err *function.FuncError) {
	resp.Error = function.ConcatFuncErrors(resp.Error, err)
	if resp.Error == nil {
		resp.Error = resp.Result.Set(ctx, result)
	}
}
