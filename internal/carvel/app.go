package carvel

import (
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// DefaultKubeconfigKey is the Secret key that the controller reads a
// kubeconfig from where the App names none.
const DefaultKubeconfigKey = "value"

// AllowEmptyOption lets kapp delete everything once the fetched directories
// hold no object any more.
const AllowEmptyOption = "--dangerous-allow-empty-list-of-resources=true"

// AppSpec describes an App. Its json tags are the API's field names.
type AppSpec struct {
	Namespace, Name     string            `json:"-"`
	Labels, Annotations map[string]string `json:"-"`
	Defaults            Metadata          `json:"-"` // under these

	ServiceAccountName string     `json:"serviceAccountName,omitempty"`
	Cluster            *Cluster   `json:"cluster,omitempty"`
	Fetch              []Fetch    `json:"fetch"`
	Template           []Template `json:"template"`
	Deploy             []Deploy   `json:"deploy"`
	SyncPeriod         string     `json:"syncPeriod,omitempty"` // canonical, see CanonicalDuration
	Paused             bool       `json:"paused,omitempty"`
	Canceled           bool       `json:"canceled,omitempty"`
	NoopDelete         bool       `json:"noopDelete,omitempty"`
	DefaultNamespace   string     `json:"defaultNamespace,omitempty"`
}

// Cluster names the run cluster that an App deploys to.
type Cluster struct {
	Namespace           string        `json:"namespace,omitempty"`
	KubeconfigSecretRef *SecretKeyRef `json:"kubeconfigSecretRef,omitempty"`
}

// SecretKeyRef names a Secret in the App's namespace; an empty Key is
// DefaultKubeconfigKey.
type SecretKeyRef struct {
	Name string `json:"name"`
	Key  string `json:"key,omitempty"`
}

// App builds the App. It fails only if the spec cannot be written as JSON.
func App(s AppSpec) (*unstructured.Unstructured, error) {
	spec, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&s)
	if err != nil {
		return nil, err
	}
	labels := managedBy()
	maps.Copy(labels, s.Labels)
	obj := object(Apps, "App", s.Namespace, s.Name, labels, s.Annotations)
	obj.Object["spec"] = spec
	s.Defaults.On(obj)
	return obj, nil
}

// ReadApp reads an App's spec, without labels and annotations.
func ReadApp(obj *unstructured.Unstructured) (AppSpec, error) {
	var s AppSpec
	spec, _, err := unstructured.NestedMap(obj.Object, "spec")
	if err != nil {
		return s, err
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(spec, &s); err != nil {
		return s, err
	}
	s.Namespace, s.Name = obj.GetNamespace(), obj.GetName()
	return s, nil
}
