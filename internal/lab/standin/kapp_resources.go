package standin

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // kapp's own choice; nothing is protected by it
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// item is one object of the App with where it is served.
type item struct {
	object   *unstructured.Unstructured
	resource resource
}

// prepare finds out where the objects are served, puts them into their namespaces and
// labels them. Equal duplicates become one; unequal ones are an error.
func (k *kapp) prepare(ctx context.Context, docs []*unstructured.Unstructured, rec *record) ([]item, error) {
	if len(docs) == 0 && !k.options.allowEmpty {
		return nil, said("Trying to apply empty set of resources will result in deletion of resources on cluster. " +
			"Refusing to continue unless --dangerous-allow-empty-list-of-resources is specified.")
	}
	crds := definedHere(docs)
	var items []item
	seen := map[place]*unstructured.Unstructured{}
	var clashes []string
	for _, d := range docs {
		u := d.DeepCopy()
		served, ok, err := k.cluster.resourceFor(ctx, u.GroupVersionKind())
		if err != nil {
			return nil, err
		}
		if !ok {
			if served, ok = crds[u.GroupVersionKind()]; !ok {
				return nil, said("Expected to find kind '%s/%s', but did not:\n- Kubernetes API server did not have matching apiVersion + kind\n- No matching CRD was found in given configuration",
					u.GetAPIVersion(), u.GetKind())
			}
		}
		k.place(u, served)
		if other := seen[placeOf(u)]; other != nil {
			if !sameJSON(other.Object, u.Object) {
				clashes = append(clashes, fmt.Sprintf("Found resource '%s' multiple times with different content", describe(u)))
			}
			continue
		}
		seen[placeOf(u)] = u
		items = append(items, item{u, served})
	}
	if len(clashes) > 0 {
		return nil, said("Uniqueness errors: %s", strings.Join(clashes, "\n"))
	}
	for _, i := range items {
		label(i.object, rec.spec.LabelValue)
	}
	slices.SortStableFunc(items, func(a, b item) int { return rank(a.object) - rank(b.object) })
	return items, nil
}

// place sets the namespace: intoNs always, else the default if there is none.
func (k *kapp) place(u *unstructured.Unstructured, served resource) {
	if !served.namespaced {
		u.SetNamespace("")
		return
	}
	if u.GetNamespace() == "" {
		u.SetNamespace(k.target.defaultNs)
	}
	for _, rename := range k.step.MapNs {
		if from, to, _ := strings.Cut(rename, "="); from == u.GetNamespace() {
			u.SetNamespace(to)
			break
		}
	}
	if k.step.IntoNs != "" {
		u.SetNamespace(k.step.IntoNs)
	}
}

// definedHere lists the kinds of the CustomResourceDefinitions among docs.
func definedHere(docs []*unstructured.Unstructured) map[schema.GroupVersionKind]resource {
	kinds := map[schema.GroupVersionKind]resource{}
	for _, d := range docs {
		if d.GetKind() != "CustomResourceDefinition" {
			continue
		}
		group, _, _ := unstructured.NestedString(d.Object, "spec", "group")
		kind, _, _ := unstructured.NestedString(d.Object, "spec", "names", "kind")
		plural, _, _ := unstructured.NestedString(d.Object, "spec", "names", "plural")
		scope, _, _ := unstructured.NestedString(d.Object, "spec", "scope")
		versions, _, _ := unstructured.NestedSlice(d.Object, "spec", "versions")
		for _, v := range versions {
			fields, _ := v.(map[string]any)
			name, _ := fields["name"].(string)
			gv := schema.GroupVersion{Group: group, Version: name}
			kinds[gv.WithKind(kind)] = resource{gv.WithResource(plural), scope == "Namespaced"}
		}
	}
	return kinds
}

// rank is the order in which kinds are applied.
func rank(u *unstructured.Unstructured) int {
	switch u.GroupVersionKind().GroupKind().String() {
	case "CustomResourceDefinition.apiextensions.k8s.io", "Namespace":
		return rankPlaces
	case "ServiceAccount", "Role.rbac.authorization.k8s.io", "RoleBinding.rbac.authorization.k8s.io",
		"ClusterRole.rbac.authorization.k8s.io", "ClusterRoleBinding.rbac.authorization.k8s.io":
		return rankRights
	case "Secret", "ConfigMap":
		return rankData
	case "Package.data.packaging.carvel.dev", "PackageMetadata.data.packaging.carvel.dev":
		return rankPackages
	case "PackageInstall.packaging.carvel.dev", "PackageRepository.packaging.carvel.dev", "App.kappctrl.k14s.io":
		return rankInstalls
	}
	return rankOthers
}

const (
	rankPlaces = iota
	rankRights
	rankData
	rankPackages
	rankOthers
	rankInstalls
)

