package pullrequest

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/forge"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

type model struct {
	ID           types.String   `tfsdk:"id"`
	Commits      types.List     `tfsdk:"commits"`
	Title        types.String   `tfsdk:"title"`
	Body         types.String   `tfsdk:"body"`
	Labels       types.Set      `tfsdk:"labels"`
	Reviewers    types.Set      `tfsdk:"reviewers"`
	Draft        types.Bool     `tfsdk:"draft"`
	AutoMerge    types.Bool     `tfsdk:"auto_merge"`
	MergeMethod  types.String   `tfsdk:"merge_method"`
	DeleteBranch types.Bool     `tfsdk:"delete_branch"`
	Wait         types.String   `tfsdk:"wait"`
	Timeouts     timeouts.Value `tfsdk:"timeouts"`
	Source       types.String   `tfsdk:"source"`
	Target       types.String   `tfsdk:"target"`
	URL          types.String   `tfsdk:"url"`
	Number       types.Int64    `tfsdk:"number"`
	State        types.String   `tfsdk:"state"`
	Head         types.String   `tfsdk:"head"`
	MergeCommit  types.String   `tfsdk:"merge_commit"`
}

// proposal needs a model whose own attributes are known.
func (m model) proposal(ctx context.Context) (delivery.Proposal, diag.Diagnostics) {
	p := delivery.Proposal{
		Title: m.Title.ValueString(), Body: m.Body.ValueString(), Draft: m.Draft.ValueBool(), Wait: delivery.Wait(m.Wait.ValueString()),
	}
	var diags diag.Diagnostics
	for from, into := range map[*types.Set]*[]string{&m.Labels: &p.Labels, &m.Reviewers: &p.Reviewers} {
		if !from.IsNull() && !from.IsUnknown() {
			diags.Append(from.ElementsAs(ctx, into, false)...)
		}
	}
	if m.AutoMerge.ValueBool() {
		p.AutoMerge = &forge.AutoMerge{Method: forge.MergeMethod(m.MergeMethod.ValueString()), DeleteBranch: m.DeleteBranch.ValueBool()}
	}
	return p, diags
}

func (m model) isOpen() bool { return m.State.ValueString() == string(forge.Open) }

// found is the model with what there is of the request.
func (m model) found(at delivery.Location, request *forge.Request) model {
	m.ID, m.Source, m.Target = types.StringValue(at.PushBranch), types.StringValue(at.PushBranch), types.StringValue(at.Branch)
	m.URL, m.Number, m.Head, m.MergeCommit = types.StringNull(), types.Int64Null(), types.StringNull(), types.StringNull()
	if m.State = types.StringValue(none); request == nil {
		return m
	}
	m.URL, m.Number, m.State = types.StringValue(request.URL), types.Int64Value(request.Number), types.StringValue(string(request.State))
	m.Head, m.MergeCommit = tfvalue.String(request.Head), tfvalue.String(request.MergeCommit)
	return m
}

// unknown is the model before an apply that may change what there is.
func (m model) unknown() model {
	m.URL, m.Number, m.State = types.StringUnknown(), types.Int64Unknown(), types.StringUnknown()
	m.Head, m.MergeCommit = types.StringUnknown(), types.StringUnknown()
	return m
}
