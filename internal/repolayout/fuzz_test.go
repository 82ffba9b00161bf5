package repolayout

import (
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// FuzzPaths: whatever is accepted is written inside PACKAGE/RUN-CLUSTER, below
// the prefix.
func FuzzPaths(f *testing.F) {
	f.Add("", "app.default.tap", "staging")
	f.Add("clusters/apps/", "a.b.c", "prod")
	f.Add("..", "..", "..")
	f.Add("a/./b", "a/b.c.d", "packages")
	f.Add(".GIT", "a.b.git", ".git")
	f.Add("/", "", "a\x00")
	f.Fuzz(func(t *testing.T, prefix, packageName, runCluster string) {
		l, err := New(prefix)
		if err != nil || carvel.ValidatePackageName(packageName) != nil || carvel.ValidateRunCluster(runCluster) != nil {
			return
		}
		at := Install{Package: packageName, RunCluster: runCluster}
		below := strings.Trim(prefix, "/")
		if below == "." {
			below = ""
		}
		want := path.Join(below, packageName, runCluster)
		for _, name := range []string{KeepFile, MarkFile, PackageInstallFile, ParamsFile, EncryptedParamsFile, OverlaysFile} {
			got := l.Path(at, name)
			if got != want+"/"+name || path.Clean(got) != got || path.IsAbs(got) || slices.Contains(strings.Split(got, "/"), "..") {
				t.Errorf("%q with %q, %q, %q", got, prefix, packageName, runCluster)
			}
		}
	})
}
