package guides_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// known are variables that say how many of something there are, without which there is no
// plan. What else a page leaves to variables is unknown.
var known = map[string]string{
	"fleet":        `"fleet.yaml"`,
	"packages":     `{ "app.default.tap" = { version_constraint = "1.0.0", values = {} } }`,
	"releases":     `"releases.yaml"`,
	"run_cluster":  `"staging"`,
	"run_clusters": `{ staging = local.unknown, prod = local.unknown }`,
	"stage":        `"prod"`,
	"stages":       `"stages.yaml"`,
	"teams":        `{ web = { packages = ["app.default.tap"], run_clusters = ["staging", "prod"] } }`,
}

// TestDocs_plan: what a page of the documentation shows can be planned while nobody knows yet where the
// clusters and the repository are, as where they are made by the same apply.
func TestDocs_plan(t *testing.T) {
	program := terraform(t)
	fragments := allFragments(t, nowhere)
	w := newConfiguration(t, program, fragments, known)
	for _, file := range []string{"fleet/fleet.yaml", "promotion/releases.yaml", "promotion/stages.yaml"} {
		text, err := os.ReadFile(filepath.Join(root, "examples", file))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(w.dir, filepath.Base(file)), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.run(t, "get")
	planned := map[string]int{} // how many resources and data sources of each fragment
	for line := range strings.SplitSeq(string(w.run(t, "plan", "-json", "-lock=false")), "\n") {
		var message struct {
			Type       string `json:"type"`
			Diagnostic struct {
				Severity, Summary, Detail, Address string
				Range                              *struct{ Filename string }
			} `json:"diagnostic"`
			Change struct {
				Resource struct{ Addr, Module string }
			} `json:"change"`
		}
		if line == "" {
			continue
		}
		if err := json.Unmarshal([]byte(line), &message); err != nil {
			t.Fatalf("terraform plan: %v\n%s", err, line)
		}
		switch d := message.Diagnostic; {
		case message.Type == "planned_change":
			module, _, _ := strings.Cut(strings.TrimPrefix(message.Change.Resource.Module, "module."), ".")
			planned[module]++
		case message.Type == "diagnostic" && d.Severity == "error":
			where := "the test's own configuration"
			if d.Range != nil {
				if f, ok := w.fragments[filepath.Dir(d.Range.Filename)]; ok {
					where = f.String()
				}
			}
			t.Errorf("%s: %s: %s\n%s", where, d.Summary, d.Detail, d.Address)
		}
	}
	for name, f := range w.fragments {
		if strings.Contains(f.text, "resource \"carvel_") && planned[name] == 0 {
			t.Errorf("%s: nothing is planned", f)
		}
	}
}

var (
	placeOf  = regexp.MustCompile(`(?m)^(\s*(?:url|host|server|config_path)\s*=) .*$`)
	textOfIt = regexp.MustCompile(`"[^"]*"`)
	carvelOf = regexp.MustCompile(`(?m)^provider "carvel" \{\n`)
	gitOf    = regexp.MustCompile(`(?m)^  git = \{\n`)
	gitURLOf = regexp.MustCompile(`(?m)^  git = \{\n(?:    .*\n)*?    url\s`)
	dataOf   = regexp.MustCompile(`(?m)^(\s*)data "carvel_\w+" "\w+" \{`)
)

// nowhere makes unknown where a cluster or the repository is. What a page leaves to the
// environment is set, and unknown too.
func nowhere(text string, locals map[string]string) string {
	for name, value := range maps.Clone(locals) {
		locals[name] = textOfIt.ReplaceAllString(value, "var.unknown")
	}
	if !carvelOf.MatchString(text) {
		text += "provider \"carvel\" {\n}\n"
	}
	text = placeOf.ReplaceAllString(text, "$1 var.unknown")
	text = strings.ReplaceAll(text, "{ config_path = path }", "{ config_path = var.unknown }")
	add := ""
	if !gitOf.MatchString(text) {
		add += "  git = {\n  }\n"
	}
	for _, cluster := range []string{"build_cluster", "run_clusters"} {
		if !strings.Contains(text, "\n  "+cluster+" = ") {
			add += "  " + cluster + " = var.unknown\n"
		}
	}
	text = carvelOf.ReplaceAllString(text, "${0}"+add)
	if !gitURLOf.MatchString(text) {
		text = gitOf.ReplaceAllString(text, "${0}    url = var.unknown\n")
	}
	// A data source that is read in the apply.
	if dataOf.MatchString(text) {
		text = dataOf.ReplaceAllString(text, "$0\n$1  depends_on = [terraform_data.before]\n") + "resource \"terraform_data\" \"before\" {}\n"
	}
	return text
}
