package app

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

var _ resource.ResourceWithIdentity = (*app)(nil)

var identity = schemas.ResourceIdentity{
	{Name: "namespace", Description: "Namespace of the App on the build cluster."},
	{Name: "name", Description: "Name of the App."},
}

func (r *app) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identity.Schema()
}
