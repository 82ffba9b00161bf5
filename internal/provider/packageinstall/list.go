package packageinstall

import (
	"context"
	"path"

	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/listing"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

var _ list.ListResourceWithConfigure = (*packageInstall)(nil)

// NewList makes the list resource.
func NewList() list.ListResource { return &packageInstall{} }

// query selects package installs.
type query struct {
	Package    types.String `tfsdk:"package"`
	RunCluster types.String `tfsdk:"run_cluster"`
	Glob       types.String `tfsdk:"glob"`
	Unmanaged  types.Bool   `tfsdk:"unmanaged"`
}

func (r *packageInstall) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The package installs that are in the GitOps repository, by whomever they were committed: each directory `PACKAGE/RUN-CLUSTER` with a `packageinstall.yaml`. " +
			"Those that cannot be imported without a commit are not in the list, and a warning says why.\n\n" +
			"With `-generate-config-out` the configuration has the values in clear text, as the repository has them; the results do not.",
		Attributes: queryAttributes("PACKAGE/RUN-CLUSTER"),
	}
}

func queryAttributes(what string) map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"package": schema.StringAttribute{
			Optional: true, MarkdownDescription: "Only those of this package.", Validators: []validator.String{schemas.PackageName()},
		},
		"run_cluster": schema.StringAttribute{
			Optional: true, MarkdownDescription: "Only those on this run cluster.", Validators: []validator.String{schemas.RunClusterName()},
		},
		"glob": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "Only those whose `" + what + "` matches this pattern, in which `*` stands for any text without a slash, `?` for one character and `[ab]` for one of these, for example `*.tap/prod-*`.",
			Validators: []validator.String{schemas.Check("a pattern such as *.tap/prod-*", func(glob string) error {
				_, err := path.Match(glob, "")
				return err
			})},
		},
		"unmanaged": schema.BoolAttribute{
			Optional:            true,
			MarkdownDescription: "Leave out those that a Terraform resource has made or taken over, this configuration's or another's, as the file `.terraform-provider-carvel` tells.",
		},
	}
}

// asks reports whether a place is asked for.
func (q query) asks(at repolayout.Install) bool {
	matches := true
	if !q.Glob.IsNull() {
		matches, _ = path.Match(q.Glob.ValueString(), at.Package+"/"+at.RunCluster) // the pattern is valid
	}
	return matches && (q.Package.IsNull() || q.Package.ValueString() == at.Package) && (q.RunCluster.IsNull() || q.RunCluster.ValueString() == at.RunCluster)
}

// find are the package installs that are asked for, and those that cannot be imported and
// left as they are.
func (q query) find(ctx context.Context, installs *delivery.Installs) (found, problems []delivery.ListedInstall, err error) {
	bounded, cancel := context.WithTimeout(ctx, schemas.ReadTimeout)
	defer cancel()
	all, err := installs.InRepository(bounded, q.asks)
	for _, l := range all {
		switch {
		case q.Unmanaged.ValueBool() && l.Receipt.Mark.Creation != "":
		case l.Problem != nil:
			problems = append(problems, l)
		default:
			found = append(found, l)
		}
	}
	return found, problems, err
}

func (r *packageInstall) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var q query
	diags := req.Config.Get(ctx, &q)
	diags.Append(r.data.CheckGit()...)
	if diags.HasError() {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	found, problems, err := q.find(ctx, r.data.Installs)
	if err != nil {
		diags.Append(tfdiag.Failure{Verb: "list", Noun: "package installs", Name: r.data.Location.URL, Err: err}.Diagnostic())
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	stream.Results = listing.Stream(req, found, func(l delivery.ListedInstall) list.ListResult { return r.result(ctx, req, l) }, notListed(problems)...)
}

// result is one package install of the list.
func (r *packageInstall) result(ctx context.Context, req list.ListRequest, l delivery.ListedInstall) list.ListResult {
	result := listing.Result(ctx, req, l.At.Package+"/"+l.At.RunCluster, map[string]string{"package": l.At.Package, "run_cluster": l.At.RunCluster})
	if !req.IncludeResource {
		return result
	}
	var null model
	result.Diagnostics.Append(tfvalue.Null(ctx, req.ResourceSchema.Type(), &null)...)
	m, err := imported(ctx, l.At, l.PackageInstall, r.data.Defaults(), null)
	if err != nil {
		result.Diagnostics.Append(tfdiag.Failure{Verb: "list", Noun: noun, Name: result.DisplayName, Err: err}.Diagnostic())
		return result
	}
	m.Path, m.Files = types.StringValue(r.data.Layout.Dir(l.At)), tfvalue.StringMap(l.Receipt.Files)
	result.Diagnostics.Append(result.Resource.Set(ctx, m)...)
	return result
}
