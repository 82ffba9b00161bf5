package app

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

func templateAttribute() schema.ListNestedAttribute {
	return schema.ListNestedAttribute{
		Optional: true,
		MarkdownDescription: "The steps that make objects of what was fetched, in order. Each has exactly one of `ytt`, `kbld`, `helm_template`, `cue` and `sops`. " +
			"The default is one `ytt` step, which passes plain YAML through, after a `sops` step if there is a `sops_age_key_wo`.",
		Validators: []validator.List{sopsFirst{}},
		NestedObject: schema.NestedAttributeObject{
			Attributes: map[string]schema.Attribute{
				"ytt":           yttAttribute(),
				"kbld":          kbldAttribute(),
				"helm_template": helmTemplateAttribute(),
				"cue":           cueAttribute(),
				"sops":          sopsAttribute(),
			},
			Validators: []validator.Object{schemas.ExactlyOneOf("ytt", "kbld", "helm_template", "cue", "sops")},
		},
	}
}

func yttAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "Run ytt. `ytt = {}` passes plain YAML through.",
		Attributes: map[string]schema.Attribute{
			"ignore_unknown_comments": optionalBool("Accept plain `#` comments in files that are ytt templates."),
			"strict":                  optionalBool("Read YAML in ytt's strict mode."),
			"inline":                  inlineAttribute("More files for ytt."),
			"paths":                   templatePaths("Files and directories to read; `-` is what the step before has put out."),
			"file_marks": schema.ListAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "File marks, for example `config/**/*.txt:type=text-plain`. Beside `packages`, which ytt gets as a directory each, " +
					"a pattern matches relative to each directory: `*.txt:type=text-plain` is about the text files right in all of them.",
				Validators: []validator.List{
					listvalidator.ValueStringsAre(schemas.Check("a file mark, PATH:NAME=VALUE", carvel.ValidateFileMark)),
				},
			},
			"values_from": valuesFromAttribute(),
		},
	}
}

func kbldAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "Run kbld, which resolves the references of images to digests. It builds no images.",
		Attributes: map[string]schema.Attribute{
			"paths": templatePaths("Files and directories to read; `-` is what the step before has put out."),
		},
	}
}

func helmTemplateAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "Render a Helm chart.",
		Attributes: map[string]schema.Attribute{
			"name":               schema.StringAttribute{Optional: true, MarkdownDescription: "Name of the release. The default is the App's name.", Validators: []validator.String{notEmpty()}},
			"namespace":          schema.StringAttribute{Optional: true, MarkdownDescription: "Namespace of the release. The default is the App's namespace.", Validators: []validator.String{schemas.Name()}},
			"path":               schema.StringAttribute{Optional: true, MarkdownDescription: "Directory of the chart. The default is the root.", Validators: []validator.String{schemas.Check("a relative path", carvel.ValidateFilePath)}},
			"values_from":        valuesFromAttribute(),
			"kubernetes_version": givenVersion("The Kubernetes version that the chart sees. The default is that of the App's cluster."),
			"kubernetes_apis":    givenAPIs("The APIs that the chart sees. The default are those of the App's cluster."),
		},
	}
}

func cueAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "Evaluate CUE files. It reads what was fetched, so it is the first step but for `sops`.",
		Attributes: map[string]schema.Attribute{
			"paths":             templatePaths("Files and directories to read."),
			"values_from":       valuesFromAttribute(),
			"input_expression":  schema.StringAttribute{Optional: true, MarkdownDescription: "CUE expression that the values are put at.", Validators: []validator.String{notEmpty()}},
			"output_expression": schema.StringAttribute{Optional: true, MarkdownDescription: "CUE expression that holds the objects.", Validators: []validator.String{notEmpty()}},
		},
	}
}

