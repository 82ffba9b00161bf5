package runnamespace

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

var _ resource.ResourceWithIdentity = (*runNamespace)(nil)

var identity = schemas.ResourceIdentity{
	{Name: "run_cluster", Description: "The run cluster, a key of the provider's run_clusters."},
	{Name: "name", Description: "Name of the namespace."},
}

func (r *runNamespace) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identity.Schema()
}
