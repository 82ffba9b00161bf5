package app

import (
	"context"
	"errors"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

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
