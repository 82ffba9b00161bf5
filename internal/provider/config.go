package provider

import (
	"cmp"
	"context"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/forge"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/githubapp"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/giturl"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/owner"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/redacted"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/redact"
)

type model struct {
	Owner        types.String `tfsdk:"owner"`
	Git          types.Object `tfsdk:"git"`
	BuildCluster types.Object `tfsdk:"build_cluster"`
	RunClusters  types.Map    `tfsdk:"run_clusters"`

	DefaultLabels      types.Map `tfsdk:"default_labels"`
	DefaultAnnotations types.Map `tfsdk:"default_annotations"`
}

type gitModel struct {
	URL                   types.String `tfsdk:"url"`
	Branch                types.String `tfsdk:"branch"`
	PushBranch            types.String `tfsdk:"push_branch"`
	PushOptions           types.List   `tfsdk:"push_options"`
	Forge                 types.Object `tfsdk:"forge"`
	PathPrefix            types.String `tfsdk:"path_prefix"`
	AuthorName            types.String `tfsdk:"author_name"`
	AuthorEmail           types.String `tfsdk:"author_email"`
	CommitMessageAppendix types.String `tfsdk:"commit_message_appendix"`
	CreateBranch          types.Bool   `tfsdk:"create_branch"`
	PushInterval          types.String `tfsdk:"push_interval"`
	Signing               types.Object `tfsdk:"signing"`
	HTTP                  types.Object `tfsdk:"http"`
	SSH                   types.Object `tfsdk:"ssh"`
}

type gitSigningModel struct {
	OpenPGPKey        types.String `tfsdk:"open_pgp_key"`
	OpenPGPPassphrase types.String `tfsdk:"open_pgp_passphrase"`
	SSHKey            types.String `tfsdk:"ssh_key"`
	SSHPassphrase     types.String `tfsdk:"ssh_passphrase"`
}

type gitSSHModel struct {
	Username   types.String `tfsdk:"username"`
	PrivateKey types.String `tfsdk:"private_key"`
	Password   types.String `tfsdk:"password"`
	KnownHosts types.String `tfsdk:"known_hosts"`
}

type gitHTTPModel struct {
	Username             types.String `tfsdk:"username"`
	Password             types.String `tfsdk:"password"`
	BearerToken          types.String `tfsdk:"bearer_token"`
	CertificateAuthority types.String `tfsdk:"certificate_authority"`
	ClientCertificate    types.String `tfsdk:"client_certificate"`
	ClientKey            types.String `tfsdk:"client_key"`
	AllowInsecureHTTP    types.Bool   `tfsdk:"allow_insecure_http"`
	GitHubApp            types.Object `tfsdk:"github_app"`
}

type gitHubAppModel struct {
	ID             types.String `tfsdk:"id"`
	InstallationID types.String `tfsdk:"installation_id"`
	PrivateKey     types.String `tfsdk:"private_key"`
}

type forgeModel struct {
	Kind     types.String `tfsdk:"kind"`
	APIURL   types.String `tfsdk:"api_url"`
	Token    types.String `tfsdk:"token"`
	Username types.String `tfsdk:"username"`

	AutoMergeRemovals types.Bool   `tfsdk:"auto_merge_removals"`
	MergeMethod       types.String `tfsdk:"merge_method"`
}

// data makes what the resources work with. It reads the environment, and of
// files only Terraform's own, for the configuration's name; not the network.
func (m model) data(ctx context.Context, userAgent string) (*providerdata.Data, diag.Diagnostics) {
	redact.From(ctx).Know(proxyPasswords()...)
	reached := delivery.Config{Owner: owner.Name(m.Owner.ValueString(), owner.System())}
	data := &providerdata.Data{Provider: userAgent}
	diags := m.git(ctx, userAgent, &reached, &data.Unknown)
	diags.Append(m.build(ctx, userAgent, &reached, &data.Unknown)...)
	diags.Append(m.run(ctx, userAgent, &reached, &data.Unknown)...)
	diags.Append(m.defaults(ctx, &reached.Defaults)...)
	data.Delivery = delivery.New(reached)
	redacted.WarnOnce(ctx, func() diag.Diagnostic {
		if waiting := data.Proposals.Waiting(); waiting != nil {
			return tfdiag.Waiting(data.Location, *waiting)
		}
		return nil
	})
	return data, diags
}

