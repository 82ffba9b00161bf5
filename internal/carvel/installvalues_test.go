package carvel

import (
	"strings"
	"testing"
)

// TestValuesThatAreTooLarge for a Secret.
func TestValuesThatAreTooLarge(t *testing.T) {
	spec := PackageInstallSpec{Package: "app.default.tap", Name: "app", ValuesSecretName: "app-values"}
	for size, refused := range map[int]bool{1<<20 - 100: false, 1<<20 + 1: true} {
		spec.Values = map[string]any{"a": strings.Repeat("a", size)}
		if _, err := ValuesSecret(spec); (err != nil) != refused {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestHashedNames(t *testing.T) {
	spec := PackageInstallSpec{Package: "app.default.tap", Name: "app", ValuesSecretName: "app-values", HashValuesName: true, Values: map[string]any{"a": "1"}}
	name := func(s PackageInstallSpec) string {
		got, _, err := s.valuesSecret()
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	fast := name(spec)
	other := spec
	other.Values = map[string]any{"a": "2"}
	slow := spec
	slow.SecretValues = true
	elsewhere := slow
	elsewhere.Package = "web.default.tap"
	if fast == name(other) || fast == name(slow) || name(slow) == name(elsewhere) || len(fast) != len("app-values-")+10 {
		t.Errorf("%s %s %s %s", fast, name(other), name(slow), name(elsewhere))
	}
	for _, s := range []PackageInstallSpec{spec, slow} {
		if base, ok := s.splitHashedName(name(s)); base != "app-values" || !ok || !IsHashedName(name(s), "app-values") {
			t.Errorf("%s gave %q, %v", name(s), base, ok)
		}
	}
	for _, theirs := range []string{"app-values", "app-values-0123456789", "app-values-012345678g", "-0123456789", "x"} {
		if base, ok := spec.splitHashedName(theirs); ok {
			t.Errorf("%s gave %q", theirs, base)
		}
	}
}
