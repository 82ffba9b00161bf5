package delivery

import (
	"sigs.k8s.io/yaml"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// ShownMetadata are the labels and annotations in the YAML of an object that a receipt
// has, without the provider's own. A state tells by them what the defaults were when it
// was written: one that is no more is looked for as well, so that it shows. ok is false
// for a text that is none.
func ShownMetadata(text string) (m carvel.Metadata, ok bool) {
	var shown struct {
		Kind     string `json:"kind"`
		Metadata struct {
			Labels      map[string]string `json:"labels"`
			Annotations map[string]string `json:"annotations"`
		} `json:"metadata"`
	}
	if err := yaml.Unmarshal([]byte(text), &shown); err != nil || shown.Kind == "" {
		return m, false
	}
	delete(shown.Metadata.Labels, carvel.ManagedByLabel)
	return carvel.Metadata{Labels: shown.Metadata.Labels, Annotations: shown.Metadata.Annotations}, true
}
