package carvel

import (
	"fmt"
	"maps"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/version"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// ValuesKey is the key of the values Secret. The controller reads every key;
// this one is the delivery document's.
const ValuesKey = "values.yaml"

// PackageInstallSpec describes one package on one run cluster.
type PackageInstallSpec struct {
	Package             string // name of the package, such as app.default.tap
	Name                string // name of the PackageInstall
	Namespace           string // "": the App that deploys it decides
	Labels, Annotations map[string]string
	ServiceAccountName  string
	Cluster             *Cluster // instead of ServiceAccountName
	VersionConstraint   string
	Prereleases         *version.Prereleases
	AllowDowngrade      bool
	SyncPeriod          string // canonical, see CanonicalDuration
	Paused              bool
	Canceled            bool
	NoopDelete          bool
	DefaultNamespace    string

	Values             map[string]any // nil: no values Secret
	ValuesSecretName   string
	HashValuesName     bool     // a hash of the values follows ValuesSecretName
	SecretValues       bool     // values are in it that only a configuration holds
	EncryptedValues    bool     // the Secret is encrypted in the repository
	HiddenValuesSecret string   // name of a values Secret whose content cannot be read; excludes Values
	ExtraValuesSecrets []string // names of Secrets whose values lie over ours

	YttOverlays map[string]string // file name to text; empty: no overlays Secret
	Extensions
}

// Extensions are what some annotations of a PackageInstall ask of the
// controller, on which
// https://carvel.dev/kapp-controller/docs/latest/package-install-extensions/
// has more. The JSON names are the provider's own.
type Extensions struct {
	IgnoreKubernetesVersionSelection     bool              `json:"ignoreKubernetesVersionSelection"`
	IgnoreKappControllerVersionSelection bool              `json:"ignoreKappControllerVersionSelection"`
	YttDataValuesOverlays                bool              `json:"yttDataValuesOverlays"`
	HelmTemplateName                     string            `json:"helmTemplateName"`
	HelmTemplateNamespace                string            `json:"helmTemplateNamespace"`
	HelmTemplateValuesSecrets            []string          `json:"helmTemplateValuesSecrets"`
	FetchSecrets                         map[string]string `json:"fetchSecrets"` // index in the package's fetch list to Secret
}

// PackageInstall builds the PackageInstall. It fails on values that YAML cannot
// hold, since their hash may be part of a name.
func PackageInstall(s PackageInstallSpec) (*unstructured.Unstructured, error) {
	obj := object(PackageInstalls, "PackageInstall", s.Namespace, s.Name, s.Labels, s.annotations())

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
	setCluster(spec, s.Cluster)
	setString(spec, "syncPeriod", s.SyncPeriod)
	setString(spec, "defaultNamespace", s.DefaultNamespace)
	setTrue(spec, "paused", s.Paused)
	setTrue(spec, "canceled", s.Canceled)
	setTrue(spec, "noopDelete", s.NoopDelete)
	var values []any
	if s.Values != nil {
		name, _, err := s.valuesSecret()
		if err != nil {
			return nil, err
		}
		values = append(values, secretRef(name))
	}
	if s.HiddenValuesSecret != "" {
		values = append(values, secretRef(s.HiddenValuesSecret))
	}
	for _, name := range s.ExtraValuesSecrets {
		values = append(values, secretRef(name))
	}
	if len(values) > 0 {
		spec["values"] = values
	}
	obj.Object["spec"] = spec
	return obj, nil
}

func secretRef(name string) any {
	return map[string]any{"secretRef": map[string]any{"name": name}}
}

func setCluster(spec map[string]any, c *Cluster) {
	if c == nil {
		return
	}
	out := map[string]any{}
	setString(out, "namespace", c.Namespace)
	if ref := c.KubeconfigSecretRef; ref != nil {
		fields := map[string]any{"name": ref.Name}
		setString(fields, "key", ref.Key)
		out["kubeconfigSecretRef"] = fields
	}
	spec["cluster"] = out
}

// maxSecretBytes is what an API server takes in one Secret.
const maxSecretBytes = 1 << 20

// valuesSecret is the name and the content of the values Secret.
func (s PackageInstallSpec) valuesSecret() (name, text string, err error) {
	if text, err = s.valuesText(); err != nil {
		return "", "", err
	}
	if len(text) > maxSecretBytes {
		return "", "", fmt.Errorf("values: %d bytes of YAML, and a Secret holds no more than %d", len(text), maxSecretBytes)
	}
	if s.HashValuesName {
		return s.hashedName(s.ValuesSecretName, text), text, nil
	}
	return s.ValuesSecretName, text, nil
}

// ValuesSecret builds the Secret with the package's values, nil where the spec
// has none. It fails on values that YAML cannot hold.
func ValuesSecret(s PackageInstallSpec) (*unstructured.Unstructured, error) {
	if s.Values == nil {
		return nil, nil
	}
	name, text, err := s.valuesSecret()
	if err != nil {
		return nil, err
	}
	var annotations map[string]string
	if s.HashValuesName {
		annotations = map[string]string{groupAnnotation: valuesGroup}
	}
	obj := object(Secrets, "Secret", s.Namespace, name, nil, annotations)
	obj.Object["stringData"] = map[string]any{ValuesKey: text}
	return obj, nil
}

// OverlaysSecret builds the Secret with the ytt overlays, nil where the spec
// has none.
func OverlaysSecret(s PackageInstallSpec) *unstructured.Unstructured {
	if len(s.YttOverlays) == 0 {
		return nil
	}
	obj := object(Secrets, "Secret", s.Namespace, OverlaysSecretName(s.Name), nil, nil)
	texts := make(map[string]any, len(s.YttOverlays))
	for file, text := range s.YttOverlays {
		texts[file] = text
	}
	obj.Object["stringData"] = texts
	return obj
}

func withoutAnnotations(from map[string]string, names ...string) map[string]string {
	left := maps.Clone(from)
	for _, name := range names {
		delete(left, name)
	}
	return left
}
