package ytt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Write writes maps, slices, strings, booleans, json.Numbers and nil as
// YAML that readers of YAML 1.1 and 1.2 understand alike: keys sorted, no
// comments, quotes wherever one of them would see something else than text.
func Write(v any) ([]byte, error) {
	return writer{}.write(v)
}

// writer has one setting: whether a text of several lines goes into quotes,
// and not into a block, if a line of it looks like a ytt comment.
type writer struct{ quoteYtt bool }

func (w writer) write(v any) ([]byte, error) {
	node, err := w.node(v)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	e.CompactSeqIndent()
	if err := errors.Join(e.Encode(node), e.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func (w writer) node(v any) (*yaml.Node, error) {
	switch v := v.(type) {
	case nil:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: "null"}, nil
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: fmt.Sprint(v)}, nil
	case json.Number:
		text, err := numberText(v)
		return &yaml.Node{Kind: yaml.ScalarNode, Value: text}, err
	case string:
		return w.text(v, true)
	case map[string]any:
		return w.mapping(v)
	case map[string]string:
		return w.mapping(anyMap(v))
	case []any:
		return w.sequence(v)
	default:
		return nil, fmt.Errorf("a %T, which YAML cannot hold", v)
	}
}

func (w writer) mapping(m map[string]any) (*yaml.Node, error) {
	node := &yaml.Node{Kind: yaml.MappingNode}
	if len(m) == 0 {
		node.Style = yaml.FlowStyle
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		key, err := w.text(name, false)
		if err != nil {
			return nil, err
		}
		value, err := w.node(m[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		node.Content = append(node.Content, key, value)
	}
	return node, nil
}

func (w writer) sequence(list []any) (*yaml.Node, error) {
	node := &yaml.Node{Kind: yaml.SequenceNode}
	if len(list) == 0 {
		node.Style = yaml.FlowStyle
	}
	for i, element := range list {
		value, err := w.node(element)
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		node.Content = append(node.Content, value)
	}
	return node, nil
}

// text chooses the style in which a text is read as just that.
func (w writer) text(s string, block bool) (*yaml.Node, error) {
	if !utf8.ValidString(s) {
		return nil, errors.New("text that is not UTF-8")
	}
	node := &yaml.Node{Kind: yaml.ScalarNode, Value: s}
	switch {
	case block && isBlock(s) && w.mayBeBlock(s):
		node.Style = yaml.LiteralStyle
	case isPlain(s):
	case mistaken(s) || strings.Contains(s, "'") || strings.ContainsFunc(s, func(r rune) bool { return !isOrdinary(r) }):
		node.Style = yaml.DoubleQuotedStyle
	default:
		node.Style = yaml.SingleQuotedStyle
	}
	return node, nil
}

func (w writer) mayBeBlock(s string) bool { return !w.quoteYtt || !strings.Contains(s, "#@") }

// isBlock reports whether a text of several lines is safe as a block: no line
// begins or ends in a way that a reader may lose.
func isBlock(s string) bool {
	if !strings.Contains(s, "\n") || strings.HasSuffix(s, "\n\n") || s == "\n" || s[0] == ' ' || s[0] == '\n' {
		return false
	}
	for line := range strings.SplitSeq(s, "\n") {
		if strings.HasSuffix(line, " ") || strings.ContainsFunc(line, func(r rune) bool { return !isOrdinary(r) }) {
			return false
		}
	}
	return true
}

// isOrdinary reports whether a character needs no escape in any style.
func isOrdinary(r rune) bool {
	return r == ' ' || r > ' ' && r < 0x7f || r > 0xa0 && r < 0xfe00 && unicode.IsPrint(r)
}

// isPlain reports whether a text needs no quotes.
func isPlain(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '/' || c == '(':
		case i == 0:
			return false
		case c == ' ' || c == ':':
			if i+1 == len(s) || s[i+1] == ' ' || s[i+1] == ':' {
				return false
			}
		case strings.IndexByte(".+@=,~)$-", c) < 0:
			return false
		}
	}
	return !mistaken(s)
}

// looksTyped is what other readers than ytt's take for a number or a time.
var looksTyped = regexp.MustCompile(`^[-+]?(` +
	`[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?` + // decimal, octal
	`|\.[0-9_]+([eE][-+]?[0-9]+)?` +
	`|0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+` +
	`|[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?` + // of base 60
	`)$|^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}`)

// mistaken reports whether some reader takes an unquoted text for something else.
func mistaken(s string) bool {
	if s == "" {
		return true
	}
	v := plainScalar(s)
	text, isText := v.(string)
	return !isText || text != s || strings.IndexByte("+-.0123456789", s[0]) >= 0 && looksTyped.MatchString(s) || s == "<<" || s == "="
}

func anyMap(m map[string]string) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}