// runTrailers name the run that makes a commit: of HCP Terraform or Terraform Enterprise, see
// https://developer.hashicorp.com/terraform/cloud-docs/run/run-environment, of GitHub
// Actions, or of GitLab CI. What this is no run of has no value.
func runTrailers() []gitops.Trailer {
	return []gitops.Trailer{
		{Name: "TFC-Run-ID", Value: os.Getenv("TFC_RUN_ID")},
		{Name: "TFC-Workspace-Name", Value: os.Getenv("TFC_WORKSPACE_NAME")},
		{Name: "GitHub-Run", Value: githubRun()},
		{Name: "GitLab-Job", Value: gitlabJob()},
	}
}

// githubRun is the address of this run of GitHub Actions. Gitea and Forgejo set the same
// variables, and have their runs at other addresses.
func githubRun() string {
	server, repository, id := os.Getenv("GITHUB_SERVER_URL"), os.Getenv("GITHUB_REPOSITORY"), os.Getenv("GITHUB_RUN_ID")
	if os.Getenv("GITEA_ACTIONS") != "" || os.Getenv("FORGEJO_ACTIONS") != "" || server == "" || repository == "" || id == "" {
		return ""
	}
	return server + "/" + repository + "/actions/runs/" + id
}

// gitlabJob is the address of this job of GitLab CI. Others have a CI_JOB_URL, too.
func gitlabJob() string {
	if os.Getenv("GITLAB_CI") == "" {
		return ""
	}
	return os.Getenv("CI_JOB_URL")
}

// setting is a configured value, or else the environment's.
func setting(value types.String, variable string) string {
	if value.IsNull() && variable != "" {
		return os.Getenv(variable)
	}
	return value.ValueString()
}

// gitConfig is how the repository is reached, and the directory in it.
func (m model) gitConfig(ctx context.Context, userAgent string) (config gitops.Config, prefix string, diags diag.Diagnostics) {
	var git gitModel
	var http gitHTTPModel
	var ssh gitSSHModel
	var signing gitSigningModel
	if !m.Git.IsNull() {
		diags.Append(m.Git.As(ctx, &git, basetypes.ObjectAsOptions{})...)
	}
	if !git.HTTP.IsNull() {
		diags.Append(git.HTTP.As(ctx, &http, basetypes.ObjectAsOptions{})...)
	}
	if !git.SSH.IsNull() {
		diags.Append(git.SSH.As(ctx, &ssh, basetypes.ObjectAsOptions{})...)
	}
	if !git.Signing.IsNull() {
		diags.Append(git.Signing.As(ctx, &signing, basetypes.ObjectAsOptions{})...)
	}
	if diags.HasError() {
		return config, "", diags
	}
	interval, err := time.ParseDuration(cmp.Or(git.PushInterval.ValueString(), "0s"))
	if err != nil {
		diags.AddAttributeError(path.Root("git").AtName("push_interval"), "Invalid push_interval", err.Error())
		return config, "", diags
	}
	config = gitops.Config{
		URL:             setting(git.URL, "CARVEL_GIT_URL"),
		Branch:          setting(git.Branch, "CARVEL_GIT_BRANCH"),
		AuthorName:      git.AuthorName.ValueString(),
		AuthorEmail:     git.AuthorEmail.ValueString(),
		MessageAppendix: git.CommitMessageAppendix.ValueString(),
		Trailers:        runTrailers(),
		UserAgent:       userAgent,
		CreateBranch:    git.CreateBranch.ValueBool(),
		PushInterval:    interval,
		Signing: gitops.Signing{
			OpenPGPKey:        signing.OpenPGPKey.ValueString(),
			OpenPGPPassphrase: signing.OpenPGPPassphrase.ValueString(),
			SSHKey:            signing.SSHKey.ValueString(),
			SSHPassphrase:     signing.SSHPassphrase.ValueString(),
		},
		HTTP: gitops.HTTPAuth{
			Username:             setting(http.Username, "CARVEL_GIT_USERNAME"),
			Password:             setting(http.Password, "CARVEL_GIT_PASSWORD"),
			BearerToken:          setting(http.BearerToken, "CARVEL_GIT_TOKEN"),
			CertificateAuthority: http.CertificateAuthority.ValueString(),
			ClientCertificate:    http.ClientCertificate.ValueString(),
			ClientKey:            http.ClientKey.ValueString(),
			AllowInsecure:        http.AllowInsecureHTTP.ValueBool(),
		},
	}
	if scheme, rest, found := strings.Cut(config.URL, "://"); found {
		config.URL = strings.ToLower(scheme) + "://" + rest // git knows no other, and the Apps have the URL as well
	}
	if isSSH(config.URL) { // the environment may hold credentials of both kinds
		config.HTTP = gitops.HTTPAuth{
			Username: http.Username.ValueString(), Password: http.Password.ValueString(), BearerToken: http.BearerToken.ValueString(),
		}
		if git.Forge.IsNull() { // whose API these are for as well
			config.HTTP.ClientCertificate, config.HTTP.ClientKey = http.ClientCertificate.ValueString(), http.ClientKey.ValueString()
		}
		config.SSH = gitops.SSHAuth{
			Username:   ssh.Username.ValueString(),
			PrivateKey: setting(ssh.PrivateKey, "CARVEL_GIT_SSH_PRIVATE_KEY"),
			Password:   ssh.Password.ValueString(),
			KnownHosts: setting(ssh.KnownHosts, "CARVEL_GIT_KNOWN_HOSTS"),
		}
	} else {
		config.SSH = gitops.SSHAuth{
			Username: ssh.Username.ValueString(), PrivateKey: ssh.PrivateKey.ValueString(),
			Password: ssh.Password.ValueString(), KnownHosts: ssh.KnownHosts.ValueString(),
		}
	}
	if config.Branch == "" {
		config.Branch = gitops.DefaultBranch
	}
	if push := setting(git.PushBranch, "CARVEL_GIT_PUSH_BRANCH"); push != "" {
		config.Base, config.Branch = config.Branch, push
	}
	if !git.PushOptions.IsNull() {
		diags.Append(git.PushOptions.ElementsAs(ctx, &config.PushOptions, false)...)
	}
	return config, git.PathPrefix.ValueString(), diags
}

