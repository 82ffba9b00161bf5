// Package providerdata is what the provider hands to its resources.
package providerdata

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
)

// Data is a provider configuration. What is not known yet at plan, such as the
// address of a cluster that the same run makes, is missing in Delivery.
type Data struct {
	*delivery.Delivery
	Unknown Unknown
	Planned Claims // of the objects and directories of resources
	// Provider is its name and version, as servers are told.
	Provider string
}

// Unknown are the parts of the configuration that are not known yet.
type Unknown struct {
	Git, Build     bool
	AllRunClusters bool
	RunClusters    map[string]bool
}

// Defaults are the labels and annotations of everything that the provider makes.
func (d *Data) Defaults() carvel.Metadata {
	if d == nil || d.Delivery == nil {
		return carvel.Metadata{}
	}
	return d.Delivery.Defaults
}

// Renderer tells what writes files: the provider's version, and what it puts into all of
// them.
func (d *Data) Renderer() string {
	defaults := d.Defaults()
	if len(defaults.Labels)+len(defaults.Annotations) == 0 {
		return d.Provider
	}
	text, err := json.Marshal(defaults) // keys are sorted
	if err != nil {
		panic(err) // they are texts
	}
	sum := sha256.Sum256(text)
	return d.Provider + " " + hex.EncodeToString(sum[:8])
}

// From gets the Data in a resource's Configure. It is nil before the provider
// is configured.
func From(req resource.ConfigureRequest, resp *resource.ConfigureResponse) *Data {
	return from(req.ProviderData, &resp.Diagnostics)
}

// FromDataSource is From for a data source.
func FromDataSource(req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) *Data {
	return from(req.ProviderData, &resp.Diagnostics)
}

// FromEphemeral is From for an ephemeral resource.
func FromEphemeral(req ephemeral.ConfigureRequest, resp *ephemeral.ConfigureResponse) *Data {
	return from(req.ProviderData, &resp.Diagnostics)
}

// FromAction is From for an action.
func FromAction(req action.ConfigureRequest, resp *action.ConfigureResponse) *Data {
	return from(req.ProviderData, &resp.Diagnostics)
}

func from(provided any, diags *diag.Diagnostics) *Data {
	if provided == nil {
		return nil
	}
	data, ok := provided.(*Data)
	if !ok {
		diags.AddError("Unexpected provider data", fmt.Sprintf("Expected %T, got %T. This is a defect of the provider.", data, provided))
	}
	return data
}

// KnowsRunCluster reports whether a run cluster can be used now.
func (d *Data) KnowsRunCluster(name string) bool {
	return !d.Unknown.AllRunClusters && !d.Unknown.RunClusters[name]
}

// CheckRunCluster refuses a run cluster that is not in the configuration.
func (d *Data) CheckRunCluster(name types.String) diag.Diagnostics {
	var diags diag.Diagnostics
	if d == nil || name.IsUnknown() || name.IsNull() || !d.KnowsRunCluster(name.ValueString()) {
		return diags
	}
	if _, ok := d.Run[name.ValueString()]; ok {
		return diags
	}
	configured := "None is configured."
	if len(d.Run) > 0 {
		configured = "Configured are: " + strings.Join(slices.Sorted(maps.Keys(d.Run)), ", ") + "."
	}
	diags.AddAttributeError(path.Root("run_cluster"), fmt.Sprintf("Run cluster %q is not configured", name.ValueString()),
		"The run cluster must be a key of run_clusters in the provider configuration. "+configured+" Add it there, or correct run_cluster.")
	return diags
}

// CheckGit refuses a configuration without a repository.
func (d *Data) CheckGit() diag.Diagnostics {
	var diags diag.Diagnostics
	if d != nil && d.Repository == nil && !d.Unknown.Git {
		diags.Append(tfdiag.MissingPart(&delivery.MissingPartError{Part: delivery.PartGit}))
	}
	return diags
}

// CheckBuild refuses a configuration without a build cluster.
func (d *Data) CheckBuild() diag.Diagnostics {
	var diags diag.Diagnostics
	if d != nil && d.Build == nil && !d.Unknown.Build {
		diags.Append(tfdiag.MissingPart(&delivery.MissingPartError{Part: delivery.PartBuildCluster}))
	}
	return diags
}

// Defer puts a data source off, or refuses it if Terraform cannot, since the
// part of the configuration that it reads from is not known yet. part is what
// the configuration calls it.
func Defer(part string, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	if req.ClientCapabilities.DeferralAllowed {
		resp.Deferred = &datasource.Deferred{Reason: datasource.DeferredReasonProviderConfigUnknown}
		return
	}
	resp.Diagnostics.Append(tfdiag.NotKnownYet(part))
}
