package pullrequest

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

var _ resource.ResourceWithIdentity = (*pullRequest)(nil)

var identity = schemas.ResourceIdentity{
	{Name: "source", Description: "The branch that is merged, `git.push_branch`."},
}

func (r *pullRequest) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identity.Schema()
}
