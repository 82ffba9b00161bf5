package forge

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestPlace(t *testing.T) {
	for _, c := range []struct {
		repository, kind, api string
		want                  string // kind, API, owner and name; or the field that is wrong
	}{
		{"https://github.com/team/repo.git", "", "", "github https://api.github.com team repo"},
		{"git@github.com:team/repo.git", "", "", "github https://api.github.com team repo"},
		{"ssh://git@ssh.github.com:443/team/repo", "", "", "github https://api.github.com team repo"},
		{"https://acme.ghe.com/team/repo", "", "", "github https://api.acme.ghe.com team repo"},
		{"https://git.example.com/team/repo", "github", "", "github https://git.example.com/api/v3 team repo"},
		{"https://git.example.com:8443/team/repo", "github", "", "github https://git.example.com:8443/api/v3 team repo"},
		{"https://git.example.com/team/repo", "github", "https://git.example.com", "github https://git.example.com/api/v3 team repo"},
		{"https://git.example.com/team/repo", "github", "https://api.git.example.com/", "github https://api.git.example.com team repo"},
		{"https://gitlab.com/group/sub/repo.git", "", "", "gitlab https://gitlab.com/api/v4 group/sub repo"},
		{"git@gitlab.com:group/sub/sub/repo.git", "", "", "gitlab https://gitlab.com/api/v4 group/sub/sub repo"},
		{"https://git.example.com/gitlab/group/repo", "gitlab", "https://git.example.com/gitlab/api/v4", "gitlab https://git.example.com/gitlab/api/v4 group repo"},
		{"https://git.example.com/gitlab/group/repo", "gitlab", "https://git.example.com/gitlab", "gitlab https://git.example.com/gitlab/api/v4 group repo"},
		{"git@git.example.com:group/repo", "gitlab", "https://git.example.com/gitlab", "gitlab https://git.example.com/gitlab/api/v4 group repo"},
		{"https://codeberg.org/team/repo.git", "", "", "gitea https://codeberg.org/api/v1 team repo"},
		{"https://git.example.com/prefix/team/repo.git", "gitea", "", "gitea https://git.example.com/prefix/api/v1 team repo"},
		{"ssh://git@git.example.com:2222/team/repo.git", "gitea", "", "gitea https://git.example.com/api/v1 team repo"},
		{"ssh://git@git.example.com:2222/team/repo.git", "gitea", "https://git.example.com:3000/api/v1/", "gitea https://git.example.com:3000/api/v1 team repo"},
		{"https://user@bitbucket.org/workspace/repo.git", "", "", "bitbucket https://api.bitbucket.org/2.0 workspace repo"},
		{"https://git.example.com/scm/KEY/repo.git", "bitbucket_data_center", "", "bitbucket_data_center https://git.example.com/rest/api/latest KEY repo"},
		{"https://git.example.com/bitbucket/scm/~jane/repo.git", "bitbucket_data_center", "", "bitbucket_data_center https://git.example.com/bitbucket/rest/api/latest ~jane repo"},
		{"ssh://git@git.example.com:7999/KEY/repo.git", "bitbucket_data_center", "", "bitbucket_data_center https://git.example.com/rest/api/latest KEY repo"},
		{"ssh://git@git.example.com:7999/KEY/repo.git", "bitbucket_data_center", "https://git.example.com/rest/api/1.0", "bitbucket_data_center https://git.example.com/rest/api/1.0 KEY repo"},
		{"https://org@dev.azure.com/org/a%20project/_git/repo", "", "", "azure_devops https://dev.azure.com/org a project repo"},
		{"git@ssh.dev.azure.com:v3/org/a%20project/repo", "", "", "azure_devops https://dev.azure.com/org a project repo"},
		{"https://git.example.com/team%23one/a%20repo.git", "gitea", "", "gitea https://git.example.com/api/v1 team#one a repo"},
		{"ssh://git@git.example.com/team#one/a repo.git", "gitea", "", "gitea https://git.example.com/api/v1 team#one a repo"},
		{"git@[git.example.com:2222]:team/repo.git", "gitea", "", "gitea https://git.example.com/api/v1 team repo"},
		{"https://dev.azure.com/org/_git/repo", "", "", "azure_devops https://dev.azure.com/org repo repo"},
		{"git@ssh.dev.azure.com:v3/org/project/repo", "", "", "azure_devops https://dev.azure.com/org project repo"},
		{"https://org.visualstudio.com/project/_git/repo", "", "", "azure_devops https://org.visualstudio.com project repo"},
		{"https://org.visualstudio.com/DefaultCollection/project/_git/repo", "", "", "azure_devops https://org.visualstudio.com/DefaultCollection project repo"},
		{"https://org.visualstudio.com/_git/repo", "", "", "azure_devops https://org.visualstudio.com repo repo"},
		{"https://git.example.com/tfs/Collection/project/_git/repo", "azure_devops", "", "azure_devops https://git.example.com/tfs/Collection project repo"},
		{"ssh://git@[2001:db8::1]:2222/team/repo.git", "gitea", "", "gitea https://[2001:db8::1]/api/v1 team repo"},
		{"http://git.example.com/team/repo", "gitea", "", "forge.api_url"},
		{"https://git.example.com/team/repo", "gitea", "http://git.example.com", "forge.api_url"},
		{"https://git.example.com/team/repo", "gitea", "https://user:s3cret@git.example.com", "forge.api_url"},
		{"https://git.example.com/team/repo", "gitea", "git.example.com", "forge.api_url"},
		{"https://git.example.com/team/repo", "", "", "forge.kind"},
		{"https://git.example.com/team/repo", "sourceforge", "", "forge.kind"},
		{"https://github.com/repo", "", "", "url"},
		{"https://dev.azure.com/org/project", "", "", "url"},
		{"https://user:s3cret@git hub.com/team/repo", "", "", "url"},
		{"file:///team/repo", "", "", "url"},
		{"", "", "", "url"},
	} {
		t.Run(c.repository+" "+c.api, func(t *testing.T) {
			f, err := New(Config{
				Repository: c.repository, Kind: Kind(c.kind), APIURL: c.api, Token: func(context.Context) (string, error) { return "", nil },
			})
			var wrong *ConfigError
			if errors.As(err, &wrong) {
				if wrong.Field != c.want || strings.Contains(err.Error(), "s3cret") {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			shared := f.(checked).Forge.(interface{ shared() *client }).shared()
			repository, _ := parse(c.repository)
			api, _ := repository.configured(shared.kind, c.api)
			_, owner, name := repository.names(shared.kind, api)
			if got := strings.Join([]string{string(shared.kind), shared.api.String(), owner, name}, " "); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestNew_token(t *testing.T) {
	_, err := New(Config{Repository: "https://codeberg.org/team/repo"})
	var wrong *ConfigError
	if !errors.As(err, &wrong) || wrong.Field != "forge.token" {
		t.Errorf("got %v", err)
	}
	_, err = New(Config{
		Repository: "https://codeberg.org/team/repo", CertificateAuthority: "none", Token: func(context.Context) (string, error) { return "", nil },
	})
	if !errors.As(err, &wrong) || wrong.Field != "http.certificate_authority" {
		t.Errorf("got %v", err)
	}
}

func TestCheck(t *testing.T) {
	yes := true
	for _, c := range []struct {
		kind    Kind
		content Content
		auto    *AutoMerge
		want    string
	}{
		{Bitbucket, Content{Labels: []string{"a"}}, nil, "labels"},
		{Bitbucket, Content{Labels: []string{}, Draft: &yes, Reviewers: []string{"a"}}, nil, ""},
		{Bitbucket, Content{}, &AutoMerge{}, "auto_merge"},
		{DataCenter, Content{Labels: []string{"a"}}, nil, "labels"},
		{GitLab, Content{}, &AutoMerge{Method: Rebase}, `merge_method "rebase"`},
		{GitLab, Content{}, &AutoMerge{Method: Squash}, ""},
		{GitLab, Content{Reviewers: []string{"team:ops"}}, nil, `reviewers that are teams: "team:ops"`},
		{GitHub, Content{Reviewers: []string{"team:ops"}}, &AutoMerge{Method: Rebase}, ""},
		{Gitea, Content{Reviewers: []string{"team:ops"}, Labels: []string{"a"}, Draft: &yes}, &AutoMerge{}, ""},
	} {
		err := (&client{kind: c.kind}).Check(c.content, c.auto)
		var unsupported *UnsupportedError
		switch {
		case errors.As(err, &unsupported):
			if unsupported.What != c.want || unsupported.Kind != c.kind {
				t.Errorf("%s: got %v, want %s", c.kind, err, c.want)
			}
		case err != nil || c.want != "":
			t.Errorf("%s: got %v, want %s", c.kind, err, c.want)
		}
	}
}
