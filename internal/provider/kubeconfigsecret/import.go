package kubeconfigsecret

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/creation"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/privatestate"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
)

func (r *kubeconfigSecret) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	id, diags := identity.ImportID(ctx, req)
	resp.Diagnostics.Append(diags...)
	namespace, name, ok := strings.Cut(id, "/")
	if !ok || namespace == "" || name == "" || strings.Contains(name, "/") {
		resp.Diagnostics.Append(tfdiag.MalformedID{Resource: "carvel_kubeconfig_secret", Form: identity.Form(), Example: "dev/staging-kubeconfig", Got: id}.Diagnostic())
		return
	}
	found, now, err := r.data.Kubeconfigs.Find(ctx, namespace, name)
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "import", Noun: noun, Name: id, Err: err}.Diagnostic())
		return
	}
	values := attributesOf(found, now)
	for attribute, value := range values {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(attribute), value)...)
	}
	if !now.Token.Expires.IsZero() || now.TokenSecret != "" {
		resp.Diagnostics.Append(privatestate.Set(ctx, resp.Private, recordKey, recordOf(now))...)
	}
	resp.Diagnostics.Append(identity.Set(ctx, resp.State, resp.Identity)...)
}

// attributesOf are the attributes of a Secret that was found.
func attributesOf(found delivery.KubeconfigSecret, now delivery.KubeconfigSecretReceipt) map[string]any {
	values := map[string]any{
		"namespace":      found.Namespace,
		"name":           found.Name,
		"run_cluster":    found.RunCluster,
		"key":            found.Key,
		"type":           found.Type,
		"labels":         found.Labels,
		"annotations":    found.Annotations,
		"adopt_existing": false,
		"creation":       creation.Imported(now.Creation),
		"expires_at":     timestamp(now.Token.Expires),
	}
	if found.ServiceAccount != nil {
		values["service_account"] = imported(*found.ServiceAccount)
	}
	return values
}
