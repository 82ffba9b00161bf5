package actions

import (
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

// described is a schema with a description. What an action does step by step, and which
// rights it needs, is in the template of its page.
func described(description string, attributes map[string]schema.Attribute) schema.Schema {
	return schema.Schema{MarkdownDescription: description, Attributes: attributes}
}

// required is an attribute that must be given.
func required(description string, check validator.String) schema.Attribute {
	return schema.StringAttribute{Required: true, MarkdownDescription: description, Validators: []validator.String{check}}
}

// timeout is the attribute timeout.
func timeout() schema.Attribute {
	return schema.StringAttribute{
		Optional:            true,
		MarkdownDescription: "How long the action may take, such as `5m`. The default is `15m`.",
		Validators: []validator.String{schemas.Check("a duration such as 5m", func(s string) error {
			d, err := time.ParseDuration(s)
			if err == nil && d <= 0 {
				err = fmt.Errorf("%q is no time at all", s)
			}
			return err
		})},
	}
}
