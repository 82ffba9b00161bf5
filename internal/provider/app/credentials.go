package app

import (
	"context"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

type credentialsModel struct {
	SecretName      types.String `tfsdk:"secret_name"`
	Username        types.String `tfsdk:"username"`
	PasswordWO      types.String `tfsdk:"password_wo"`        // null but in a configuration
	SSHPrivateKeyWO types.String `tfsdk:"ssh_private_key_wo"` // likewise
	KnownHosts      types.String `tfsdk:"known_hosts"`
	Version         types.String `tfsdk:"version"`
}

func (m model) credentials(ctx context.Context) (*credentialsModel, diag.Diagnostics) {
	if m.GitCredentials.IsNull() || m.GitCredentials.IsUnknown() {
		return nil, nil
	}
	c := &credentialsModel{}
	return c, m.GitCredentials.As(ctx, c, basetypes.ObjectAsOptions{})
}

// checkNames refuses a name from which one follows that Kubernetes would refuse.
func (m model) checkNames(ctx context.Context) diag.Diagnostics {
	name, at := m.Name.ValueString(), path.Root("name")
	diags := tfdiag.LongName(at, name, "ConfigMap in which kapp records what it deploys", carvel.RecordName(name))
	git, age, d := m.secretNames(ctx)
	diags.Append(d...)
	given, _ := m.GitCredentials.Attributes()["secret_name"].(types.String)
	if given.ValueString() == "" {
		diags.Append(tfdiag.LongName(at, name, "Secret of git_credentials", git)...)
	}
	diags.Append(tfdiag.LongName(at, name, "Secret of sops_age_key_wo", age)...)
	return diags
}

// knowsSecrets reports whether the names of the App's own Secrets are known.
func (m model) knowsSecrets() bool {
	name, ok := m.GitCredentials.Attributes()["secret_name"]
	return !m.Name.IsUnknown() && !m.SopsAgeKeyWOVersion.IsUnknown() && !m.GitCredentials.IsUnknown() && (!ok || !name.IsUnknown())
}

// secretNames are the names of the App's own Secrets: for Git and for age,
// empty if there is none.
func (m model) secretNames(ctx context.Context) (git, age string, diags diag.Diagnostics) {
	c, diags := m.credentials(ctx)
	if c != nil {
		if git = c.SecretName.ValueString(); git == "" {
			git = carvel.DefaultGitSecretName(m.Name.ValueString())
		}
	}
	if !m.SopsAgeKeyWOVersion.IsNull() {
		age = carvel.AgeSecretName(m.Name.ValueString())
	}
	return git, age, diags
}

// ownSecrets are the App's own Secrets, without what is in them.
func (m model) ownSecrets(ctx context.Context) ([]delivery.AppSecret, diag.Diagnostics) {
	git, age, diags := m.secretNames(ctx)
	var secrets []delivery.AppSecret
	for _, name := range []string{git, age} {
		if name != "" {
			secrets = append(secrets, delivery.AppSecret{Name: name})
		}
	}
	return secrets, diags
}

// secretsIn are the App's own Secrets with what the configuration gives them.
// A value that is not known yet is there, and empty.
func secretsIn(ctx context.Context, config tfsdk.Config, name string) ([]delivery.AppSecret, diag.Diagnostics) {
	var m model
	diags := config.Get(ctx, &m)
	if diags.HasError() {
		return nil, diags
	}
	m.Name = types.StringValue(name)
	git, age, d := m.secretNames(ctx)
	diags.Append(d...)
	c, d := m.credentials(ctx)
	diags.Append(d...)
	var secrets []delivery.AppSecret
	add := func(name string, values map[string]types.String) {
		s := delivery.AppSecret{Name: name, Data: map[string][]byte{}}
		for key, value := range values {
			if !value.IsNull() {
				s.Data[key] = []byte(value.ValueString())
			}
		}
		s.Keys = slices.Sorted(maps.Keys(s.Data))
		secrets = append(secrets, s)
	}
	if git != "" {
		add(git, map[string]types.String{
			carvel.GitUsernameKey: c.Username, carvel.GitPasswordKey: c.PasswordWO,
			carvel.GitPrivateKeyKey: c.SSHPrivateKeyWO, carvel.GitKnownHostsKey: c.KnownHosts,
		})
	}
	if age != "" {
		add(age, map[string]types.String{carvel.AgeKeyKey: m.SopsAgeKeyWO})
	}
	return secrets, diags
}

// shownSecrets is the attribute secrets once they are written.
func shownSecrets(secrets []delivery.AppSecret) types.Map {
	shown := make(map[string]string, len(secrets))
	for _, s := range secrets {
		shown[s.Name] = s.Shown()
	}
	return tfvalue.StringMap(shown)
}

// rotates reports whether what is in the App's own Secrets has to be written again.
func (m model) rotates(ctx context.Context, before model) (bool, diag.Diagnostics) {
	after, diags := m.credentials(ctx)
	was, d := before.credentials(ctx)
	diags.Append(d...)
	if diags.HasError() {
		return false, diags
	}
	git := after != nil && (was == nil || !after.Version.Equal(was.Version) || !after.Username.Equal(was.Username) || !after.KnownHosts.Equal(was.KnownHosts))
	return git || !m.SopsAgeKeyWOVersion.Equal(before.SopsAgeKeyWOVersion) || !m.Secrets.Equal(before.Secrets), diags
}

// relabels reports whether its Secrets get other labels or annotations. That makes no controller run.
func (m model) relabels(before model) bool {
	return !m.Labels.Equal(before.Labels) || !m.Annotations.Equal(before.Annotations) || !sameMetadata(m.Object, before.Object)
}

// sameMetadata reports whether two Apps, as their YAML, have the same labels and
// annotations, which their Secrets have as well.
func sameMetadata(a, b types.String) bool {
	x, _ := delivery.ShownMetadata(a.ValueString())
	y, _ := delivery.ShownMetadata(b.ValueString())
	return maps.Equal(x.Labels, y.Labels) && maps.Equal(x.Annotations, y.Annotations)
}

// checkCredentials refuses credentials of a kind that the controller cannot
// use for the sources that they are for.
func checkCredentials(spec delivery.App) diag.Diagnostics {
	var diags diag.Diagnostics
	for _, s := range spec.Secrets {
		password, key := slices.Contains(s.Keys, carvel.GitPasswordKey), slices.Contains(s.Keys, carvel.GitPrivateKeyKey)
		used := false
		for _, f := range spec.Fetch {
			if f.Git == nil || f.Git.SecretRef == nil || f.Git.SecretRef.Name != s.Name {
				continue
			}
			used = true
			if err := carvel.CheckGitCredential(f.Git.URL, password, key); err != nil {
				diags.Append(gitCredentialsMisfit(err))
				return diags
			}
		}
		if (password || key) && !used {
			diags.Append(gitCredentialsUnused())
		}
	}
	return diags
}
