package carvel

import (
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/version"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/ytt"
)

// FuzzNames: a name that is accepted is one segment of a path.
func FuzzNames(f *testing.F) {
	for _, name := range []string{"app.default.tap", "staging", "packages", "..", ".git", "a/b", "A", "", "-", "a..b", "a\x00b", strings.Repeat("a", 300), "0"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		for kind, validate := range map[string]func(string) error{
			"package": ValidatePackageName, "run cluster": ValidateRunCluster, "object": ValidateObjectName, "namespace": ValidateName,
		} {
			if validate(name) == nil && (name == "" || strings.ContainsAny(name, "/\\\x00: ") || strings.HasPrefix(name, ".") || len(name) > 253 || strings.ToLower(name) != name) {
				t.Errorf("%q is accepted as the name of a %s", name, kind)
			}
		}
		_ = AnnotationField(name)
		if ValidateOverlayFile(name) == nil && strings.ContainsAny(name, "/\\\x00") {
			t.Errorf("%q is accepted as a file", name)
		}
	})
}

// FuzzConstraints: one that is accepted comes back from the file as it was.
func FuzzConstraints(f *testing.F) {
	for _, text := range []string{"", "1.2.3", ">=0.0.0", ">1.0.0 <2.0.0 || >3.0.0 !4.2.1", "1.x", "~1.2.0", "^1", "*", "v1.0.0", "1.0.0-rc.1+b.2", "20230321004057.0.0", "99999999999999999999.0.0", "||", " ", "1.0.0 - 2.0.0"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if version.ValidateConstraint(text) != nil {
			return
		}
		install, err := PackageInstall(PackageInstallSpec{Name: "a", PackageRef: PackageRef{"a.b.c", VersionSelection{Constraints: text}}})
		if err != nil {
			t.Fatal(err)
		}
		data, err := ytt.Write(install.Object)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadPackageInstall(data)
		if err != nil || got.PackageRef.VersionSelection.Constraints != text {
			t.Errorf("%q came back as %q, %v", text, got.PackageRef.VersionSelection.Constraints, err)
		}
	})
}
