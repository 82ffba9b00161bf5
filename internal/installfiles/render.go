package installfiles

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/slowdigest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/ytt"
)

// ValuesKey is the key of the values Secret. The controller reads every key;
// this one is the delivery document's.
const ValuesKey = "values.yaml"

// Annotations of kapp: a values Secret whose name follows its content is deleted once
// the PackageInstall that names another one has reconciled.
const (
	groupAnnotation = "kapp.k14s.io/change-group"
	orderAnnotation = "kapp.k14s.io/change-rule.values"
	valuesGroup     = "carvel-gitops.github.io/values"
	valuesOrder     = "upsert before deleting " + valuesGroup
)

// Render writes a spec as YAML without comments, keys sorted, so that the same spec
// gives the same bytes. It fails on values that YAML or a Secret cannot hold.
func Render(s Spec) (Files, error) {
	objects := map[string]map[string]any{}
	install := s.Install
	install.Annotations = maps.Clone(install.Annotations)
	annotate := func(name, value string) {
		if install.Annotations == nil {
			install.Annotations = map[string]string{}
		}
		install.Annotations[name] = value
	}
	if s.Values != nil {
		name, text, err := s.valuesSecret()
		if err != nil {
			return Files{}, err
		}
		install.Values = slices.Concat(carvel.SecretsWithValues(name), install.Values)
		var annotations map[string]string
		if s.HashValuesName {
			annotations = map[string]string{groupAnnotation: valuesGroup}
		}
		file := repolayout.ParamsFile
		if len(s.Recipients) > 0 {
			file = repolayout.EncryptedParamsFile
		}
		objects[file] = carvel.TextSecret(install.Namespace, name, annotations, map[string]string{ValuesKey: text})
	}
	if s.HiddenValuesSecret != "" {
		install.Values = slices.Concat(carvel.SecretsWithValues(s.HiddenValuesSecret), install.Values)
	}
	if s.HashValuesName {
		annotate(orderAnnotation, valuesOrder)
	}
	if len(s.Overlays) > 0 {
		name := carvel.OverlaysSecretName(install.Name)
		annotate(carvel.OverlaysAnnotation, name)
		objects[repolayout.OverlaysFile] = carvel.TextSecret(install.Namespace, name, nil, s.Overlays)
	}
	object, err := carvel.PackageInstall(install)
	if err != nil {
		return Files{}, err
	}
	f := Files{contents: Contents{}, recipients: s.Recipients}
	shared := carvel.Metadata{Labels: s.Install.Labels, Annotations: s.Install.Annotations}.Shared()
	for _, object := range objects {
		shared.On(&unstructured.Unstructured{Object: object})
	}
	objects[repolayout.PackageInstallFile] = object.Object
	for name, object := range objects {
		metadata, _ := object["metadata"].(map[string]any)
		kind, _ := object["kind"].(string)
		called, _ := metadata["name"].(string)
		f.makes = append(f.makes, Document{File: name, Kind: kind, Name: called})
		if f.contents[name], err = ytt.Write(object); err != nil {
			return Files{}, fmt.Errorf("render %s: %w", name, err)
		}
	}
	f.says = f.contents.Blobs()
	if plain, ok := f.contents[repolayout.EncryptedParamsFile]; ok {
		f.says[repolayout.EncryptedParamsFile] = BlobOf(append([]byte(strings.Join(s.Recipients, " ")+"\n"), plain...))
	}
	return f, nil
}

// maxSecretBytes is what an API server takes in one Secret.
const maxSecretBytes = 1 << 20

// valuesSecret is the name and the content of the values Secret.
func (s Spec) valuesSecret() (name, text string, err error) {
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

// valuesText is the one document that the values Secret holds.
func (s Spec) valuesText() (string, error) {
	text, err := ytt.WriteValues(s.Values)
	if err != nil {
		return "", fmt.Errorf("values: %w", err)
	}
	if s.Install.YttDataValuesOverlays {
		return ytt.DataValuesHeader + text, nil
	}
	return text, nil
}

// withoutHeader is the values document without the line that makes it one of
// ytt's own.
func (s Spec) withoutHeader(text string) string {
	if s.Install.YttDataValuesOverlays {
		return strings.TrimPrefix(text, ytt.DataValuesHeader)
	}
	return text
}

// nameDigits is how many digits of a hash are in the name of a values Secret.
const nameDigits = 10

// hashedName is the name of the values Secret with this content. The name is
// seen if the content is not, so that a content with secrets is hashed in a
// way that makes guessing slow.
func (s Spec) hashedName(base, text string) string {
	if !s.WriteOnlyValues && len(s.Recipients) == 0 {
		sum := sha256.Sum256([]byte(text))
		return base + "-" + hex.EncodeToString(sum[:])[:nameDigits]
	}
	return base + "-" + slowdigest.Text("values of "+s.Install.PackageRef.RefName+" "+s.Install.Name, []byte(text), nameDigits)
}

// splitHashedName is the reverse of a values Secret's name with a hash in it:
// ok if the name is the one that this content has under some base.
func (s Spec) splitHashedName(name string) (base string, ok bool) {
	base, ok = cutHash(name)
	if !ok {
		return "", false
	}
	text, err := s.valuesText()
	return base, err == nil && s.hashedName(base, text) == name
}

// cutHash takes what has the form of a hash from the end of a name.
func cutHash(name string) (base string, ok bool) {
	cut := len(name) - nameDigits - 1
	if cut < 1 || name[cut] != '-' || strings.Trim(name[cut+1:], "0123456789abcdef") != "" {
		return "", false
	}
	return name[:cut], true
}

// LongestHashedName is as long as the name of any values Secret with a hash.
func LongestHashedName(base string) string { return base + "-" + strings.Repeat("0", nameDigits) }

// IsHashedName reports whether a values Secret's name is base with a hash.
func IsHashedName(name, base string) bool {
	got, ok := cutHash(name)
	return ok && got == base
}
