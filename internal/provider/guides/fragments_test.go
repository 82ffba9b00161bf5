package guides_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// fragment is a block of HCL in a page of the documentation, which need not be a whole configuration.
type fragment struct {
	page  string
	line  int // of the page
	text  string
	whole string // the text with what it refers to and does not have
	// variables are those that it declares.
	variables []string
}

func (f fragment) String() string { return fmt.Sprintf("%s:%d", f.page, f.line) }

// fragmentsOf are the blocks of a page that are marked as Terraform's.
func fragmentsOf(page, text string) []fragment {
	var found []fragment
	var lines []string
	began := 0
	for i, line := range strings.Split(text, "\n") {
		switch {
		case began == 0 && strings.TrimSpace(line) == "```terraform":
			began, lines = i+2, nil
		case began > 0 && strings.TrimSpace(line) == "```":
			found = append(found, fragment{page: page, line: began, text: strings.Join(lines, "\n") + "\n"})
			began = 0
		case began > 0:
			lines = append(lines, line)
		}
	}
	return found
}

// foreign are the data sources of other providers that the pages use, with what these
// providers say of them, as far as it is used: the attributes to set, and an object with
// those to read.
var foreign = map[string]struct {
	set  []string
	read string
}{
	"aws_eks_cluster":      {[]string{"name"}, `{ endpoint = "https://a.example.com", certificate_authority = [{ data = "Y2E=" }] }`},
	"google_client_config": {nil, `{ access_token = "token" }`},
	"google_container_cluster": {
		[]string{"name", "location", "project"}, `{ endpoint = "10.0.0.1", master_auth = [{ cluster_ca_certificate = "Y2E=" }] }`,
	},
	"azurerm_kubernetes_cluster": {
		[]string{"name", "resource_group_name"},
		`{ kube_config = [{ host = "https://a.example.com", cluster_ca_certificate = "Y2E=", client_certificate = "Y2E=", client_key = "Y2E=" }] }`,
	},
}

var (
	blockOf        = regexp.MustCompile(`(?m)^(\w+)(?: "([^"]+)")?(?: "([^"]+)")? \{(?:\}|[^\n]*\n(?:(?:[ \t#][^\n]*)?\n)*\})`)
	attributeOf    = regexp.MustCompile(`(?m)^  (\w+) +=`)
	forEachOf      = regexp.MustCompile(`(?m)^  for_each += (.+)$`)
	variableOf     = regexp.MustCompile(`\bvar\.(\w+)`)
	localOf        = regexp.MustCompile(`\blocal\.(\w+)`)
	moduleOf       = regexp.MustCompile(`\bmodule\.(\w+)`)
	foreignOf      = regexp.MustCompile(`\bdata\.((?:aws|google|azurerm)_\w+)\.(\w+)`)
	referenceOf    = regexp.MustCompile(`(?:\b(?:data|ephemeral)\.)?\b(?:carvel|terraform_data)\w*\.\w+`)
	foreignSource  = regexp.MustCompile(`(?m)^    (?:aws|google|azurerm) = \{\n(?:      .*\n)*?    \}\n`)
	addressOf      = regexp.MustCompile(`(?m)^\s*(?:from|to|depends_on|replace_triggered_by)\s*=`)
	requiresCarvel = regexp.MustCompile(`source\s*=\s*"carvel-gitops/carvel"`)
	fileOf         = regexp.MustCompile(`\bfile\("([^"$]+)"\)`)
)

