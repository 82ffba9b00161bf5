package functions

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/function"
)

type healthyFor struct{}

func newHealthyFor() function.Function { return healthyFor{} }

func (healthyFor) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "healthy_for"
}

func (healthyFor) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Whether a package has been healthy for some time",
		MarkdownDescription: "Returns whether at least a duration has passed since a time, such as `ready_since` of `carvel_package_installs`. " +
			"It is false if that is null: what cannot be told has not been shown.\n\n" +
			"The present time is an argument since a function of Terraform has to give the same result each time that it is called in a run. " +
			"`plantimestamp()` is the time of the plan, in the apply of that plan as well: what is planned is what is applied, however long somebody looks at it. " +
			"With `timestamp()` the result is not known before the apply.",
		Parameters: []function.Parameter{
			function.StringParameter{
				Name: "ready_since", AllowNullValue: true,
				MarkdownDescription: "A time in RFC 3339, or null.",
			},
			function.StringParameter{
				Name:                "duration",
				MarkdownDescription: "How long, such as `24h`, `90m` or `0s`. There is no unit above the hour.",
			},
			function.StringParameter{
				Name:                "now",
				MarkdownDescription: "The present time in RFC 3339: `plantimestamp()`.",
			},
		},
		Return: function.BoolReturn{},
	}
}

func (healthyFor) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var since *string
	var duration, now string
	if resp.Error = req.Arguments.Get(ctx, &since, &duration, &now); resp.Error != nil {
		return
	}
	soak, wrong := time.ParseDuration(duration)
	if wrong != nil || soak < 0 {
		resp.Error = refused(1, fmt.Errorf("%q is not a duration such as 24h or 90m", duration))
	}
	at, wrong := parseTime(now)
	resp.Error = function.ConcatFuncErrors(resp.Error, refused(2, wrong))
	if since == nil {
		answer(ctx, resp, false, nil)
		return
	}
	from, wrong := parseTime(*since)
	answer(ctx, resp, !from.Add(soak).After(at), refused(0, wrong))
}

func parseTime(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fmt.Errorf("%q is not a time such as 2026-01-31T12:00:00Z", text)
	}
	return t, nil
}
