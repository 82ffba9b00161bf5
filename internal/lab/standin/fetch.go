package standin

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// locked is one entry of the LockConfig: where the content came from.
type locked map[string]any

// fetch brings every entry into a directory of its own below dir and returns the root
// for the templates: dir, or the directory of the only entry. The result's stdout is a
// vendir LockConfig.
func (r *appRun) fetch(ctx context.Context, dir string) (string, result) {
	if len(r.spec.Fetch) == 0 {
		return "", broken("Expected at least one fetch option")
	}
	root := filepath.Join(dir, "fetched")
	if err := os.Mkdir(root, 0o700); err != nil {
		return "", broken("Fetching resources: " + err.Error())
	}
	var lock lockConfig
	for i, entry := range r.spec.Fetch {
		name := strconv.Itoa(i)
		if entry.Path != "" {
			name = entry.Path
		}
		if !filepath.IsLocal(name) {
			return "", failed("Fetching resources", "vendir: Error: Invalid path: "+name)
		}
		content, err := r.fetchEntry(ctx, entry, i, filepath.Join(dir, "work-"+strconv.Itoa(i)), filepath.Join(root, name))
		if err != nil {
			return "", failed("Fetching resources", fmt.Sprintf("vendir: Error: Syncing directory '%s': %s", name, err))
		}
		lock.add(name, content)
	}
	stdout, err := lock.yaml()
	if err != nil {
		return "", broken("Fetching resources: " + err.Error())
	}
	if len(r.spec.Fetch) == 1 && r.spec.Fetch[0].Path == "" {
		root = filepath.Join(root, "0")
	}
	return root, result{stdout: stdout}
}

// fetchEntry fetches one entry to the path to, with scratch as its own directory.
func (r *appRun) fetchEntry(ctx context.Context, entry fetchEntry, i int, scratch, to string) (locked, error) {
	switch {
	case entry.Git != nil:
		return r.fetchGit(ctx, *entry.Git, scratch, to)
	case entry.Inline != nil:
		return locked{"inline": map[string]any{}}, r.fetchInline(ctx, *entry.Inline, to)
	}
	return nil, fmt.Errorf("the stand-in does not fetch %s", r.kindsOf("fetch", i))
}

// kindsOf names the fields of entry i of a list in the spec.
func (r *appRun) kindsOf(list string, i int) string {
	spec, _ := r.app.Object["spec"].(map[string]any)
	entries, _ := spec[list].([]any)
	if i < len(entries) {
		if entry, ok := entries[i].(map[string]any); ok && len(entry) > 0 {
			return strings.Join(slices.Sorted(maps.Keys(entry)), ", ")
		}
	}
	return "an entry without a source"
}

func (r *appRun) fetchInline(ctx context.Context, inline inlineFetch, to string) error {
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	for _, from := range inline.PathsFrom {
		files, directory, err := r.sourceFiles(ctx, from)
		if err != nil {
			return err
		}
		for name, content := range files {
			if err := writeBelow(to, filepath.Join(directory, name), content); err != nil {
				return err
			}
		}
	}
	for name, content := range inline.Paths {
		if err := writeBelow(to, name, content); err != nil {
			return err
		}
	}
	return nil
}

// sourceFiles reads the entries of the Secret or ConfigMap that a source names.
func (r *appRun) sourceFiles(ctx context.Context, from valuesSource) (files map[string]string, directory string, err error) {
	switch {
	case from.SecretRef != nil:
		files, err = r.c.keyedData(ctx, secretsGVR.Resource, key{r.key.namespace, from.SecretRef.Name})
		return files, from.SecretRef.DirectoryPath, err
	case from.ConfigMapRef != nil:
		files, err = r.c.keyedData(ctx, configMapsGVR.Resource, key{r.key.namespace, from.ConfigMapRef.Name})
		return files, from.ConfigMapRef.DirectoryPath, err
	}
	return nil, "", fmt.Errorf("the stand-in does not read values from other sources than secretRef and configMapRef")
}

func writeBelow(dir, name, content string) error {
	if !filepath.IsLocal(name) {
		return said("Invalid path: %s", name)
	}
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(content), 0o600)
}

// references lists the Secrets and ConfigMaps whose change makes the App run at once:
// those of fetch and template, and not the kubeconfig Secret.
func (r *appRun) references() map[ref]bool {
	refs := map[ref]bool{}
	add := func(resource string, n *nameRef) {
		if n != nil {
			refs[ref{resource, key{r.key.namespace, n.Name}}] = true
		}
	}
	addSources := func(sources []valuesSource) {
		for _, s := range sources {
			add(secretsGVR.Resource, s.SecretRef)
			add(configMapsGVR.Resource, s.ConfigMapRef)
		}
	}
	for _, entry := range r.spec.Fetch {
		if entry.Git != nil {
			add(secretsGVR.Resource, entry.Git.SecretRef)
		}
		if entry.Inline != nil {
			addSources(entry.Inline.PathsFrom)
		}
	}
	for _, step := range r.spec.Template {
		for _, options := range step {
			var values struct {
				ValuesFrom []valuesSource `json:"valuesFrom"`
				Inline     *inlineFetch   `json:"inline"`
			}
			if convert(options, &values) == nil {
				addSources(values.ValuesFrom)
				if values.Inline != nil {
					addSources(values.Inline.PathsFrom)
				}
			}
		}
	}
	return refs
}

// lockConfig is what vendir prints: for each entry, what was fetched.
type lockConfig struct {
	directories []any
}

func (l *lockConfig) add(name string, content locked) {
	entry := map[string]any{"path": "."}
	maps.Copy(entry, content)
	l.directories = append(l.directories, map[string]any{"path": name, "contents": []any{entry}})
}

func (l *lockConfig) yaml() (string, error) {
	raw, err := json.Marshal(map[string]any{
		"apiVersion": "vendir.k14s.io/v1alpha1", "kind": "LockConfig", "directories": l.directories,
	})
	if err != nil {
		return "", err
	}
	out, err := yaml.JSONToYAML(raw)
	return string(out), err
}
