package standin

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"sigs.k8s.io/yaml"
)

// ytt is the part of ytt that the stand-in has. A file without ytt comments goes
// through as it is. Of ytt's language there is: a document under #@data/values-schema,
// one under #@data/values, load lines for @ytt:data, and "key: #@ data.values.NAME" as
// a whole value; and overlays that match all documents, whose maps are merged into them.
// It returns the documents that are left, empty ones dropped.
func ytt(files, values []file, ignoreComments bool) ([]string, error) {
	var templates []template
	for _, f := range files {
		t, err := parseTemplate(f, ignoreComments)
		if err != nil {
			return nil, err
		}
		templates = append(templates, t)
	}
	data, err := dataValues(templates, values)
	if err != nil {
		return nil, err
	}
	var docs []string
	for _, t := range templates {
		for _, d := range t.docs {
			if d.kind != plainDoc {
				continue
			}
			text, err := substitute(t.name, d.text, data)
			if err != nil {
				return nil, err
			}
			empty, err := checkYAML(t.name, text)
			if err != nil {
				return nil, err
			}
			if !empty {
				docs = append(docs, text)
			}
		}
	}
	for _, t := range templates {
		for _, d := range t.docs {
			if d.kind != overlayDoc {
				continue
			}
			for i := range docs {
				if docs[i], err = overlay(t.name, docs[i], d.text); err != nil {
					return nil, err
				}
			}
		}
	}
	return docs, nil
}

// overlay merges the maps of an overlay into a document.
func overlay(name, text, over string) (string, error) {
	var document, changes map[string]any
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		return "", err
	}
	if err := yaml.Unmarshal([]byte(over), &changes); err != nil {
		return "", said("Unmarshaling YAML template '%s': %w", name, err)
	}
	mergeMaps(document, changes)
	merged, err := yaml.Marshal(document)
	return string(merged), err
}

func mergeMaps(into, from map[string]any) {
	for key, value := range from {
		below, isMap := value.(map[string]any)
		if at, has := into[key].(map[string]any); isMap && has {
			mergeMaps(at, below)
			continue
		}
		into[key] = value
	}
}

type docKind int

const (
	plainDoc docKind = iota
	schemaDoc
	valuesDoc
	overlayDoc
)

// doc is one YAML document. Its text begins with as many empty lines as stand before it
// in its file, so that errors count lines as the file does.
type doc struct {
	kind docKind
	text string
}

type template struct {
	name string
	docs []doc
}

var (
	documentStart = regexp.MustCompile(`^---(\s|$)`)
	loadLine      = regexp.MustCompile(`^\s*#@\s*load\("@ytt:(data",\s*"data|overlay",\s*"overlay)"\)\s*$`)
	missingLine   = regexp.MustCompile(`^\s*#@overlay/match\s+missing_ok=True\s*$`)
	describeLine  = regexp.MustCompile(`^\s*#@schema/(desc|title)\s`)
	wholeValue    = regexp.MustCompile(`^(\s*(?:- )*(?:[^#'"]+:|"[^"#]*":|'[^'#]*':|-))\s+#@\s*data\.values\.([A-Za-z_][\w]*(?:\.[A-Za-z_][\w]*)*)\s*$`)
)

