package repolayout

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

var document = Install{Package: "app.default.tap", RunCluster: "staging"}

func TestPaths(t *testing.T) {
	for prefix, dir := range map[string]string{"": "", ".": "", "clusters": "clusters/", "a/b/": "a/b/"} {
		t.Run(prefix, func(t *testing.T) {
			l, err := New(prefix)
			if err != nil {
				t.Fatal(err)
			}
			got := []string{l.Dir(document), l.Path(document, PackageInstallFile), l.Path(document, ParamsFile), l.Path(document, KeepFile), l.PackagesDir("app.default.tap")}
			want := []string{
				dir + "app.default.tap/staging", dir + "app.default.tap/staging/packageinstall.yaml",
				dir + "app.default.tap/staging/params.yaml", dir + "app.default.tap/staging/.gitkeep", dir + "app.default.tap/packages",
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("prefix %q: %s", prefix, diff)
			}
		})
	}
	for _, prefix := range []string{"/", "/a", "..", "a/../b", "a//b", "./a"} {
		if _, err := New(prefix); err == nil {
			t.Errorf("prefix %q was accepted", prefix)
		}
	}
}

func TestAt(t *testing.T) {
	for prefix, dirs := range map[string]map[string]string{
		"":              {"app.default.tap/staging": "app.default.tap staging", "app.default.tap/packages": "", "app.default.tap": "", "a/app.default.tap/staging": "", "": ""},
		"clusters/apps": {"clusters/apps/app.default.tap/staging": "app.default.tap staging", "app.default.tap/staging": "", "clusters/appsapp.default.tap/staging": "", "clusters/apps": ""},
	} {
		layout, err := New(prefix)
		if err != nil {
			t.Fatal(err)
		}
		for dir, want := range dirs {
			at, ok := layout.At(dir)
			got := ""
			if ok {
				got = at.Package + " " + at.RunCluster
			}
			if got != want || ok && layout.Dir(at) != dir {
				t.Errorf("%q below %q is of %q, want %q", dir, prefix, got, want)
			}
		}
	}
}
