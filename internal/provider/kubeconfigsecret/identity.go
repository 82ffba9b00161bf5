package kubeconfigsecret

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

var _ resource.ResourceWithIdentity = (*kubeconfigSecret)(nil)

var identity = schemas.ResourceIdentity{
	{Name: "namespace", Description: "Namespace of the Secret on the build cluster."},
	{Name: "name", Description: "Name of the Secret."},
}

func (r *kubeconfigSecret) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identity.Schema()
}
