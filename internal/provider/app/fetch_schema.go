package app

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

func fetchAttribute() schema.ListNestedAttribute {
	return schema.ListNestedAttribute{
		Optional: true,
		MarkdownDescription: "What to deploy, from one or more sources. Each has exactly one of `git`, `inline`, `image`, `imgpkg_bundle`, `http` and `helm_chart`. " +
			"Exactly one of `fetch` and `packages` is given.",
		NestedObject: schema.NestedAttributeObject{
			Attributes: map[string]schema.Attribute{
				"path": schema.StringAttribute{
					Optional: true,
					MarkdownDescription: "Directory that the source is placed in for the template steps. The default is the source's number, counted from 0; " +
						"a single source without a path is the root itself.",
					Validators: []validator.String{schemas.Check("a relative path", carvel.ValidateFilePath)},
				},
				"git":           gitAttribute(),
				"inline":        inlineAttribute("Files that are part of the App, or of objects beside it."),
				"image":         imageAttribute(),
				"imgpkg_bundle": imgpkgBundleAttribute(),
				"http":          httpAttribute(),
				"helm_chart":    helmChartAttribute(),
			},
			Validators: []validator.Object{schemas.ExactlyOneOf("git", "inline", "image", "imgpkg_bundle", "http", "helm_chart")},
		},
	}
}

func gitAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "A directory of a Git repository.",
		Validators:          []validator.Object{schemas.AtMostOneOf("ref", "ref_selection")},
		Attributes: map[string]schema.Attribute{
			"url": schema.StringAttribute{
				Optional: true, MarkdownDescription: "URL of the repository. The default is the provider's `git.url`.",
				Validators: []validator.String{schemas.Check("a URL of a Git repository without user information", carvel.ValidateGitURL)},
			},
			"ref": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Branch, tag or commit; `origin/BRANCH` fetches that branch alone. The default for the provider's repository is the provider's branch. " +
					"A commit can be fetched only while it is the tip of a branch or a tag, unless `depth` is `0`.",
				Validators: []validator.String{schemas.Check("a ref that the controller can fetch, such as origin/main", carvel.ValidateGitRef)},
			},
			"ref_selection": tagSelectionAttribute("Fetch the highest tag that is a version and is accepted, in place of `ref`."),
			"sub_path": schema.StringAttribute{
				Optional: true, MarkdownDescription: "Directory to fetch, which must exist. Use the `path` of a `carvel_package_install`.",
				Validators: []validator.String{subPath()},
			},
			"secret_ref": secretRef("Secret in the App's namespace with the credentials: `username` and `password`, or `ssh-privatekey` and `ssh-knownhosts`, and no other key."),
			"lfs_skip_smudge": schema.BoolAttribute{
				Optional: true, MarkdownDescription: "Do not fetch the content of files that are in Git LFS.",
			},
			"force_http_basic_auth": schema.BoolAttribute{
				Optional: true,
				MarkdownDescription: "Send the credentials without being asked for them, as some servers need it, Azure DevOps for one. " +
					"From kapp-controller 0.51 on: the API server of a cluster with an older one refuses the App.",
			},
			"depth": schema.Int64Attribute{
				Optional: true,
				MarkdownDescription: "How many commits to fetch; `0` is the whole history. The controller's default depends on its version. " +
					"The API server of a cluster whose kapp-controller does not know this field refuses the App.",
				Validators: []validator.Int64{int64validator.AtLeast(0)},
			},
		},
	}
}

func inlineAttribute(description string) schema.Attribute {
	directoryRef := func(kind string) schema.Attribute {
		return schema.SingleNestedAttribute{
			Optional:            true,
			MarkdownDescription: "A " + kind + " in the App's namespace, every key of which becomes a file.",
			Attributes: map[string]schema.Attribute{
				"name": schema.StringAttribute{Required: true, MarkdownDescription: "Name of the " + kind + ".", Validators: []validator.String{schemas.ObjectName()}},
				"directory_path": schema.StringAttribute{
					Optional: true, MarkdownDescription: "Directory for the files. The default is the root.",
					Validators: []validator.String{schemas.Check("a relative path", carvel.ValidateFilePath)},
				},
			},
		}
	}
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: description,
		Validators:          []validator.Object{schemas.AtLeastOneOf("paths", "paths_from")},
		Attributes: map[string]schema.Attribute{
			"paths": schema.MapAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "Path to content. Everybody reads it who may read Apps; what is secret is better in `paths_from`. " +
					"`object` shows a digest of each content in its place. Terraform shows the content here, unless it comes from something sensitive.",
				Validators: []validator.Map{
					mapvalidator.KeysAre(schemas.Check("a relative path", carvel.ValidateFilePath)),
				},
			},
			"paths_from": schema.ListNestedAttribute{
				Optional: true, MarkdownDescription: "Objects whose keys become files. Each has exactly one of `secret_ref` and `config_map_ref`.",
				NestedObject: schema.NestedAttributeObject{
					Attributes: map[string]schema.Attribute{"secret_ref": directoryRef("Secret"), "config_map_ref": directoryRef("ConfigMap")},
					Validators: []validator.Object{schemas.ExactlyOneOf("secret_ref", "config_map_ref")},
				},
			},
		},
	}
}

func imageAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "The content of an OCI image.",
		Validators:          []validator.Object{untagged{"url"}},
		Attributes: map[string]schema.Attribute{
			"url": schema.StringAttribute{
				Required: true, MarkdownDescription: "Reference of the image. Without tag and digest if there is a `tag_selection`.",
				Validators: []validator.String{notEmpty()},
			},
			"tag_selection": tagSelectionAttribute("Fetch the highest tag that is a version and is accepted."),
			"secret_ref":    secretRef(registrySecret),
			"sub_path": schema.StringAttribute{
				Optional: true, MarkdownDescription: "Directory to use, which must exist.", Validators: []validator.String{subPath()},
			},
		},
	}
}

func imgpkgBundleAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "An imgpkg bundle.",
		Validators:          []validator.Object{untagged{"image"}},
		Attributes: map[string]schema.Attribute{
			"image": schema.StringAttribute{
				Required: true, MarkdownDescription: "Reference of the bundle. Without tag and digest if there is a `tag_selection`.",
				Validators: []validator.String{notEmpty()},
			},
			"tag_selection": tagSelectionAttribute("Fetch the highest tag that is a version and is accepted."),
			"secret_ref":    secretRef(registrySecret),
		},
	}
}

func httpAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "A file, or a tgz, tar or zip archive, from a web server.",
		Attributes: map[string]schema.Attribute{
			"url": schema.StringAttribute{Required: true, MarkdownDescription: "URL of the file.", Validators: []validator.String{sourceURL()}},
			"sha256": schema.StringAttribute{
				Optional: true, MarkdownDescription: "SHA-256 that the file must have, in hexadecimal digits.",
				Validators: []validator.String{schemas.Check("a SHA-256 in hexadecimal digits", carvel.ValidateSHA256)},
			},
			"secret_ref": secretRef("Secret in the App's namespace with `username` and `password`, and no other key."),
			"sub_path": schema.StringAttribute{
				Optional: true, MarkdownDescription: "Directory of the archive to use, which must exist.", Validators: []validator.String{subPath()},
			},
		},
	}
}

func helmChartAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "A chart of a Helm repository. A `helm_template` step renders it.",
		Attributes: map[string]schema.Attribute{
			"name":    schema.StringAttribute{Required: true, MarkdownDescription: "Name of the chart.", Validators: []validator.String{notEmpty()}},
			"version": schema.StringAttribute{Optional: true, MarkdownDescription: "Version of the chart. The default is the newest.", Validators: []validator.String{notEmpty()}},
			"repository": schema.SingleNestedAttribute{
				Required: true, MarkdownDescription: "The Helm repository.",
				Attributes: map[string]schema.Attribute{
					"url": schema.StringAttribute{
						Required: true, MarkdownDescription: "URL of the repository; `oci://` for a registry.", Validators: []validator.String{sourceURL()},
					},
					"secret_ref": secretRef("Secret in the App's namespace with `username` and `password`, and no other key."),
				},
			},
		},
	}
}

const registrySecret = "Secret in the App's namespace with the registry's credentials: `username` and `password`, or `token`, or one of type `kubernetes.io/dockerconfigjson`."

func tagSelectionAttribute(description string) schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: description,
		Attributes: map[string]schema.Attribute{
			"semver": schema.SingleNestedAttribute{
				Required: true, MarkdownDescription: "Which versions are accepted.",
				Attributes: map[string]schema.Attribute{
					"constraints": schema.StringAttribute{
						Optional: true, MarkdownDescription: "Version constraint, for example `>=1.0.0 <2.0.0`. The default is any version.",
						Validators: []validator.String{schemas.VersionConstraint()},
					},
					"prereleases": schema.SingleNestedAttribute{
						Optional: true, MarkdownDescription: "Accept prereleases such as 1.0.0-rc.1, which are left out otherwise.",
						Attributes: map[string]schema.Attribute{
							"identifiers": schema.ListAttribute{
								Optional: true, ElementType: types.StringType,
								MarkdownDescription: "Accept only prereleases with one of these identifiers, `rc` for 1.0.0-rc.1.",
							},
						},
					},
				},
			},
		},
	}
}

func secretRef(description string) schema.Attribute { return localRef(description, "Secret") }

func localRef(description, kind string) schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: description,
		Attributes: map[string]schema.Attribute{
			"name": schema.StringAttribute{Required: true, MarkdownDescription: "Name of the " + kind + ".", Validators: []validator.String{schemas.ObjectName()}},
		},
	}
}

func subPath() validator.String {
	return schemas.Check("a directory inside the source", carvel.ValidateSubPath)
}

func sourceURL() validator.String {
	return schemas.Check("a URL without user information", carvel.ValidateSourceURL)
}
