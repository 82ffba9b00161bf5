package standin

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

var (
	appsGVR       = schema.GroupVersionResource{Group: "kappctrl.k14s.io", Version: "v1alpha1", Resource: "apps"}
	installsGVR   = schema.GroupVersionResource{Group: "packaging.carvel.dev", Version: "v1alpha1", Resource: "packageinstalls"}
	packagesGVR   = schema.GroupVersionResource{Group: "data.packaging.carvel.dev", Version: "v1alpha1", Resource: "packages"}
	secretsGVR    = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	configMapsGVR = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	namespacesGVR = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	podsGVR       = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	accountsGVR   = schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}
)

const (
	// managerController writes Apps and PackageInstalls, managerKapp what they deploy.
	managerController = "kapp-controller"
	managerKapp       = "kapp"

	appFinalizer     = "finalizers.kapp-ctrl.k14s.io/delete"
	installFinalizer = "finalizers.packageinstall.packaging.carvel.dev/delete"

	seeUseful = "Error (see .status.usefulErrorMessage for details)"
)

// appSpec is the part of an App's spec that the stand-in reads.
type appSpec struct {
	ServiceAccountName string           `json:"serviceAccountName,omitempty"`
	Cluster            *clusterRef      `json:"cluster,omitempty"`
	Fetch              []fetchEntry     `json:"fetch,omitempty"`
	Template           []map[string]any `json:"template,omitempty"`
	Deploy             []map[string]any `json:"deploy,omitempty"`
	Paused             bool             `json:"paused,omitempty"`
	Canceled           bool             `json:"canceled,omitempty"`
	NoopDelete         bool             `json:"noopDelete,omitempty"`
	SyncPeriod         string           `json:"syncPeriod,omitempty"`
	DefaultNamespace   string           `json:"defaultNamespace,omitempty"`
}

type clusterRef struct {
	Namespace           string `json:"namespace,omitempty"`
	KubeconfigSecretRef *struct {
		Name string `json:"name"`
		Key  string `json:"key,omitempty"`
	} `json:"kubeconfigSecretRef,omitempty"`
}

type nameRef struct {
	Name          string `json:"name"`
	DirectoryPath string `json:"directoryPath,omitempty"`
}

type fetchEntry struct {
	Path   string       `json:"path,omitempty"`
	Git    *gitFetch    `json:"git,omitempty"`
	Inline *inlineFetch `json:"inline,omitempty"`
}

type gitFetch struct {
	URL                string         `json:"url"`
	Ref                string         `json:"ref,omitempty"`
	RefSelection       map[string]any `json:"refSelection,omitempty"`
	SecretRef          *nameRef       `json:"secretRef,omitempty"`
	SubPath            string         `json:"subPath,omitempty"`
	LFSSkipSmudge      bool           `json:"lfsSkipSmudge,omitempty"`
	ForceHTTPBasicAuth bool           `json:"forceHTTPBasicAuth,omitempty"`
	Depth              *int64         `json:"depth,omitempty"`
}

type inlineFetch struct {
	Paths     map[string]string `json:"paths,omitempty"`
	PathsFrom []valuesSource    `json:"pathsFrom,omitempty"`
}

type valuesSource struct {
	SecretRef    *nameRef `json:"secretRef,omitempty"`
	ConfigMapRef *nameRef `json:"configMapRef,omitempty"`
}

// yttStep is a template step. Its other fields are refused, not ignored.
type yttStep struct {
	IgnoreUnknownComments bool           `json:"ignoreUnknownComments,omitempty"`
	ValuesFrom            []valuesSource `json:"valuesFrom,omitempty"`
	Inline                *inlineFetch   `json:"inline,omitempty"`
	Paths                 []string       `json:"paths,omitempty"`
}

type kappStep struct {
	IntoNs     string         `json:"intoNs,omitempty"`
	MapNs      []string       `json:"mapNs,omitempty"`
	RawOptions []string       `json:"rawOptions,omitempty"`
	Inspect    map[string]any `json:"inspect,omitempty"`
	Delete     struct {
		RawOptions []string `json:"rawOptions,omitempty"`
	} `json:"delete"`
}

// said is an error whose text belongs to one of the imitated programs, which begin theirs
// with a capital letter.
func said(format string, args ...any) error { return fmt.Errorf(format, args...) }

// convert turns one JSON-like value into another through its JSON form. Whole numbers in
// a map become int64, as unstructured objects need them.
func convert(from, to any) error {
	raw, err := utiljson.Marshal(from)
	if err != nil {
		return err
	}
	return utiljson.Unmarshal(raw, to)
}

func parseSyncPeriod(u *unstructured.Unstructured) (time.Duration, error) {
	s, _, _ := unstructured.NestedString(u.Object, "spec", "syncPeriod")
	if s == "" {
		return 0, nil
	}
	return time.ParseDuration(s)
}

// normalizeSpec rewrites u's spec as a client with typed objects writes it back: a
// duration in Go's own form, and no boolean that is false.
func normalizeSpec(u *unstructured.Unstructured) error {
	d, err := parseSyncPeriod(u)
	if err != nil {
		return err
	}
	spec, _, err := unstructured.NestedMap(u.Object, "spec")
	if err != nil || spec == nil {
		return err
	}
	if _, set := spec["syncPeriod"]; set {
		spec["syncPeriod"] = d.String()
	}
	for _, name := range []string{"paused", "canceled", "noopDelete"} {
		if value, _ := spec[name].(bool); !value {
			delete(spec, name)
		}
	}
	return unstructured.SetNestedMap(u.Object, spec, "spec")
}

// key is a namespace and a name.
type key struct{ namespace, name string }

func keyOf(u *unstructured.Unstructured) key { return key{u.GetNamespace(), u.GetName()} }

func (k key) String() string { return fmt.Sprintf("%s/%s", k.namespace, k.name) }
