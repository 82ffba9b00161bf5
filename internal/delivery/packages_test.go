package delivery

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/version"
)

// packageText is a Package for ytt with one value.
func packageText(name, version, value string) string {
	return fmt.Sprintf("apiVersion: data.packaging.carvel.dev/v1alpha1\nkind: Package\nmetadata: {name: %[1]s.%[2]s}\nspec:\n  refName: %[1]s\n  version: %[2]s\n"+
		"  template: {spec: {template: [{ytt: {}}]}}\n"+
		"  valuesSchema: {openAPIv3: {type: object, additionalProperties: false, properties: {%[3]s: {type: integer, default: 1}}}}\n", name, version, value)
}

var inGit = PackageSource{Kind: FromRepository}

// versionsOf are the versions in a list and the places of what could not be read.
func versionsOf(list PackageList) []string {
	all := carvel.Versions(list.Packages)
	for _, u := range list.Unreadable {
		all = append(all, "unreadable "+u.Path)
	}
	return all
}

func TestPackages(t *testing.T) {
	d, server := repositoryDelivery(t)
	layout, err := repolayout.New("clusters")
	if err != nil {
		t.Fatal(err)
	}
	config := d.Config
	config.Layout = layout
	d = New(config)
	const dir = "clusters/app.default.tap/packages/"
	if _, err := server.Seed(repository, "Packages", map[string]string{
		dir + "1.0.0.yaml":                           packageText("app.default.tap", "1.0.0", "a"),
		dir + "more.yml":                             packageText("app.default.tap", "1.10.0", "a") + "---\n" + packageText("app.default.tap", "1.9.0", "a"),
		dir + "other.yaml":                           packageText("other.default.tap", "9.0.0", "a"),
		dir + "broken.yaml":                          "a: [",
		dir + "half.yaml":                            packageText("app.default.tap", "0.5.0", "a") + "---\na: [",
		dir + "README.md":                            "a: [",
		dir + "old/0.1.0.yaml":                       packageText("app.default.tap", "0.1.0", "a"),
		"clusters/plain/x":                           "no package's name",
		"clusters/other.default.tap/packages/1.yaml": packageText("other.default.tap", "1.0.0", "a"),
		"clusters/bare.default.tap/staging/x":        "no versions",
	}); err != nil {
		t.Fatal(err)
	}
	list, err := d.Catalog.Packages(bounded(t), inGit, "app.default.tap")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"1.10.0", "1.9.0", "1.0.0", "0.5.0", "0.1.0", "unreadable " + dir + "broken.yaml", "unreadable " + dir + "half.yaml"}
	if diff := cmp.Diff(want, versionsOf(list)); diff != "" {
		t.Error(diff)
	}
	again, err := d.Catalog.Packages(bounded(t), inGit, "app.default.tap")
	if err != nil || again.Packages[0].Schema != list.Packages[0].Schema {
		t.Errorf("the same file was parsed twice (%v)", err)
	}
	for _, name := range []string{"bare.default.tap", "nosuch.default.tap"} {
		if _, err := d.Catalog.Packages(bounded(t), inGit, name); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", name, err)
		}
	}
	all, err := d.Catalog.AllPackages(bounded(t), inGit)
	if err != nil || len(all.Packages) != 6 || len(all.Unreadable) != 2 {
		t.Errorf("all: %v, %v", versionsOf(all), err)
	}
}

