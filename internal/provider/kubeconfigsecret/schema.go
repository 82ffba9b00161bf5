package kubeconfigsecret

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

func (r *kubeconfigSecret) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	labels, annotations := schemas.Metadata("Secret")
	resp.Schema = schema.Schema{
		MarkdownDescription: "A run cluster's kubeconfig in a Secret on the build cluster, for Apps that deploy to the run cluster. " +
			"Exactly one source is given: `kubeconfig`, `kubeconfig_wo` or `service_account`.\n\n" +
			"A kubeconfig is reduced to its current context. One that kapp-controller could not use, since it runs an exec plugin or names files, is refused. " +
			"Destroying the resource is refused while an App names the Secret.",
		Attributes: map[string]schema.Attribute{
			"id":          schemas.ID("NAMESPACE/NAME"),
			"run_cluster": schemas.RunCluster("The run cluster that the kubeconfig is for. With `service_account` it is a key of the provider's `run_clusters`."),
			"namespace":   schemas.Identity("Namespace of the Secret on the build cluster, which is the Apps' namespace.", schemas.Name()),
			"name": schema.StringAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "Name of the Secret. The default is `RUN-CLUSTER-kubeconfig`.",
				Validators:          []validator.String{schemas.ObjectName()},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplaceIfConfigured()},
			},
			"key": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString(carvel.DefaultKubeconfigKey),
				MarkdownDescription: "Key of the Secret that holds the kubeconfig. The default, `value`, is the key that an App reads where it names none.",
				Validators: []validator.String{schemas.Check("a key of a Secret: letters, digits, hyphens, underscores and dots",
					carvel.ValidateSecretKey)},
			},
			"kubeconfig": schema.StringAttribute{
				Optional: true, Sensitive: true,
				MarkdownDescription: "Text of a kubeconfig. It is kept in the state; `kubeconfig_wo` and `service_account` are not.",
				Validators: []validator.String{
					stringvalidator.ExactlyOneOf(path.MatchRoot("kubeconfig_wo"), path.MatchRoot("service_account")),
				},
			},
			"kubeconfig_wo": schema.StringAttribute{
				Optional: true, WriteOnly: true,
				MarkdownDescription: "Text of a kubeconfig, which is not kept in the state. Needs `kubeconfig_wo_version`.",
				Validators:          []validator.String{stringvalidator.AlsoRequires(path.MatchRoot("kubeconfig_wo_version"))},
			},
			"kubeconfig_wo_version": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Any text; change it to have `kubeconfig_wo` written again.",
				Validators:          []validator.String{stringvalidator.AlsoRequires(path.MatchRoot("kubeconfig_wo"))},
			},
			"service_account": schema.SingleNestedAttribute{
				Optional: true,
				MarkdownDescription: "A ServiceAccount on the run cluster. A long-lived token is made for it there, in a Secret beside it, " +
					"so that the kubeconfig has just the ServiceAccount's rights. The token is not kept in the state.",
				Attributes: map[string]schema.Attribute{
					"namespace": schema.StringAttribute{Required: true, MarkdownDescription: "Namespace of the ServiceAccount.", Validators: []validator.String{schemas.Name()}},
					"name":      schema.StringAttribute{Required: true, MarkdownDescription: "Name of the ServiceAccount.", Validators: []validator.String{schemas.ObjectName()}},
					"server": schema.StringAttribute{
						Optional: true,
						MarkdownDescription: "URL of the run cluster's API server as the build cluster reaches it. " +
							"The default is the URL in the provider's `run_clusters`.",
						Validators: []validator.String{schemas.Check("an https:// URL", carvel.ValidateServer)},
					},
				},
			},
			"labels":         labels,
			"annotations":    annotations,
			"adopt_existing": schemas.AdoptExisting("a Secret"),
			"field_manager":  schemas.FieldManagerAttribute(),
			"timeouts":       schemas.Timeouts(ctx),
			"uid":            schemas.UID("Secret"),
			"server": schema.StringAttribute{
				Computed:            true,
				MarkdownDescription: "URL of the API server in the kubeconfig.",
			},
			"fingerprint": schema.StringAttribute{
				Computed: true,
				MarkdownDescription: "Tells one kubeconfig from another, and not what is in it: a salted slow hash. " +
					"A change of the Secret by someone else shows here.",
			},
		},
	}
}
