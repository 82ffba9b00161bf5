package app

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

func deployAttribute() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "How to deploy. Without it, kapp deploys everything into `cluster.namespace`, and may delete everything once the directories are empty " +
			"(`" + carvel.AllowEmptyOption + "`).",
		Attributes: map[string]schema.Attribute{
			"kapp": schema.SingleNestedAttribute{
				Required:            true,
				MarkdownDescription: "Deploy by kapp.",
				Attributes: map[string]schema.Attribute{
					"into_ns": schema.StringAttribute{
						Optional: true, MarkdownDescription: "Namespace that every namespaced object goes into, whatever it names.",
						Validators: []validator.String{schemas.Name()},
					},
					"map_ns": schema.ListAttribute{
						Optional: true, ElementType: types.StringType, MarkdownDescription: "Renamings of namespaces, each `FROM=TO`.",
						Validators: []validator.List{
							listvalidator.ValueStringsAre(schemas.Check("a renaming of a namespace, FROM=TO", carvel.ValidateNamespaceMapping)),
						},
					},
					"raw_options": rawOptions("deploy", carvel.ValidateDeployOption),
					"inspect": schema.SingleNestedAttribute{
						Optional:            true,
						MarkdownDescription: "Have kapp inspect what was deployed after each run. `inspect = {}` does so without flags.",
						Attributes:          map[string]schema.Attribute{"raw_options": rawOptions("inspect", carvel.ValidateInspectOption)},
					},
					"delete": schema.SingleNestedAttribute{
						Optional:            true,
						MarkdownDescription: "How kapp deletes what was deployed, when the App is deleted.",
						Validators:          []validator.Object{schemas.AtLeastOneOf("raw_options")},
						Attributes:          map[string]schema.Attribute{"raw_options": rawOptions("delete", carvel.ValidateDeleteOption)},
					},
				},
			},
		},
	}
}

func rawOptions(command string, validate func(string) error) schema.Attribute {
	return schema.ListAttribute{
		Optional: true, ElementType: types.StringType,
		MarkdownDescription: "Flags of kapp " + command + " that the controller lets through, each `--flag=value`.",
		Validators: []validator.List{
			listvalidator.ValueStringsAre(schemas.Check("a flag of kapp "+command+" that the controller lets through, as --flag=value", validate)),
		},
	}
}
