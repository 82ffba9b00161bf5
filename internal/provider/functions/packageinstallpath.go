package functions

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

type packageInstallPath struct{}

func newPackageInstallPath() function.Function { return packageInstallPath{} }

func (packageInstallPath) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "package_install_path"
}

func (packageInstallPath) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Directory of a package install in the GitOps repository",
		MarkdownDescription: "Returns the directory of the GitOps repository that holds the PackageInstall and the values of a package for a run cluster: " +
			"what `carvel_package_install` calls `path`, and an App's `sub_path`. " +
			"Use it if the package install is made in another Terraform workspace.",
		Parameters: []function.Parameter{
			function.StringParameter{
				Name:                "package",
				MarkdownDescription: "Name of the package, such as `app.default.tap`.",
			},
			function.StringParameter{
				Name:                "run_cluster",
				MarkdownDescription: "Name of the run cluster, such as `staging`.",
			},
		},
		VariadicParameter: function.StringParameter{
			Name:                "path_prefix",
			MarkdownDescription: "The provider's `git.path_prefix`, if it has one. At most one.",
		},
		Return: function.StringReturn{},
	}
}

func (packageInstallPath) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var name, runCluster string
	var prefixes []string
	if resp.Error = req.Arguments.Get(ctx, &name, &runCluster, &prefixes); resp.Error != nil {
		return
	}
	err := function.ConcatFuncErrors(
		refused(0, carvel.ValidatePackageName(name)),
		refused(1, carvel.ValidateRunCluster(runCluster)),
	)
	if len(prefixes) > 1 {
		err = function.ConcatFuncErrors(err, refused(3, errors.New("at most one path_prefix can be given")))
	}
	layout := repolayout.Layout{}
	if len(prefixes) > 0 {
		var wrong error
		layout, wrong = schemas.Layout(prefixes[0])
		err = function.ConcatFuncErrors(err, refused(2, wrong))
	}
	answer(ctx, resp, layout.Dir(repolayout.Install{Package: name, RunCluster: runCluster}), err)
}
