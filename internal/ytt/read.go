// Package ytt reads and writes YAML as ytt does, and with it kapp-controller: YAML 1.1,
// in which y and no are booleans and 012 is eight, with two restrictions of its own. A
// number keeps all of its digits, as a json.Number. And a document is refused if a
// value of it would get lost or change: a key that comes twice, a tag, a comment that
// ytt takes for its own language.
//
// What Write writes, readers of YAML 1.1 and 1.2 understand alike, and the same value
// always has the same bytes.
//
// https://carvel.dev/ytt/docs/latest/yaml-primer/
package ytt

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/yamlsize"
)

// maxNodes bounds what aliases may blow a document up to.
const maxNodes = 200_000

// Error is a place in a text that cannot be used. It quotes no value.
type Error struct {
	Line   int // from 1; 0 if it is not known
	Reason string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Reason
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Reason)
}

// Document is one of a text, and the line that its content begins in.
type Document struct {
	Line  int
	Value any
}

// Read reads the documents of a text, empty ones left out, as ytt reads
// them: scalars as in YAML 1.1, numbers with all of their digits. It is an error
// if a value would get lost or change: a key that comes twice or that is not
// text, a tag of somebody's own.
func Read(data []byte) ([]any, error) {
	documents, err := Documents(data)
	if err != nil {
		return nil, err
	}
	var values []any
	for _, d := range documents {
		values = append(values, d.Value)
	}
	return values, nil
}

// Documents is Read that tells where each of them is.
func Documents(data []byte) ([]Document, error) {
	leave, err := yamlsize.Enter(data)
	if err != nil {
		return nil, &Error{Reason: err.Error()}
	}
	defer leave()
	nodes, err := documents(data)
	if err != nil {
		return nil, err
	}
	var documents []Document
	r := reader{open: map[*yaml.Node]bool{}}
	for _, node := range nodes {
		v, err := r.value(node)
		if err != nil {
			return nil, err
		}
		if v != nil {
			documents = append(documents, Document{Line: node.Content[0].Line, Value: v})
		}
	}
	return documents, nil
}

func documents(data []byte) ([]*yaml.Node, error) {
	var nodes []*yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(data))
	for {
		node := &yaml.Node{}
		err := d.Decode(node)
		switch {
		case errors.Is(err, io.EOF):
			return nodes, nil
		case err != nil:
			return nil, notYAML(err)
		}
		nodes = append(nodes, node)
	}
}

var parserError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// notYAML keeps of the parser's error what cannot quote a value.
func notYAML(err error) error {
	e := &Error{Reason: "not YAML"}
	if m := parserError.FindStringSubmatch(err.Error()); m != nil {
		_, _ = fmt.Sscan(m[1], &e.Line) // stays 0 if there is none
		if !strings.ContainsAny(m[2], "'\"`") {
			e.Reason += " (" + m[2] + ")"
		}
	}
	return e
}

type reader struct {
	seen int
	open map[*yaml.Node]bool // those that are being read, to see an alias of itself
}

func (r *reader) value(node *yaml.Node) (any, error) {
	if r.seen++; r.seen > maxNodes {
		return nil, &Error{node.Line, "too large: more than 200,000 values, with its aliases resolved"}
	}
	if r.open[node] {
		return nil, &Error{node.Line, "an alias of what it is part of"}
	}
	r.open[node] = true
	defer delete(r.open, node)
	switch node.Kind {
	case yaml.DocumentNode:
		return r.value(node.Content[0])
	case yaml.AliasNode:
		return r.value(node.Alias)
	case yaml.SequenceNode:
		return r.sequence(node)
	case yaml.MappingNode:
		m := map[string]any{}
		return m, r.mapping(node, m)
	case yaml.ScalarNode:
		return scalar(node)
	default:
		return nil, nil // an empty document
	}
}

