package ytt

import (
	"bytes"
)

// DataValuesHeader makes a values document one of ytt's data values, which it must be
// if the controller hands it to ytt as an overlay.
const DataValuesHeader = "#@data/values\n"

// ParseValues reads a text of values as ytt reads a file of data values: its
// documents are merged, later ones over earlier ones. Errors are *Error,
// if the text cannot be used, and quote no value.
func ParseValues(text []byte) (map[string]any, error) {
	line, err := Comment(text)
	if err != nil {
		return nil, err
	}
	if line > 0 {
		return nil, &Error{line, "a ytt comment (#@), which ytt refuses in values; write plain YAML"}
	}
	documents, err := Read(text)
	if err != nil {
		return nil, err
	}
	values := map[string]any{}
	for _, document := range documents {
		layer, ok := document.(map[string]any)
		if !ok {
			return nil, &Error{0, "the top level of values must be a map, such as replicas: 2"}
		}
		values = Merge(values, layer)
	}
	return values, nil
}

// Merge lays values over each other, the last on top: maps are merged,
// anything else replaces what was there, null as well. A layer that is nil is
// passed over; without any other, the result is nil.
func Merge(layers ...map[string]any) map[string]any {
	var merged map[string]any
	for _, layer := range layers {
		if layer == nil {
			continue
		}
		if merged == nil {
			merged = map[string]any{}
		}
		for name, value := range layer {
			above, isMap := value.(map[string]any)
			below, wasMap := merged[name].(map[string]any)
			if isMap && wasMap {
				value = Merge(below, above)
			}
			merged[name] = value
		}
	}
	return merged
}

// Same reports whether two values, or documents, mean the same to ytt: the order of keys
// and the way that a number is written do not matter.
func Same(a, b any) bool {
	x, errX := Write(a)
	y, errY := Write(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// WriteValues writes values as the one document of a text of values. ytt takes
// nothing in it for its own language.
func WriteValues(values map[string]any) (string, error) {
	text, err := writer{quoteYtt: true}.write(values)
	return "---\n" + string(text), err
}
