package gitops

import (
	"errors"
	"fmt"
	"testing"
)

// deliveries is a repository with the directories of many packages for two run clusters, and their paths for one of them.
func deliveries(n int) (files map[string]string, dirs []string) {
	files = map[string]string{"README.md": "# GitOps\n"}
	for i := range n {
		name := fmt.Sprintf("p%03d.default.tap", i)
		files[name+"/packages/1.0.0.yaml"] = fmt.Sprintf("package: %d\n", i)
		files[name+"/prod/params.yaml"] = fmt.Sprintf("replicas: %d\n", i)
		files[name+"/staging/packageinstall.yaml"] = fmt.Sprintf("install: %d\n", i)
		files[name+"/staging/params.yaml"] = fmt.Sprintf("values: %d\n", i)
		dirs = append(dirs, name+"/packages", name+"/staging")
	}
	return files, dirs
}

// TestMany: what a cold process needs to compare 400 directories at two commits and to read the files of half of them does not hang on
// how many they are.
func TestMany(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	files, dirs := deliveries(200)
	first := f.seed(files)
	second := f.seed(map[string]string{dirs[1] + "/params.yaml": "newer"})
	e := f.engine()
	took := func(what string, want int) {
		t.Helper()
		if requests, _ := f.requests(); requests != want {
			t.Errorf("%s took %d requests, want %d", what, requests, want)
		}
		f.reset()
	}
	tip, err := e.Entries(patient(t), Hash{}, dirs...)
	if err != nil {
		t.Fatal(err)
	}
	took("looking at 400 directories of the tip", 3) // the tip, its root, the directories of the packages
	var clusters []string
	for i := 1; i < len(dirs); i += 2 {
		clusters = append(clusters, dirs[i])
	}
	lists, err := e.ListAll(patient(t), append(clusters, "README.md", "nosuch")...)
	if err != nil || len(lists) != 202 || lists[200] != nil || lists[201] != nil {
		t.Fatalf("%d lists, %v", len(lists), err)
	}
	for i, list := range lists[:200] {
		if len(list) != 2 || list[0].Name != "packageinstall.yaml" || list[1].Name != "params.yaml" {
			t.Fatalf("%s holds %v", clusters[i], list)
		}
	}
	took("listing 200 directories", 1)
	if err := e.Prefetch(patient(t), clusters...); err != nil {
		t.Fatal(err)
	}
	took("bringing the files of 200 directories", 1)
	for i, dir := range clusters {
		file, err := e.Read(patient(t), dir+"/packageinstall.yaml")
		if err != nil || string(file.Data) != fmt.Sprintf("install: %d\n", i) {
			t.Fatalf("%s: %q, %v", dir, file.Data, err)
		}
	}
	took("reading them", 0)
	before, err := e.Entries(patient(t), first, dirs...)
	if err != nil {
		t.Fatal(err)
	}
	took("looking at 400 directories of another commit", 2) // its root, the one directory that is another
	for i, dir := range dirs {
		if same := before[i] == tip[i]; same != (i != 1) || before[i].Hash.IsZero() {
			t.Errorf("%s is %v at the first commit and %v at the second", dir, before[i], tip[i])
		}
	}
	now, err := e.Entries(patient(t), second, dirs[1])
	if err != nil || now[0] != tip[1] {
		t.Errorf("%v, %v", now, err)
	}
	took("looking at the tip by its id", 0)
}

func TestMany_refused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a/b": "1"})
	e := f.engine()
	var bad *PathError
	if _, err := e.Entries(patient(t), Hash{}, "a", "../b"); !errors.As(err, &bad) || bad.Path != "../b" {
		t.Errorf("got %v", err)
	}
	if _, err := e.ListAll(patient(t), "a", "/b"); !errors.As(err, &bad) || bad.Path != "/b" {
		t.Errorf("got %v", err)
	}
	if entries, err := e.Entries(patient(t), Hash{}); err != nil || len(entries) != 0 {
		t.Errorf("of no paths: %v, %v", entries, err)
	}
	if requests, _ := f.requests(); requests != 0 {
		t.Errorf("they took %d requests", requests)
	}
}
