package kubeconfigsecret

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/creation"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

func (r *kubeconfigSecret) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	labels, annotations := schemas.Metadata("Secret, and on that with the token of `service_account`")
	resp.Schema = schema.Schema{
		MarkdownDescription: "A run cluster's kubeconfig in a Secret on the build cluster, for Apps that deploy to the run cluster. " +
			"Exactly one source is given: `kubeconfig`, `kubeconfig_wo` or `service_account`.\n\n" +
			"A kubeconfig that kapp-controller could not use, since it runs an exec plugin or names files, is refused. " +
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
				MarkdownDescription: "Key of the Secret that holds the kubeconfig. The default, `value`, is the key that an App reads if it names none.",
				Validators: []validator.String{schemas.Check("a key of a Secret: letters, digits, hyphens, underscores and dots",
					carvel.ValidateSecretKey)},
			},
			"type": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString(carvel.DefaultSecretType),
				MarkdownDescription: "Type of the Secret, for policies that go by it. The default is `" + carvel.DefaultSecretType + "`. " +
					"Kubernetes does not let the type of a Secret change, so that changing it here makes a new one.",
				Validators:    []validator.String{schemas.Check("`Opaque` or a type of your own, such as example.com/kubeconfig", carvel.ValidateSecretType)},
				PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"kubeconfig": schema.StringAttribute{
				Optional: true, Sensitive: true,
				MarkdownDescription: "Text of a kubeconfig. It is kept in the state; `kubeconfig_wo` and `service_account` are not.",
			},
			"kubeconfig_wo": schema.StringAttribute{
				Optional: true, WriteOnly: true,
				MarkdownDescription: "Text of a kubeconfig, which is not kept in the state. Needs `kubeconfig_wo_version`. " +
					"It may come from an ephemeral resource such as `carvel_kubeconfig`.",
				Validators: []validator.String{stringvalidator.AlsoRequires(path.MatchRoot("kubeconfig_wo_version"))},
			},
			"kubeconfig_wo_version": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Any text; change it to have `kubeconfig_wo` written again.",
				Validators:          []validator.String{stringvalidator.AlsoRequires(path.MatchRoot("kubeconfig_wo"))},
			},
			"service_account": schema.SingleNestedAttribute{
				Optional: true,
				MarkdownDescription: "A ServiceAccount on the run cluster to make the kubeconfig for, so that it has just the ServiceAccount's rights. " +
					"Its token is not kept in the state.",
				Attributes: serviceAccountAttributes(),
			},
			"labels":      labels,
			"annotations": annotations,
			"all_labels": schema.MapAttribute{
				Computed: true, ElementType: types.StringType, MarkdownDescription: "Labels of the Secret: `labels` over the provider's `default_labels`.",
			},
			"all_annotations": schema.MapAttribute{
				Computed: true, ElementType: types.StringType, MarkdownDescription: "Annotations of the Secret: `annotations` over the provider's `default_annotations`.",
			},
			"adopt_existing": schemas.AdoptExisting("a Secret that already exists"),
			"field_manager":  schemas.FieldManagerAttribute(),
			"timeouts":       schemas.Timeouts(ctx),
			"creation":       creation.Attribute("an annotation of the Secret"),
			"adopted":        creation.AdoptedAttribute(),
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
			"expires_at": schema.StringAttribute{
				Computed: true,
				MarkdownDescription: "When the requested token expires, as an RFC 3339 timestamp; null for a kubeconfig from another source. " +
					"An apply renews the token when less than a third of its life is left.",
			},
		},
	}
}

// ConfigValidators look at attributes of which one is to be set.
func (*kubeconfigSecret) ConfigValidators(context.Context) []resource.ConfigValidator {
	return []resource.ConfigValidator{schemas.ExactlyOneOf("kubeconfig", "kubeconfig_wo", "service_account")}
}

func serviceAccountAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"namespace": schema.StringAttribute{Required: true, MarkdownDescription: "Namespace of the ServiceAccount.", Validators: []validator.String{schemas.Name()}},
		"name":      schema.StringAttribute{Required: true, MarkdownDescription: "Name of the ServiceAccount.", Validators: []validator.String{schemas.ObjectName()}},
		"server": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "URL of the run cluster's API server as the build cluster reaches it. " +
				"The default is the URL in the provider's `run_clusters`.",
			Validators: []validator.String{schemas.Check("an https:// URL", carvel.ValidateServer)},
		},
		"token_source": schema.StringAttribute{
			Optional: true, Computed: true, Default: stringdefault.StaticString(fromSecret),
			MarkdownDescription: "Where the token comes from.\n" +
				"  - `" + fromSecret + "` (the default): a token that does not expire, in a Secret beside the ServiceAccount. " +
				"Destroying this resource revokes it.\n" +
				"  - `" + fromRequest + "`: a token that expires, from the TokenRequest API. " +
				"An apply renews it when less than a third of its life is left, so something must apply that often.",
			Validators: []validator.String{stringvalidator.OneOf(fromSecret, fromRequest)},
		},
		"expiration_seconds": schema.Int64Attribute{
			Optional: true,
			MarkdownDescription: fmt.Sprintf("How long a requested token is to live, at least `%d`. The default is `%d`, 30 days. "+
				"The API server may grant less: `expires_at` tells. Only with `token_source = %q`.", carvel.MinTokenSeconds, defaultTokenSeconds, fromRequest),
			Validators: []validator.Int64{int64validator.Between(carvel.MinTokenSeconds, carvel.MaxTokenSeconds)},
		},
	}
}

// ValidateConfig refuses a life for a token that does not expire, and an account whose
// token Secret would have too long a name.
func (r *kubeconfigSecret) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config model
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Config, &config)...)
	if resp.Diagnostics.HasError() || config.ServiceAccount.IsNull() || config.ServiceAccount.IsUnknown() {
		return
	}
	var account serviceAccountModel
	resp.Diagnostics.Append(config.ServiceAccount.As(ctx, &account, basetypes.ObjectAsOptions{})...)
	if !account.TokenSource.IsUnknown() && account.TokenSource.ValueString() != fromRequest {
		name := account.Name.ValueString()
		resp.Diagnostics.Append(tfdiag.LongName(path.Root("service_account").AtName("name"), name, "token Secret", carvel.LongestTokenSecretName(name))...)
	}
	if account.ExpirationSeconds.IsNull() || account.TokenSource.IsUnknown() || account.TokenSource.ValueString() == fromRequest {
		return
	}
	resp.Diagnostics.AddAttributeError(path.Root("service_account").AtName("expiration_seconds"), "The token does not expire",
		fmt.Sprintf("A token from a token Secret does not expire. Set token_source = %q to have one that does, or remove expiration_seconds.", fromRequest))
}
