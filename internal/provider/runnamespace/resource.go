// Package runnamespace is the resource carvel_run_namespace.
package runnamespace

import (
	"context"
	"errors"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	apitypes "k8s.io/apimachinery/pkg/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/creation"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

var (
	_ resource.ResourceWithConfigure   = (*runNamespace)(nil)
	_ resource.ResourceWithModifyPlan  = (*runNamespace)(nil)
	_ resource.ResourceWithImportState = (*runNamespace)(nil)
)

const noun = "run namespace"

type runNamespace struct {
	data *providerdata.Data
}

// New makes the resource.
func New() resource.Resource { return &runNamespace{} }

func (r *runNamespace) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_run_namespace"
}

func (r *runNamespace) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.data = providerdata.From(req, resp)
}

func (r *runNamespace) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Plan, &plan)...)
	timeout, diags := plan.Timeouts.Create(ctx, schemas.WriteTimeout)
	resp.Diagnostics.Append(diags...)
	spec, diags := plan.spec(ctx, r.data.Defaults())
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	done, err := r.data.Namespaces.Create(bounded, spec)
	r.data.Planned.Made(place(plan))
	resp.Diagnostics.Append(tfdiag.Mutated(noun, spec.Name, done.Mutations)...)
	if done.Creation != "" {
		plan.Creation, plan.Adopted = creation.Record(done.Creation, err == nil), creation.Known(plan.Adopted)
		resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.State, plan.with(done))...)
		resp.Diagnostics.Append(identity.Set(ctx, resp.State, resp.Identity)...)
	}
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "create", Noun: noun, Name: spec.Name, Left: progress(done), Err: err}.Diagnostic())
	}
}

func (r *runNamespace) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
	resp.Diagnostics.Append(identity.Set(ctx, req.State, resp.Identity)...)
	timeout, diags := state.Timeouts.Read(ctx, schemas.ReadTimeout)
	resp.Diagnostics.Append(diags...)
	spec, diags := state.spec(ctx, state.defaults(r.data.Defaults()))
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || !r.data.KnowsRunCluster(spec.Cluster) {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	found, err := r.data.Namespaces.Read(bounded, spec)
	switch {
	case errors.Is(err, delivery.ErrNotFound):
		resp.State.RemoveResource(ctx)
	case err != nil:
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "read", Noun: noun, Name: spec.Name, Err: err}.Diagnostic())
	default:
		resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.State, state.read(found))...)
		resp.Diagnostics.Append(r.data.Told(noun, spec.Name, place(state), state.Creation, found.TakenBy)...)
	}
}

func (r *runNamespace) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Plan, &plan)...)
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
	resp.Diagnostics.Append(identity.Set(ctx, req.State, resp.Identity)...)
	timeout, diags := plan.Timeouts.Update(ctx, schemas.WriteTimeout)
	resp.Diagnostics.Append(diags...)
	spec, diags := plan.spec(ctx, r.data.Defaults())
	resp.Diagnostics.Append(diags...)
	before, diags := state.spec(ctx, r.data.Defaults())
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	spec.Creation = before.Creation
	done, err := r.data.Namespaces.Update(bounded, before.RunNamespaceSpec, spec)
	resp.Diagnostics.Append(tfdiag.Mutated(noun, spec.Name, done.Mutations)...)
	resp.Diagnostics.Append(tfdiag.Left(done.Left)...)
	if done.Creation != "" {
		// An update that failed is done again, with all that it was to delete.
		now := state
		if err == nil {
			now = plan.with(done)
		}
		now.Creation = creation.Recorded(done.Creation, state.Creation, err == nil)
		resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.State, now)...)
	}
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "update", Noun: noun, Name: spec.Name, Left: progress(done), Err: err}.Diagnostic())
	}
}

func (r *runNamespace) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
	timeout, diags := state.Timeouts.Delete(ctx, schemas.WriteTimeout)
	resp.Diagnostics.Append(diags...)
	spec, diags := state.spec(ctx, r.data.Defaults())
	resp.Diagnostics.Append(diags...)
	spec.Retried, diags = creation.IsRetried(ctx, req.Private, state.ID.ValueString(), state.Creation)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	left, err := r.data.Namespaces.Delete(bounded, spec, apitypes.UID(state.UID.ValueString()))
	resp.Diagnostics.Append(tfdiag.Left(left)...)
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "delete", Noun: noun, Name: state.Name.ValueString(), Err: err}.Diagnostic())
	}
}

func (r *runNamespace) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	id, diags := identity.ImportID(ctx, req)
	resp.Diagnostics.Append(diags...)
	runCluster, name, ok := strings.Cut(id, "/")
	if !ok || strings.Contains(name, "/") {
		resp.Diagnostics.Append(tfdiag.MalformedID{Resource: "carvel_run_namespace", Form: identity.Form(), Example: "staging/staging-apps", Got: id}.Diagnostic())
		return
	}
	values, err := r.imported(ctx, runCluster, name)
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "import", Noun: noun, Name: id, Err: err}.Diagnostic())
		return
	}
	for attribute, value := range values {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(attribute), value)...)
	}
	resp.Diagnostics.Append(identity.Set(ctx, resp.State, resp.Identity)...)
}

// imported are the attributes of a namespace that was found.
func (r *runNamespace) imported(ctx context.Context, runCluster, name string) (map[string]any, error) {
	spec, made, err := r.data.Namespaces.Find(ctx, runCluster, name)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"run_cluster":                runCluster,
		"name":                       name,
		"create_namespace":           !spec.Existing,
		"labels":                     spec.Labels,
		"annotations":                spec.Annotations,
		"service_account_name":       spec.ServiceAccountName,
		"tanzu_application_platform": spec.TanzuApplicationPlatform,
		"image_pull_secrets":         spec.ImagePullSecrets,
		"additional_rules":           ruleModels(spec.AdditionalRules),
		"restrict_service_accounts":  restriction(spec),
		"adopt_existing":             false,
		"creation":                   creation.Imported(made),
	}, nil
}

// progress says what a failed operation has left behind.
func progress(done delivery.RunNamespaceReceipt) string {
	if len(done.Objects) == 0 {
		return ""
	}
	return "Already applied: " + namesOf(done.Objects) + ". The next apply goes on from there, and deletes nothing of it."
}

// place is what claims call the namespace.
func place(m model) string {
	return "carvel_run_namespace " + m.RunCluster.ValueString() + "/" + m.Name.ValueString()
}
