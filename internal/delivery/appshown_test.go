package delivery

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/ytt"
)

// TestShownApp: a plan, what is read, what an adoption changes and what a
// cluster has changed show no content of an inline file; a quiet plan stays
// quiet, also with ignored fields, and drift shows.
func TestShownApp(t *testing.T) {
	spec := func(content string) App {
		files := map[string]string{"values.yaml": content}
		return App{AppSpec: carvel.AppSpec{
			Namespace: "dev", Name: "app",
			Fetch:    []carvel.Fetch{{Inline: &carvel.Inline{Paths: files}}},
			Template: []carvel.Template{{Ytt: &carvel.Ytt{Inline: &carvel.Inline{Paths: files}}}},
		}}
	}
	object := func(a App) *unstructured.Unstructured {
		obj, err := carvel.App(a.AppSpec)
		if err != nil {
			t.Fatal(err)
		}
		return obj
	}
	read := func(live, wanted App) string {
		r, err := readApp(object(live), object(wanted))
		if err != nil {
			t.Fatal(err)
		}
		return r.Object
	}
	plan := func(a App, before string) string {
		text, err := PlannedApp(a, before)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text, "s3cret") || !strings.Contains(text, "values.yaml: (sensitive value, digest ") {
			t.Errorf("the plan shows\n%s", text)
		}
		return text
	}
	ours, theirs := spec("password: s3cret-ours"), spec("password: s3cret-theirs")
	quiet, drifted := read(ours, ours), read(theirs, ours)
	if plan(ours, quiet) != quiet {
		t.Errorf("the plan of an App without drift is not quiet:\n%s\n%s", plan(ours, quiet), quiet)
	}
	if written := ours.written(AppReceipt{}, object(ours), object(ours), carvel.Mark{}); written.Object != quiet {
		t.Errorf("what was written is not what is read:\n%s\n%s", written.Object, quiet)
	}
	if drifted == quiet || strings.Contains(drifted, "s3cret") || plan(ours, drifted) == drifted {
		t.Errorf("drift shows as\n%s", drifted)
	}
	if plan(theirs, quiet) == quiet {
		t.Error("a change of the configuration does not show")
	}
	ignoring := ours
	ignoring.Ignore = Ignored{".spec.fetch", ".spec.template"}
	if plan(ignoring, drifted) != drifted {
		t.Errorf("an ignored field is not:\n%s\n%s", plan(ignoring, drifted), drifted)
	}
	for _, m := range mutations(object(ours), object(theirs), cluster.Manager{}) {
		if value, err := ytt.Write(map[string]any{"value": m.Value}); err != nil || strings.Contains(string(value), "s3cret") || !strings.Contains(string(value), "digest") {
			t.Errorf("%s is told as %s, %v", m.Field, value, err)
		}
	}
	live := object(theirs)
	live.SetResourceVersion("1")
	a, err := New(Config{}).Apps.adoption(map[cluster.Ref]*unstructured.Unstructured{ours.ref(): live}, []*unstructured.Unstructured{object(ours)}, carvel.Mark{})
	if err != nil || len(a.Changes) != 1 {
		t.Fatal(a, err)
	}
	if c := a.Changes[0]; c.Before == c.After || strings.Contains(c.Before+c.After, "s3cret") {
		t.Errorf("an adoption shows\n%s\n%s", c.Before, c.After)
	}
}
