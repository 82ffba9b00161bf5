// Package kubeconfigsecret is the resource carvel_kubeconfig_secret.
package kubeconfigsecret

import (
	"context"
	"errors"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	apitypes "k8s.io/apimachinery/pkg/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
)

var (
	_ resource.ResourceWithConfigure   = (*kubeconfigSecret)(nil)
	_ resource.ResourceWithModifyPlan  = (*kubeconfigSecret)(nil)
	_ resource.ResourceWithImportState = (*kubeconfigSecret)(nil)
)

const noun = "kubeconfig secret"

type kubeconfigSecret struct {
	data *providerdata.Data
}

// New makes the resource.
func New() resource.Resource { return &kubeconfigSecret{} }

func (r *kubeconfigSecret) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_kubeconfig_secret"
}

func (r *kubeconfigSecret) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.data = providerdata.From(req, resp)
}

func (r *kubeconfigSecret) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	timeout, diags := plan.Timeouts.Create(ctx, schemas.WriteTimeout)
	resp.Diagnostics.Append(diags...)
	spec, diags := withSource(ctx, plan, req.Config)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	done, err := r.data.CreateKubeconfigSecret(bounded, spec)
	if done.UID != "" {
		resp.Diagnostics.Append(resp.State.Set(ctx, plan.with(done))...)
		resp.Diagnostics.Append(setWritten(ctx, resp.Private, done.Fingerprint)...)
	}
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Unable("create", noun, title(plan), "", err))
	}
}

func (r *kubeconfigSecret) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	timeout, diags := state.Timeouts.Read(ctx, schemas.ReadTimeout)
	resp.Diagnostics.Append(diags...)
	spec, diags := state.spec(ctx)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || r.data.Unknown.Build {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	found, err := r.data.ReadKubeconfigSecret(bounded, spec)
	switch {
	case errors.Is(err, delivery.ErrNotFound):
		resp.State.RemoveResource(ctx)
	case err != nil:
		resp.Diagnostics.Append(tfdiag.Unable("read", noun, title(state), "", err))
	default:
		resp.Diagnostics.Append(resp.State.Set(ctx, state.read(found))...)
	}
}

func (r *kubeconfigSecret) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	timeout, diags := plan.Timeouts.Update(ctx, schemas.WriteTimeout)
	resp.Diagnostics.Append(diags...)
	spec, diags := withSource(ctx, plan, req.Config)
	resp.Diagnostics.Append(diags...)
	before, diags := state.spec(ctx)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	done, err := r.data.UpdateKubeconfigSecret(bounded, before, spec)
	if done.UID != "" {
		resp.Diagnostics.Append(resp.State.Set(ctx, plan.with(done))...)
		resp.Diagnostics.Append(setWritten(ctx, resp.Private, done.Fingerprint)...)
	}
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Unable("update", noun, title(plan), "", err))
	}
}

func (r *kubeconfigSecret) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	timeout, diags := state.Timeouts.Delete(ctx, schemas.WriteTimeout)
	resp.Diagnostics.Append(diags...)
	spec, diags := state.spec(ctx)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := r.data.DeleteKubeconfigSecret(bounded, spec, apitypes.UID(state.UID.ValueString())); err != nil {
		resp.Diagnostics.Append(tfdiag.Unable("delete", noun, title(state), "", err))
	}
}

func (r *kubeconfigSecret) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	namespace, name, ok := strings.Cut(req.ID, "/")
	if !ok || namespace == "" || name == "" || strings.Contains(name, "/") {
		resp.Diagnostics.Append(tfdiag.ImportID("carvel_kubeconfig_secret", "NAMESPACE/NAME", "dev/staging-kubeconfig", req.ID))
		return
	}
	found, err := r.data.FindKubeconfigSecret(ctx, namespace, name)
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Unable("import", noun, req.ID, "", err))
		return
	}
	values := map[string]any{
		"namespace":      namespace,
		"name":           name,
		"run_cluster":    found.RunCluster,
		"key":            found.Key,
		"labels":         found.Labels,
		"annotations":    found.Annotations,
		"adopt_existing": false,
	}
	if a := found.ServiceAccount; a != nil {
		values["service_account"] = serviceAccountModel{
			Namespace: types.StringValue(a.Namespace), Name: types.StringValue(a.Name), Server: types.StringNull(),
		}
	}
	for attribute, value := range values {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(attribute), value)...)
	}
}

// withSource is the plan's spec with the kubeconfig that only the
// configuration holds.
func withSource(ctx context.Context, plan model, config tfsdk.Config) (delivery.KubeconfigSecret, diag.Diagnostics) {
	spec, diags := plan.spec(ctx)
	if !plan.Kubeconfig.IsNull() || !plan.ServiceAccount.IsNull() {
		return spec, diags
	}
	var kubeconfig types.String
	diags.Append(config.GetAttribute(ctx, path.Root("kubeconfig_wo"), &kubeconfig)...)
	spec.Kubeconfig = []byte(kubeconfig.ValueString())
	return spec, diags
}

func title(m model) string { return m.Namespace.ValueString() + "/" + m.Name.ValueString() }
