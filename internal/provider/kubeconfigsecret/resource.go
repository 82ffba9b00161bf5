// Package kubeconfigsecret is the resource carvel_kubeconfig_secret.
package kubeconfigsecret

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	apitypes "k8s.io/apimachinery/pkg/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/creation"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/privatestate"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

var (
	_ resource.ResourceWithConfigure        = (*kubeconfigSecret)(nil)
	_ resource.ResourceWithValidateConfig   = (*kubeconfigSecret)(nil)
	_ resource.ResourceWithConfigValidators = (*kubeconfigSecret)(nil)
	_ resource.ResourceWithModifyPlan       = (*kubeconfigSecret)(nil)
	_ resource.ResourceWithImportState      = (*kubeconfigSecret)(nil)
)

const noun = "kubeconfig secret"

type kubeconfigSecret struct {
	data *providerdata.Data
	now  func() time.Time
}

// New makes the resource.
func New() resource.Resource { return &kubeconfigSecret{now: time.Now} }

func (r *kubeconfigSecret) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_kubeconfig_secret"
}

func (r *kubeconfigSecret) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.data = providerdata.From(req, resp)
}

func (r *kubeconfigSecret) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Plan, &plan)...)
	timeout, diags := plan.Timeouts.Create(ctx, schemas.WriteTimeout)
	resp.Diagnostics.Append(diags...)
	spec, diags := r.withSource(ctx, plan, req.Config, false)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	done, err := r.data.Kubeconfigs.Create(bounded, spec)
	r.data.Planned.Made(place(plan))
	resp.Diagnostics.Append(tfdiag.Mutated(noun, title(plan), done.Mutations)...)
	if done.Creation != "" {
		plan.Creation, plan.Adopted = creation.Record(done.Creation, err == nil), creation.Known(plan.Adopted)
		resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.State, plan.written(done))...)
		resp.Diagnostics.Append(identity.Set(ctx, resp.State, resp.Identity)...)
		resp.Diagnostics.Append(privatestate.Set(ctx, resp.Private, recordKey, recordOf(done))...)
	}
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "create", Noun: noun, Name: title(plan), Left: tokenLeftAfter(err), Err: err}.Diagnostic())
	}
}

func (r *kubeconfigSecret) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
	resp.Diagnostics.Append(identity.Set(ctx, req.State, resp.Identity)...)
	timeout, diags := state.Timeouts.Read(ctx, schemas.ReadTimeout)
	resp.Diagnostics.Append(diags...)
	spec, diags := state.spec(ctx, state.defaults(ctx, r.data.Defaults()))
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || r.data.Unknown.Build {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	found, err := r.data.Kubeconfigs.Read(bounded, spec)
	switch {
	case errors.Is(err, delivery.ErrNotFound):
		resp.State.RemoveResource(ctx)
	case err != nil:
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "read", Noun: noun, Name: title(state), Err: err}.Diagnostic())
	default:
		if state = state.read(found); found.Rotated && found.TakenBy == "" {
			state.ExpiresAt = timestamp(found.Token.Expires)
			resp.Diagnostics.Append(privatestate.Set(ctx, resp.Private, recordKey, recordOf(found))...)
		}
		resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.State, state)...)
		resp.Diagnostics.Append(r.data.Told(noun, title(state), place(state), state.Creation, found.TakenBy)...)
	}
}