// parseTemplate splits a file into documents and drops the ytt comments that it knows.
func parseTemplate(f file, ignoreComments bool) (template, error) {
	lines := strings.Split(f.content, "\n")
	comments := yamlComments(lines)
	t := template{name: f.name}
	isTemplate := false
	for _, c := range comments {
		isTemplate = isTemplate || strings.HasPrefix(c, "#@") || strings.HasPrefix(c, "#!")
	}
	current, kind := []string{}, plainDoc
	flush := func() {
		t.docs = append(t.docs, doc{kind, strings.Join(current, "\n")})
	}
	next := plainDoc
	for i, line := range lines {
		if documentStart.MatchString(line) {
			flush()
			current, kind, next = make([]string, i), next, plainDoc
		}
		comment, found := comments[i]
		switch {
		case !found || !isTemplate:
		case strings.HasPrefix(comment, "#!"):
			line = strings.TrimSuffix(line, comment)
		case !strings.HasPrefix(comment, "#@"):
			if !ignoreComments {
				return t, said("Unmarshaling YAML template '%s': Failed to parse line %d: '%s': Expected ytt-formatted string (use '#@' for annotations or code, '#!' for comments)",
					f.name, i+1, comment)
			}
		case strings.TrimSpace(line) == "#@data/values-schema":
			line, next = "", schemaDoc
		case strings.TrimSpace(line) == "#@data/values":
			line, next = "", valuesDoc
		case strings.TrimSpace(line) == "#@overlay/match by=overlay.all":
			line, next = "", overlayDoc
		case loadLine.MatchString(line), describeLine.MatchString(line), missingLine.MatchString(line):
			line = ""
		case wholeValue.MatchString(line):
		default:
			before := strings.TrimSpace(strings.TrimSuffix(line, comment))
			if before != "" && !strings.HasSuffix(before, ":") && before != "-" {
				return t, said("Unmarshaling YAML template '%s': Expected YAML node at line %d to have either computed or YAML value, but found both",
					f.name, i+1)
			}
			return t, fmt.Errorf("file '%s' line %d: the stand-in's ytt does not support '%s'", f.name, i+1, comment)
		}
		current = append(current, line)
	}
	flush()
	return t, nil
}

var blockScalar = regexp.MustCompile(`(^|[\s:-])[|>][+-]?[1-9]?[+-]?\s*$`)

// yamlComments finds the comment of each line, if it has one, from its # on. It follows
// quotes within a line and block scalars, in which # is text.
func yamlComments(lines []string) map[int]string {
	comments := map[int]string{}
	block := -1 // the indentation of the line that opened a block scalar
	for i, line := range lines {
		indent := len(line) - len(strings.TrimLeft(line, " "))
		if block >= 0 && (strings.TrimSpace(line) == "" || indent > block) {
			continue
		}
		block = -1
		at := commentStart(line)
		if at >= 0 {
			comments[i] = strings.TrimRight(line[at:], " \r")
			line = line[:at]
		}
		if blockScalar.MatchString(line) {
			block = indent
		}
	}
	return comments
}

// commentStart is where a line's comment begins, or -1.
func commentStart(line string) int {
	var quote byte
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quote == '"' && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case (c == '"' || c == '\'') && (i == 0 || strings.IndexByte(" [{,:-", line[i-1]) >= 0):
			quote = c
		case c == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t'):
			return i
		}
	}
	return -1
}

// substitute puts data values into the lines that ask for them.
func substitute(name, text string, data map[string]any) (string, error) {
	lines := strings.Split(text, "\n")
	for i := range yamlComments(lines) {
		m := wholeValue.FindStringSubmatch(lines[i])
		if m == nil {
			continue
		}
		var value any = data
		for part := range strings.SplitSeq(m[2], ".") {
			fields, _ := value.(map[string]any) // a scalar has no fields
			var ok bool
			if value, ok = fields[part]; !ok {
				return "", said("- struct has no .%s field or method\n    in <toplevel>\n      %s:%d | %s", part, name, i+1, strings.TrimSpace(lines[i]))
			}
		}
		raw, err := json.Marshal(value)
		if err != nil {
			return "", err
		}
		lines[i] = m[1] + " " + string(raw)
	}
	return strings.Join(lines, "\n"), nil
}

// checkYAML reports whether a document is empty, or why it is not YAML.
func checkYAML(name, text string) (empty bool, err error) {
	raw, err := yaml.YAMLToJSON([]byte(text))
	if err != nil && !strings.Contains(strings.TrimRight(text, "\n"), "\n") {
		return false, errPanic
	}
	if err != nil {
		return false, said("Unmarshaling YAML template '%s': %s", name, yamlReason(err))
	}
	return strings.TrimSpace(string(raw)) == "null", nil
}

// errPanic is how ytt 0.48 ends if a file of one line is no YAML.
var errPanic = errors.New("panic: Lines are 1 based\n\ngoroutine 1 [running]:\ncarvel.dev/ytt/pkg/filepos.NewPosition(...)\n\t./pkg/filepos/position.go:22")

func yamlReason(err error) string {
	return strings.TrimPrefix(err.Error(), "error converting YAML to JSON: ")
}