func (m model) git(ctx context.Context, userAgent string, into *delivery.Config, unknown *providerdata.Unknown) diag.Diagnostics {
	if known, err := fullyKnown(ctx, m.Git); err != nil || !known {
		unknown.Git = true
		return nil
	}
	config, prefix, diags := m.gitConfig(ctx, userAgent)
	if diags.HasError() {
		return diags
	}
	if config.URL == "" && m.Git.IsNull() {
		return diags
	}
	redact.From(ctx).Know(
		config.HTTP.Password, config.HTTP.BearerToken, config.HTTP.ClientKey, config.SSH.PrivateKey, config.SSH.Password,
		config.Signing.OpenPGPKey, config.Signing.OpenPGPPassphrase, config.Signing.SSHKey, config.Signing.SSHPassphrase,
	)
	redact.From(ctx).Know(redact.URLPasswords(config.URL)...)
	app, err := m.gitHubApp(ctx, config)
	if err == nil && app != nil {
		config.HTTP.Source = app
	}
	var pushed *gitops.Engine
	followed := config
	if err == nil && config.Base != "" {
		followed.Branch, followed.Base, followed.PushOptions = config.Base, "", nil
		if pushed, err = gitops.Open(config); err == nil {
			into.Pushed = pushed
		}
	}
	if err == nil {
		into.Forge, into.Removals, err = m.forge(ctx, config, app)
	}
	var repository *gitops.Engine
	if err == nil {
		repository, err = gitops.Open(followed)
	}
	if err != nil {
		diags.Append(m.gitConfigError(err))
		return diags
	}
	layout, err := schemas.Layout(prefix)
	if err != nil {
		diags.AddAttributeError(path.Root("git").AtName("path_prefix"), "Invalid git.path_prefix", err.Error())
		return diags
	}
	redacted.WarnOnce(ctx, func() diag.Diagnostic {
		if to := repository.Moved(); to != "" {
			return tfdiag.Moved(repository.Repository(), to)
		}
		return nil
	})
	into.Repository, into.Layout = repository, layout
	into.Location = delivery.Location{URL: giturl.Public(config.URL), Branch: followed.Branch}
	if pushed != nil {
		into.Location.PushBranch = config.Branch
	}
	return diags
}