// complete gives the fragment what it refers to and does not have. The data sources of other
// providers become objects with the attributes that those have. Before that it is changed, if
// change is not nil.
func (f *fragment) complete(change func(text string, locals map[string]string) string) error {
	text, locals, err := withoutForeign(f.text)
	if err != nil {
		return err
	}
	if change != nil {
		text = change(text, locals)
	}
	declared := map[string]bool{}
	for _, block := range blockOf.FindAllStringSubmatch(text, -1) {
		switch kind, first, second := block[1], block[2], block[3]; kind {
		case "variable":
			f.variables = append(f.variables, first)
		case "resource":
			declared[first+"."+second] = true
		case "data", "ephemeral":
			declared[kind+"."+first+"."+second] = true
		case "locals":
			for _, name := range attributeOf.FindAllStringSubmatch(block[0], -1) {
				declared["local."+name[1]] = true
			}
		case "module":
			declared["module."+first] = true
		}
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if addressOf.MatchString(line) || strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		for _, kind := range []*regexp.Regexp{referenceOf, moduleOf} {
			line = kind.ReplaceAllStringFunc(line, func(address string) string {
				if declared[address] {
					return address
				}
				return "var.unknown"
			})
		}
		lines[i] = line
	}
	text = strings.Join(lines, "\n")
	var more strings.Builder
	for _, name := range missing(variableOf, text, f.variables) {
		fmt.Fprintf(&more, "variable %q {\n  type = any\n}\n", name)
		f.variables = append(f.variables, name)
	}
	for _, name := range missing(localOf, text, nil) {
		if !declared["local."+name] && locals[name] == "" {
			locals[name] = "var.unknown"
		}
	}
	if !slices.Contains(f.variables, "unknown") {
		more.WriteString("variable \"unknown\" {\n  type = any\n}\n")
		f.variables = append(f.variables, "unknown")
	}
	for _, name := range slices.Sorted(maps.Keys(locals)) {
		fmt.Fprintf(&more, "locals {\n  %s = %s\n}\n", name, locals[name])
	}
	if !requiresCarvel.MatchString(text) {
		more.WriteString("terraform {\n  required_providers {\n    carvel = { source = \"carvel-gitops/carvel\" }\n  }\n}\n")
	}
	f.whole = text + more.String()
	return nil
}

// missing are the names that a text refers to and that are not among those there are.
func missing(reference *regexp.Regexp, text string, there []string) []string {
	names := map[string]bool{}
	for _, match := range reference.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(there, match[1]) {
			names[match[1]] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// withoutForeign takes other providers and their data sources out of a text, and gives the
// local values that take the place of these.
func withoutForeign(text string) (string, map[string]string, error) {
	locals := map[string]string{}
	place := func(kind, name string) string { return "foreign_" + kind + "_" + name }
	var failed error
	text = blockOf.ReplaceAllStringFunc(text, func(block string) string {
		parts := blockOf.FindStringSubmatch(block)
		what, known := foreign[parts[2]]
		switch {
		case parts[1] == "provider" && parts[2] != "carvel":
			return ""
		case parts[1] != "data" || strings.HasPrefix(parts[2], "carvel_"):
			return block
		case !known:
			failed = fmt.Errorf("data source %s is not among those of which the test knows what they have", parts[2])
		}
		for _, attribute := range attributeOf.FindAllStringSubmatch(block, -1) {
			if attribute[1] != "for_each" && !slices.Contains(what.set, attribute[1]) {
				failed = fmt.Errorf("data source %s has no %s to set", parts[2], attribute[1])
			}
		}
		locals[place(parts[2], parts[3])] = what.read
		if each := forEachOf.FindStringSubmatch(block); each != nil {
			locals[place(parts[2], parts[3])] = fmt.Sprintf("{ for key, value in %s : key => %s }", each[1], what.read)
		}
		return ""
	})
	text = foreignOf.ReplaceAllStringFunc(text, func(address string) string {
		parts := foreignOf.FindStringSubmatch(address)
		what, known := foreign[parts[1]]
		if !known {
			failed = fmt.Errorf("data source %s is not among those of which the test knows what they have", parts[1])
		}
		if name := place(parts[1], parts[2]); locals[name] == "" { // of a block that the page has elsewhere
			locals[name] = what.read
		}
		return "local." + place(parts[1], parts[2])
	})
	return foreignSource.ReplaceAllString(text, ""), locals, failed
}
