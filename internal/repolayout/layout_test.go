package repolayout

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

var document = Install{Package: "app.default.tap", RunCluster: "staging"}

func TestPaths(t *testing.T) {
	for prefix, dir := range map[string]string{"": "", ".": "", "clusters": "clusters/", "a/b/": "a/b/"} {
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
	}
	for _, prefix := range []string{"/", "/a", "..", "a/../b", "a//b", "./a"} {
		if _, err := New(prefix); err == nil {
			t.Errorf("prefix %q was accepted", prefix)
		}
	}
}

func spec() carvel.PackageInstallSpec {
	return carvel.PackageInstallSpec{
		Package: "app.default.tap", Name: "app", ServiceAccountName: "staging-apps-sa", VersionConstraint: ">=1.0.0",
		ValuesSecretName: "app-values", Values: map[string]any{"password": "s3cret", "replicas": json.Number("2")},
	}
}

func TestRenderAndParse(t *testing.T) {
	files, err := Render(spec())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(files[PackageInstallFile])+string(files[ParamsFile]), "#") {
		t.Error("a committed file has a comment")
	}
	if !strings.Contains(string(files[PackageInstallFile]), `constraints: '>=1.0.0'`) {
		t.Errorf("the constraint is not quoted:\n%s", files[PackageInstallFile])
	}
	got, ours, err := Parse(files)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(spec(), got); diff != "" || len(ours) != 2 {
		t.Errorf("%s\n%v", diff, ours)
	}
	again, err := Render(got)
	if err != nil || string(again[PackageInstallFile]) != string(files[PackageInstallFile]) || string(again[ParamsFile]) != string(files[ParamsFile]) {
		t.Errorf("parsing and rendering changed the bytes: %v", err)
	}
}

func TestRenderWithoutValues(t *testing.T) {
	s := spec()
	s.Values = nil
	files, err := Render(s)
	if err != nil || len(files) != 1 || strings.Contains(string(files[PackageInstallFile]), "values") {
		t.Errorf("%v\n%s\n%s", err, files[PackageInstallFile], files[ParamsFile])
	}
}

func TestShownMasksValues(t *testing.T) {
	files, err := Render(spec())
	if err != nil {
		t.Fatal(err)
	}
	shown := Layout{}.Shown(document, files)
	if len(shown) != 2 || shown["app.default.tap/staging/packageinstall.yaml"] != string(files[PackageInstallFile]) {
		t.Errorf("%v", shown)
	}
	params := shown["app.default.tap/staging/params.yaml"]
	if strings.Contains(params, "s3cret") || !strings.Contains(params, "password:") {
		t.Errorf("masked params:\n%s", params)
	}
}

func TestParseNamesTheFile(t *testing.T) {
	files, err := Render(spec())
	if err != nil {
		t.Fatal(err)
	}
	for want, broken := range map[string]Files{
		PackageInstallFile: {PackageInstallFile: []byte("kind: Secret")},
		ParamsFile:         {PackageInstallFile: files[PackageInstallFile], ParamsFile: []byte("s3cret: [")},
	} {
		_, _, err := Parse(broken)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("want an error about %s, got %v", want, err)
		}
	}
}
