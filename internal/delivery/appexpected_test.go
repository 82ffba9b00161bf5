package delivery

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
)

// filesAtTip are the files of the branch.
type filesAtTip struct {
	Repository
	files map[string]string
	reads []string
}

func (f *filesAtTip) Prefetch(context.Context, ...string) error { return nil }

func (f *filesAtTip) List(_ context.Context, dir string) ([]gitops.Entry, error) {
	var entries []gitops.Entry
	seen := map[string]bool{}
	for file := range f.files {
		rest, found := strings.CutPrefix(file, dir+"/")
		if dir == "" {
			rest, found = file, true
		}
		name, _, deeper := strings.Cut(rest, "/")
		if !found || seen[name] {
			continue
		}
		seen[name] = true
		mode := "100644"
		if deeper {
			mode = "40000"
		}
		entries = append(entries, gitops.Entry{Name: name, Mode: mode})
	}
	if len(entries) == 0 {
		return nil, gitops.ErrNotExist
	}
	return entries, nil
}

func (f *filesAtTip) Read(_ context.Context, file string) (gitops.File, error) {
	f.reads = append(f.reads, file)
	return gitops.File{Data: []byte(f.files[file])}, nil
}

func TestExpected(t *testing.T) {
	const (
		pkgi   = "apiVersion: packaging.carvel.dev/v1alpha1\nkind: PackageInstall\n"
		values = "spec: {values: [{secretRef: {name: values}}, {secretRef: {name: theirs}}]}\n"
	)
	f := &filesAtTip{files: map[string]string{
		"p/packages/1.yaml":            "never read",
		"p/staging/packageinstall.yml": "# comment\n" + pkgi + "metadata: {name: app}\n" + values,
		"p/staging/params.yaml":        "kind: Secret\nmetadata: {name: values}\nstringData: {values.yaml: \"a: b\"}\n",
		"p/staging/.gitkeep":           "",
		"p/staging/more/two.yaml":      "---\n" + pkgi + "metadata: {name: other, namespace: elsewhere}\n---\n" + pkgi + "metadata: {name: still}\nspec: {paused: true}\n",
		"p/staging/template.yaml":      "#@ load()\nkind: PackageInstall\nmetadata: {name: #@ x\n",
		"q/staging/params.sops.yaml":   "kind: Secret\nmetadata: {name: encrypted}\nstringData: {values.yaml: \"ENC[...]\"}\n",
		"q/staging/install.yaml":       pkgi + "metadata: {name: sealed}\nspec: {values: [{secretRef: {name: encrypted}}]}\n",
	}}
	d := New(Config{Repository: f, Location: Location{URL: "https://git.example.com/r.git", Branch: "main"}})
	spec := carvel.AppSpec{
		Name: "a", Cluster: &carvel.Cluster{Namespace: "apps"}, Template: []carvel.Template{{Ytt: &carvel.Ytt{}}},
		Fetch: []carvel.Fetch{{Git: &carvel.GitFetch{SubPath: "p/packages"}}, {Git: &carvel.GitFetch{SubPath: "p/staging/"}}, {Git: &carvel.GitFetch{SubPath: "q/staging"}}, {Git: &carvel.GitFetch{SubPath: "nosuch"}}},
	}
	for _, source := range spec.Fetch {
		d.Apps.CompleteGit(source.Git)
	}
	look := func() string {
		installs, err := d.Apps.expected(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		var text []string
		for _, i := range installs {
			line := path.Join(i.namespace, i.name)
			for _, s := range i.reads {
				line += fmt.Sprint(" ", s.Name, s.Data)
			}
			text = append(text, line)
		}
		return strings.Join(text, "; ")
	}
	if diff := cmp.Diff("apps/app theirsmap[] valuesmap[values.yaml:a: b]; apps/sealed encryptedmap[]; elsewhere/other", look()); diff != "" {
		t.Error(diff)
	}
	for _, file := range f.reads {
		if strings.Contains(file, "/packages/") {
			t.Errorf("%s was read", file)
		}
	}
	installs, err := d.Apps.expected(t.Context(), spec)
	if err != nil || len(installs) == 0 {
		t.Fatal(err)
	}
	app := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
		"template": []any{map[string]any{"sops": map[string]any{"age": map[string]any{"privateKeysSecretRef": map[string]any{"name": "encrypted"}}}}},
	}}}
	read := func(e expectedInstall) (names string) {
		for _, s := range e.reads {
			names += " " + s.Name
		}
		return names
	}
	w := &appWait{watch: newAppWatch(), expected: installs, named: map[string]bool{}}
	w.watch.installs["apps"] = map[string]*unstructured.Unstructured{"app": {Object: map[string]any{}}}
	w.watch.apps["apps"] = map[string]*unstructured.Unstructured{"app": app}
	if more, err := w.findsMore(); err != nil || !more {
		t.Errorf("a Secret that the package has its App read is not found: %v", err)
	}
	first, second := installs[0].with(w.named), installs[1].with(w.named)
	if read(first) != read(installs[0])+" encrypted" || read(second) != read(installs[1]) {
		t.Errorf("they read%s, and%s", read(first), read(second))
	}
	w.expected = []expectedInstall{first}
	if more, err := w.findsMore(); err != nil || more {
		t.Errorf("it is found again: %v", err)
	}
	spec.Deploy = []carvel.Deploy{{Kapp: &carvel.Kapp{IntoNs: "into"}}}
	spec.Template = []carvel.Template{{Ytt: &carvel.Ytt{Inline: &carvel.Inline{}}}} // what becomes of the values is not known
	if diff := cmp.Diff("into/app theirsmap[] valuesmap[]; into/other; into/sealed encryptedmap[]", look()); diff != "" {
		t.Error(diff)
	}
	spec.Deploy = []carvel.Deploy{{Kapp: &carvel.Kapp{MapNs: []string{"elsewhere=there"}}}}
	if got := look(); !strings.Contains(got, "there/other") || !strings.Contains(got, "apps/app") {
		t.Errorf("with a renaming: %s", got)
	}
	clash := d.Apps.Check(t.Context(), carvel.AppSpec{Name: "app", Cluster: spec.Cluster, Fetch: spec.Fetch})
	if clash == nil || d.Apps.Check(t.Context(), spec) != nil {
		t.Errorf("got %v", clash)
	}
	for i := range mostFiles {
		f.files[fmt.Sprintf("p/staging/many/%d.yaml", i)] = ""
	}
	f.reads = nil
	var many *ManyFilesError
	if installs, err := d.Apps.expected(t.Context(), spec); !errors.As(err, &many) || installs != nil || len(f.reads) > 20 {
		t.Errorf("too many files: %d were read, and %v found, %v", len(f.reads), installs, err)
	}
	if err := d.Apps.Check(t.Context(), carvel.AppSpec{Name: "app", Cluster: spec.Cluster, Fetch: spec.Fetch}); err != nil {
		t.Errorf("too many files to look for a clash: %v", err)
	}
}
