package functions

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/ytt"
)

type valuesDigest struct{}

func newValuesDigest() function.Function { return valuesDigest{} }

func (valuesDigest) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "values_digest"
}

func (valuesDigest) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "The digest of a package's values",
		MarkdownDescription: "Returns what `values_digest` of `carvel_package_installs` is for a `carvel_package_install` with these values in one Secret: " +
			"so that a configuration can ask whether a run cluster has just these values.\n\n" +
			"What the data source says of guessing is true here as well, and Terraform treats the result as it treats the values: sensitive values have a sensitive digest.",
		Parameters: []function.Parameter{
			function.StringParameter{
				Name:                "package",
				MarkdownDescription: "Name of the package, such as `app.default.tap`.",
			},
			function.DynamicParameter{
				Name:                "values",
				MarkdownDescription: "The values, an object.",
			},
		},
		Return: function.StringReturn{},
	}
}

func (valuesDigest) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var name string
	var given types.Dynamic
	if resp.Error = req.Arguments.Get(ctx, &name, &given); resp.Error != nil {
		return
	}
	err := refused(0, carvel.ValidatePackageName(name))
	document, wrong := tfvalue.ToAny(given)
	values, isObject := document.(map[string]any)
	if wrong == nil && !isObject {
		wrong = errors.New("the values must be an object, such as { replicas = 2 }")
	}
	if err = function.ConcatFuncErrors(err, refused(1, wrong)); err != nil {
		resp.Error = err
		return
	}
	text, wrong := ytt.WriteValues(values)
	if wrong != nil {
		resp.Error = refused(1, wrong)
		return
	}
	digest, wrong := carvel.ValuesDigest(name, []byte(text))
	answer(ctx, resp, digest, refused(1, wrong))
}
