package carvel

import (
	"errors"
	"fmt"
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

const (
	// DowngradableAnnotation lets a PackageInstall go to a lower version.
	DowngradableAnnotation = "packaging.carvel.dev/downgradable"
	// ValuesKey is the key of the values Secret. The controller reads every
	// key; this one is the delivery document's.
	ValuesKey = "values.yaml"
)

// PackageInstallSpec describes one package on one run cluster.
type PackageInstallSpec struct {
	Package             string // name of the package, such as app.default.tap
	Name                string // name of the PackageInstall
	Namespace           string // "": the App that deploys it decides
	Labels, Annotations map[string]string
	ServiceAccountName  string
	VersionConstraint   string
	Prereleases         *Prereleases
	AllowDowngrade      bool
	Values              map[string]any // nil: no values Secret
	ValuesSecretName    string
	SyncPeriod          string // canonical, see CanonicalDuration
	Paused              bool
	Canceled            bool
	NoopDelete          bool
	DefaultNamespace    string
}

// PackageInstall builds the PackageInstall.
func PackageInstall(s PackageInstallSpec) *unstructured.Unstructured {
	annotations := maps.Clone(s.Annotations)
	if s.AllowDowngrade {
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[DowngradableAnnotation] = ""
	}
	obj := object(PackageInstalls, "PackageInstall", s.Namespace, s.Name, s.Labels, annotations)

	// The controller refuses a missing version selection, also where any
	// version will do.
	selection := map[string]any{}
	setString(selection, "constraints", s.VersionConstraint)
	if s.Prereleases != nil {
		prereleases := map[string]any{}
		if len(s.Prereleases.Identifiers) > 0 {
			prereleases["identifiers"] = anySlice(s.Prereleases.Identifiers)
		}
		selection["prereleases"] = prereleases
	}
	spec := map[string]any{
		"packageRef": map[string]any{"refName": s.Package, "versionSelection": selection},
	}
	setString(spec, "serviceAccountName", s.ServiceAccountName)
	setString(spec, "syncPeriod", s.SyncPeriod)
	setString(spec, "defaultNamespace", s.DefaultNamespace)
	setTrue(spec, "paused", s.Paused)
	setTrue(spec, "canceled", s.Canceled)
	setTrue(spec, "noopDelete", s.NoopDelete)
	if s.Values != nil {
		spec["values"] = []any{map[string]any{"secretRef": map[string]any{"name": s.ValuesSecretName}}}
	}
	obj.Object["spec"] = spec
	return obj
}

// ValuesSecret builds the Secret with the package's values, nil where the spec
// has none. It fails on values that YAML cannot hold.
func ValuesSecret(s PackageInstallSpec) (*unstructured.Unstructured, error) {
	if s.Values == nil {
		return nil, nil
	}
	text, err := yaml.Marshal(s.Values)
	if err != nil {
		return nil, fmt.Errorf("values: %w", err)
	}
	obj := object(Secrets, "Secret", s.Namespace, s.ValuesSecretName, nil, nil)
	obj.Object["stringData"] = map[string]any{ValuesKey: "---\n" + string(text)}
	return obj, nil
}

// packageInstall is the part of a PackageInstall that a spec holds.
type packageInstall struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name        string            `json:"name"`
		Namespace   string            `json:"namespace"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
	Spec struct {
		ServiceAccountName string `json:"serviceAccountName"`
		PackageRef         struct {
			RefName          string `json:"refName"`
			VersionSelection struct {
				Constraints string       `json:"constraints"`
				Prereleases *Prereleases `json:"prereleases"`
			} `json:"versionSelection"`
		} `json:"packageRef"`
		Values []struct {
			SecretRef struct {
				Name string `json:"name"`
			} `json:"secretRef"`
		} `json:"values"`
		SyncPeriod       string `json:"syncPeriod"`
		Paused           bool   `json:"paused"`
		Canceled         bool   `json:"canceled"`
		NoopDelete       bool   `json:"noopDelete"`
		DefaultNamespace string `json:"defaultNamespace"`
	} `json:"spec"`
}

// ReadPackageInstall parses a PackageInstall's YAML, however it was written,
// into a spec without values.
func ReadPackageInstall(data []byte) (PackageInstallSpec, error) {
	var p packageInstall
	if err := yaml.Unmarshal(data, &p); err != nil {
		return PackageInstallSpec{}, err
	}
	if p.Kind != "PackageInstall" || p.APIVersion != PackageInstalls.GroupVersion().String() {
		return PackageInstallSpec{}, fmt.Errorf("expected a PackageInstall of %s, found %q of %q",
			PackageInstalls.GroupVersion(), p.Kind, p.APIVersion)
	}
	s := PackageInstallSpec{
		Package:            p.Spec.PackageRef.RefName,
		Name:               p.Metadata.Name,
		Namespace:          p.Metadata.Namespace,
		Labels:             p.Metadata.Labels,
		Annotations:        maps.Clone(p.Metadata.Annotations),
		ServiceAccountName: p.Spec.ServiceAccountName,
		VersionConstraint:  p.Spec.PackageRef.VersionSelection.Constraints,
		Prereleases:        p.Spec.PackageRef.VersionSelection.Prereleases,
		SyncPeriod:         p.Spec.SyncPeriod,
		Paused:             p.Spec.Paused,
		Canceled:           p.Spec.Canceled,
		NoopDelete:         p.Spec.NoopDelete,
		DefaultNamespace:   p.Spec.DefaultNamespace,
	}
	if _, ok := s.Annotations[DowngradableAnnotation]; ok {
		s.AllowDowngrade = true
		delete(s.Annotations, DowngradableAnnotation)
	}
	if len(p.Spec.Values) > 0 {
		s.ValuesSecretName = p.Spec.Values[0].SecretRef.Name
	}
	return s, nil
}

// ReadValues parses a values Secret's YAML and returns the Secret's name and
// the values of its one key.
func ReadValues(data []byte) (name string, values map[string]any, err error) {
	secret, err := readSecret(data)
	if err != nil {
		return "", nil, err
	}
	texts := secret.texts()
	if len(texts) != 1 {
		return "", nil, fmt.Errorf("expected a values Secret with one key, found %d", len(texts))
	}
	for key, text := range texts {
		values = map[string]any{}
		if err := unmarshalExact([]byte(text), &values); err != nil {
			return "", nil, fmt.Errorf("key %q: %w", key, err)
		}
	}
	return secret.Metadata.Name, values, nil
}

type secret struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
	StringData map[string]string `json:"stringData"`
	Data       map[string][]byte `json:"data"`
}

func readSecret(data []byte) (secret, error) {
	var s secret
	if err := yaml.Unmarshal(data, &s); err != nil {
		return s, errors.New("not the YAML of a Secret") // the parser's text may quote a value
	}
	if s.Kind != "Secret" {
		return s, fmt.Errorf("expected a Secret, found %q", s.Kind)
	}
	return s, nil
}

// texts are the Secret's decoded values, stringData winning as in the API.
func (s secret) texts() map[string]string {
	texts := make(map[string]string, len(s.Data)+len(s.StringData))
	for k, v := range s.Data {
		texts[k] = string(v)
	}
	maps.Copy(texts, s.StringData)
	return texts
}
