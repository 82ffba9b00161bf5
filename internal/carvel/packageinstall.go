package carvel

import (
	"encoding/json"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/version"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/ytt"
)

// PackageInstallSpec describes a PackageInstall. Its json tags are the API's field
// names; a field with an annotation tag is an annotation of that name, which the
// controller acts upon, see annotate.
type PackageInstallSpec struct {
	Name                string            `json:"-"`
	Namespace           string            `json:"-"` // "": the App that deploys it decides
	Labels, Annotations map[string]string `json:"-"`

	ServiceAccountName string          `json:"serviceAccountName,omitempty"`
	Cluster            *Cluster        `json:"cluster,omitempty"` // instead of ServiceAccountName
	PackageRef         PackageRef      `json:"packageRef"`
	Values             []PackageValues `json:"values,omitempty"`     // the last on top
	SyncPeriod         string          `json:"syncPeriod,omitempty"` // canonical, see CanonicalDuration
	Paused             bool            `json:"paused,omitempty"`
	Canceled           bool            `json:"canceled,omitempty"`
	NoopDelete         bool            `json:"noopDelete,omitempty"`
	DefaultNamespace   string          `json:"defaultNamespace,omitempty"`

	AllowDowngrade bool `json:"-" annotation:"packaging.carvel.dev/downgradable"`
	Extensions     `json:"-"`
}

// PackageRef names a package, such as app.default.tap, and the versions of it that
// are wanted.
type PackageRef struct {
	RefName string `json:"refName"`
	// The controller refuses a missing version selection, also if any version will
	// do.
	VersionSelection VersionSelection `json:"versionSelection"`
}

// VersionSelection says which versions may be installed.
type VersionSelection struct {
	Constraints string               `json:"constraints,omitempty"` // "": any
	Prereleases *version.Prereleases `json:"prereleases,omitempty"` // nil: none
}

// PackageValues names a Secret with values.
type PackageValues struct {
	SecretRef LocalRef `json:"secretRef"`
}

// Extensions are what some annotations of a PackageInstall ask of the
// controller, on which
// https://carvel.dev/kapp-controller/docs/latest/package-install-extensions/
// has more. The JSON names are the provider's own.
type Extensions struct {
	IgnoreKubernetesVersionSelection     bool              `json:"ignoreKubernetesVersionSelection" annotation:"packaging.carvel.dev/ignore-kubernetes-version-selection"`
	IgnoreKappControllerVersionSelection bool              `json:"ignoreKappControllerVersionSelection" annotation:"packaging.carvel.dev/ignore-kapp-controller-version-selection"`
	YttDataValuesOverlays                bool              `json:"yttDataValuesOverlays" annotation:"ext.packaging.carvel.dev/ytt-data-values-overlays"`
	HelmTemplateName                     string            `json:"helmTemplateName" annotation:"ext.packaging.carvel.dev/helm-template-name"`
	HelmTemplateNamespace                string            `json:"helmTemplateNamespace" annotation:"ext.packaging.carvel.dev/helm-template-namespace"`
	HelmTemplateValuesSecrets            []string          `json:"helmTemplateValuesSecrets" annotation:"ext.packaging.carvel.dev/helm-template-values-from-secret-name"`
	FetchSecrets                         map[string]string `json:"fetchSecrets" annotation:"ext.packaging.carvel.dev/fetch-*-secret-name"` // index in the package's fetch list to Secret
}

// SecretsWithValues are PackageValues of Secrets, by their names.
func SecretsWithValues(names ...string) []PackageValues {
	var values []PackageValues
	for _, name := range names {
		values = append(values, PackageValues{LocalRef{Name: name}})
	}
	return values
}

// ValuesSecrets are the names of the Secrets with values.
func (s PackageInstallSpec) ValuesSecrets() []string {
	var names []string
	for _, v := range s.Values {
		names = append(names, v.SecretRef.Name)
	}
	return names
}

// Selection says which versions the PackageInstall accepts.
func (s PackageInstallSpec) Selection() version.Selection {
	wanted := s.PackageRef.VersionSelection
	return version.Selection{Constraint: wanted.Constraints, Prereleases: wanted.Prereleases}
}

// PackageInstall builds the PackageInstall. It fails only if the spec cannot be
// written as JSON.
func PackageInstall(s PackageInstallSpec) (*unstructured.Unstructured, error) {
	spec, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&s)
	if err != nil {
		return nil, err
	}
	annotations := cloneOrMake(s.Annotations)
	annotate(s, annotations)
	obj := object(PackageInstalls, "PackageInstall", s.Namespace, s.Name, s.Labels, annotations)
	obj.Object["spec"] = spec
	return obj, nil
}

// ReadPackageInstall parses a PackageInstall's YAML, however it was written. Other
// documents of the text are passed over.
func ReadPackageInstall(data []byte) (PackageInstallSpec, error) {
	documents, err := ytt.Read(data)
	if err != nil {
		return PackageInstallSpec{}, err
	}
	for _, document := range documents {
		if IsPackageInstall(document) {
			return PackageInstallOf(document)
		}
	}
	return PackageInstallSpec{}, fmt.Errorf("no PackageInstall of %s in it", PackageInstalls.GroupVersion())
}

// PackageInstallOf reads a document that is a PackageInstall.
func PackageInstallOf(document any) (PackageInstallSpec, error) {
	var found struct {
		APIVersion string `json:"apiVersion"`
		Metadata   struct {
			Name        string            `json:"name"`
			Namespace   string            `json:"namespace"`
			Labels      map[string]string `json:"labels"`
			Annotations map[string]string `json:"annotations"`
		} `json:"metadata"`
		Spec PackageInstallSpec `json:"spec"`
	}
	text, err := json.Marshal(document)
	if err != nil {
		return PackageInstallSpec{}, errors.New("a number that JSON cannot hold")
	}
	if err := json.Unmarshal(text, &found); err != nil {
		return PackageInstallSpec{}, errors.New("a PackageInstall with a field of another type than the API has")
	}
	if found.APIVersion != PackageInstalls.GroupVersion().String() {
		return PackageInstallSpec{}, fmt.Errorf("expected a PackageInstall of %s, found one of %q", PackageInstalls.GroupVersion(), found.APIVersion)
	}
	s := found.Spec
	s.Name, s.Namespace = found.Metadata.Name, found.Metadata.Namespace
	s.Labels, s.Annotations = found.Metadata.Labels, found.Metadata.Annotations
	takeAnnotations(&s, s.Annotations)
	if len(s.Annotations) == 0 {
		s.Annotations = nil
	}
	return s, nil
}

// IsPackageInstall reports whether a YAML document is of this kind, in whatever version
// of its API.
func IsPackageInstall(document any) bool {
	m, _ := document.(map[string]any)
	return m["kind"] == "PackageInstall"
}
