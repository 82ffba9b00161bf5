package carvel

import (
	"maps"
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
	AppStatus
}

// ReadInstallStatus reads a PackageInstall.
func ReadInstallStatus(obj *unstructured.Unstructured) (InstallStatus, error) {
	s := InstallStatus{Namespace: obj.GetNamespace(), Name: obj.GetName(), Extensions: extensions(obj.GetAnnotations())}
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
	var err error
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
	made     installApp
	spec     map[string]any
	manual   bool // the controller does not change its spec
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
		Version: obj.GetAnnotations()[VersionAnnotation], Revision: Revision(obj), Reported: statusWritten(obj), AppStatus: status,
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
func statusWritten(obj *unstructured.Unstructured) time.Time {
	var last time.Time
	for _, entry := range obj.GetManagedFields() {
		if entry.Subresource == "status" && entry.Time != nil && entry.Time.After(last) {
			last = entry.Time.Time
		}
	}
	return last
}
