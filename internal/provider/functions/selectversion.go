package functions

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/version"
)

// anyPrerelease is the identifier that stands for all of them.
const anyPrerelease = "*"

type selectVersion struct{}

func newSelectVersion() function.Function { return selectVersion{} }

func (selectVersion) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "select_version"
}

func (selectVersion) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "The version that kapp-controller selects",
		MarkdownDescription: "Returns the version that kapp-controller selects for a PackageInstall: the highest of those that the constraint allows, as it is given. " +
			"What is not a version is passed over, as kapp-controller does. It is an error if none is left; `try` turns that into a value of your own.",
		Parameters: []function.Parameter{
			function.ListParameter{
				Name: "versions", ElementType: types.StringType,
				MarkdownDescription: "The versions of the package, in any order.",
			},
			constraintParameter(),
		},
		VariadicParameter: function.StringParameter{
			Name: "prereleases",
			MarkdownDescription: "Identifiers of the prereleases that may be selected too, such as `rc` for `1.0.0-rc.1`; `*` lets in all of them. " +
				"Without any, prereleases are left out, unless the constraint is just one of them.",
		},
		Return: function.StringReturn{},
	}
}

func (selectVersion) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var given []*string
	var constraint string
	var identifiers []string
	if resp.Error = req.Arguments.Get(ctx, &given, &constraint, &identifiers); resp.Error != nil {
		return
	}
	versions, wrong := present(given)
	err := function.ConcatFuncErrors(refused(0, wrong), refused(1, version.ValidateConstraint(constraint)))
	if err != nil {
		resp.Error = err
		return
	}
	selection := version.Selection{Constraint: constraint}
	if len(identifiers) > 0 {
		selection.Prereleases = &version.Prereleases{}
		if !slices.Contains(identifiers, anyPrerelease) {
			selection.Prereleases.Identifiers = identifiers
		}
	}
	selected, wrong := version.Select(versions, selection)
	var none *version.NoMatchError
	if errors.As(wrong, &none) {
		wrong = noneSelected(none, constraint)
	}
	answer(ctx, resp, selected, refused(0, wrong))
}

func present(given []*string) ([]string, error) {
	versions := make([]string, 0, len(given))
	for i, v := range given {
		if v == nil {
			return nil, fmt.Errorf("element %d is null", i)
		}
		versions = append(versions, *v)
	}
	return versions, nil
}

// noneSelected says which step left no version over.
func noneSelected(none *version.NoMatchError, constraint string) error {
	reason := fmt.Sprintf("%q allows none of them", constraint)
	switch {
	case none.All == 0:
		reason = "there is no version among them"
	case none.AfterPrereleases == 0:
		reason = "all of them are prereleases that are not let in; name their identifiers after the constraint, or \"*\""
	}
	return fmt.Errorf("no version is selected: %s. In kapp-controller's words: %w", reason, none)
}
