package carvel

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// PackagesDir is the directory of a package that holds its Package files. A
// run cluster cannot have this name, since its directory stands beside it.
const PackagesDir = "packages"

// ValidateName checks a DNS-1123 label: the form of namespaces and run
// clusters.
func ValidateName(name string) error {
	return first(validation.IsDNS1123Label(name))
}

// MaxObjectName is how many characters a DNS-1123 subdomain has at most.
const MaxObjectName = validation.DNS1123SubdomainMaxLength

// RecordName is the name of the ConfigMap in which kapp records what an App, or the App
// of a PackageInstall, has deployed.
func RecordName(app string) string { return app + ".app" }

// ValidateLabel checks the key and the value of a label.
func ValidateLabel(key, value string) error {
	if err := first(validation.IsQualifiedName(key)); err != nil {
		return fmt.Errorf("the key %q is no key of a label: %w", key, err)
	}
	if err := first(validation.IsValidLabelValue(value)); err != nil {
		return fmt.Errorf("its value is none of a label: %w", err)
	}
	return nil
}

// ValidateAnnotation checks the key of an annotation; its value may be anything.
func ValidateAnnotation(key, _ string) error {
	if err := first(validation.IsQualifiedName(strings.ToLower(key))); err != nil {
		return fmt.Errorf("the key %q is no key of an annotation: %w", key, err)
	}
	return nil
}

// MaxAnnotations is how many bytes the annotations of an object have at most.
const MaxAnnotations = 256 << 10

// ValidateObjectName checks a DNS-1123 subdomain: the form of the names of
// ServiceAccounts, Secrets, Apps and PackageInstalls.
func ValidateObjectName(name string) error {
	return first(validation.IsDNS1123Subdomain(name))
}

// ValidatePackageName checks a package's name as the packaging API does: a
// DNS-1123 subdomain of at least three segments, such as app.default.tap.
func ValidatePackageName(name string) error {
	if err := ValidateObjectName(name); err != nil {
		return err
	}
	if strings.Count(name, ".") < 2 {
		return fmt.Errorf("a package name has at least three segments separated by dots, such as app.default.tap; %q has %d",
			name, strings.Count(name, ".")+1)
	}
	return nil
}

// ValidateRunCluster checks a run cluster's name, which is a directory name in
// the GitOps repository as well as a key of the provider's run_clusters.
func ValidateRunCluster(name string) error {
	if err := ValidateName(name); err != nil {
		return err
	}
	if name == PackagesDir {
		return fmt.Errorf("%q is the directory that holds a package's versions; give the run cluster another name", PackagesDir)
	}
	return nil
}

// DefaultInstallName is the first label of a package's name: app for
// app.default.tap.
func DefaultInstallName(packageName string) string {
	name, _, _ := strings.Cut(packageName, ".")
	return name
}

func first(problems []string) error {
	if len(problems) == 0 {
		return nil
	}
	return errors.New(problems[0])
}

// OverlaysSecretName is the name of the Secret with the ytt overlays.
func OverlaysSecretName(install string) string { return install + "-overlays" }

// DefaultValuesSecretName is the name of a PackageInstall's values Secret
// if none is given.
func DefaultValuesSecretName(install string) string { return install + "-values" }

// ValidateSecretKey checks a key of a Secret.
func ValidateSecretKey(key string) error { return first(validation.IsConfigMapKey(key)) }

// ValidateServer checks the URL of an API server.
func ValidateServer(server string) error {
	u, err := url.Parse(server)
	if strings.Contains(server, "@") { // quoting it might show a password
		return errors.New("the value holds an @: write a URL without user information, such as https://api.staging.example.com:6443")
	}
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("%q is not a URL such as https://api.staging.example.com:6443", server)
	}
	return nil
}

// DefaultKubeconfigSecretName is the name of a run cluster's kubeconfig Secret
// if none is given.
func DefaultKubeconfigSecretName(runCluster string) string { return runCluster + "-kubeconfig" }
