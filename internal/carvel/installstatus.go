package carvel

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// VersionAnnotation on the App of a PackageInstall is the version that the App
// installs.
const VersionAnnotation = "packaging.carvel.dev/package-version"

// InstallStatus is what a PackageInstall's controller reports, beside the part
// of the spec that it is about.
type InstallStatus struct {
	Namespace, Name string
	Package         string
	Constraint      string
	// Version is the selected version, and LastAttemptedVersion the one that was
	// last handed to the App. The package runs at neither for certain.
	Version, LastAttemptedVersion string
	// Extensions are its annotations that the controller acts upon.
	Extensions map[string]string
	// Values are the names of the Secrets that its spec takes values from, in order.
	Values []string
	// Changed is when the status last changed, by the API server's clock; the zero time
	// if nothing tells. There is no time and no count in it, so that a run which ends as
	// the one before changes nothing.
	Changed time.Time
	// Written is when anything else of it was last written.
	Written time.Time
	AppStatus
}

// ReadInstallStatus reads a PackageInstall.
func ReadInstallStatus(obj *unstructured.Unstructured) (InstallStatus, error) {
	s := InstallStatus{
		Namespace: obj.GetNamespace(), Name: obj.GetName(), Extensions: extensions(obj.GetAnnotations()),
		Changed: statusWritten(obj), Written: restWritten(obj),
	}
	for field, path := range map[*string][]string{
		&s.Package:              {"spec", "packageRef", "refName"},
		&s.Constraint:           {"spec", "packageRef", "versionSelection", "constraints"},
		&s.Version:              {"status", "version"},
		&s.LastAttemptedVersion: {"status", "lastAttemptedVersion"},
	} {
		var err error
		if *field, _, err = unstructured.NestedString(obj.Object, path...); err != nil {
			return s, err
		}
	}
	values, _, err := unstructured.NestedSlice(obj.Object, "spec", "values")
	if err != nil {
		return s, err
	}
	for _, source := range values {
		fields, _ := source.(map[string]any)
		if name, found, err := unstructured.NestedString(fields, "secretRef", "name"); found && err == nil {
			s.Values = append(s.Values, name)
		}
	}
	s.AppStatus, err = ReadAppStatus(obj)
	return s, err
}

// InstallApp is the App that the controller makes for a PackageInstall: what
// really installs the package.
type InstallApp struct {
	Version string // that it installs
	// Revision orders its changes among those of other objects of the cluster; 0
	// if it does not.
	Revision uint64
	// Reported is when the status was written, by the API server's clock.
	Reported time.Time
	// Written is when anything else of it was last written, by the same clock; the zero
	// time if nothing tells.
	Written time.Time
	made    installApp
	spec    map[string]any
	manual  bool // the controller does not change its spec
	AppStatus
}

// Period is how long the controller waits after a success, 0 if it is not known.
func (a InstallApp) Period() time.Duration { return a.made.period }

// Behind is the Secret or the annotation of the PackageInstall that the App does not
// follow yet, "" if it follows all. values are the names in the PackageInstall's
// spec, and dropped those that annotations have named before.
func (a InstallApp) Behind(annotations map[string]string, values, dropped []string) string {
	if a.manual {
		return ""
	}
	return a.made.behind(annotations, values, dropped)
}

// Reads reports whether a fetch or a template step of the App reads a Secret.
func (a InstallApp) Reads(secret string) bool { return a.made.secrets[secret] }

// Content is what it deploys beside what it fetches: the Secrets that its templates and
// inline files are made of, by name. others reports whether a ConfigMap is among them,
// or something else whose changes leave no trace on the App.
func (a InstallApp) Content() (secrets []string, others bool) {
	names := map[string]bool{}
	fetch, _ := a.spec["fetch"].([]any)
	for _, entry := range fetch {
		fields, _ := entry.(map[string]any)
		others = collectContent(fields["inline"], names) || others
	}
	others = collectContent(a.spec["template"], names) || others
	return slices.Sorted(maps.Keys(names)), others
}

// collectContent adds the names of Secrets, and reports whether there is anything else.
func collectContent(part any, secrets map[string]bool) (others bool) {
	collectSecrets(part, secrets)
	switch part := part.(type) {
	case []any:
		for _, item := range part {
			others = collectContent(item, secrets) || others
		}
	case map[string]any:
		for field, value := range part {
			others = field == "configMapRef" || field == "downwardAPI" || collectContent(value, secrets) || others
		}
	}
	return others
}

// Installs reports whether the App has all texts of a Package's template: what the
// controller adds, and takes from the PackageInstall instead, aside.
func (a InstallApp) Installs(pkg *unstructured.Unstructured) bool {
	if a.manual {
		return true
	}
	template, _, err := unstructured.NestedMap(pkg.Object, "spec", "template", "spec")
	if err != nil {
		return false
	}
	for _, part := range []string{"fetch", "template", "deploy"} {
		if !holdsTexts(a.spec[part], template[part]) {
			return false
		}
	}
	return true
}

// holdsTexts reports whether all texts of a Package's template are in the same place of
// its App.
func holdsTexts(app, pkg any) bool {
	switch pkg := pkg.(type) {
	case string:
		return app == pkg
	case []any:
		items, _ := app.([]any)
		for i, item := range pkg {
			if i >= len(items) || !holdsTexts(items[i], item) {
				return false
			}
		}
	case map[string]any:
		fields, _ := app.(map[string]any)
		for name, value := range pkg {
			if name == "helmTemplate" {
				rest, _ := value.(map[string]any)
				rest = maps.Clone(rest)
				delete(rest, "name") // annotations have the last word
				delete(rest, "namespace")
				value = rest
			}
			if name != "secretRef" && !holdsTexts(fields[name], value) { // likewise
				return false
			}
		}
	}
	return true
}

// ReadInstallApp reads the App of a PackageInstall.
func ReadInstallApp(obj *unstructured.Unstructured) (InstallApp, error) {
	status, err := ReadAppStatus(obj)
	if err != nil {
		return InstallApp{}, err
	}
	a := InstallApp{
		Version: obj.GetAnnotations()[VersionAnnotation], Revision: Revision(obj), Reported: statusWritten(obj), Written: restWritten(obj), AppStatus: status,
	}
	_, a.manual = obj.GetAnnotations()[manualAnnotation]
	a.spec, _, err = unstructured.NestedMap(obj.Object, "spec")
	if err == nil {
		a.made, err = readInstallApp(a.spec)
	}
	return a, err
}

// Revision is the object's resource version as a number. API servers count the
// changes of all objects that they keep in one etcd together, see
// https://etcd.io/docs/latest/learning/data_model; 0 if it is no number.
func Revision(obj *unstructured.Unstructured) uint64 {
	n, err := strconv.ParseUint(obj.GetResourceVersion(), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// statusWritten is when the status was last written, the zero time if nothing
// tells.
func statusWritten(obj *unstructured.Unstructured) time.Time { return written(obj, true) }

// restWritten is when anything but the status was last written, the zero time if nothing
// tells.
func restWritten(obj *unstructured.Unstructured) time.Time { return written(obj, false) }

func written(obj *unstructured.Unstructured, status bool) time.Time {
	var last time.Time
	for _, entry := range obj.GetManagedFields() {
		if (entry.Subresource == "status") == status && entry.Time != nil && entry.Time.After(last) {
			last = entry.Time.Time
		}
	}
	return last
}