// gitHubApp mints the tokens of a GitHub App; nil: none is configured.
func (m model) gitHubApp(ctx context.Context, config gitops.Config) (*githubapp.App, error) {
	var git gitModel
	var http gitHTTPModel
	var app gitHubAppModel
	if !part(ctx, m.Git, &git) || !part(ctx, git.HTTP, &http) || !part(ctx, http.GitHubApp, &app) {
		return nil, nil
	}
	var api forgeModel
	part(ctx, git.Forge, &api)
	redact.From(ctx).Know(app.PrivateKey.ValueString())
	return githubapp.New(githubapp.Config{
		ID: app.ID.ValueString(), InstallationID: app.InstallationID.ValueString(), PrivateKey: app.PrivateKey.ValueString(),
		PullRequests: !git.Forge.IsNull(), Repository: config.URL, APIURL: api.APIURL.ValueString(),
		CertificateAuthority: http.CertificateAuthority.ValueString(), ClientCertificate: http.ClientCertificate.ValueString(), ClientKey: http.ClientKey.ValueString(),
		AllowInsecure: http.AllowInsecureHTTP.ValueBool(), UserAgent: config.UserAgent,
	})
}

// forge is the host's API, and how it merges by itself what deletes ask for; nil: none is configured, and people merge.
func (m model) forge(ctx context.Context, config gitops.Config, app *githubapp.App) (forge.Forge, *forge.AutoMerge, error) {
	var git gitModel
	var api forgeModel
	if !part(ctx, m.Git, &git) || !part(ctx, git.Forge, &api) {
		return nil, nil, nil
	}
	if config.Base == "" {
		return nil, nil, &forge.ConfigError{Field: "forge", Reason: "is for pull requests, which need git.push_branch: the branch that commits go to"}
	}
	token := cmp.Or(setting(api.Token, "CARVEL_FORGE_TOKEN"), config.HTTP.BearerToken, config.HTTP.Password)
	source := func(context.Context) (string, error) { return token, nil }
	switch {
	case app != nil && api.Token.IsNull():
		source = app.Token
	case token == "":
		return nil, nil, &forge.ConfigError{Field: "forge.token", Reason: "is required where git.http has no password and no token; CARVEL_FORGE_TOKEN in the environment sets it too"}
	}
	var http gitHTTPModel // of the API as well where the repository is over SSH
	part(ctx, git.HTTP, &http)
	redact.From(ctx).Know(token, http.ClientKey.ValueString())
	if err := checkToken(token, api.Username.ValueString()); err != nil {
		return nil, nil, err
	}
	f, err := forge.New(forge.Config{
		Kind: forge.Kind(api.Kind.ValueString()), APIURL: api.APIURL.ValueString(), Repository: config.URL, Token: source,
		Username: api.Username.ValueString(), CertificateAuthority: http.CertificateAuthority.ValueString(), ClientCertificate: http.ClientCertificate.ValueString(),
		ClientKey: http.ClientKey.ValueString(), AllowInsecure: http.AllowInsecureHTTP.ValueBool(), UserAgent: config.UserAgent,
	})
	if err != nil || !api.AutoMergeRemovals.ValueBool() {
		return f, nil, err
	}
	removals := &forge.AutoMerge{Method: forge.MergeMethod(api.MergeMethod.ValueString())}
	if err := f.Check(forge.Content{}, removals); err != nil {
		return nil, nil, &forge.ConfigError{Field: "forge.auto_merge_removals", Reason: "cannot be: " + err.Error()}
	}
	return f, removals, nil
}

// part reads an object that is set; false: it is not.
func part(ctx context.Context, object types.Object, into any) bool {
	return !object.IsNull() && !object.IsUnknown() && !object.As(ctx, into, basetypes.ObjectAsOptions{}).HasError()
}

// proxyPasswords are those of the proxies that the environment names.
func proxyPasswords() []string {
	var passwords []string
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"} {
		for _, variable := range []string{name, strings.ToLower(name)} {
			passwords = append(passwords, redact.URLPasswords(os.Getenv(variable))...)
		}
	}
	return passwords
}

func isSSH(url string) bool {
	scheme, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(url)), "://")
	return url != "" && scheme != "https" && scheme != "http"
}

// fullyKnown reports whether no part of a value is unknown.
func fullyKnown(ctx context.Context, value interface {
	ToTerraformValue(context.Context) (tftypes.Value, error)
},
) (bool, error) {
	v, err := value.ToTerraformValue(ctx)
	if err != nil {
		return false, err
	}
	return v.IsFullyKnown(), nil
}
