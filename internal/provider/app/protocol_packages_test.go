package app_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery/deliverytest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/app"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/protocoltest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
)

// sources are the directories that the App fetches, and paths what its first step reads.
func sources(t *testing.T, w *deliverytest.World) (sources, paths []string) {
	t.Helper()
	spec, err := carvel.ReadApp(w.Build.Object(live))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range spec.Fetch {
		sources = append(sources, f.Git.SubPath)
	}
	return sources, spec.Template[0].Ytt.Paths
}

var (
	twoSources = []string{"app.default.tap/packages", "app.default.tap/staging"}
	newNames   = []string{"fetch_per_package", "create_directories"}
)

// TestProtocol_upgrade: an App of a state in which each directory has a source of its own
// is updated in place to one source.
func TestProtocol_upgrade(t *testing.T) {
	w, r := inMemory(t)
	if diags := r.Apply(basic(attributes{"fetch_per_package": true})); diags.Failed() {
		t.Fatal(diags)
	}
	if fetched, paths := sources(t, w); !slices.Equal(fetched, twoSources) || paths != nil {
		t.Fatalf("fetches %q, reads %q", fetched, paths)
	}
	uid := r.Attribute("uid")
	if diags := r.Upgrade(newNames...); diags.Failed() || r.Attribute("fetch_per_package") != "null" {
		t.Fatal(diags)
	}
	p, diags := r.Plan(basic())
	if diags.Failed() || p.Action != protocoltest.Update || strings.Contains(p.Attribute("object"), "subPath") || !strings.Contains(r.Attribute("object"), "subPath") {
		t.Fatalf("%s %s\n%s", p.Action, diags, p.Attribute("object"))
	}
	if diags := p.Apply(); diags.Failed() || r.Attribute("uid") != uid {
		t.Fatal(diags)
	}
	if fetched, paths := sources(t, w); !slices.Equal(fetched, []string{""}) || !slices.Equal(paths, twoSources) {
		t.Errorf("fetches %q, reads %q", fetched, paths)
	}
	if p, diags := r.Plan(basic()); diags.Failed() || p.Action != protocoltest.None {
		t.Errorf("%s %s", p.Action, diags)
	}
}

// TestProtocol_upgradeNumbered: a state whose steps read directories by their numbers can
// be read, and its plan says what to set. With that nothing changes.
func TestProtocol_upgradeNumbered(t *testing.T) {
	_, r := inMemory(t)
	c := basic(attributes{"fetch_per_package": true, "template": numbered("1")})
	if diags := r.Apply(c); diags.Failed() {
		t.Fatal(diags)
	}
	object := r.Attribute("object")
	if diags := r.Upgrade(newNames...); diags.Failed() {
		t.Fatal(diags)
	}
	if _, diags := r.Plan(basic(attributes{"template": numbered("1")})); !diags.Failed() || !strings.Contains(diags.String(), "fetch_per_package = true") {
		t.Error(diags)
	}
	if p, diags := r.Plan(c); diags.Failed() || p.Attribute("object") != object || p.Action != protocoltest.Update {
		t.Errorf("%s %s\n%s", p.Action, diags, p.Attribute("object"))
	}
	if p, diags := r.Plan(basic(attributes{"template": []any{map[string]any{"ytt": map[string]any{}}}})); diags.Failed() || p.Action != protocoltest.Update || p.Attribute("object") == object {
		t.Errorf("%s %s\n%s", p.Action, diags, p.Attribute("object"))
	}
}

