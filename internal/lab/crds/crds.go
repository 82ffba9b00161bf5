// Package crds holds the definitions of the Carvel kinds that the lab's
// clusters serve: every documented field, typed, and nothing else.
//
// The manifests are one file each. If a schema is used more than once it is
// written once, in manifests/shared.yaml, and a manifest says `$ref: NAME`.
package crds

import (
	"embed"
	"fmt"
	"path"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

//go:embed manifests/*.yaml
var manifests embed.FS

const sharedFile = "manifests/shared.yaml"

// All returns the CustomResourceDefinitions, ready to be created. The objects
// are the caller's own.
func All() ([]*unstructured.Unstructured, error) {
	shared, err := read(sharedFile)
	if err != nil {
		return nil, err
	}
	entries, err := manifests.ReadDir("manifests")
	if err != nil {
		return nil, err
	}
	var all []*unstructured.Unstructured
	for _, entry := range entries {
		file := path.Join("manifests", entry.Name())
		if file == sharedFile {
			continue
		}
		manifest, err := read(file)
		if err != nil {
			return nil, err
		}
		resolved, err := resolve(manifest, shared, 0)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, &unstructured.Unstructured{Object: resolved.(map[string]any)})
	}
	return all, nil
}

func read(file string) (map[string]any, error) {
	text, err := manifests.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var content map[string]any
	if err := yaml.UnmarshalStrict(text, &content); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return content, nil
}

// resolve returns a copy of node in which every map with a $ref is the shared
// schema of that name with the map's other keys laid over it.
func resolve(node any, shared map[string]any, depth int) (any, error) {
	if depth > 64 {
		return nil, fmt.Errorf("a shared schema refers to itself")
	}
	switch node := node.(type) {
	case []any:
		list := make([]any, len(node))
		for i, item := range node {
			resolved, err := resolve(item, shared, depth+1)
			if err != nil {
				return nil, err
			}
			list[i] = resolved
		}
		return list, nil
	case map[string]any:
		return resolveMap(node, shared, depth)
	}
	return node, nil
}

func resolveMap(node, shared map[string]any, depth int) (any, error) {
	result := map[string]any{}
	if name, ok := node["$ref"].(string); ok {
		schema, ok := shared[name]
		if !ok {
			return nil, fmt.Errorf("no shared schema %q", name)
		}
		resolved, err := resolve(schema, shared, depth+1)
		if err != nil {
			return nil, err
		}
		result = resolved.(map[string]any)
	}
	for key, value := range node {
		if key == "$ref" {
			continue
		}
		resolved, err := resolve(value, shared, depth+1)
		if err != nil {
			return nil, err
		}
		result[key] = resolved
	}
	return result, nil
}
