package carvel

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/ytt"
)

func inlineApp(t *testing.T, fetched, templated map[string]string, url string) map[string]any {
	t.Helper()
	obj, err := App(AppSpec{
		Namespace: "dev", Name: "app",
		Fetch: []Fetch{
			{Inline: &Inline{Paths: fetched}},
			{Git: &GitFetch{URL: url}},
			{HTTP: &HTTPFetch{URL: url}},
			{HelmChart: &HelmChartFetch{Repository: &HelmRepository{URL: url}}},
		},
		Template: []Template{{Ytt: &Ytt{Inline: &Inline{Paths: templated}}}, {Ytt: &Ytt{}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return obj.Object
}

func yamlOf(t *testing.T, object map[string]any) string {
	t.Helper()
	text, err := ytt.Write(object)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestMaskApp: the content of inline files does not show, its change does, and
// the same content looks the same each time.
func TestMaskApp(t *testing.T) {
	files := map[string]string{"a.yaml": "password: s3cret-one\n", "b/c.yaml": "s3cret-two"}
	const url = "https://s3cret-three@git.example.com/r.git"
	app := inlineApp(t, files, files, url)
	before := runtime.DeepCopyJSON(app)
	shown := yamlOf(t, MaskApp(app))
	if diff := cmp.Diff(before, app); diff != "" {
		t.Error("the App itself was changed:", diff)
	}
	if strings.Contains(shown, "s3cret") || strings.Count(shown, "a.yaml: (sensitive value, digest ") != 2 || strings.Count(shown, "b/c.yaml: ") != 2 ||
		strings.Count(shown, ", digest ") != 7 || strings.Count(shown, "@git.example.com/r.git") != 3 {
		t.Errorf("shown:\n%s", shown)
	}
	if again := yamlOf(t, MaskApp(inlineApp(t, maps.Clone(files), files, url))); again != shown {
		t.Errorf("the same App looks like another:\n%s\n%s", shown, again)
	}
	changed := maps.Clone(files)
	changed["a.yaml"] += " "
	for what, other := range map[string]map[string]any{
		"a fetched file": inlineApp(t, changed, files, url), "a template file": inlineApp(t, files, changed, url), "a token": inlineApp(t, files, files, "https://other@git.example.com/r.git"),
	} {
		t.Run(what, func(t *testing.T) {
			if yamlOf(t, MaskApp(other)) == shown {
				t.Errorf("a change of %s does not show", what)
			}
		})
	}
}

// TestMaskApp_other: what is not as the API has it is masked whole, and other
// objects are left as they are.
func TestMaskApp_other(t *testing.T) {
	for _, paths := range []any{"s3cret", []any{"s3cret"}, map[string]any{"a": map[string]any{"b": "s3cret"}}, map[string]any{"a": []any{"s3cret"}}} {
		app := map[string]any{"kind": "App", "spec": map[string]any{"fetch": []any{map[string]any{"inline": map[string]any{"paths": paths}}, "text"}, "template": "text"}}
		if shown := yamlOf(t, MaskApp(app)); strings.Contains(shown, "s3cret") || !strings.Contains(shown, Masked) {
			t.Errorf("%v is shown as\n%s", paths, shown)
		}
	}
	role := map[string]any{"kind": "Role", "spec": map[string]any{"fetch": []any{map[string]any{"inline": map[string]any{"paths": map[string]any{"a": "b"}}}}}}
	if diff := cmp.Diff(runtime.DeepCopyJSON(role), MaskApp(role)); diff != "" {
		t.Error(diff)
	}
}
