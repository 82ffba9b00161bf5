package delivery

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

func TestPackageSources(t *testing.T) {
	layout, err := repolayout.New("clusters")
	if err != nil {
		t.Fatal(err)
	}
	d := New(Config{Layout: layout, Location: Location{URL: "https://git.example.com/r.git", Branch: "main"}})
	complete := func(secret string) []carvel.Fetch {
		fetch := d.Apps.PackageSources([]string{"app.default.tap", "db.default.tap"}, "staging")
		for _, f := range fetch {
			if missing := d.Apps.CompleteGit(f.Git); len(missing) > 0 {
				t.Fatalf("missing %v", missing)
			}
		}
		if secret != "" {
			carvel.UseGitSecret(fetch, secret)
		}
		return fetch
	}
	var dirs []string
	for _, f := range complete("") {
		dirs = append(dirs, f.Git.SubPath)
	}
	want := []string{"clusters/app.default.tap/packages", "clusters/app.default.tap/staging", "clusters/db.default.tap/packages", "clusters/db.default.tap/staging"}
	if diff := cmp.Diff(want, dirs); diff != "" {
		t.Error(diff)
	}
	for _, secret := range []string{"", "git"} {
		packages, runCluster, found, ok := d.Apps.PackagesIn(complete(secret))
		if diff := cmp.Diff([]string{"app.default.tap", "db.default.tap"}, packages); diff != "" || runCluster != "staging" || found != secret || !ok {
			t.Errorf("secret %q: %v %q %q %t", secret, packages, runCluster, found, ok)
		}
	}
	for name, change := range map[string]func([]carvel.Fetch) []carvel.Fetch{
		"none":           func([]carvel.Fetch) []carvel.Fetch { return nil },
		"one too many":   func(f []carvel.Fetch) []carvel.Fetch { return append(f, carvel.Fetch{Inline: &carvel.Inline{}}) },
		"another ref":    func(f []carvel.Fetch) []carvel.Fetch { f[0].Git.Ref = "v1"; return f },
		"two clusters":   func(f []carvel.Fetch) []carvel.Fetch { f[1].Git.SubPath = "clusters/app.default.tap/prod"; return f },
		"another prefix": func(f []carvel.Fetch) []carvel.Fetch { f[1].Git.SubPath = "app.default.tap/staging"; return f },
		"two secrets":    func(f []carvel.Fetch) []carvel.Fetch { f[0].Git.SecretRef = &carvel.LocalRef{Name: "x"}; return f },
	} {
		t.Run(name, func(t *testing.T) {
			if packages, _, _, ok := d.Apps.PackagesIn(change(complete(""))); ok {
				t.Errorf("%s: taken for packages %v", name, packages)
			}
		})
	}
}

func TestCompleteGit(t *testing.T) {
	d := New(Config{Location: Location{URL: "https://git.example.com/r.git", Branch: "main"}})
	for name, c := range map[string]struct {
		in, want carvel.GitFetch
		missing  []string
	}{
		"nothing given":  {carvel.GitFetch{}, carvel.GitFetch{URL: "https://git.example.com/r.git", Ref: "origin/main"}, nil},
		"a ref":          {carvel.GitFetch{Ref: "v1"}, carvel.GitFetch{URL: "https://git.example.com/r.git", Ref: "v1"}, nil},
		"a selection":    {carvel.GitFetch{RefSelection: &carvel.TagSelection{}}, carvel.GitFetch{URL: "https://git.example.com/r.git", RefSelection: &carvel.TagSelection{}}, nil},
		"the same URL":   {carvel.GitFetch{URL: "https://git.example.com/r"}, carvel.GitFetch{URL: "https://git.example.com/r", Ref: "origin/main"}, nil},
		"another's URL":  {carvel.GitFetch{URL: "https://git.example.com/x"}, carvel.GitFetch{URL: "https://git.example.com/x"}, []string{"ref"}},
		"another's both": {carvel.GitFetch{URL: "https://git.example.com/x", Ref: "v1"}, carvel.GitFetch{URL: "https://git.example.com/x", Ref: "v1"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.in
			missing := d.Apps.CompleteGit(&got)
			if diff := cmp.Diff(c.want, got) + cmp.Diff(c.missing, missing); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
			if len(missing) == 0 {
				d.Apps.ReduceGit(&got)
				d.Apps.CompleteGit(&got)
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("%s, reduced and completed: %s", name, diff)
				}
			}
		})
	}
	empty := New(Config{})
	if missing := empty.Apps.CompleteGit(&carvel.GitFetch{}); len(missing) != 2 {
		t.Errorf("without a repository only %v are missing", missing)
	}
}
