package packages

import (
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/version"
)

type model struct {
	RunCluster types.String   `tfsdk:"run_cluster"`
	Namespace  types.String   `tfsdk:"namespace"`
	Timeouts   timeouts.Value `tfsdk:"timeouts"`
	Packages   []packageModel `tfsdk:"packages"`
}

type packageModel struct {
	Name       types.String `tfsdk:"name"`
	Versions   types.List   `tfsdk:"versions"`
	Newest     types.String `tfsdk:"newest"`
	ReleasedAt types.Map    `tfsdk:"released_at"`
}

func (m model) with(found []carvel.Package) model {
	byName := map[string][]carvel.Package{}
	for _, p := range found {
		byName[p.Name] = append(byName[p.Name], p)
	}
	m.Packages = make([]packageModel, 0, len(byName))
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		versions := carvel.Versions(byName[name])
		newest, _ := version.Select(versions, version.Selection{}) // none if all are prereleases
		m.Packages = append(m.Packages, packageModel{
			Name: types.StringValue(name), Versions: tfvalue.StringList(versions), Newest: tfvalue.String(newest),
			ReleasedAt: tfvalue.Times(carvel.Releases(byName[name])),
		})
	}
	return m
}
