package app

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

// choice checks how many of an object's attributes are set.
type choice struct {
	names       []string
	least, most int
}

func exactlyOne(names ...string) choice { return choice{names, 1, 1} }
func atMostOne(names ...string) choice  { return choice{names, 0, 1} }
func atLeastOne(names ...string) choice { return choice{names, 1, len(names)} }

func (c choice) Description(context.Context) string {
	what := map[[2]int]string{{1, 1}: "exactly one of ", {0, 1}: "at most one of "}[[2]int{c.least, c.most}]
	if len(c.names) == 1 {
		return "must set " + c.names[0]
	}
	if what == "" {
		what = "at least one of "
	}
	return "must set " + what + strings.Join(c.names, ", ")
}
func (c choice) MarkdownDescription(ctx context.Context) string { return c.Description(ctx) }

func (c choice) ValidateObject(ctx context.Context, req validator.ObjectRequest, resp *validator.ObjectResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	var set []string
	unknown := false
	attributes := req.ConfigValue.Attributes()
	for _, name := range c.names {
		switch value := attributes[name]; {
		case value.IsUnknown():
			unknown = true
		case !value.IsNull():
			set = append(set, name)
		}
	}
	found := "none is set"
	if len(set) > 0 {
		found = strings.Join(set, " and ") + " are set"
	}
	if len(set) > c.most || len(set) < c.least && !unknown {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid "+req.Path.String(), req.Path.String()+" "+c.Description(ctx)+"; "+found+".")
	}
}

// untagged checks that a reference which is to get its tag by a selection has
// none of its own.
type untagged struct{ attribute string }

func (u untagged) Description(context.Context) string {
	return "must not name a tag beside tag_selection"
}
func (u untagged) MarkdownDescription(ctx context.Context) string { return u.Description(ctx) }

func (u untagged) ValidateObject(_ context.Context, req validator.ObjectRequest, resp *validator.ObjectResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	attributes := req.ConfigValue.Attributes()
	reference, ok := attributes[u.attribute].(types.String)
	if !ok || reference.IsNull() || reference.IsUnknown() || attributes["tag_selection"].IsNull() || !carvel.HasTag(reference.ValueString()) {
		return
	}
	at := req.Path.AtName(u.attribute)
	resp.Diagnostics.AddAttributeError(at, "Invalid "+at.String(),
		"The image names a tag or a digest, and tag_selection is to choose the tag. Remove one of them.")
}

// sopsFirst checks that files are decrypted before a step reads them.
type sopsFirst struct{}

func (sopsFirst) Description(context.Context) string { return "must decrypt before the other steps" }

func (sopsFirst) MarkdownDescription(context.Context) string {
	return "must decrypt before the other steps"
}

func (sopsFirst) ValidateList(_ context.Context, req validator.ListRequest, resp *validator.ListResponse) {
	isSops := func(step attr.Value) bool {
		object, ok := step.(types.Object)
		if !ok || object.IsNull() || object.IsUnknown() {
			return true // nothing is known against it
		}
		sops := object.Attributes()["sops"]
		return !sops.IsNull()
	}
	steps := req.ConfigValue.Elements()
	first := slices.IndexFunc(steps, func(step attr.Value) bool { return !isSops(step) })
	for i := first + 1; first >= 0 && i < len(steps); i++ {
		object, ok := steps[i].(types.Object)
		if !ok || object.IsNull() || object.IsUnknown() || object.Attributes()["sops"].IsNull() || object.Attributes()["sops"].IsUnknown() {
			continue
		}
		at := req.Path.AtListIndex(i)
		resp.Diagnostics.AddAttributeError(at, "Invalid "+at.String(),
			"sops decrypts files where they are, before the next step reads them. Put it before the other steps.")
	}
}

func notEmpty() validator.String {
	return schemas.Check("a text that is not empty", func(s string) error {
		if s == "" {
			return errors.New("the text is empty")
		}
		return nil
	})
}