func (r *reader) sequence(node *yaml.Node) (any, error) {
	if err := checkTag(node, "!!seq"); err != nil {
		return nil, err
	}
	list := make([]any, 0, len(node.Content))
	for _, element := range node.Content {
		v, err := r.value(element)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

// mapping reads a map. What it merges in by << gives way to its own keys.
func (r *reader) mapping(node *yaml.Node, into map[string]any) error {
	if err := checkTag(node, "!!map"); err != nil {
		return err
	}
	var merged []*yaml.Node
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if key.Kind == yaml.ScalarNode && key.Style == 0 && key.Value == "<<" {
			merged = append(merged, value)
			continue
		}
		name, err := r.key(key)
		if err != nil {
			return err
		}
		if _, twice := into[name]; twice {
			return &Error{key.Line, fmt.Sprintf("the key %q comes twice", name)}
		}
		if into[name], err = r.value(value); err != nil {
			return err
		}
	}
	for _, from := range merged {
		if err := r.merge(from, into); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) key(node *yaml.Node) (string, error) {
	v, err := r.value(node)
	if err != nil {
		return "", err
	}
	name, ok := v.(string)
	if !ok {
		return "", &Error{node.Line, "a key that YAML does not read as text, such as 1, y, no or null; put it in quotes"}
	}
	return name, nil
}

func (r *reader) merge(from *yaml.Node, into map[string]any) error {
	v, err := r.value(from)
	if err != nil {
		return err
	}
	list, isList := v.([]any)
	if !isList {
		list = []any{v}
	}
	for _, element := range list {
		m, ok := element.(map[string]any)
		if !ok {
			return &Error{from.Line, "<< with something else than maps"}
		}
		for name, value := range m {
			if _, own := into[name]; !own {
				into[name] = value
			}
		}
	}
	return nil
}

func scalar(node *yaml.Node) (any, error) {
	tagged := node.Style&yaml.TaggedStyle != 0
	if node.Style&^yaml.TaggedStyle != 0 || tagged && node.ShortTag() == "!!str" {
		if tagged && node.ShortTag() != "!!str" && node.ShortTag() != "!" {
			return nil, checkTag(node, "!!str")
		}
		return node.Value, nil
	}
	v := plainScalar(node.Value)
	if !tagged {
		return v, nil
	}
	return v, checkTag(node, tagOf(v))
}

func tagOf(v any) string {
	switch v.(type) {
	case nil:
		return "!!null"
	case bool:
		return "!!bool"
	case string:
		return "!!str"
	}
	if n := fmt.Sprint(v); plainInteger.MatchString(n) {
		return "!!int"
	}
	return "!!float"
}

func checkTag(node *yaml.Node, want string) error {
	if node.Style&yaml.TaggedStyle != 0 && node.ShortTag() != want {
		return &Error{node.Line, "a tag that changes what the value is; only plain YAML can be used"}
	}
	return nil
}

// Comment is the line of the first comment that ytt would take for its own
// language, 0 if there is none. The text must be YAML.
func Comment(data []byte) (int, error) {
	leave, err := yamlsize.Enter(data)
	if err != nil {
		return 0, &Error{Reason: err.Error()}
	}
	defer leave()
	nodes, err := documents(data)
	if err != nil {
		return 0, err
	}
	lines := strings.Split(string(data), "\n")
	if len(nodes) == 0 { // nothing but comments
		return lineOf(lines, "#@"), nil
	}
	for _, node := range nodes {
		if comment := commentIn(node); comment != "" {
			return lineOf(lines, comment), nil
		}
	}
	return 0, nil
}

func lineOf(lines []string, text string) int {
	return slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, text) }) + 1
}

func commentIn(node *yaml.Node) string {
	for _, comment := range []string{node.HeadComment, node.LineComment, node.FootComment} {
		for line := range strings.SplitSeq(comment, "\n") {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "#@") {
				return line
			}
		}
	}
	for _, child := range node.Content {
		if comment := commentIn(child); comment != "" {
			return comment
		}
	}
	return ""
}
