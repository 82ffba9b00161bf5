package functions

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/function"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/kubeconfig"
)

type portableKubeconfig struct{}

func newPortableKubeconfig() function.Function { return portableKubeconfig{} }

func (portableKubeconfig) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "portable_kubeconfig"
}

func (portableKubeconfig) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "A kubeconfig that kapp-controller can use",
		MarkdownDescription: "Returns a kubeconfig reduced to its current context. It refuses what kapp-controller would drop from it without a word, " +
			"and so deploy as nobody: an `exec` plugin, an `auth-provider`, files (`tokenFile`, `certificate-authority`, `client-certificate`, `client-key`) and `as-uid`. " +
			"It refuses as well what kubectl would refuse or use as nobody, such as a user without credentials or a certificate without its key, but for what has expired. " +
			"It reads no file and sends nothing anywhere.\n\n" +
			"The result holds the credentials that the argument holds, and Terraform treats it as it treats the argument: " +
			"a sensitive argument gives a sensitive result, an ephemeral one an ephemeral result, which no state and no plan keeps. " +
			"Mark a kubeconfig that comes from elsewhere with `sensitive(...)`; otherwise Terraform may print it.",
		Parameters: []function.Parameter{
			function.StringParameter{
				Name:                "kubeconfig",
				MarkdownDescription: "The text of a kubeconfig.",
			},
		},
		Return: function.StringReturn{},
	}
}

func (portableKubeconfig) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var text string
	if resp.Error = req.Arguments.Get(ctx, &text); resp.Error != nil {
		return
	}
	kubeconfig, err := kubeconfig.Portable([]byte(text))
	if err != nil {
		resp.Error = function.NewArgumentFuncError(0, notPortableText(err))
		return
	}
	answer(ctx, resp, string(kubeconfig.YAML), nil)
}
