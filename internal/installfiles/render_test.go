package installfiles

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

func spec() Spec {
	s := appSpec(map[string]any{"password": "s3cret", "replicas": json.Number("2")})
	s.Install.ServiceAccountName, s.Install.PackageRef.VersionSelection.Constraints = "staging-apps-sa", ">=1.0.0"
	return s
}

// rendered are the files of a spec.
func rendered(t *testing.T, s Spec) Contents {
	t.Helper()
	f, err := Render(s)
	if err != nil {
		t.Fatal(err)
	}
	return f.contents
}

func TestRenderAndParse(t *testing.T) {
	files := rendered(t, spec())
	if strings.Contains(string(files[repolayout.PackageInstallFile])+string(files[repolayout.ParamsFile]), "#") {
		t.Error("a committed file has a comment")
	}
	if !strings.Contains(string(files[repolayout.PackageInstallFile]), `constraints: '>=1.0.0'`) {
		t.Errorf("the constraint is not quoted:\n%s", files[repolayout.PackageInstallFile])
	}
	got, ours, err := Parse(files)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(spec(), got); diff != "" || len(ours) != 2 {
		t.Errorf("%s\n%v", diff, ours)
	}
	again := rendered(t, got)
	if string(again[repolayout.PackageInstallFile]) != string(files[repolayout.PackageInstallFile]) || string(again[repolayout.ParamsFile]) != string(files[repolayout.ParamsFile]) {
		t.Error("parsing and rendering changed the bytes")
	}
}

func TestRenderWithoutValues(t *testing.T) {
	s := spec()
	s.Values = nil
	files := rendered(t, s)
	if len(files) != 1 || strings.Contains(string(files[repolayout.PackageInstallFile]), "values") {
		t.Errorf("%s\n%s", files[repolayout.PackageInstallFile], files[repolayout.ParamsFile])
	}
}

func TestShownMasksValues(t *testing.T) {
	files := rendered(t, spec())
	shown := files.Shown()
	if len(shown) != 2 || shown[repolayout.PackageInstallFile] != string(files[repolayout.PackageInstallFile]) {
		t.Errorf("%v", shown)
	}
	params := shown[repolayout.ParamsFile]
	if strings.Contains(params, "s3cret") || !strings.Contains(params, "password:") {
		t.Errorf("masked params:\n%s", params)
	}
}

func TestParseNamesTheFile(t *testing.T) {
	files := rendered(t, spec())
	for want, broken := range map[string]Contents{
		repolayout.PackageInstallFile: {repolayout.PackageInstallFile: []byte("kind: Secret")},
		repolayout.ParamsFile:         {repolayout.PackageInstallFile: files[repolayout.PackageInstallFile], repolayout.ParamsFile: []byte("s3cret: [")},
	} {
		t.Run(want, func(t *testing.T) {
			_, _, err := Parse(broken)
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("want an error about %s, got %v", want, err)
			}
		})
	}
}
