package internal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const (
	module    = "github.com/carvel-gitops/terraform-provider-carvel"
	hashicorp = "github.com/hashicorp/"
)

// listed is what go list says of a package.
type listed struct {
	ImportPath   string
	Imports      []string
	Deps         []string
	TestImports  []string
	XTestImports []string
}

// house is the package's path inside the module, "" for packages of others and
// for main.
func (p listed) house() string { return house(p.ImportPath) }

func house(importPath string) string {
	inside, found := strings.CutPrefix(importPath, module+"/internal/")
	if !found {
		return ""
	}
	return inside
}

// isTest tells whether a package is there for tests: they import it, and the
// release does not.
func (p listed) isTest() bool { return slices.Contains(p.Imports, "testing") }

func goList(t *testing.T, args ...string) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-json=ImportPath,Imports,Deps,TestImports,XTestImports"}, args...)...)
	cmd.Dir = ".."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, stderr.String())
	}
	var packages []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

func TestImports(t *testing.T) {
	for _, p := range goList(t, "./...") {
		for _, imported := range p.Imports {
			if reason := refused(p, imported); reason != "" {
				t.Errorf("%s imports %s: %s", p.ImportPath, imported, reason)
			}
		}
		if !isPure(p.house()) {
			continue
		}
		for _, dep := range p.Deps {
			if strings.HasPrefix(dep, hashicorp) || isEngine(house(dep)) || house(dep) == "delivery" {
				t.Errorf("%s depends on %s: it is pure", p.ImportPath, dep)
			}
		}
	}
}

func isPure(name string) bool {
	return name == "carvel" || name == "repolayout" || isSmall(name)
}

func isEngine(name string) bool { return name == "gitops" || name == "cluster" || name == "sops" }

// refused says why a package must not import another, "" where it may.
func refused(p listed, imported string) string {
	from, to := p.house(), house(imported)
	layer := func(name string) string { top, _, _ := strings.Cut(name, "/"); return top }
	switch {
	case strings.HasPrefix(imported, hashicorp) && layer(from) != "provider" && p.ImportPath != module && !p.isTest():
		return "only internal/provider and main.go import hashicorp/*"
	case to == "":
		return ""
	case layer(to) == "lab" && layer(from) != "lab" && !p.isTest():
		return "only tests and the lab itself import the lab"
	case isSmall(from), from == "carvel" && to != "yamlsize":
		return from + " stands on nothing"
	case from == "repolayout" && to != "carvel":
		return "repolayout stands on carvel alone"
	case isEngine(from) && !isSmall(to):
		return "an engine imports none of the house's packages but small ones"
	case from == "delivery" && !isPure(to) && !isEngine(to):
		return "delivery imports carvel, repolayout, gitops, cluster, sops and small packages"
	case isResource(from) && isResource(to):
		return "a resource never imports its sibling"
	}
	return ""
}

// isSmall tells a package of one idea, which anybody may use.
func isSmall(name string) bool {
	return slices.Contains([]string{"printable", "redact", "outage", "yamlsize"}, name)
}

// shared are the packages of the provider that resources stand on.
var shared = []string{"acctest", "creation", "providerdata", "redacted", "schemas", "tfdiag", "tfvalue"}

func isResource(name string) bool {
	return path.Dir(name) == "provider" && !slices.Contains(shared, path.Base(name))
}

func TestImports_ofRefused(t *testing.T) {
	production := func(name string) listed { return listed{ImportPath: module + "/internal/" + name} }
	for _, c := range []struct {
		from     listed
		imported string
		refused  bool
	}{
		{production("carvel"), module + "/internal/repolayout", true},
		{production("repolayout"), module + "/internal/carvel", false},
		{production("redact"), module + "/internal/carvel", true},
		{production("provider/redacted"), module + "/internal/redact", false},
		{production("provider/app"), module + "/internal/provider/redacted", false},
		{production("repolayout"), module + "/internal/gitops", true},
		{production("gitops"), module + "/internal/carvel", true},
		{production("cluster"), module + "/internal/printable", false},
		{production("printable"), module + "/internal/carvel", true},
		{production("cluster"), hashicorp + "go-cleanhttp", true},
		{production("sops"), module + "/internal/carvel", true},
		{production("delivery"), module + "/internal/sops", false},
		{production("delivery"), module + "/internal/cluster", false},
		{production("delivery"), module + "/internal/provider/schemas", true},
		{production("provider"), module + "/internal/provider/app", false},
		{production("provider/app"), hashicorp + "terraform-plugin-framework/types", false},
		{production("provider/app"), module + "/internal/provider/schemas", false},
		{production("provider/app"), module + "/internal/provider/runnamespace", true},
		{production("provider/app"), module + "/internal/lab", true},
		{production("lab/labtest"), module + "/internal/lab", false},
		{listed{ImportPath: module}, module + "/internal/lab", true},
		{listed{ImportPath: module}, hashicorp + "terraform-plugin-framework/providerserver", false},
		{listed{ImportPath: module + "/internal/provider/acctest", Imports: []string{"testing"}}, module + "/internal/lab", false},
	} {
		if got := refused(c.from, c.imported); (got != "") != c.refused {
			t.Errorf("%s imports %s: %q", c.from.ImportPath, c.imported, got)
		}
	}
}

// TestReleaseBinary shows that nothing that is there for tests is linked into
// what is released.
func TestReleaseBinary(t *testing.T) {
	for _, p := range goList(t, "-deps", ".") {
		name := p.house()
		switch {
		case strings.HasPrefix(name, "lab/") || name == "lab":
			t.Errorf("%s is linked into the provider", p.ImportPath)
		case name != "" && p.isTest():
			t.Errorf("%s is there for tests and is linked into the provider", p.ImportPath)
		case strings.HasPrefix(p.ImportPath, hashicorp+"terraform-plugin-testing"),
			strings.HasPrefix(p.ImportPath, hashicorp+"terraform-exec"),
			strings.HasPrefix(p.ImportPath, "k8s.io/client-go/kubernetes"),
			p.ImportPath == "net/http/httptest":
			t.Errorf("%s is linked into the provider", p.ImportPath)
		}
	}
}
