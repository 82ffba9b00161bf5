package packageinstall_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery/deliverytest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/protocoltest"
)

const (
	theirInstall = "apiVersion: packaging.carvel.dev/v1alpha1\nkind: PackageInstall\nmetadata:\n  name: app\nspec:\n  serviceAccountName: sa\n" +
		"  packageRef:\n    refName: app.default.tap\n    versionSelection:\n      constraints: '>=1.0.0'\n  values:\n  - secretRef:\n      name: app-values\n"
	theirValues  = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: app-values\nstringData:\n  values.yaml: |\n    ---\n    hostname: app.example.com\n    replicas: 2\n"
	theirAccount = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: sa # theirs\n"
	installDir   = "app.default.tap/staging/"
)

// both are a package install alone, and one in a set.
func both(t *testing.T, with func(t *testing.T, w *deliverytest.World, r *protocoltest.Resource, c attributes, id string)) {
	t.Run("one", func(t *testing.T) {
		w, r := inMemory(t)
		with(t, w, r, basic(), "app.default.tap/staging")
	})
	t.Run("a set", func(t *testing.T) {
		w, r := setInMemory(t)
		c := set()
		delete(c["packages"].(entries), "db.default.tap")
		with(t, w, r, c, "staging")
	})
}

// TestFiles_otherName: what is there under another file's name is not made a second
// time, and the error says where it is and how to take it over.
func TestFiles_otherName(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want string }{
		"yml":                 {"packageinstall.yml", theirInstall, "line 1 the PackageInstall \"app\""},
		"pkgi.yaml":           {"pkgi.yaml", theirInstall, "line 1 the PackageInstall"},
		"one with everything": {"all.yaml", theirAccount + "---\n" + theirInstall + "---\n" + theirValues, "line 6 the PackageInstall"},
		"of another name":     {"a.yaml", strings.Replace(theirInstall, "name: app\n", "name: other\n", 1), "the PackageInstall \"other\""},
		"of another package":  {"a.yaml", strings.Replace(theirInstall, "app.default.tap", "web.default.tap", 1), "the PackageInstall \"app\""},
		"the values":          {"values.yml", theirValues, "the Secret \"app-values\""},
		"below":               {"base/x.yaml", theirInstall, "base/x.yaml"},
		"another one":         {"web.yaml", strings.NewReplacer("app.default.tap", "web.default.tap", "name: app\n", "name: web\n").Replace(theirInstall), ""},
		"an account":          {"sa.yaml", theirAccount, ""},
		"no YAML":             {"notes.yaml", "a: [", ""},
		"text":                {"packageinstall.txt", theirInstall, ""},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, w *deliverytest.World, r *protocoltest.Resource, config attributes, _ string) {
				w.Repository.Write("somebody", map[string]string{installDir + c.file: c.text})
				before := w.Repository.Files()
				_, diags := r.Plan(config)
				if diags.Failed() != (c.want != "") {
					t.Fatal(diags)
				}
				for _, want := range []string{c.want, installDir + c.file, "packageinstall.yaml", "import app.default.tap/staging", "adopt_existing"} {
					if c.want != "" && !strings.Contains(diags.String(), want) {
						t.Errorf("want %q in: %s", want, diags)
					}
				}
				if c.want == "" {
					if diags := r.Apply(config); diags.Failed() || w.Repository.Files()[installDir+c.file] != c.text {
						t.Errorf("%s", diags)
					}
				} else if !maps.Equal(before, w.Repository.Files()) {
					t.Error("something was written")
				}
			})
		})
	}
	_, r := inMemory(t)
	if diags := r.Import("app.default.tap/staging"); diags.Failed() || r.Exists() {
		t.Errorf("nothing is there: %s", diags)
	}
	w, r := inMemory(t)
	w.Repository.Write("somebody", map[string]string{installDir + "pkgi.yaml": theirInstall})
	if diags := r.Import("app.default.tap/staging"); !diags.Failed() || !strings.Contains(diags.String(), installDir+"pkgi.yaml") {
		t.Errorf("an import does not say where it is: %s", diags)
	}
}

// TestFiles_importedPair: the objects are read from wherever they are, and written each
// into its own file.
func TestFiles_importedPair(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"one file":  {"packageinstall.yaml": theirInstall + "---\n" + theirValues},
		"swapped":   {"packageinstall.yaml": theirValues, "params.yaml": theirInstall},
		"the other": {"packageinstall.yaml": "# see params.yaml\n", "params.yaml": theirValues + "---\n" + theirInstall},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, w *deliverytest.World, r *protocoltest.Resource, config attributes, id string) {
				for file, text := range files {
					w.Repository.Write("somebody", map[string]string{installDir + file: text})
				}
				if diags := r.Import(id); diags.Failed() {
					t.Fatal(diags)
				}
				if diags := r.Apply(config); diags.Failed() {
					t.Fatal(diags)
				}
				if p, diags := r.Plan(config); diags.Failed() || p.Action != protocoltest.None {
					t.Errorf("%s: %s", p.Action, diags)
				}
				now := w.Repository.Files()
				if !strings.Contains(now[params], "hostname: app.example.com") || strings.Contains(now[install], "Secret\n") || !strings.Contains(now[install], "app-values") {
					t.Errorf("%v", now)
				}
			})
		})
	}
}

