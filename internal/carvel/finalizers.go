package carvel

import (
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// finalizerOwners take these finalizers away.
var finalizerOwners = map[string]string{
	"finalizers.packageinstall.packaging.carvel.dev/delete": "kapp-controller",
	"finalizers.kapp-ctrl.k14s.io/delete":                   "kapp-controller",
	"kubernetes":                                            "the namespace controller of kube-controller-manager",
	"foregroundDeletion":                                    "the garbage collector of kube-controller-manager",
	"orphan":                                                "the garbage collector of kube-controller-manager",
	"kubernetes.io/pvc-protection":                          "kube-controller-manager, once no Pod uses the volume",
	"kubernetes.io/pv-protection":                           "kube-controller-manager, once no claim uses the volume",
	"batch.kubernetes.io/job-tracking":                      "the job controller of kube-controller-manager",
	"service.kubernetes.io/load-balancer-cleanup":           "the cloud controller manager, once the load balancer is gone",
	"customresourcecleanup.apiextensions.k8s.io":            "the API server, once no object of the kind is left",
}

// FinalizerOwner is who takes a finalizer away, by what its name says.
func FinalizerOwner(finalizer string) string {
	if owner, known := finalizerOwners[finalizer]; known {
		return owner
	}
	domain, _, _ := strings.Cut(finalizer, "/")
	if !strings.Contains(domain, ".") {
		return "whichever controller has set it"
	}
	return "the controller of " + domain
}

// Termination is why a Namespace that is being deleted is still there.
type Termination struct {
	Finalizers []string // of the Namespace itself, but for Kubernetes' own
	Content    []string // finalizers of what is in it
	Kinds      []string // of what is in it, such as "configmaps (2)"
	APIs       []string // that cannot be asked what they have in it, such as metrics.k8s.io/v1beta1
	Messages   []string // of its conditions, in the API server's words
}

var (
	instances    = regexp.MustCompile(`([^\s,:]+) (?:has|in) (\d+) resource instances?`)
	groupVersion = regexp.MustCompile(`\b([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\.[a-z0-9.-]*[a-z0-9])/(v[0-9]+(?:(?:alpha|beta)[0-9]+)?)\b`)
)

// ReadTermination reads the conditions of a Namespace. It is zero for one that is not
// being deleted.
func ReadTermination(namespace *unstructured.Unstructured) Termination {
	var t Termination
	if namespace == nil || namespace.GetDeletionTimestamp() == nil {
		return t
	}
	t.Finalizers = slices.Clone(namespace.GetFinalizers())
	conditions, _, err := unstructured.NestedSlice(namespace.Object, "status", "conditions")
	if err != nil {
		return t // no conditions to report
	}
	for _, c := range conditions {
		m, _ := c.(map[string]any)
		message, _ := m["message"].(string)
		if m["status"] != "True" || message == "" {
			continue
		}
		t.Messages = append(t.Messages, message)
		switch m["type"] {
		case "NamespaceFinalizersRemaining":
			for _, found := range instances.FindAllStringSubmatch(message, -1) {
				t.Content = append(t.Content, found[1])
			}
		case "NamespaceContentRemaining":
			for _, found := range instances.FindAllStringSubmatch(message, -1) {
				t.Kinds = append(t.Kinds, strings.TrimSuffix(found[1], ".")+" ("+found[2]+")")
			}
		case "NamespaceDeletionDiscoveryFailure", "NamespaceDeletionGroupVersionParsingFailure":
			t.APIs = append(t.APIs, groupVersion.FindAllString(message, -1)...)
		}
	}
	for _, list := range []*[]string{&t.Content, &t.Kinds, &t.APIs, &t.Messages} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return t
}

// APIService is the name of the object that registers an API of a group and version.
func APIService(api string) string {
	group, version, _ := strings.Cut(api, "/")
	return version + "." + group
}
