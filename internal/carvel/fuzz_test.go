package carvel

import (
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/version"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/ytt"
)

// FuzzFiles reads whatever somebody may have put into the repository.
func FuzzFiles(f *testing.F) {
	for _, text := range []string{
		"", "---", "a", "[", "{", "kind: Secret\nstringData: {a: 'b: 1'}", "kind: Secret\ndata: {a: YTogMQo=}", "kind: Secret\nmetadata: {name: a}\nstringData:\n  values.yaml: |\n    ---\n    a: 1\n",
		"apiVersion: packaging.carvel.dev/v1alpha1\nkind: PackageInstall\nmetadata: {name: a, annotations: {packaging.carvel.dev/downgradable: ''}}\nspec:\n  values: [{secretRef: {name: v}}]\n  packageRef: {versionSelection: {prereleases: {}}}\n",
		"a: &a [*a]", "<<: {a: 1}", "? {a: b}\n: c", "a: !x b", "a: !!binary YQ==", "%YAML 1.1\n---\na: 012", "\xff\xfe", "a: 1e999999999", "a: 0x" + strings.Repeat("f", 100), "a: " + strings.Repeat("9", 400),
		"a: |+\n\n\n", "- - - - a", "a: \"\\u0000\"", "\t", "a:\t1", "#@ a\n", "a: 1 #@ b\n", "y: 1", "null: 1", "a: !!float 1", "a: ! b", "---\n...\n---\nb", "a: -0x1", "0: 0", "a: .inf", "{a: {b: {c: [1, {d: ~}]}}}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		spec, err := ReadPackageInstall(data)
		if err == nil {
			if again, _ := PackageInstall(spec); again == nil {
				t.Error("what was read cannot be written")
			}
		}
		_ = spec.SetValues(data)
		_, _ = spec.SetOverlays(data)
		SameFile(data, data)
		for _, shown := range []string{MaskSecret(data), MaskSecrets(data)} {
			if shown != string(data) && MaskSecret([]byte(shown)) == "" {
				t.Error("nothing is shown")
			}
		}
	})
}

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
		_, _ = cutHash(name)
		_ = AnnotationAttribute(name)
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
		install, err := PackageInstall(PackageInstallSpec{Package: "a.b.c", Name: "a", VersionConstraint: text})
		if err != nil {
			t.Fatal(err)
		}
		data, err := ytt.Write(install.Object)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadPackageInstall(data)
		if err != nil || got.VersionConstraint != text {
			t.Errorf("%q came back as %q, %v", text, got.VersionConstraint, err)
		}
	})
}
