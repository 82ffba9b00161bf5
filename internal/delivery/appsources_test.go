package delivery

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// deliveringPackages is an App of packages, with sources that are complete.
func deliveringPackages(t *testing.T, as *Apps, p Packages, secret string, template ...carvel.Template) carvel.AppSpec {
	t.Helper()
	s := carvel.AppSpec{Fetch: as.PackageSources(p), Template: template}
	for _, f := range s.Fetch {
		if missing := as.CompleteGit(f.Git); len(missing) > 0 {
			t.Fatalf("missing %v", missing)
		}
	}
	if secret != "" {
		carvel.UseGitSecret(s.Fetch, secret)
	}
	if !p.PerPackage {
		var ok bool
		if s.Template, _, ok = carvel.SelectPaths(template, p.Paths()); !ok {
			t.Fatalf("%v does not fit", template)
		}
	}
	return s
}

func TestPackageSources(t *testing.T) {
	ytt, sops := carvel.Template{Ytt: &carvel.Ytt{}}, carvel.Template{Sops: &carvel.Sops{Age: &carvel.PrivateKeys{PrivateKeysSecretRef: &carvel.LocalRef{Name: "age"}}}}
	names := []string{"db.default.tap", "app.default.tap"}
	all := []string{"app.default.tap/packages", "app.default.tap/staging", "db.default.tap/packages", "db.default.tap/staging"}
	for _, prefix := range []string{"", "clusters/apps"} {
		layout, err := repolayout.New(prefix)
		if err != nil {
			t.Fatal(err)
		}
		d := New(Config{Layout: layout, Location: Location{URL: "https://git.example.com/r.git", Branch: "main"}})
		for _, secret := range []string{"", "git"} {
			for name, template := range map[string][]carvel.Template{"plain": {ytt}, "encrypted": {sops, ytt}, "its own": {{Ytt: &carvel.Ytt{Strict: true}}, {Kbld: &carvel.Kbld{}}}} {
				for _, perPackage := range []bool{false, true} {
					p := Packages{Names: names, RunCluster: "staging", PerPackage: perPackage}
					s := deliveringPackages(t, d.Apps, p, secret, template...)
					want := len(all)
					if !perPackage {
						want = 1
						if got := s.Fetch[0].Git.SubPath; got != prefix {
							t.Errorf("%q: the source is %q", prefix, got)
						}
						if diff := cmp.Diff(all, p.Paths()); diff != "" {
							t.Error(diff)
						}
						p.Names = []string{"app.default.tap", "db.default.tap"}
					}
					var selected []string
					for _, one := range s.Selected() {
						selected = append(selected, strings.TrimPrefix(strings.TrimPrefix(one.Path, prefix), "/"))
					}
					slices.Sort(selected)
					if diff := cmp.Diff(all, selected); diff != "" || len(s.Fetch) != want {
						t.Errorf("%q, %s, per package %t: %d sources, %s", prefix, name, perPackage, len(s.Fetch), diff)
					}
					got, ok := d.Apps.PackagesIn(s)
					if diff := cmp.Diff(DeliveredPackages{Packages: p, Secret: secret, Template: template}, got); diff != "" || !ok {
						t.Errorf("%q, %s, per package %t: %t %s", prefix, name, perPackage, ok, diff)
					}
				}
			}
		}
	}
}

// TestPackagesIn_others: what is nearly what packages write is a list of sources.
func TestPackagesIn_others(t *testing.T) {
	layout, err := repolayout.New("clusters")
	if err != nil {
		t.Fatal(err)
	}
	d := New(Config{Layout: layout, Location: Location{URL: "https://git.example.com/r.git", Branch: "main"}})
	ytt, sops := carvel.Template{Ytt: &carvel.Ytt{}}, carvel.Template{Sops: &carvel.Sops{Age: &carvel.PrivateKeys{}}}
	for name, change := range map[string]func(*carvel.AppSpec){
		"none":           func(s *carvel.AppSpec) { s.Fetch = nil },
		"one too many":   func(s *carvel.AppSpec) { s.Fetch = append(s.Fetch, carvel.Fetch{Inline: &carvel.Inline{}}) },
		"another ref":    func(s *carvel.AppSpec) { s.Fetch[0].Git.Ref = "v1" },
		"two clusters":   func(s *carvel.AppSpec) { s.Fetch[1].Git.SubPath = "clusters/app.default.tap/prod" },
		"another prefix": func(s *carvel.AppSpec) { s.Fetch[1].Git.SubPath = "app.default.tap/staging" },
		"two secrets":    func(s *carvel.AppSpec) { s.Fetch[0].Git.SecretRef = &carvel.LocalRef{Name: "x"} },
		"no package": func(s *carvel.AppSpec) {
			s.Fetch[0].Git.SubPath, s.Fetch[1].Git.SubPath = "clusters/app/packages", "clusters/app/staging"
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := deliveringPackages(t, d.Apps, Packages{Names: []string{"app.default.tap", "db.default.tap"}, RunCluster: "staging", PerPackage: true}, "", ytt)
			if name == "no package" {
				s.Fetch = s.Fetch[:2]
			}
			change(&s)
			if p, ok := d.Apps.PackagesIn(s); ok {
				t.Errorf("taken for packages %v", p)
			}
		})
	}
	for name, change := range map[string]func(*carvel.AppSpec){
		"everything":        func(s *carvel.AppSpec) { s.Template[1].Ytt.Paths = nil },
		"nothing decrypted": func(s *carvel.AppSpec) { s.Template[0].Sops.Paths = nil },
		"another order":     func(s *carvel.AppSpec) { slices.Reverse(s.Template[1].Ytt.Paths) },
		"one missing":       func(s *carvel.AppSpec) { s.Template[1].Ytt.Paths = s.Template[1].Ytt.Paths[:3] },
		"only versions":     func(s *carvel.AppSpec) { s.Template[1].Ytt.Paths = []string{"app.default.tap/packages"} },
		"another directory": func(s *carvel.AppSpec) { s.Template[1].Ytt.Paths = append(s.Template[1].Ytt.Paths, "more", "staging") },
		"with values":       func(s *carvel.AppSpec) { s.Template[1].Ytt.ValuesFrom = []carvel.ValuesFrom{{Path: "values.yaml"}} },
		"a path of its own": func(s *carvel.AppSpec) { s.Fetch[0].Path = "here" },
		"another prefix":    func(s *carvel.AppSpec) { s.Fetch[0].Git.SubPath = "" },
		"not of Git":        func(s *carvel.AppSpec) { s.Fetch[0] = carvel.Fetch{Inline: &carvel.Inline{}} },
		"another branch":    func(s *carvel.AppSpec) { s.Fetch[0].Git.Ref = "origin/next" },
	} {
		t.Run(name, func(t *testing.T) {
			p := Packages{Names: []string{"app.default.tap", "db.default.tap"}, RunCluster: "staging"}
			s := deliveringPackages(t, d.Apps, p, "git", sops, ytt)
			for i := range s.Template { // each with paths of its own
				rest, paths := carvel.SelectedPaths(s.Template[i : i+1])
				s.Template[i], _ = first(carvel.SelectPaths(rest, slices.Clone(paths)))
			}
			change(&s)
			if p, ok := d.Apps.PackagesIn(s); ok {
				t.Errorf("taken for packages %v", p)
			}
		})
	}
}

func first(template []carvel.Template, _ int, ok bool) (carvel.Template, bool) {
	return template[0], ok
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
