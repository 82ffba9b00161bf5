package packageinstall

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

func commitAttribute(files string) schema.StringAttribute {
	return schema.StringAttribute{
		Computed: true,
		MarkdownDescription: "The commit of `git.branch` that last wrote " + files + ". Use it in the `wait_for_commits` of a `carvel_app`. " +
			"With `git.push_branch` it is null as long as what was written waits to be merged.",
	}
}

func pendingCommitAttribute() schema.StringAttribute {
	return schema.StringAttribute{
		Computed: true,
		MarkdownDescription: "The commit of `git.push_branch` with what waits to be merged into `git.branch`; null if nothing does. " +
			"Use it in the `commits` of a `carvel_pull_request`.",
	}
}

// commits are the two attributes of what was written.
type commits struct {
	commit, pending types.String
}

// written are they after a write.
func written(reached delivery.Reached) commits {
	if !reached.Pending.IsZero() {
		return commits{commit: types.StringNull(), pending: types.StringValue(reached.Pending.String())}
	}
	return commits{commit: types.StringValue(reached.Commit.String()), pending: types.StringNull()}
}

// planned are they if files are about to be written.
func planned(data *providerdata.Data) commits {
	c := commits{commit: types.StringUnknown(), pending: types.StringUnknown()}
	if data != nil && !data.Unknown.Git && !data.Proposals.Proposed() {
		c.pending = types.StringNull()
	}
	return c
}

// read are they once it is looked where the files of package installs have got to. What was read as it was recorded keeps its commit;
// renewed: another one has written it.
func (c commits) read(ctx context.Context, data *providerdata.Data, renewed bool, places ...repolayout.Install) (commits, error) {
	if !data.Proposals.Proposed() && c.pending.IsNull() && !renewed {
		return c, nil
	}
	reached, err := data.Installs.Stand(ctx, places...)
	switch {
	case err != nil:
		return c, err
	case renewed, !reached.Pending.IsZero() && c.pending.IsNull():
		return written(reached), nil
	case !reached.Pending.IsZero():
		return commits{commit: types.StringNull(), pending: c.pending}, nil
	case !c.pending.IsNull():
		return written(reached), nil
	}
	return c, nil
}

// waits reports whether what was written is yet to be merged.
func (c commits) waits() bool { return !c.pending.IsNull() && !c.pending.IsUnknown() }

// removalWaits is the warning about files that are gone from the push branch alone.
func removalWaits(name string) diag.Diagnostic {
	return diag.NewWarningDiagnostic("The removal of "+name+" waits to be merged",
		"Its files are gone from git.push_branch and are still on git.branch, so that the run cluster runs what they deploy. "+
			"Merge the branch, and apply again; to keep the package, apply with it in the configuration.")
}

// emptyRequest is the warning about a pull request that is left with nothing in it.
func emptyRequest(err *delivery.EmptyRequestError) diag.Diagnostic {
	return diag.NewWarningDiagnostic("A pull request may be open that has nothing to merge",
		tfdiag.Fit("The files are gone. If there is a pull request for git.push_branch, it could not be closed: close it by hand.\n\nOriginal error: "+err.Error()))
}