// TestPackages_manyNames: a few objects of Git can name one directory ten billion times over, and no walk may follow them.
func TestPackages_manyNames(t *testing.T) {
	d, server := repositoryDelivery(t)
	const name = "app.default.tap"
	if _, err := server.Seed(repository, "Packages", map[string]string{name + "/staging/x": "x"}); err != nil {
		t.Fatal(err)
	}
	git := func(stdin string, args ...string) string {
		t.Helper()
		out, err := server.Git(repository, strings.NewReader(stdin), args...)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(out)
	}
	commit := func(packages string) {
		t.Helper()
		dir := git("040000 tree "+packages+"\tpackages\n", "mktree")
		root := git("040000 tree "+dir+"\t"+name+"\n", "mktree")
		git("", "update-ref", "refs/heads/main", git("", "-c", "user.name=x", "-c", "user.email=x", "commit-tree", "-m", "x", root))
	}
	file := git(packageText(name, "1.0.0", "a"), "hash-object", "-w", "--stdin")
	leaf := git("100644 blob "+file+"\t1.yaml\n", "mktree")
	tree, deep := leaf, leaf
	for range 10 {
		var entries strings.Builder
		for i := range 10 {
			fmt.Fprintf(&entries, "040000 tree %s\td%d\n", tree, i)
		}
		tree = git(entries.String(), "mktree")
	}
	for range mostPackageDepth + 1 {
		deep = git("040000 tree "+deep+"\td\n", "mktree")
	}
	wide := git("100644 blob "+file+"\t1.yaml\n040000 tree "+tree+"\tmany\n", "mktree")
	for packages, path := range map[string]string{wide: name + "/packages", deep: name + "/packages" + strings.Repeat("/d", mostPackageDepth)} {
		t.Run(packages, func(t *testing.T) {
			commit(packages)
			d = again(t, d, server)
			var limit *gitops.LimitError
			if _, err := d.Catalog.Packages(bounded(t), inGit, name); !errors.As(err, &limit) || limit.Path != path {
				t.Errorf("%v, want a *gitops.LimitError about %s", err, path)
			}
		})
	}
	// A file that is too large, and a name that cannot be, are not read, and the others are.
	large := git(strings.Repeat("# large\n", 1<<20), "hash-object", "-w", "--stdin")
	commit(git("100644 blob "+file+"\t1.yaml\n100644 blob "+large+"\tlarge.yaml\n100644 blob "+file+"\tgit~1\n", "mktree"))
	d = again(t, d, server)
	list, err := d.Catalog.Packages(bounded(t), inGit, name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1.0.0", "unreadable " + name + "/packages", "unreadable " + name + "/packages/large.yaml"}, versionsOf(list)); diff != "" {
		t.Error(diff)
	}
	if !errors.As(list.Unreadable[0].Err, new(*gitops.NameError)) || !errors.As(list.Unreadable[1].Err, new(*gitops.LimitError)) {
		t.Errorf("%+v", list.Unreadable)
	}
}

// FuzzNames: every name of a package and of a run cluster can be that of a directory in the repository.
func FuzzNames(f *testing.F) {
	for _, name := range []string{"app.default.tap", "staging", ".git", "git~1", "a.b.git", "git-1", "a.b.c.", "packages"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if carvel.ValidatePackageName(name) != nil && carvel.ValidateRunCluster(name) != nil {
			return
		}
		if err := gitops.CheckName(name); err != nil {
			t.Errorf("%q is a name of Kubernetes': %v", name, err)
		}
	})
}

func TestCheckPackage(t *testing.T) {
	d, server := repositoryDelivery(t)
	const name = "app.default.tap"
	files := map[string]string{}
	for version, value := range map[string]string{"1.0.0": "old", "1.1.0": "fresh", "1.2.0-rc.1": "newer"} {
		t.Run(version, func(t *testing.T) {
			files[name+"/packages/"+version+".yaml"] = packageText(name, version, value)
		})
	}
	if _, err := server.Seed(repository, "Packages", files); err != nil {
		t.Fatal(err)
	}
	installed := testInstall()
	installed.want(">=1.0.0")
	if _, err := d.Installs.Create(bounded(t), installed); err != nil {
		t.Fatal(err)
	}
	ask := func(constraint string, values map[string]any) PackageCheck {
		return PackageCheck{At: installed.At(), Source: inGit, Selection: version.Selection{Constraint: constraint}, Values: values}
	}
	v, err := d.Catalog.Check(bounded(t), ask(">=1.0.0", map[string]any{"fresh": 1}))
	if err != nil || v.Version != "1.1.0" || v.HeldBack != "1.2.0-rc.1" || len(v.Findings) != 0 || !v.Enforced {
		t.Errorf("%+v, %v", v, err)
	}
	if len(v.Elsewhere) != 1 || v.Elsewhere[0].Version != "1.2.0-rc.1" {
		t.Errorf("elsewhere: %+v, want the prerelease, and no version that is never selected again", v.Elsewhere)
	}
	v, err = d.Catalog.Check(bounded(t), ask("1.1.0", map[string]any{"old": 1}))
	if err != nil || len(v.Findings) != 1 || len(v.Elsewhere) != 0 {
		t.Errorf("%+v, %v", v, err)
	}
	var down *DowngradeError
	if v, err = d.Catalog.Check(bounded(t), ask("1.0.0", nil)); !errors.As(err, &down) || down.From != "1.1.0" || down.To != "1.0.0" || v.Version != "1.0.0" {
		t.Errorf("%+v, %v", v, err)
	}
	allowed := ask("1.0.0", nil)
	allowed.AllowDowngrade = true
	if _, err := d.Catalog.Check(bounded(t), allowed); err != nil {
		t.Error(err)
	}
	elsewhere := ask("1.0.0", nil)
	elsewhere.At.RunCluster = "prod"
	if _, err := d.Catalog.Check(bounded(t), elsewhere); err != nil {
		t.Errorf("nothing is installed there: %v", err)
	}
	elsewhere.Installed = "1.1.0"
	if _, err := d.Catalog.Check(bounded(t), elsewhere); !errors.As(err, &down) {
		t.Errorf("a version that the branch does not tell any more: %v", err)
	}
	var none *NoVersionError
	if _, err := d.Catalog.Check(bounded(t), ask(">1.1.0", nil)); !errors.As(err, &none) || none.HeldBack != "1.2.0-rc.1" || len(none.Available) != 3 {
		t.Errorf("%+v, %v", none, err)
	}
	missing := ask("1.0.0", nil)
	missing.At.Package = "nosuch.default.tap"
	if _, err := d.Catalog.Check(bounded(t), missing); !errors.As(err, &none) || !errors.Is(err, ErrNotFound) {
		t.Errorf("%v, want a NoVersionError about a missing directory", err)
	}
	if got, err := d.Catalog.Find(bounded(t), inGit, name, version.Selection{Constraint: "1.x"}); err != nil || got.Version != "1.1.0" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := d.Catalog.Find(bounded(t), inGit, name, version.Selection{Constraint: "7.x"}); !errors.As(err, &none) {
		t.Errorf("%v, want a NoVersionError", err)
	}
}

