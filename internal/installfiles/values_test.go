package installfiles

import (
	"strings"
	"testing"
)

// appSpec is that of a package, whose values Secret is app-values.
func appSpec(values map[string]any) Spec {
	s := Spec{ValuesSecretName: "app-values", Values: values}
	s.Install.Name, s.Install.PackageRef.RefName = "app", "app.default.tap"
	return s
}

// TestValuesThatAreTooLarge for a Secret.
func TestValuesThatAreTooLarge(t *testing.T) {
	for size, refused := range map[int]bool{1<<20 - 100: false, 1<<20 + 1: true} {
		if _, err := Render(appSpec(map[string]any{"a": strings.Repeat("a", size)})); (err != nil) != refused {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestHashedNames(t *testing.T) {
	spec := appSpec(map[string]any{"a": "1"})
	spec.HashValuesName = true
	name := func(s Spec) string {
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
	slow.WriteOnlyValues = true
	elsewhere := slow
	elsewhere.Install.PackageRef.RefName = "web.default.tap"
	if fast == name(other) || fast == name(slow) || name(slow) == name(elsewhere) || len(fast) != len("app-values-")+10 {
		t.Errorf("%s %s %s %s", fast, name(other), name(slow), name(elsewhere))
	}
	for _, s := range []Spec{spec, slow} {
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