func sopsAttribute() schema.Attribute {
	keys := func(kind string) map[string]schema.Attribute {
		return map[string]schema.Attribute{
			"private_keys_secret_ref": secretRef("Secret in the App's namespace with the private keys, under any keys. Only for `age` it may be left out, with `sops_age_key_wo`. " + kind),
		}
	}
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "Decrypt files with SOPS, in place and before the other steps: `params.sops.yaml` becomes `params.yaml`. " +
			"It has exactly one of `age` and `pgp`.",
		Validators: []validator.Object{schemas.ExactlyOneOf("age", "pgp")},
		Attributes: map[string]schema.Attribute{
			"age": schema.SingleNestedAttribute{
				Optional: true, MarkdownDescription: "Decrypt with age keys.", Attributes: keys("They are lines that begin with `AGE-SECRET-KEY-`."),
			},
			"pgp": schema.SingleNestedAttribute{
				Optional: true, MarkdownDescription: "Decrypt with PGP keys.", Attributes: keys("They are armored PGP keys."),
				Validators: []validator.Object{schemas.AtLeastOneOf("private_keys_secret_ref")},
			},
			"paths": templatePaths("Files and directories to decrypt. The default is all that end in `.sops.yml` or `.sops.yaml`."),
		},
	}
}

func valuesFromAttribute() schema.Attribute {
	return schema.ListNestedAttribute{
		Optional: true,
		MarkdownDescription: "Values, later ones over earlier ones. Each source has exactly one of `secret_ref`, `config_map_ref`, `path` and `downward_api`. " +
			"Every key of a Secret or ConfigMap is a file of values.",
		NestedObject: schema.NestedAttributeObject{
			Attributes: map[string]schema.Attribute{
				"secret_ref":     localRef("A Secret in the App's namespace.", "Secret"),
				"config_map_ref": localRef("A ConfigMap in the App's namespace.", "ConfigMap"),
				"path":           schema.StringAttribute{Optional: true, MarkdownDescription: "A fetched file.", Validators: []validator.String{schemas.Check("a relative path", carvel.ValidateFilePath)}},
				"downward_api":   downwardAPIAttribute(),
			},
			Validators: []validator.Object{schemas.ExactlyOneOf("secret_ref", "config_map_ref", "path", "downward_api")},
		},
	}
}

func downwardAPIAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "Values of the App itself and of its cluster.",
		Attributes: map[string]schema.Attribute{
			"items": schema.ListNestedAttribute{
				Required: true, MarkdownDescription: "Each has a `name` and exactly one of the others.",
				NestedObject: schema.NestedAttributeObject{
					Attributes: map[string]schema.Attribute{
						"name": schema.StringAttribute{Required: true, MarkdownDescription: "Name of the value; dots nest it.", Validators: []validator.String{notEmpty()}},
						"field_path": schema.StringAttribute{
							Optional: true, MarkdownDescription: "Field of the App, for example `metadata.name`.",
							Validators: []validator.String{schemas.Check("a field of the App's metadata, such as metadata.name", carvel.ValidateFieldPath)},
						},
						"kubernetes_version":      givenVersion("The Kubernetes version of the App's cluster, or the one given here."),
						"kapp_controller_version": givenVersion("The version of kapp-controller, or the one given here."),
						"kubernetes_apis":         givenAPIs("The APIs of the App's cluster, or those given here."),
					},
					Validators: []validator.Object{schemas.ExactlyOneOf("field_path", "kubernetes_version", "kapp_controller_version", "kubernetes_apis")},
				},
			},
		},
	}
}

func givenVersion(description string) schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional: true, MarkdownDescription: description,
		Attributes: map[string]schema.Attribute{
			"version": schema.StringAttribute{Optional: true, MarkdownDescription: "A version to use instead.", Validators: []validator.String{notEmpty()}},
		},
	}
}

func givenAPIs(description string) schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional: true, MarkdownDescription: description,
		Attributes: map[string]schema.Attribute{
			"group_versions": schema.ListAttribute{
				Optional: true, ElementType: types.StringType, MarkdownDescription: "Groups and versions to use instead, for example `apps/v1`.",
			},
		},
	}
}

func templatePaths(description string) schema.Attribute {
	return schema.ListAttribute{
		Optional: true, ElementType: types.StringType, MarkdownDescription: description,
		Validators: []validator.List{
			listvalidator.ValueStringsAre(schemas.Check("a relative path, or -", carvel.ValidateTemplatePath)),
		},
	}
}
