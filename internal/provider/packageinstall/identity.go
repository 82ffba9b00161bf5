package packageinstall

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

var (
	_ resource.ResourceWithIdentity = (*packageInstall)(nil)
	_ resource.ResourceWithIdentity = (*packageInstalls)(nil)
)

var identity = schemas.ResourceIdentity{
	{Name: "package", Description: "Name of the package, such as app.default.tap."},
	{Name: "run_cluster", Description: "The run cluster, a key of the provider's run_clusters."},
}

func (r *packageInstall) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identity.Schema()
}

// setIdentity is that of all packages of a set. More sets of a run cluster have the same.
var setIdentity = schemas.ResourceIdentity{
	{Name: "run_cluster", Description: "The run cluster, all of whose packages are imported that can be left as they are."},
}

func (r *packageInstalls) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = setIdentity.Schema()
}
