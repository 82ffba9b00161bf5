package delivery

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/gitserver"
)

// onServer is a repository on a Git server, and how many requests were made of it.
func onServer(t *testing.T, files map[string]string) (as *Apps, server *gitserver.Server, requests *atomic.Int64) {
	t.Helper()
	requests = &atomic.Int64{}
	server, err := gitserver.Start(gitserver.Options{
		Dir: t.TempDir(), Username: "u", Password: "s3cret", Observe: func(gitserver.Exchange) { requests.Add(1) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	if err := server.CreateRepository("gitops", gitserver.AllowFilter, gitserver.AllowAnySHA1InWant); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Seed("gitops", "Seed", files); err != nil {
		t.Fatal(err)
	}
	url := server.URL("gitops")
	engine, err := gitops.Open(gitops.Config{
		URL: url, UserAgent: "test", HTTP: gitops.HTTPAuth{Username: "u", Password: "s3cret", CertificateAuthority: server.CertificateAuthority()},
	})
	if err != nil {
		t.Fatal(err)
	}
	return New(Config{Repository: engine, Location: Location{URL: url, Branch: "main"}}).Apps, server, requests
}

// TestManyPackages: an App of 200 packages is one source. A wait looks at each of their 400
// directories and reads the files of half of them, with as many requests as for one.
func TestManyPackages(t *testing.T) {
	const count, most = 200, 6
	files := map[string]string{}
	p := Packages{RunCluster: "staging"}
	for i := range count {
		name := fmt.Sprintf("p%03d.default.tap", i)
		p.Names = append(p.Names, name)
		files[name+"/packages/1.0.0.yaml"] = fmt.Sprintf("kind: Package\nmetadata: {name: p%d}\n", i)
		files[name+"/prod/packageinstall.yaml"] = "kind: PackageInstall\nmetadata: {name: never}\n"
		files[name+"/staging/packageinstall.yaml"] = fmt.Sprintf("kind: PackageInstall\nmetadata: {name: i%03d}\nspec: {values: [{secretRef: {name: v%d}}]}\n", i, i)
		files[name+"/staging/params.yaml"] = fmt.Sprintf("kind: Secret\nmetadata: {name: v%d}\nstringData: {values.yaml: \"a: %d\"}\n", i, i)
		for j := range 10 { // more files than are looked through without names
			files[fmt.Sprintf("%s/staging/more-%d.yaml", name, j)] = fmt.Sprintf("kind: ConfigMap\nmetadata: {name: c%d-%d}\n", i, j)
		}
	}
	as, server, requests := onServer(t, files)
	s := deliveringPackages(t, as, p, "", carvel.Template{Ytt: &carvel.Ytt{}})
	s.Cluster = &carvel.Cluster{Namespace: "apps"}
	if len(s.Fetch) != 1 {
		t.Fatalf("%d sources", len(s.Fetch))
	}
	before, err := server.Seed("gitops", "Change", map[string]string{p.Names[7] + "/staging/params.yaml": "kind: Secret\nmetadata: {name: other}\n", p.Names[9] + "/prod/x": "x"})
	if err != nil {
		t.Fatal(err)
	}
	status := fetchedAt(s.Fetch, before)
	sources, err := as.sources(t.Context(), as.selected(s, status))
	if err != nil || len(sources) != 2*count || !upToDate(sources) {
		t.Fatalf("%d sources, %v", len(sources), err)
	}
	trees := map[string]string{}
	for _, source := range sources {
		trees[source.Directory] = source.Tree
	}
	installs, err := as.expected(t.Context(), s)
	if err != nil || len(installs) != count {
		t.Fatalf("%d PackageInstalls, %v", len(installs), err)
	}
	for i, install := range installs {
		if install.name != fmt.Sprintf("i%03d", i) || install.namespace != "apps" || len(install.reads) != 1 || (install.reads[0].Data == nil) != (i == 7) {
			t.Fatalf("%+v", install)
		}
	}
	if got := requests.Load(); got > most {
		t.Errorf("a round of a process that knows nothing took %d requests, want at most %d", got, most)
	}
	for at, tree := range trees {
		if tree == "" || tree == (gitops.Hash{}).String() {
			t.Errorf("%s has no tree", at)
		}
	}
	if _, err := server.Seed("gitops", "Change", map[string]string{p.Names[3] + "/packages/2.0.0.yaml": "kind: Package\n", p.Names[4] + "/prod/x": "y", p.Names[5] + "/staging/params.yaml": "x: y\n"}); err != nil {
		t.Fatal(err)
	}
	requests.Store(0)
	as.Repository.Invalidate()
	sources, err = as.sources(t.Context(), as.selected(s, status))
	if err != nil {
		t.Fatal(err)
	}
	var changed []string
	for _, source := range sources {
		if source.Tree != trees[source.Directory] || source.Commit != before {
			t.Errorf("%s is %s at %s, was %s", source.Directory, source.Tree, source.Commit, trees[source.Directory])
		}
		if source.Tree != source.TipTree {
			changed = append(changed, source.Directory)
		}
	}
	if want := []string{p.Names[3] + "/packages", p.Names[5] + "/staging"}; !slices.Equal(changed, want) {
		t.Errorf("%v have changed, want %v", changed, want)
	}
	if got := requests.Load(); got > most/2 {
		t.Errorf("the next round took %d requests, want at most %d", got, most/2)
	}
}
