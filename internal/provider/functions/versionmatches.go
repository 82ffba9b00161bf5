package functions

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/version"
)

type versionMatches struct{}

func newVersionMatches() function.Function { return versionMatches{} }

func (versionMatches) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "version_matches"
}

func (versionMatches) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Whether a version is in a version constraint",
		MarkdownDescription: "Returns whether a version of a package is in a version constraint, which is read as kapp-controller reads it. " +
			"A prerelease such as `2.0.0-rc.1` is in `>=1.0.0` by its place in the order; " +
			"whether a PackageInstall takes prereleases is for its `prereleases` to say, and for `select_version`.",
		Parameters: []function.Parameter{
			function.StringParameter{
				Name:                "version",
				MarkdownDescription: "A version, such as `1.2.3`.",
			},
			constraintParameter(),
		},
		Return: function.BoolReturn{},
	}
}

// constraintParameter is the second parameter of the functions about versions.
func constraintParameter() function.Parameter {
	return function.StringParameter{
		Name: "constraint",
		MarkdownDescription: "A version constraint, such as `1.2.3`, `1.x` or `>=1.0.0 <2.0.0 || >=3.1.0`. A space means and. " +
			"The empty string allows any version.",
	}
}

func (versionMatches) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var candidate, constraint string
	if resp.Error = req.Arguments.Get(ctx, &candidate, &constraint); resp.Error != nil {
		return
	}
	err := refused(1, version.ValidateConstraint(constraint))
	if _, wrong := version.Compare(candidate, candidate); wrong != nil {
		err = function.ConcatFuncErrors(refused(0, fmt.Errorf("%q is not a version such as 1.2.3", candidate)), err)
	}
	if err != nil {
		resp.Error = err
		return
	}
	_, outside := version.Select([]string{candidate}, version.Selection{Constraint: constraint, Prereleases: &version.Prereleases{}})
	var none *version.NoMatchError
	if outside != nil && !errors.As(outside, &none) {
		err = refused(1, outside)
	}
	answer(ctx, resp, outside == nil, err)
}
