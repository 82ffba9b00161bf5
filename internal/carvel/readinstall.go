package carvel

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/version"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/ytt"
	"maps"
	"slices"
)

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
		ServiceAccountName string   `json:"serviceAccountName"`
		Cluster            *Cluster `json:"cluster"`
		PackageRef         struct {
			RefName          string `json:"refName"`
			VersionSelection struct {
				Constraints string               `json:"constraints"`
				Prereleases *version.Prereleases `json:"prereleases"`
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
// into a spec without values and overlays: every values Secret is an extra one.
// Other documents of the text are passed over.
func ReadPackageInstall(data []byte) (PackageInstallSpec, error) {
	p, err := findPackageInstall(data)
	if err != nil {
		return PackageInstallSpec{}, err
	}
	s := PackageInstallSpec{
		Package:            p.Spec.PackageRef.RefName,
		Name:               p.Metadata.Name,
		Namespace:          p.Metadata.Namespace,
		Labels:             p.Metadata.Labels,
		Annotations:        p.Metadata.Annotations,
		ServiceAccountName: p.Spec.ServiceAccountName,
		Cluster:            p.Spec.Cluster,
		VersionConstraint:  p.Spec.PackageRef.VersionSelection.Constraints,
		Prereleases:        p.Spec.PackageRef.VersionSelection.Prereleases,
		SyncPeriod:         p.Spec.SyncPeriod,
		Paused:             p.Spec.Paused,
		Canceled:           p.Spec.Canceled,
		NoopDelete:         p.Spec.NoopDelete,
		DefaultNamespace:   p.Spec.DefaultNamespace,
	}
	s.takeAnnotations()
	for _, v := range p.Spec.Values {
		s.ExtraValuesSecrets = append(s.ExtraValuesSecrets, v.SecretRef.Name)
	}
	return s, nil
}

func findPackageInstall(data []byte) (packageInstall, error) {
	documents, err := ytt.Read(data)
	if err != nil {
		return packageInstall{}, err
	}
	var p packageInstall
	for _, document := range documents {
		if !isPackageInstall(document) {
			continue
		}
		text, err := json.Marshal(document)
		if err != nil {
			return p, errors.New("a number that JSON cannot hold")
		}
		if err := json.Unmarshal(text, &p); err != nil {
			return p, errors.New("a PackageInstall with a field of another type than the API has")
		}
		if p.APIVersion == PackageInstalls.GroupVersion().String() {
			return p, nil
		}
		return p, fmt.Errorf("expected a PackageInstall of %s, found one of %q", PackageInstalls.GroupVersion(), p.APIVersion)
	}
	return p, fmt.Errorf("no PackageInstall of %s in it", PackageInstalls.GroupVersion())
}

// SetValues takes over what the file of the values Secret holds. Of a Secret
// with several keys the controller reads all, in the order of their names.
func (s *PackageInstallSpec) SetValues(data []byte) error {
	secret, err := readSecret(data)
	if err != nil {
		return err
	}
	texts, err := secret.texts()
	if err != nil {
		return err
	}
	if len(texts) == 0 {
		return errors.New("expected a values Secret with a key, found none")
	}
	s.Values = map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		values, err := ytt.ParseValues([]byte(s.withoutHeader(texts[key])))
		if err != nil {
			return fmt.Errorf("key %q: %w", key, err)
		}
		s.Values = ytt.Merge(s.Values, values)
	}
	s.ValuesSecretName = secret.name
	s.dropExtraSecret(secret.name)
	for _, slow := range []bool{false, true} {
		s.SecretValues = slow
		if base, ok := s.splitHashedName(secret.name); ok {
			s.ValuesSecretName, s.HashValuesName = base, true
			return nil
		}
	}
	s.SecretValues = false
	return nil
}

// SetHiddenValues takes over the name in an encrypted file with a values Secret,
// and tells whether the PackageInstall refers to it.
func (s *PackageInstallSpec) SetHiddenValues(data []byte) (ours bool, err error) {
	secret, err := readSecret(data)
	if err != nil || !slices.Contains(s.ExtraValuesSecrets, secret.name) {
		return false, err
	}
	s.HiddenValuesSecret = secret.name
	s.dropExtraSecret(secret.name)
	return true, nil
}

// dropExtraSecret removes the name of our own values Secret from those of the
// extra ones.
func (s *PackageInstallSpec) dropExtraSecret(own string) {
	s.ExtraValuesSecrets = slices.DeleteFunc(s.ExtraValuesSecrets, func(name string) bool { return name == own })
	if len(s.ExtraValuesSecrets) == 0 {
		s.ExtraValuesSecrets = nil
	}
}

// SetOverlays takes over what the file of the overlays Secret holds, and tells
// whether the PackageInstall refers to it.
func (s *PackageInstallSpec) SetOverlays(data []byte) (ours bool, err error) {
	named := s.Annotations[OverlaysAnnotation]
	if named == "" {
		return false, nil
	}
	secret, err := readSecret(data)
	if err != nil || secret.name != named {
		return false, err
	}
	if s.YttOverlays, err = secret.texts(); err != nil || len(s.YttOverlays) == 0 {
		return false, err
	}
	if s.Annotations = withoutAnnotations(s.Annotations, OverlaysAnnotation); len(s.Annotations) == 0 {
		s.Annotations = nil
	}
	return true, nil
}

// secret is what a file with a Secret holds.
type secret struct {
	name   string
	object map[string]any
}

// readSecret finds the Secret among the documents of a text.
func readSecret(data []byte) (secret, error) {
	documents, err := ytt.Read(data)
	if err != nil {
		return secret{}, err
	}
	for _, document := range documents {
		if m, _ := document.(map[string]any); m["kind"] == "Secret" {
			metadata, _ := m["metadata"].(map[string]any)
			name, _ := metadata["name"].(string)
			return secret{name: name, object: m}, nil
		}
	}
	return secret{}, errors.New("no Secret in it")
}

// texts are the Secret's decoded values, stringData winning as in the API.
func (s secret) texts() (map[string]string, error) {
	texts := map[string]string{}
	for _, field := range []string{"data", "stringData"} {
		entries, ok := s.object[field].(map[string]any)
		if !ok && s.object[field] != nil {
			return nil, fmt.Errorf("%s is not a map", field)
		}
		for key, value := range entries {
			text, ok := value.(string)
			if !ok {
				return nil, fmt.Errorf("key %q of %s is not text", key, field)
			}
			if field == "data" {
				decoded, err := base64.StdEncoding.DecodeString(text)
				if err != nil {
					return nil, fmt.Errorf("key %q of data is not base64", key)
				}
				text = string(decoded)
			}
			texts[key] = text
		}
	}
	return texts, nil
}
