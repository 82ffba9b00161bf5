package provider

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/forge"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/owner"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
)

func providerSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "Delivers Carvel Packages from a GitOps repository to many Kubernetes clusters. " +
			"Every part of the configuration is optional: what a resource does not need is not read, and no connection to it is made.",
		Attributes: map[string]schema.Attribute{
			"git": schema.SingleNestedAttribute{
				Optional:            true,
				MarkdownDescription: "The GitOps repository and the branch that package installs are committed to.",
				Attributes:          gitAttributes(),
			},
			"owner": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Name of this configuration, which no other one has that shares the repository or a cluster. What the resources make bears it, " +
					"so that an interrupted apply is gone on with. " +
					"The default is `" + owner.Variable + "` in the environment, else a name made of where the state is. " +
					"[When something fails](guides/when-something-fails.md#the-owner) says when to set it.",
				Validators: []validator.String{stringvalidator.LengthBetween(1, 200)},
			},
			"default_labels":      defaultMetadata("Labels", schemas.Labels()),
			"default_annotations": defaultMetadata("Annotations", schemas.Annotations()),
			"build_cluster": schema.SingleNestedAttribute{
				Optional: true,
				MarkdownDescription: "The cluster that runs the Apps. There is no default cluster: " +
					"without this attribute and without `KUBE_*` variables, resources of the build cluster fail.",
				Attributes: schemas.ClusterAttributes(kubeVariables),
			},
			"run_clusters": schema.MapNestedAttribute{
				Optional: true,
				MarkdownDescription: "The clusters that packages are delivered to, by name. Resources name one in `run_cluster`. " +
					"The name is also a directory in the GitOps repository.",
				Validators: []validator.Map{mapvalidator.KeysAre(schemas.RunClusterName())},
				NestedObject: schema.NestedAttributeObject{
					Attributes: schemas.ClusterAttributes(map[string]string{
						"token":      runClusterPrefix + "<NAME>" + tokenSuffix,
						"kubeconfig": runClusterPrefix + "<NAME>" + kubeconfigSuffix,
					}),
				},
			},
		},
	}
}

func defaultMetadata(what string, check validator.Map) schema.Attribute {
	return schema.MapAttribute{
		Optional: true, ElementType: types.StringType,
		MarkdownDescription: what + " for every object that a resource makes, on a cluster or in the repository, for policies that demand them. " +
			"What a resource sets itself goes over them. They must be known when Terraform plans.",
		Validators: []validator.Map{check},
	}
}

func gitAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"url": schema.StringAttribute{Optional: true, MarkdownDescription: "URL of the repository: `https://...`, `ssh://...` or `git@host:path`, without a password or a token; " +
			"`http://` only with `http.allow_insecure_http`. In `https://...` a space, `#`, `?` or `%` that is part of a name " +
			"is `%20`, `%23`, `%3F` or `%25`; in `git@host:path` nothing is. Read from `CARVEL_GIT_URL` if it is not set."},
		"branch": schema.StringAttribute{Optional: true, MarkdownDescription: "Branch that the clusters follow, to read and to commit to. " +
			"Read from `CARVEL_GIT_BRANCH` if it is not set, else `main`."},
		"push_branch": schema.StringAttribute{Optional: true, MarkdownDescription: "Branch to commit to in place of `branch`, if that takes no pushes: " +
			"it is made from the tip of `branch`, kept mergeable, and merged by people, by a `carvel_pull_request`, or by whatever else watches it. " +
			"Each configuration needs one of its own, so put its name into it. Read from `CARVEL_GIT_PUSH_BRANCH` if it is not set."},
		"push_options": schema.ListAttribute{
			Optional: true, ElementType: types.StringType,
			MarkdownDescription: "Options of each push, `NAME=VALUE`, for a Git host that acts upon them, such as `merge_request.create=true` with GitLab. `NAME` alone means `NAME=true`.",
		},
		"forge": schema.SingleNestedAttribute{
			Optional: true,
			MarkdownDescription: "API of the Git host, for `carvel_pull_request`, and to know which requests were merged or turned down. It needs `push_branch`. " +
				"`forge = {}` is enough if the host tells its kind and takes the same token as for Git.",
			Attributes: map[string]schema.Attribute{
				"kind": schema.StringAttribute{Optional: true, MarkdownDescription: "`gitea` (and Forgejo), `github` (and GitHub Enterprise), `gitlab`, `bitbucket`, `bitbucket_data_center` or `azure_devops`. " +
					"The default follows from the repository's host if that is a well-known one.", Validators: []validator.String{stringvalidator.OneOf(forgeKinds()...)}},
				"api_url": schema.StringAttribute{Optional: true, MarkdownDescription: "URL of the API, such as `https://git.example.com/api/v1`. The default follows from the repository's URL and `kind`."},
				"token": schema.StringAttribute{Optional: true, Sensitive: true, MarkdownDescription: "Token that may open and merge pull requests. " +
					"The default is `CARVEL_FORGE_TOKEN` in the environment, else the token or the password of `http`."},
				"auto_merge_removals": schema.BoolAttribute{Optional: true, MarkdownDescription: "Have the requests merged by themselves that destroying package installs opens, as soon as the host's rules allow that. " +
					"A destroy waits for the merge, and comes before the `carvel_pull_request`. The default is `false`: people merge them."},
				"merge_method": schema.StringAttribute{
					Optional: true, MarkdownDescription: "How `auto_merge_removals` merges: `merge`, `squash` or `rebase`. The default is the host's.",
					Validators: []validator.String{stringvalidator.OneOf(string(forge.Merge), string(forge.Squash), string(forge.Rebase))},
				},
				"username": schema.StringAttribute{Optional: true, MarkdownDescription: "User, if the API takes the token as a password: the e-mail address with an API token of Bitbucket Cloud."},
			},
		},
		"path_prefix": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "Directory of the repository that holds the packages' directories. " +
				"The default is the repository's root.",
			Validators: []validator.String{schemas.Check("a relative path inside the repository, such as clusters/apps", func(s string) error {
				_, err := schemas.Layout(s)
				return err
			})},
		},
		"author_name":             schema.StringAttribute{Optional: true, MarkdownDescription: "Name of the commits' author. The default is `terraform-provider-carvel`."},
		"author_email":            schema.StringAttribute{Optional: true, MarkdownDescription: "E-mail address of the commits' author."},
		"commit_message_appendix": schema.StringAttribute{Optional: true, MarkdownDescription: "Text of every commit message, for example `[skip ci]`. Trailers in its last paragraph, such as `Signed-off-by: ...`, go to the trailers with which each message ends: the provider's version, and the run of HCP Terraform, GitHub Actions or GitLab CI that made the commit."},
		"create_branch": schema.BoolAttribute{
			Optional: true,
			MarkdownDescription: "Create the branch with the first commit if the repository does not have it: from the tip of the default branch, " +
				"or as the first branch of an empty repository. Until then a plan sees the default branch's files. The default is `false`: " +
				"a missing branch is an error.",
		},
		"push_interval": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "Least time between two pushes of a run, for example `10s` if the Git host allows six a minute. Changes that come meanwhile share the " +
				"next commit; raise Terraform's `-parallelism` to have more of them share one. " +
				"Without it a push follows the one before at once.",
			Validators: []validator.String{schemas.PushInterval()},
		},
		"signing": schema.SingleNestedAttribute{
			Optional: true,
			MarkdownDescription: "Key to sign every commit with, for branches that require signed commits: either an OpenPGP key or an SSH key. " +
				"Set `author_email` to an address that the key belongs to, since Git hosts verify both together.",
			Attributes: map[string]schema.Attribute{
				"open_pgp_key": schema.StringAttribute{Optional: true, Sensitive: true, MarkdownDescription: "ASCII-armored OpenPGP private key, as " +
					"`gpg --armor --export-secret-keys KEY-ID` prints it. Excludes `ssh_key`."},
				"open_pgp_passphrase": schema.StringAttribute{Optional: true, Sensitive: true, MarkdownDescription: "Passphrase of the OpenPGP key."},
				"ssh_key": schema.StringAttribute{Optional: true, Sensitive: true, MarkdownDescription: "SSH private key in PEM or OpenSSH form. " +
					"It may be another key than `ssh.private_key`, which only logs in. Excludes `open_pgp_key`."},
				"ssh_passphrase": schema.StringAttribute{Optional: true, Sensitive: true, MarkdownDescription: "Passphrase of the SSH key."},
			},
		},
		"http": schema.SingleNestedAttribute{
			Optional:            true,
			MarkdownDescription: "Credentials for a repository over HTTPS. A proxy is taken from the environment.",
			Attributes: map[string]schema.Attribute{
				"username": schema.StringAttribute{Optional: true, MarkdownDescription: "Username for basic authentication. Read from `CARVEL_GIT_USERNAME` if it is not set."},
				"password": schema.StringAttribute{Optional: true, Sensitive: true, MarkdownDescription: "Password or access token for basic authentication. Read from `CARVEL_GIT_PASSWORD` if it is not set."},
				"bearer_token": schema.StringAttribute{Optional: true, Sensitive: true, MarkdownDescription: "Bearer token, instead of username and password. " +
					"Read from `CARVEL_GIT_TOKEN` if it is not set."},
				"certificate_authority": schema.StringAttribute{Optional: true, MarkdownDescription: "PEM-encoded certificate authorities to trust besides the system's."},
				"client_certificate": schema.StringAttribute{Optional: true, MarkdownDescription: "PEM-encoded client certificate, for a server that asks for one, with those of its authorities behind it if the server needs them. " +
					"It is used for Git and for the API of `forge`. kapp-controller has no client certificates for Git: let the Apps fetch from an address that does without."},
				"client_key": schema.StringAttribute{Optional: true, Sensitive: true, MarkdownDescription: "PEM-encoded private key of `client_certificate`, without a passphrase."},
				"github_app": schema.SingleNestedAttribute{
					Optional: true,
					MarkdownDescription: "A GitHub App to log in as, in place of a password or a token. Its tokens are good for this repository alone and for an hour; " +
						"they are made and renewed while Terraform runs, and are in no state.",
					Attributes: map[string]schema.Attribute{
						"id":              schema.StringAttribute{Required: true, MarkdownDescription: "ID of the app, or its client ID."},
						"installation_id": schema.StringAttribute{Optional: true, MarkdownDescription: "ID of the installation. The default is the one that has the repository."},
						"private_key":     schema.StringAttribute{Required: true, Sensitive: true, MarkdownDescription: "Private key of the app, in PEM."},
					},
				},
				"allow_insecure_http": schema.BoolAttribute{Optional: true, MarkdownDescription: "Allow an `http://` URL, over which credentials travel in clear. The default is `false`."},
			},
		},
		"ssh": schema.SingleNestedAttribute{
			Optional: true,
			MarkdownDescription: "Credentials for a repository over SSH. The server's host key must be known: it is never learnt from the connection. " +
				"The keys of github.com, gitlab.com, bitbucket.org and ssh.dev.azure.com are built in.",
			Attributes: map[string]schema.Attribute{
				"username":    schema.StringAttribute{Optional: true, MarkdownDescription: "User on the SSH server. The default is the URL's, else `git`."},
				"private_key": schema.StringAttribute{Optional: true, Sensitive: true, MarkdownDescription: "Private key in PEM or OpenSSH form. Read from `CARVEL_GIT_SSH_PRIVATE_KEY` if it is not set."},
				"password":    schema.StringAttribute{Optional: true, Sensitive: true, MarkdownDescription: "Passphrase of the private key."},
				"known_hosts": schema.StringAttribute{Optional: true, MarkdownDescription: "Host keys, in the form of the known_hosts file, which is read as ssh does: with `@cert-authority` and `@revoked`, hashed names, `*`, `?` and `!`, and `[host]:port`. " +
					"A line without a port counts for any port that has none. A line that cannot be read is an error. Read from `CARVEL_GIT_KNOWN_HOSTS` if it is not set."},
			},
		},
	}
}

func forgeKinds() []string {
	var kinds []string
	for _, kind := range []forge.Kind{forge.Gitea, forge.GitHub, forge.GitLab, forge.Bitbucket, forge.DataCenter, forge.AzureDevOps} {
		kinds = append(kinds, string(kind))
	}
	return kinds
}
