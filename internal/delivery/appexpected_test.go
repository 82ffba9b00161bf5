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
	looks int // at many of them
}

func (f *filesAtTip) Prefetch(context.Context, ...string) error {
	f.looks++
	return nil
}

func (f *filesAtTip) ListAll(_ context.Context, dirs ...string) ([][]gitops.Entry, error) {
	f.looks++
	var lists [][]gitops.Entry
	for _, dir := range dirs {
		lists = append(lists, f.list(dir))
	}
	return lists, nil
}

func (f *filesAtTip) Entries(_ context.Context, _ gitops.Hash, paths ...string) ([]gitops.Entry, error) {
	f.looks++
	entries := make([]gitops.Entry, len(paths))
	for i, at := range paths {
		if text, ok := f.files[at]; ok {
			entries[i] = gitops.Entry{Name: path.Base(at), Mode: "100644", Hash: gitops.BlobHash([]byte(text))}
		} else if len(f.list(at)) > 0 {
			entries[i] = gitops.Entry{Name: path.Base(at), Mode: "40000", Hash: gitops.BlobHash([]byte(at))}
		}
	}
	return entries, nil
}

func (f *filesAtTip) list(dir string) []gitops.Entry {
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
	return entries
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
	for i := range MostFiles {
		f.files[fmt.Sprintf("p/staging/many/%d.yaml", i)] = ""
	}
	f.reads, f.looks = nil, 0
	var many *ManyFilesError
	if installs, err := d.Apps.expected(t.Context(), spec); !errors.As(err, &many) || many.Most != MostFiles || installs != nil || len(f.reads) > 20 {
		t.Errorf("too many files: %d were read, and %v found, %v", len(f.reads), installs, err)
	}
	if err := d.Apps.Check(t.Context(), carvel.AppSpec{Name: "app", Cluster: spec.Cluster, Fetch: spec.Fetch}); err != nil {
		t.Errorf("too many files to look for a clash: %v", err)
	}
}

// TestExpected_selected: what the steps do not read is not looked at, and of a directory
// of which they read a file, that file alone.
func TestExpected_selected(t *testing.T) {
	install := func(name string) string { return "kind: PackageInstall\nmetadata: {name: " + name + "}\n" }
	f := &filesAtTip{files: map[string]string{
		"c/p/one.yaml": install("one"), "c/p/other.yaml": install("never"), "c/q/two.yml": install("two"), "c/q/deep/er/three.yaml": install("three"),
		"c/q/deep/four.yaml": install("four"), "c/q/packages/a.yaml": install("never"), "c/r/never.yaml": install("never"), "c/q/five.md": install("never"),
	}}
	d := New(Config{Repository: f, Location: Location{URL: "https://git.example.com/r.git", Branch: "main"}})
	spec := carvel.AppSpec{
		Cluster: &carvel.Cluster{Namespace: "apps"}, Fetch: []carvel.Fetch{{Inline: &carvel.Inline{}}, {Git: &carvel.GitFetch{SubPath: "c"}}},
		Template: []carvel.Template{{Ytt: &carvel.Ytt{Paths: []string{"0", "1/p/one.yaml", "1/q", "1/nosuch"}}}},
	}
	d.Apps.CompleteGit(spec.Fetch[1].Git)
	installs, err := d.Apps.expected(t.Context(), spec)
	var names []string
	for _, i := range installs {
		names = append(names, i.name)
	}
	if diff := cmp.Diff([]string{"four", "one", "three", "two"}, names); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	if f.looks > 7 { // what is there; at each of three depths what is in the directories, and their files
		t.Errorf("it was looked %d times", f.looks)
	}
	missing, err := d.Apps.Missing(t.Context(), App{AppSpec: spec})
	if diff := cmp.Diff([]string{"c/nosuch"}, missing); diff != "" || err != nil {
		t.Errorf("missing: %v %s", err, diff)
	}
	spec.Fetch[1].Git.SubPath = "d"
	missing, err = d.Apps.Missing(t.Context(), App{AppSpec: spec})
	if diff := cmp.Diff([]string{"d"}, missing); diff != "" || err != nil {
		t.Errorf("without the source: %v %s", err, diff)
	}
	packages := App{AppSpec: spec, Packages: &Packages{Names: []string{"q", "p"}, RunCluster: "deep"}}
	missing, err = d.Apps.Missing(t.Context(), packages)
	if diff := cmp.Diff([]string{"p/deep", "p/packages", "q/deep", "q/packages"}, missing); diff != "" || err != nil {
		t.Errorf("of packages: %v %s", err, diff)
	}
	if missing, err := New(Config{}).Apps.Missing(t.Context(), packages); err != nil || missing != nil {
		t.Errorf("without a repository: %v, %v", missing, err)
	}
}
