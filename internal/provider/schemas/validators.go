package schemas

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// Layout places packages below a directory of the repository, whose names must
// be such as the repository may have.
func Layout(prefix string) (repolayout.Layout, error) {
	layout, err := repolayout.New(prefix)
	if err == nil && layout.Root() != "" {
		err = gitops.CheckPath(layout.Root())
	}
	return layout, err
}

type check struct {
	form  string
	check func(string) error
}

// Check is a string validator from a function that explains what is wrong.
// form describes what the function accepts.
func Check(form string, f func(string) error) validator.String { return check{form, f} }

func (c check) Description(context.Context) string         { return "must be " + c.form }
func (c check) MarkdownDescription(context.Context) string { return "must be " + c.form }

func (c check) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if err := c.check(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid "+req.Path.String(),
			"The value must be "+c.form+".\n\nProblem: "+err.Error())
	}
}
