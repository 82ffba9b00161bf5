package standin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
)

// file is a template or a data-values file under the name that errors show.
type file struct{ name, content string }

// template runs the template steps over root and returns the objects.
func (r *appRun) template(ctx context.Context, root string) ([]*unstructured.Unstructured, result) {
	if len(r.spec.Template) == 0 {
		return nil, broken("Expected at least one template option")
	}
	var docs []string
	var input *file // what the step before has put out
	for i, step := range r.spec.Template {
		if options, ok := step["sops"]; ok {
			if input != nil {
				return nil, broken("Templating data is not supported")
			}
			if res := r.decrypt(ctx, options, root); res.err != "" {
				return nil, res
			}
			continue
		}
		options, ok := step["ytt"]
		if !ok {
			return nil, broken("Templating dir: the stand-in does not run template step " + r.kindsOf("template", i))
		}
		paths, values, added, err := r.yttSources(ctx, options)
		if err != nil {
			return nil, broken("Templating dir: " + err.Error())
		}
		files, res := yttFiles(root, paths, input)
		if res.err != "" {
			return nil, res
		}
		if files, err = takeTime(ctx, append(files, added...)); err != nil {
			return nil, broken("Templating dir: " + err.Error())
		}
		docs, err = ytt(files, values, ignoresComments(options))
		if errors.Is(err, errPanic) {
			return nil, failed("Templating dir", err.Error())
		}
		if err != nil {
			return nil, failed("Templating dir", "ytt: Error: "+err.Error())
		}
		input = &file{"stdin.yml", strings.Join(docs, "\n---\n")}
	}
	if input == nil {
		return nil, broken("Templating dir: the stand-in does not deploy what no ytt step has seen")
	}
	objects, err := objectsOf(docs)
	if err != nil {
		return nil, failed("Templating dir", "kapp: Error: "+err.Error())
	}
	return objects, result{}
}

func ignoresComments(options any) bool {
	var step yttStep
	return convert(options, &step) == nil && step.IgnoreUnknownComments
}

// slowComment is the first line of a file that stands for one which takes ytt its time,
// and has nothing else in it. The values have been read by then.
const slowComment = "#! stand-in: takes "

