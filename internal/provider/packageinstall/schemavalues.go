package packageinstall

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/ytt"
)

func valuesAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"values": schema.DynamicAttribute{
			Optional: true,
			MarkdownDescription: "The package's values, an object. What they may be is in the package's values schema. They lie over `values_yaml`: " +
				"maps are merged, lists and anything else are replaced, and a `null` is written as such. " +
				"They are kept in the state, and in Git in clear text unless `encryption` is set. Terraform writes them into its debug log.",
			Validators: []validator.Dynamic{objectValue{}},
		},
		"values_yaml": schema.ListAttribute{
			Optional: true, ElementType: types.StringType,
			MarkdownDescription: "The package's values as YAML texts, for example of files, each laid over those before it. " +
				"They are read as ytt reads them, in YAML 1.1, where `yes`, `on` and `012` are no text unless they are in quotes. " +
				"A key that comes twice, a top level that is no map, and ytt comments (`#@`) are refused.",
			Validators: []validator.List{listvalidator.ValueStringsAre(schemas.Check("YAML whose top level is a map", func(text string) error {
				_, err := ytt.ParseValues([]byte(text))
				return err
			}))},
		},
		"values_wo": schema.DynamicAttribute{
			Optional: true, WriteOnly: true,
			MarkdownDescription: "Values, an object, that are not kept in the state or in a plan, for secrets. They lie over `values` and `values_yaml`. In Git they are in clear text, unless `encryption` is set. " +
				"They must be the same when Terraform plans and when it applies. A change of them is noticed without `values_wo_version` as well. " +
				"[Deliver a package](../guides/deliver-a-package.md#secret-values) says more.",
			Validators: []validator.Dynamic{objectValue{}},
		},
		"values_wo_version": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "Any text; change it to show in the plan that `values_wo` has changed.",
			Validators:          []validator.String{stringvalidator.AlsoRequires(path.MatchRoot("values_wo"))},
		},
		"values_secret_name": schema.StringAttribute{
			Optional: true, Computed: true,
			MarkdownDescription: "Name of the Secret with the values. The default is `NAME-values`.",
			Validators:          []validator.String{schemas.ObjectName()},
		},
		"hash_values_name": schema.BoolAttribute{
			Optional: true,
			MarkdownDescription: "Put ten digits of a hash of the values behind `values_secret_name`, so that the PackageInstall changes with its values. " +
				"The controller then reconciles it at once, and no wait takes an old success for the new one. With `values_wo` or `encryption` the hash is slow to guess with.",
		},
		"encryption": encryptionAttribute(),
		"extra_values_secrets": schema.ListAttribute{
			Optional: true, ElementType: types.StringType,
			MarkdownDescription: "Names of Secrets with more values, which exist in the PackageInstall's namespace. The controller lays them over the values given here, the last on top.",
			Validators:          []validator.List{listvalidator.ValueStringsAre(schemas.ObjectName())},
		},
	}
}

func encryptionAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "Encrypt the values in Git: they are committed as `params.sops.yaml` in the format of [SOPS](https://getsops.io), " +
			"in which the names of the Secret and its key can be read, and no value. The App needs a `sops` step with the private key. " +
			"`values` and `values_yaml` are still in the state; use `values_wo` for what must not be there. See [Encrypt values](../guides/encrypt-values.md).",
		Attributes: map[string]schema.Attribute{
			"age_recipients": schema.ListAttribute{
				Required: true, ElementType: types.StringType,
				MarkdownDescription: "Public keys of [age](https://age-encryption.org), `age1...`. The owner of any one of the private keys can read the values.",
				Validators: []validator.List{
					listvalidator.SizeAtLeast(1), listvalidator.UniqueValues(),
					listvalidator.ValueStringsAre(schemas.Check("an age recipient such as age-keygen prints, age1...", delivery.ValidateRecipient)),
				},
			},
		},
	}
}

func overlaysAttribute() schema.Attribute {
	return schema.MapAttribute{
		Optional: true, ElementType: types.StringType,
		MarkdownDescription: "ytt overlays on what the package deploys, file name to text. They are committed in a Secret `NAME-overlays` beside the others, as `overlays.yaml`. " +
			"To use Secrets that exist, set the annotation `ext.packaging.carvel.dev/ytt-paths-from-secret-name.SUFFIX`.",
		Validators: []validator.Map{
			mapvalidator.KeysAre(schemas.Check("the name of a file that ytt reads, such as replicas.yaml", carvel.ValidateOverlayFile)),
		},
	}
}

func clusterAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "Another cluster that the run cluster's controller deploys the package's content to, instead of its own.",
		Attributes: map[string]schema.Attribute{
			"namespace": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Namespace on that cluster, which must exist. The default is the one of the kubeconfig's context.",
				Validators:          []validator.String{schemas.Name()},
			},
			"kubeconfig_secret_ref": schema.SingleNestedAttribute{
				Required:            true,
				MarkdownDescription: "The Secret with that cluster's kubeconfig, in the PackageInstall's namespace.",
				Attributes: map[string]schema.Attribute{
					"name": schema.StringAttribute{
						Required: true, MarkdownDescription: "Name of the Secret.",
						Validators: []validator.String{schemas.ObjectName()},
					},
					"key": schema.StringAttribute{
						Optional: true, MarkdownDescription: "Key of the Secret that holds the kubeconfig. The default is `value`.",
						Validators: []validator.String{schemas.Check("the key of a Secret", carvel.ValidateSecretKey)},
					},
				},
			},
		},
	}
}

func optionalBool(description string) schema.Attribute {
	return schema.BoolAttribute{Optional: true, MarkdownDescription: description}
}

// objectValue checks that a dynamic value is an object or a map.
type objectValue struct{}

func (objectValue) Description(context.Context) string         { return "must be an object" }
func (objectValue) MarkdownDescription(context.Context) string { return "must be an object" }

func (objectValue) ValidateDynamic(_ context.Context, req validator.DynamicRequest, resp *validator.DynamicResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() || req.ConfigValue.IsUnderlyingValueUnknown() {
		return
	}
	switch req.ConfigValue.UnderlyingValue().(type) {
	case types.Object, types.Map:
	default:
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid "+req.Path.String(),
			"The values must be an object, such as { replicas = 2 }.")
	}
}