// label marks u as the App's. The identity is what ties u to its place.
func label(u *unstructured.Unstructured, value string) {
	identity := fmt.Sprintf("v1;%s/%s/%s/%s;%s", u.GetNamespace(), u.GroupVersionKind().Group, u.GetKind(), u.GetName(), u.GetAPIVersion())
	sum := md5.Sum([]byte(identity)) //nolint:gosec // as above
	labels, annotations := maps.Clone(u.GetLabels()), maps.Clone(u.GetAnnotations())
	if labels == nil {
		labels = map[string]string{}
	}
	if annotations == nil {
		annotations = map[string]string{}
	}
	labels[labelApp], labels[labelAssociation] = value, "v1."+hex.EncodeToString(sum[:])
	annotations[annotationIdentity] = identity
	u.SetLabels(labels)
	u.SetAnnotations(annotations)
}

// existing finds what is in the cluster: everything that bears the App's label in the
// places that the record knows, and whatever stands where one of items goes.
func (k *kapp) existing(ctx context.Context, rec *record, items []item) (map[place]item, error) {
	present := map[place]item{}
	kinds := slices.Clone(rec.spec.UsedGKs)
	for _, i := range items {
		kinds = append(kinds, gkOf(i.object))
	}
	namespaces := without(union(rec.spec.namespaces(), []string{k.target.recordNs}), clusterPlace)
	for _, gk := range uniqueGKs(kinds) {
		gvk := schema.GroupVersionKind{Group: gk.Group, Version: gk.Version, Kind: gk.Kind}
		served, ok, err := k.cluster.resourceFor(ctx, gvk)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		in := namespaces
		if !served.namespaced {
			in = []string{""}
		}
		for _, ns := range in {
			list, err := k.cluster.in(served, ns).List(ctx, metav1.ListOptions{LabelSelector: labelApp + "=" + rec.spec.LabelValue})
			if err != nil && !isGone(err) {
				return nil, said("Listing %s in namespace '%s': %w", served.GroupVersionResource, ns, apiSays(err))
			}
			for i := range itemsOf(list) {
				present[placeOf(&list.Items[i])] = item{&list.Items[i], served}
			}
		}
	}
	for _, i := range items {
		if _, ok := present[placeOf(i.object)]; ok {
			continue
		}
		live, err := k.cluster.in(i.resource, i.object.GetNamespace()).Get(ctx, i.object.GetName(), metav1.GetOptions{})
		if isGone(err) {
			continue
		}
		if err != nil {
			return nil, said("Checking existence of resource %s: %w", describe(i.object), apiSays(err))
		}
		present[placeOf(live)] = item{live, i.resource}
	}
	return present, nil
}

func itemsOf(list *unstructured.UnstructuredList) []unstructured.Unstructured {
	if list == nil {
		return nil
	}
	return list.Items
}

func gkOf(u *unstructured.Unstructured) recordGK {
	gvk := u.GroupVersionKind()
	return recordGK{gvk.Group, gvk.Version, gvk.Kind}
}

// checkOwnership refuses objects that bear another App's label.
func (k *kapp) checkOwnership(ctx context.Context, rec *record, items []item, present map[place]item) error {
	var problems []string
	for _, i := range items {
		live, ok := present[placeOf(i.object)]
		if !ok || k.options.overrideOwnership {
			continue
		}
		value := live.object.GetLabels()[labelApp]
		if value == "" || value == rec.spec.LabelValue {
			continue
		}
		problems = append(problems, fmt.Sprintf("- Resource '%s' is already associated with a different app %s (label '%s=%s')",
			describe(live.object), k.ownerOf(ctx, value), labelApp, value))
	}
	if len(problems) == 0 {
		return nil
	}
	return said("Ownership errors:\n%s", strings.Join(problems, "\n"))
}

// ownerOf names the App whose record has a label value.
func (k *kapp) ownerOf(ctx context.Context, value string) string {
	list, err := k.configMaps().List(ctx, metav1.ListOptions{LabelSelector: labelIsApp})
	if err == nil {
		for _, configMap := range list.Items {
			var spec recordSpec
			text, _, _ := unstructured.NestedString(configMap.Object, "data", "spec")
			if json.Unmarshal([]byte(text), &spec) == nil && spec.LabelValue == value {
				return fmt.Sprintf("'%s' namespace: %s", configMap.GetName(), configMap.GetNamespace())
			}
		}
	}
	return "'?'"
}

// apiSays leads an API server's answer in as kapp does.
func apiSays(err error) error {
	if reason := apierrors.ReasonForError(err); reason != "" {
		return fmt.Errorf("API server says: %w (reason: %s)", err, reason)
	}
	return err
}

func sameJSON(a, b any) bool {
	left, errLeft := json.Marshal(a)
	right, errRight := json.Marshal(b)
	return errLeft == nil && errRight == nil && bytes.Equal(left, right)
}