func (r *kubeconfigSecret) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Plan, &plan)...)
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
	resp.Diagnostics.Append(identity.Set(ctx, req.State, resp.Identity)...)
	timeout, diags := plan.Timeouts.Update(ctx, schemas.WriteTimeout)
	resp.Diagnostics.Append(diags...)
	keeps := plan.Fingerprint.Equal(state.Fingerprint) && plan.Key.Equal(state.Key)
	spec, diags := r.withSource(ctx, plan, req.Config, keeps)
	resp.Diagnostics.Append(diags...)
	if keeps {
		spec.Keep = state.Fingerprint.ValueString()
	}
	before, diags := state.spec(ctx, r.data.Defaults())
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	written, diags := privatestate.Get[record](ctx, req.Private, recordKey)
	resp.Diagnostics.Append(diags...)
	spec.Creation, before.TokenSecret = before.Creation, written.TokenSecret
	done, err := r.data.Kubeconfigs.Update(bounded, before, spec)
	resp.Diagnostics.Append(tfdiag.Mutated(noun, title(plan), done.Mutations)...)
	if left := unreachableToken(err); left != nil {
		resp.Diagnostics.Append(tokenLeft(left))
		err = nil
	}
	if err != nil {
		// The state stays as it was, so that the next apply does what is missing.
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "update", Noun: noun, Name: title(plan), Left: tokenLeftAfter(err), Err: err}.Diagnostic())
		return
	}
	resp.Diagnostics.Append(stillFailing(title(plan), done.Failed)...)
	plan.Creation = creation.Recorded(done.Creation, state.Creation, true)
	if keeps {
		written.TokenSecret = done.TokenSecret
		resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.State, plan.with(done))...)
		resp.Diagnostics.Append(privatestate.Set(ctx, resp.Private, recordKey, written)...)
		return
	}
	resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.State, plan.written(done))...)
	resp.Diagnostics.Append(privatestate.Set(ctx, resp.Private, recordKey, recordOf(done))...)
}

func (r *kubeconfigSecret) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
	timeout, diags := state.Timeouts.Delete(ctx, schemas.WriteTimeout)
	resp.Diagnostics.Append(diags...)
	spec, diags := state.spec(ctx, r.data.Defaults())
	resp.Diagnostics.Append(diags...)
	spec.Retried, diags = creation.IsRetried(ctx, req.Private, state.ID.ValueString(), state.Creation)
	resp.Diagnostics.Append(diags...)
	written, diags := privatestate.Get[record](ctx, req.Private, recordKey)
	resp.Diagnostics.Append(diags...)
	spec.TokenSecret = written.TokenSecret
	if resp.Diagnostics.HasError() {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	left, err := r.data.Kubeconfigs.Delete(bounded, spec, apitypes.UID(state.UID.ValueString()))
	resp.Diagnostics.Append(tfdiag.Left(left)...)
	if left := unreachableToken(err); left != nil {
		resp.Diagnostics.Append(tokenLeft(left))
	} else if err != nil {
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "delete", Noun: noun, Name: title(state), Left: tokenLeftAfter(err), Err: err}.Diagnostic())
	}
}

// withSource is the plan's spec with the kubeconfig that only the
// configuration holds. It refuses one that was not known at plan and cannot be
// used; isWritten is that it is kept as it is.
func (r *kubeconfigSecret) withSource(ctx context.Context, plan model, config tfsdk.Config, isWritten bool) (delivery.KubeconfigSecret, diag.Diagnostics) {
	spec, diags := plan.spec(ctx, r.data.Defaults())
	if !plan.ServiceAccount.IsNull() {
		return spec, diags
	}
	at, kubeconfig := path.Root("kubeconfig"), plan.Kubeconfig
	if kubeconfig.IsNull() {
		at = path.Root("kubeconfig_wo")
		diags.Append(config.GetAttribute(ctx, at, &kubeconfig)...)
	}
	diags.Append(r.checkUsable(at, kubeconfig, isWritten)...)
	spec.Kubeconfig = []byte(kubeconfig.ValueString())
	return spec, diags
}

// unreachableToken is the token Secret that could not be deleted since its run
// cluster is not configured any more, else nil.
func unreachableToken(err error) *delivery.TokenLeftError {
	var left *delivery.TokenLeftError
	var missing *delivery.MissingPartError
	if errors.As(err, &left) && errors.As(left.Err, &missing) {
		return left
	}
	return nil
}

// place is what claims call the Secret.
func place(m model) string { return "carvel_kubeconfig_secret " + title(m) }

func title(m model) string { return m.Namespace.ValueString() + "/" + m.Name.ValueString() }