// TestProtocol_missing: the plan warns of directories that are neither there nor made by
// the same run.
func TestProtocol_missing(t *testing.T) {
	const packages, staging = "app.default.tap/packages", "app.default.tap/staging"
	listed := basic(attributes{"packages": nil, "fetch": []any{map[string]any{"git": map[string]any{"sub_path": "nosuch"}}}})
	for name, c := range map[string]struct {
		config  attributes
		claimed bool
		broken  bool
		want    string
	}{
		"both":                   {basic(), false, false, packages + ", " + staging},
		"each fetched":           {basic(attributes{"fetch_per_package": true}), false, false, packages + ", " + staging},
		"one made by the run":    {basic(), true, false, "lacks " + packages + ". "},
		"made by itself":         {basic(attributes{"create_directories": true}), false, false, ""},
		"of no packages":         {listed, false, false, ""},
		"no answer":              {basic(), false, true, ""},
		"packages not known yet": {basic(attributes{"packages": protocoltest.Unknown}), false, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := withoutDirectories(t)
			data := func() *providerdata.Data {
				d := protocoltest.Data(w)()
				if c.claimed {
					if err := d.Planned.Claim("carvel_package_install app.default.tap/staging", tftypes.NewValue(tftypes.String, ""), false); err != nil {
						t.Error(err)
					}
				}
				return d
			}
			r := protocoltest.New(t, app.New, data)
			if c.broken {
				w.Calls.Fails = func(_ int, call string) error {
					if strings.HasPrefix(call, "git ") {
						return deliverytest.ErrFault
					}
					return nil
				}
			}
			p, diags := r.Plan(c.config)
			text := diags.String()
			if diags.Failed() || p.Action != protocoltest.Create || !strings.Contains(text, c.want) || strings.Contains(text, "Directories of packages do not exist") != (c.want != "") {
				t.Errorf("%s: %s", p.Action, text)
			}
			if c.claimed && strings.Contains(text, staging) {
				t.Errorf("warns of what the run makes: %s", text)
			}
		})
	}
}

// TestProtocol_createDirectories: the directories of a package more are made by the update
// that adds it, and an App that is as it should be costs no commit.
func TestProtocol_createDirectories(t *testing.T) {
	w, r := withoutDirectories(t)
	before := w.Repository.Commits()
	for want, c := range []attributes{
		1: basic(attributes{"create_directories": true}),
		2: basic(attributes{"create_directories": true, "packages": []any{"app.default.tap", "db.default.tap"}}),
	} {
		if c == nil {
			continue
		}
		if diags := r.Apply(c); diags.Failed() || len(diags) > 0 || w.Repository.Commits() != before+want {
			t.Errorf("%d commits, want %d: %s", w.Repository.Commits()-before, want, diags)
		}
		if p, diags := r.Plan(c); diags.Failed() || p.Action != protocoltest.None || p.Apply().Failed() || w.Repository.Commits() != before+want {
			t.Errorf("%s: %s", p.Action, diags)
		}
	}
	if diags := r.Apply(nil); diags.Failed() {
		t.Error(diags)
	}
	files := slices.Sorted(maps.Keys(w.Repository.Files()))
	want := []string{"README.md", "app.default.tap/packages/.gitkeep", "app.default.tap/staging/.gitkeep", "db.default.tap/packages/.gitkeep", "db.default.tap/staging/.gitkeep"}
	if !slices.Equal(files, want) {
		t.Errorf("the branch has %q", files)
	}
}

// TestProtocol_createNumbered: the directories are made also if the steps name files in
// them.
func TestProtocol_createNumbered(t *testing.T) {
	w, r := withoutDirectories(t)
	c := basic(attributes{"create_directories": true, "fetch_per_package": true, "template": numbered("1/packageinstall.yaml")})
	if diags := r.Apply(c); diags.Failed() {
		t.Fatal(diags)
	}
	files := slices.Sorted(maps.Keys(w.Repository.Files()))
	if want := []string{"README.md", "app.default.tap/packages/.gitkeep", "app.default.tap/staging/.gitkeep"}; !slices.Equal(files, want) {
		t.Errorf("the branch has %q", files)
	}
}

// TestProtocol_symlink: a directory of packages that is a symbolic link is refused at
// plan, also where missing ones would be made.
func TestProtocol_symlink(t *testing.T) {
	for _, link := range []string{"app.default.tap/staging", "app.default.tap/packages", "app.default.tap"} {
		for _, create := range []bool{false, true} {
			w, r := inMemory(t)
			w.Repository.Write("somebody", map[string]string{"app.default.tap/packages/1.0.0.yaml": "", "app.default.tap/staging/packageinstall.yaml": "", "shared/a.yaml": "a: 1"})
			w.Repository.Link(link, "../shared")
			_, diags := r.Plan(basic(attributes{"create_directories": create}))
			if !diags.Failed() || !strings.Contains(diags.String(), link+" on branch main is a symbolic link. The provider follows none") {
				t.Errorf("%s, %t: %s", link, create, diags)
			}
		}
	}
}
