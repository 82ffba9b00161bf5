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

// mayImport are the packages of the house that each package may import. What is not
// listed has no place yet: give it one. The layers above delivery follow the rules of
// refused.
var mayImport = map[string][]string{
	// One idea each.
	"giturl":                    {},
	"outage":                    {},
	"printable":                 {},
	"redact":                    {},
	"slowdigest":                {},
	"valuesschema":              {},
	"version":                   {},
	"yamlsize":                  {},
	"ytt":                       {"yamlsize"},
	"sops":                      {"yamlsize"},
	"credential":                {},
	"credential/credentialtest": {},
	"kubeconfig":                {"credential", "giturl"},
	// What Carvel has.
	"carvel":        {"giturl", "kubeconfig", "slowdigest", "valuesschema", "version", "yamlsize", "ytt"},
	"carvel/health": {"carvel"},
	"repolayout":    {"carvel"},
	"installfiles":  {"carvel", "repolayout", "slowdigest", "sops", "ytt"},
	// The engines, which know no Carvel and not each other.
	"gitops":  {"credential", "giturl", "outage", "printable"},
	"cluster": {"credential", "outage", "printable"},
	// What Git servers have besides Git.
	"forge":     {"credential", "giturl", "printable"},
	"githubapp": {"credential", "forge"},
	// The use cases.
	"delivery": {
		"carvel", "carvel/health", "cluster", "forge", "gitops", "giturl", "installfiles", "kubeconfig", "printable", "repolayout", "slowdigest", "sops", "valuesschema", "version",
	},
	// For tests.
	"installfiles/handwritten": {"repolayout"},
	"delivery/deliverytest":    {"carvel", "cluster", "gitops", "installfiles", "repolayout"},
	"filltest":                 {},
	"suite":                    {},
	"mutants":                  {},
}

// pure packages talk to nobody and read no file.
var pure = []string{
	"giturl", "printable", "redact", "slowdigest", "valuesschema", "version", "yamlsize", "ytt", "sops", "credential", "kubeconfig", "carvel", "carvel/health", "repolayout", "installfiles",
}

// talking are imports with which a package could.
var talking = []string{"net/http", "os", "os/exec", "k8s.io/client-go/dynamic", "k8s.io/client-go/rest", "github.com/go-git/go-git/v5"}

// resources are the packages of resources, data sources and functions. Others of the
// provider are what these share.
var resources = []string{
	"actions", "app", "ephemeralkubeconfig", "functions", "kubeconfigsecret", "packageinstall", "packages", "pullrequest", "runnamespace",
}

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

// isTest reports whether a package is there for tests: they import it, and the
// release does not.
func (p listed) isTest() bool {
	return slices.Contains(p.Imports, "testing") || slices.Contains([]string{"delivery/deliverytest", "installfiles/handwritten"}, p.house())
}

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
		if _, listed := mayImport[p.house()]; !listed && !isOther(p.house()) {
			t.Errorf("%s is in no list: say what it may import", p.ImportPath)
		}
		for _, imported := range p.Imports {
			if reason := refused(p, imported); reason != "" {
				t.Errorf("%s imports %s: %s", p.ImportPath, imported, reason)
			}
		}
		// What the use cases are must not be tested through Terraform.
		for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
			if _, below := mayImport[p.house()]; below && layer(house(imported)) == "provider" {
				t.Errorf("the tests of %s import %s: it is above", p.ImportPath, imported)
			}
		}
	}
}

func layer(name string) string { top, _, _ := strings.Cut(name, "/"); return top }

// isOther tells a package that the table does not list: those of the provider, of the
// lab, and what is internal to another.
func isOther(name string) bool {
	return name == "" || layer(name) == "provider" || layer(name) == "lab" || layer(name) == "tools" || strings.Contains(name, "internal")
}

// refused says why a package must not import another, "" if it may.
func refused(p listed, imported string) string {
	from, to := p.house(), house(imported)
	allowed, listed := mayImport[from]
	switch {
	case strings.HasPrefix(imported, hashicorp+"terraform-plugin-log") && from != "provider/redacted":
		return "what is logged goes through redacted, which takes the secrets out"
	case strings.HasPrefix(imported, hashicorp) && layer(from) != "provider" && p.ImportPath != module && !p.isTest():
		return "only internal/provider and main.go import hashicorp/*"
	case slices.Contains(pure, from) && slices.Contains(talking, imported):
		return "a pure package talks to nobody"
	case to == "":
		return ""
	case layer(to) == "lab" && layer(from) != "lab" && !p.isTest():
		return "only tests and the lab itself import the lab"
	case listed && !slices.Contains(allowed, to) && !strings.HasPrefix(to, from+"/internal/"):
		return "it is not among what it may import: " + strings.Join(allowed, ", ")
	case isResource(from) && isResource(to):
		return "a resource never imports its sibling"
	}
	return ""
}

func isResource(name string) bool {
	return path.Dir(name) == "provider" && slices.Contains(resources, path.Base(name))
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
		{production("carvel"), "net/http", true},
		{production("cluster"), "net/http", false},
		{production("provider/redacted"), module + "/internal/redact", false},
		{production("provider/redacted"), hashicorp + "terraform-plugin-log/tflog", false},
		{production("provider/app"), hashicorp + "terraform-plugin-log/tflog", true},
		{production("provider/app"), module + "/internal/provider/redacted", false},
		{production("repolayout"), module + "/internal/gitops", true},
		{production("gitops"), module + "/internal/carvel", true},
		{production("gitops"), module + "/internal/gitops/internal/wire", false},
		{production("cluster"), module + "/internal/printable", false},
		{production("cluster"), hashicorp + "go-cleanhttp", true},
		{production("delivery"), module + "/internal/cluster", false},
		{production("delivery"), module + "/internal/provider/schemas", true},
		{production("delivery"), module + "/internal/delivery/deliverytest", true},
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
		t.Run(c.imported, func(t *testing.T) {
			if got := refused(c.from, c.imported); (got != "") != c.refused {
				t.Errorf("%s imports %s: %q", c.from.ImportPath, c.imported, got)
			}
		})
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