// takeTime waits as long as such files say, and leaves them out.
func takeTime(ctx context.Context, files []file) ([]file, error) {
	var rest []file
	for _, f := range files {
		first, _, _ := strings.Cut(f.content, "\n")
		text, slow := strings.CutPrefix(first, slowComment)
		if !slow {
			rest = append(rest, f)
			continue
		}
		d, err := time.ParseDuration(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		if err := sleep(ctx, d); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// yttSources are the paths that a step reads, its data-values files and the files that it
// adds, in their order: a source's keys are sorted.
func (r *appRun) yttSources(ctx context.Context, options any) (paths []string, values, added []file, err error) {
	fields, _ := options.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains([]string{"valuesFrom", "ignoreUnknownComments", "inline", "paths"}, name) {
			return nil, nil, nil, fmt.Errorf("the stand-in does not support ytt.%s", name)
		}
	}
	var step yttStep
	if err := convert(options, &step); err != nil {
		return nil, nil, nil, err
	}
	read := func(sources []valuesSource) ([]file, error) {
		var files []file
		for _, source := range sources {
			data, _, err := r.sourceFiles(ctx, source)
			if err != nil {
				return nil, err
			}
			for _, name := range slices.Sorted(maps.Keys(data)) {
				files = append(files, file{name, data[name]})
			}
		}
		return files, nil
	}
	if step.Inline != nil {
		for _, name := range slices.Sorted(maps.Keys(step.Inline.Paths)) {
			added = append(added, file{name, step.Inline.Paths[name]})
		}
		more, err := read(step.Inline.PathsFrom)
		if err != nil {
			return nil, nil, nil, err
		}
		added = append(added, more...)
	}
	values, err = read(step.ValuesFrom)
	return step.Paths, values, added, err
}

// stdinPath is what a step calls what the one before has put out.
const stdinPath = "-"

// yttFiles reads what ytt is given, in this order: the paths of a step, or if it has none
// what the step before has put out, or the root. input is nil for the first step. Files
// have the names that they have below the path, so that two may have the same one; all of
// them count.
func yttFiles(root string, paths []string, input *file) ([]file, result) {
	switch {
	case len(paths) == 0 && input != nil:
		return []file{*input}, result{}
	case len(paths) == 0:
		paths = []string{"."}
	}
	for _, path := range paths { // before ytt is run
		if path == stdinPath && input == nil {
			return nil, broken("Expected stdin to be available when using it as path, but was not")
		}
		if _, err := scopedPath(root, path); path != stdinPath && err != nil {
			return nil, broken("Checking path: " + err.Error())
		}
	}
	var files []file
	for _, path := range paths {
		if path == stdinPath {
			files = append(files, *input)
			continue
		}
		at, err := scopedPath(root, path)
		if err == nil {
			if _, missing := os.Lstat(at); missing != nil {
				err = said("Checking file '%s': %w", at, missing)
			}
		}
		var found []file
		if err == nil {
			found, err = filesBelow(at)
		}
		if err != nil {
			return nil, failed("Templating dir", "ytt: Error: "+err.Error())
		}
		files = append(files, found...)
	}
	return files, result{}
}

// scopedPath is a path of a step, which stays below the root.
func scopedPath(root, path string) (string, error) {
	at := filepath.Join(root, path)
	if at != root && !strings.HasPrefix(at, root+string(filepath.Separator)) {
		return "", said("Invalid path: %s", path)
	}
	return at, nil
}

// filesBelow reads the YAML files below root, sorted by path, or root itself if it is a
// file. Other files do not count, except .txt files, which are templates.
func filesBelow(root string) ([]file, error) {
	var files []file
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if entry.Name() == ".git" {
				return filepath.SkipDir
			}
			return nil
		}
		extension := filepath.Ext(path)
		if !entry.Type().IsRegular() || !slices.Contains([]string{".yml", ".yaml", ".txt"}, extension) {
			return nil
		}
		content, err := os.ReadFile(path) //nolint:gosec // a regular file of the scratch directory
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if path == root {
			name = filepath.Base(root)
		}
		if extension == ".txt" {
			if strings.Contains(string(content), "(@") {
				return fmt.Errorf("the stand-in's ytt does not support text templates (file '%s')", filepath.ToSlash(name))
			}
			return nil
		}
		files = append(files, file{filepath.ToSlash(name), string(content)})
		return nil
	})
	return files, err
}

// objectsOf parses documents as Kubernetes objects. Lists are taken apart.
func objectsOf(docs []string) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	for _, doc := range docs {
		raw, err := yaml.YAMLToJSON([]byte(doc))
		if err != nil {
			return nil, err
		}
		var value any
		if err := utiljson.Unmarshal(raw, &value); err != nil {
			return nil, err
		}
		if value == nil {
			continue
		}
		object, ok := value.(map[string]any)
		if !ok {
			return nil, said("Expected to find kubernetes object")
		}
		u := &unstructured.Unstructured{Object: object}
		if u.IsList() {
			if err := u.EachListItem(func(item runtime.Object) error {
				objects = append(objects, item.(*unstructured.Unstructured))
				return nil
			}); err != nil {
				return nil, err
			}
			continue
		}
		for field, value := range map[string]string{"apiVersion": u.GetAPIVersion(), "kind": u.GetKind(), "metadata.name": u.GetName()} {
			if value == "" && (field != "metadata.name" || u.GetGenerateName() == "") {
				return nil, said("Expected '%s' on resource '%s' to not be empty", field, describe(u))
			}
		}
		objects = append(objects, u)
	}
	return objects, nil
}
