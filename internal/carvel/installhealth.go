package carvel

import (
	"fmt"

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
	AppStatus
}

// ReadInstallStatus reads a PackageInstall.
func ReadInstallStatus(obj *unstructured.Unstructured) (InstallStatus, error) {
	s := InstallStatus{Namespace: obj.GetNamespace(), Name: obj.GetName()}
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
	AppStatus
}

// ReadInstallApp reads the App of a PackageInstall.
func ReadInstallApp(obj *unstructured.Unstructured) (InstallApp, error) {
	status, err := ReadAppStatus(obj)
	return InstallApp{Version: obj.GetAnnotations()[VersionAnnotation], AppStatus: status}, err
}

// InstallHealth judges a PackageInstall, of at least generation after. For a
// moment after a version was selected the PackageInstall shows it with the
// success of the version before, so that its App has the last word; app is nil
// where that cannot be read.
func InstallHealth(s InstallStatus, app *InstallApp, after int64) Health {
	health := AppHealth(s.AppStatus, after)
	if health.State != Current || app == nil {
		return health
	}
	if app.Version == "" {
		return Health{Pending, fmt.Sprintf("version %s is selected, and nothing is installed so far", s.Version)}
	}
	if app.Version != s.Version {
		return Health{Pending, fmt.Sprintf("version %s is selected, and version %s installed so far", s.Version, app.Version)}
	}
	return AppHealth(app.AppStatus, 0)
}
