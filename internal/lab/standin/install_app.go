package standin

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	annotationManual   = "ext.packaging.carvel.dev/manually-controlled"
	annotationPackage  = "packaging.carvel.dev/package-ref-name"
	annotationVersion  = "packaging.carvel.dev/package-version"
	annotationOverlays = "ext.packaging.carvel.dev/ytt-paths-from-secret-name"
	annotationAsYtt    = "ext.packaging.carvel.dev/ytt-data-values-overlays"
)

// appFor is the App that installs pkg: the Package's template with the fields and the
// values of the PackageInstall. existing is nil if there is none yet.
func (r *installRun) appFor(existing, pkg *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	app := &unstructured.Unstructured{Object: map[string]any{}}
	if existing != nil {
		app = existing.DeepCopy()
	}
	if _, manual := app.GetAnnotations()[annotationManual]; manual {
		return app, nil
	}
	spec, found, err := unstructured.NestedMap(pkg.Object, "spec", "template", "spec")
	if err != nil || !found {
		return nil, errors.Join(said("Package %s has no template", pkg.GetName()), err)
	}
	if err := r.copyFields(spec); err != nil {
		return nil, err
	}
	if err := r.addValues(spec); err != nil {
		return nil, err
	}
	version, _, _ := unstructured.NestedString(pkg.Object, "spec", "version")
	annotations := maps.Clone(app.GetAnnotations())
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[annotationPackage], annotations[annotationVersion] = packageName(pkg), version
	app.SetAPIVersion("kappctrl.k14s.io/v1alpha1")
	app.SetKind("App")
	app.SetNamespace(r.key.namespace)
	app.SetName(r.key.name)
	app.SetAnnotations(annotations)
	if err := r.own(app); err != nil {
		return nil, err
	}
	app.Object["spec"] = spec
	return app, normalizeSpec(app)
}

// copyFields takes over what a PackageInstall and its App have in common.
func (r *installRun) copyFields(spec map[string]any) error {
	from, _, err := unstructured.NestedMap(r.pkgi.Object, "spec")
	if err != nil {
		return err
	}
	for _, name := range []string{"serviceAccountName", "cluster", "syncPeriod", "paused", "canceled", "noopDelete", "defaultNamespace"} {
		delete(spec, name)
		if value, set := from[name]; set {
			spec[name] = value
		}
	}
	if _, set := spec["syncPeriod"]; !set {
		spec["syncPeriod"] = "10m0s"
	}
	return nil
}

// addValues appends the values to the first ytt or helmTemplate step, and what
// annotations name to the paths of the first ytt step.
func (r *installRun) addValues(spec map[string]any) error {
	var values []any
	for _, v := range r.spec.Values {
		if v.SecretRef == nil {
			return said("Expected values to have a secretRef")
		}
		values = append(values, secretSource(v.SecretRef.Name))
	}
	_, asPaths := r.pkgi.GetAnnotations()[annotationAsYtt]
	overlaid := false
	steps, _ := spec["template"].([]any)
	for _, step := range steps {
		fields, _ := step.(map[string]any)
		if options, ok := fields["ytt"].(map[string]any); ok {
			var paths []any
			if !overlaid {
				paths = r.overlays()
			}
			overlaid = true
			if asPaths {
				paths, values = append(paths, values...), nil
			}
			if err := appendSources(options, paths, "inline", "pathsFrom"); err != nil {
				return err
			}
			if err := appendSources(options, values, "valuesFrom"); err != nil {
				return err
			}
			values = nil
		}
		if options, ok := fields["helmTemplate"].(map[string]any); ok {
			if err := appendSources(options, values, "valuesFrom"); err != nil {
				return err
			}
			values = nil
		}
	}
	return nil
}

func secretSource(name string) map[string]any {
	return map[string]any{"secretRef": map[string]any{"name": name}}
}

// overlays are the Secrets that annotations name, by the annotations' suffixes.
func (r *installRun) overlays() []any {
	var sources []any
	annotations := r.pkgi.GetAnnotations()
	for _, name := range slices.Sorted(maps.Keys(annotations)) {
		if name == annotationOverlays || strings.HasPrefix(name, annotationOverlays+".") {
			sources = append(sources, secretSource(annotations[name]))
		}
	}
	return sources
}

func appendSources(options map[string]any, sources []any, path ...string) error {
	if len(sources) == 0 {
		return nil
	}
	present, _, err := unstructured.NestedSlice(options, path...)
	if err != nil {
		return err
	}
	return unstructured.SetNestedSlice(options, append(present, sources...), path...)
}

// own makes the PackageInstall the App's controller. An App that has another one stays.
func (r *installRun) own(app *unstructured.Unstructured) error {
	owners, _, err := unstructured.NestedSlice(app.Object, "metadata", "ownerReferences")
	if err != nil {
		return err
	}
	for _, o := range owners {
		owner, _ := o.(map[string]any)
		if owner["uid"] == string(r.pkgi.GetUID()) {
			return nil
		}
		if owner["controller"] == true {
			return said("Object %s is already owned by another %v controller %v", r.key, owner["kind"], owner["name"])
		}
	}
	owners = append(owners, map[string]any{
		"apiVersion": "packaging.carvel.dev/v1alpha1", "kind": "PackageInstall", "name": r.key.name,
		"uid": string(r.pkgi.GetUID()), "controller": true, "blockOwnerDeletion": true,
	})
	return unstructured.SetNestedSlice(app.Object, owners, "metadata", "ownerReferences")
}

// wantedPackages knows which Package each PackageInstall refers to.
type wantedPackages struct {
	mu        sync.Mutex
	byInstall map[key]string
}

func (w *wantedPackages) set(install key, name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byInstall == nil {
		w.byInstall = map[key]string{}
	}
	if name == "" {
		delete(w.byInstall, install)
		return
	}
	w.byInstall[install] = name
}

// of lists the PackageInstalls of a namespace that refer to a Package.
func (w *wantedPackages) of(namespace, name string) []key {
	w.mu.Lock()
	defer w.mu.Unlock()
	var installs []key
	for install, wanted := range w.byInstall {
		if install.namespace == namespace && wanted == name {
			installs = append(installs, install)
		}
	}
	slices.SortFunc(installs, func(a, b key) int { return strings.Compare(a.name, b.name) })
	return installs
}

// installChanged queues the PackageInstall and remembers what it refers to.
func (c *controller) installChanged(u *unstructured.Unstructured, e event) {
	name, _, _ := unstructured.NestedString(u.Object, "spec", "packageRef", "refName")
	if e == removed {
		name = ""
	}
	c.wanted.set(keyOf(u), name)
	c.installs.Add(keyOf(u))
}

// packageChanged queues the PackageInstalls that refer to a Package.
func (c *controller) packageChanged(u *unstructured.Unstructured, _ event) {
	for _, install := range c.wanted.of(u.GetNamespace(), packageName(u)) {
		c.installs.Add(install)
	}
}