// TestFiles_others: documents of somebody else stay, byte for byte, as long as nothing
// else in their file changes, and are never lost.
func TestFiles_others(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"before":             {"packageinstall.yaml": theirAccount + "---\n" + theirInstall, "params.yaml": theirValues},
		"behind the values":  {"packageinstall.yaml": theirInstall, "params.yaml": theirValues + "---\n" + theirAccount},
		"beside its own one": {"packageinstall.yaml": theirInstall, "params.yaml": theirAccount + "---\n" + theirValues},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, w *deliverytest.World, r *protocoltest.Resource, config attributes, id string) {
				for file, text := range files {
					w.Repository.Write("somebody", map[string]string{installDir + file: text})
				}
				adopt := maps.Clone(config)
				adopt["adopt_existing"] = true
				unchanged := func(what string) {
					t.Helper()
					for file, text := range files {
						if w.Repository.Files()[installDir+file] != text {
							t.Fatalf("%s has changed %s to\n%s", what, file, w.Repository.Files()[installDir+file])
						}
					}
				}
				refused := func(what string, c attributes) {
					t.Helper()
					if diags := r.Apply(c); !diags.Failed() || !strings.Contains(diags.String(), "ServiceAccount sa") || !strings.Contains(diags.String(), "line ") {
						t.Errorf("%s: %s", what, diags)
					}
					unchanged(what)
				}
				changed := maps.Clone(config)
				changed["sync_period"] = "1m"
				changed["namespace"] = "apps"
				other := maps.Clone(changed)
				other["adopt_existing"] = true
				refused("an adoption that changes both", other)
				if diags := r.Import(id); diags.Failed() {
					t.Fatal(diags)
				}
				if diags := r.Apply(config); diags.Failed() {
					t.Fatal(diags)
				}
				unchanged("an import")
				if p, diags := r.Plan(config); diags.Failed() || p.Action != protocoltest.None {
					t.Errorf("%s: %s", p.Action, diags)
				}
				refused("an update", changed)
				refused("a destroy", nil)
				if config["packages"] != nil {
					without := maps.Clone(config)
					without["packages"] = entries{"db.default.tap": entries{"version_constraint": "2.0.0"}}
					refused("a package that is taken out", without)
				}
				// Once they are moved, nothing is in the way.
				w.Repository.Write("somebody", map[string]string{install: theirInstall, params: theirValues, installDir + "sa.yaml": theirAccount})
				if diags := r.Apply(changed); diags.Failed() {
					t.Error(diags)
				}
				if diags := r.Apply(nil); diags.Failed() || w.Repository.Files()[installDir+"sa.yaml"] != theirAccount {
					t.Error(diags)
				}
			})
		})
	}
}

// TestFiles_unreadable: what cannot be read is not imported, and the error says where
// it is.
func TestFiles_unreadable(t *testing.T) {
	const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"
	for want, files := range map[string]map[string]string{
		"packageinstall.yaml: line 1: a pointer of Git LFS":    {install: pointer},
		"params.yaml: line 1: a pointer of Git LFS":            {install: theirInstall, params: pointer},
		"packageinstall.yaml: line 14: the key \"kind\" comes": {install: theirInstall + "kind: PackageInstall\n"},
		"packageinstall.yaml: line 4: not YAML":                {install: strings.Replace(theirInstall, "  name: app", "\tname: app", 1)},
		"params.yaml: line 4: not YAML":                        {install: theirInstall, params: strings.Replace(theirValues, "  name:", "\tname:", 1)},
		"is of the package \"web.default.tap\"":                {install: strings.Replace(theirInstall, "app.default.tap", "web.default.tap", 1)},
		"packageinstall.yaml: line 4: a comment of ytt":        {install: strings.Replace(theirInstall, "name: app\n", "name: #@ data.values.name\n", 1)},
	} {
		t.Run(want, func(t *testing.T) {
			both(t, func(t *testing.T, w *deliverytest.World, r *protocoltest.Resource, _ attributes, id string) {
				w.Repository.Write("somebody", files)
				if diags := r.Import(id); !diags.Failed() || !strings.Contains(diags.String(), want) {
					t.Errorf("want %q in: %s", want, diags)
				}
			})
		})
	}
}

// TestFiles_symlink: what is behind a symbolic link is neither read nor written, and
// each place says so alike.
func TestFiles_symlink(t *testing.T) {
	const words = "is a symbolic link. The provider follows none"
	elsewhere := map[string]string{"shared/packageinstall.yaml": theirInstall, "shared/params.yaml": theirValues, "shared/1.0.0.yaml": packageFile("1.0.0")}
	for link, looksUp := range map[string]bool{"app.default.tap/staging": false, "app.default.tap": false, "app.default.tap/packages": true} {
		t.Run(link, func(t *testing.T) {
			both(t, func(t *testing.T, w *deliverytest.World, r *protocoltest.Resource, config attributes, id string) {
				w.Repository.Write("somebody", elsewhere)
				w.Repository.Link(link, "../shared")
				before := w.Repository.Files()
				if looksUp {
					config["package_source"] = nil
				}
				_, diags := r.Plan(config)
				if !diags.Failed() || !strings.Contains(diags.String(), link+" on branch main "+words) {
					t.Errorf("%s", diags)
				}
				if looksUp {
					return
				}
				if diags := r.Import(id); !diags.Failed() || !strings.Contains(diags.String(), link+" on branch main "+words) {
					t.Errorf("import: %s", diags)
				}
				if !maps.Equal(before, w.Repository.Files()) {
					t.Error("something was written")
				}
			})
		})
	}
	// A directory that somebody replaces by a link is not taken for one that is gone.
	w, r := inMemory(t)
	if diags := r.Apply(basic()); diags.Failed() {
		t.Fatal(diags)
	}
	for file := range w.Repository.Files() {
		if strings.HasPrefix(file, installDir) {
			w.Repository.Write("somebody", map[string]string{file: ""})
		}
	}
	w.Repository.Link("app.default.tap/staging", "../shared")
	if _, diags := r.Plan(basic()); !diags.Failed() || !strings.Contains(diags.String(), words) {
		t.Errorf("%s", diags)
	}
}