// packageAPI answers a list of Packages, and counts what it is asked.
type packageAPI struct {
	selects bool // whether it knows the field spec.refName

	mu    sync.Mutex
	asked []string
}

func (a *packageAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	selector := r.URL.Query().Get("fieldSelector")
	a.mu.Lock()
	a.asked = append(a.asked, r.URL.Path+" "+selector)
	a.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if selector != "" && !a.selects {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"BadRequest","code":400,"message":"field label not supported: spec.refName"}`)
		return
	}
	item := func(name, version string) string {
		return fmt.Sprintf(`{"apiVersion":"data.packaging.carvel.dev/v1alpha1","kind":"Package","metadata":{"name":%q,"namespace":"apps"},"spec":{"refName":%q,"version":%q}}`,
			name+"."+version, name, version)
	}
	items := []string{item("app.default.tap", "1.0.0"), item("app.default.tap", "1.1.0"), item("app.default.tap", "")}
	if selector == "" {
		items = append(items, item("other.default.tap", "7.0.0"))
	}
	fmt.Fprintf(w, `{"kind":"PackageList","apiVersion":"data.packaging.carvel.dev/v1alpha1","items":[%s]}`, strings.Join(items, ","))
}

func TestPackages_onCluster(t *testing.T) {
	const path = "/apis/data.packaging.carvel.dev/v1alpha1/namespaces/apps/packages"
	for _, c := range []struct {
		selects bool
		asked   []string
	}{
		{true, []string{path + " spec.refName=app.default.tap", path + " spec.refName=app.default.tap", path + " "}},
		{false, []string{path + " spec.refName=app.default.tap", path + " ", path + " spec.refName=app.default.tap", path + " ", path + " "}},
	} {
		a := &packageAPI{selects: c.selects}
		server := httptest.NewServer(a)
		t.Cleanup(server.Close)
		d := New(Config{Run: map[string]Cluster{"staging": cluster.New("staging", "test", cluster.Config{Host: server.URL})}})
		from := PackageSource{Kind: FromCluster, RunCluster: "staging", Namespace: "apps"}
		look := func() {
			t.Helper()
			list, err := d.Catalog.Packages(bounded(t), from, "app.default.tap")
			want := []string{"1.1.0", "1.0.0", "unreadable Package apps/app.default.tap. on staging"}
			if diff := cmp.Diff(want, versionsOf(list)); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
		}
		look()
		look() // not asked again
		d.Catalog.Forget(from, "app.default.tap")
		look()
		if all, err := d.Catalog.AllPackages(bounded(t), from); err != nil || len(all.Packages) != 3 {
			t.Errorf("%v, %v", versionsOf(all), err)
		}
		if diff := cmp.Diff(c.asked, a.asked); diff != "" {
			t.Error(diff)
		}
		from.RunCluster = "prod"
		var missing *MissingPartError
		if _, err := d.Catalog.Packages(bounded(t), from, "app.default.tap"); !errors.As(err, &missing) {
			t.Errorf("%v, want a MissingPartError", err)
		}
	}
}
