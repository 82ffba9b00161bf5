package interrupted_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/sops"
)

// marker is the one file that a package install may have beside its YAML files,
// besides .gitkeep.
const marker = repolayout.MarkFile

// item is an object or a file. Its text has no more than two worlds that were
// made alike share.
type item struct {
	text  string
	uid   types.UID
	going bool // it is being deleted
}

// snapshot is all that there is of a world, by what says where it is. The
// world's name is NAME in it.
type snapshot map[string]item

// same reports whether the same things are there, in whatever condition.
func (s snapshot) same(other snapshot) bool {
	return maps.EqualFunc(s, other, func(a, b item) bool { return a.uid == b.uid && a.going == b.going })
}

// described is what a marker says, but for what is another in each world: whose
// the files are, and whether they are as they were written.
func described(dir string, files map[string]string) string {
	m := installfiles.ReadMark(installfiles.Contents{marker: []byte(files[dir+"/"+marker])})
	text := m.Resource + "\n"
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		text += fmt.Sprintf("%s: %t\n", name, installfiles.BlobOf([]byte(files[dir+"/"+name])).String() == m.Files[name])
	}
	return text
}

// look takes a snapshot.
func (w *world) look() snapshot {
	w.T.Helper()
	s := snapshot{}
	files := w.repository.Files(w.paths())
	for file, text := range files {
		if path.Base(file) == marker {
			text = described(path.Dir(file), files)
		}
		if path.Base(file) == "params.sops.yaml" { // another one each time it is encrypted
			if plain, err := sops.Decrypt([]byte(text), w.key.String()); err == nil {
				text = string(plain)
			}
		}
		s["file "+w.unnamed(file)] = item{text: w.unnamed(text)}
	}
	if !w.deliveries {
		return s
	}
	for _, k := range w.kinds() {
		list, err := k.client.List(context.Background(), metav1.ListOptions{})
		if err != nil {
			w.T.Fatal(err)
		}
		for i := range list.Items {
			obj := &list.Items[i]
			if !w.has(k, obj) {
				continue
			}
			key := k.cluster + " " + obj.GetKind() + " " + strings.TrimPrefix(obj.GetNamespace()+"/"+obj.GetName(), "/")
			if isToken(obj) { // its name is made of a hash of the world's
				key = k.cluster + " token Secret " + obj.GetNamespace() + " 1"
				for n := 2; s.has(w.unnamed(key)); n++ {
					key = fmt.Sprintf("%s token Secret %s %d", k.cluster, obj.GetNamespace(), n)
				}
			}
			s[w.unnamed(key)] = item{text: w.unnamed(text(obj)), uid: obj.GetUID(), going: obj.GetDeletionTimestamp() != nil}
		}
	}
	return s
}

func (s snapshot) has(key string) bool {
	_, ok := s[key]
	return ok
}

func (w *world) unnamed(text string) string { return strings.ReplaceAll(text, w.Name, "NAME") }

// kind is a kind of objects on a cluster.
type kind struct {
	cluster string
	schema.GroupVersionResource
	client dynamic.NamespaceableResourceInterface
}

// kinds are all that the provider and the controller make objects of.
func (w *world) kinds() []kind {
	if w.all != nil {
		return w.all
	}
	for _, c := range w.Lab.Clusters() {
		client := labtest.Client(w.T, c)
		of := []schema.GroupVersionResource{carvel.Secrets, carvel.Apps, carvel.ServiceAccounts, acctest.ConfigMaps}
		if c.Name != "build" {
			of = append(of, carvel.Namespaces, carvel.Roles, carvel.RoleBindings, carvel.PackageInstalls, acctest.Packages)
		}
		for _, resource := range of {
			w.all = append(w.all, kind{c.Name, resource, client.Resource(resource)})
		}
	}
	return w.all
}

// has reports whether an object belongs to the world. What every namespace has,
// the test has put there, or the controller notes for itself, does not.
func (w *world) has(k kind, obj *unstructured.Unstructured) bool {
	namespace := obj.GetNamespace()
	if k.Resource == carvel.Namespaces.Resource {
		namespace = obj.GetName()
	}
	_, isChange := obj.GetLabels()["kapp.k14s.io/is-app-change"]
	return strings.HasPrefix(namespace, w.Name) && !isChange && obj.GetName() != "kube-root-ca.crt" &&
		(k.Resource != carvel.ServiceAccounts.Resource || obj.GetName() != "default") &&
		(k.cluster != "build" || k.Resource != carvel.Secrets.Resource || obj.GetName() != "git")
}

func isToken(obj *unstructured.Unstructured) bool {
	kind, _, _ := unstructured.NestedString(obj.Object, "type")
	return kind == "kubernetes.io/service-account-token"
}

// text is what an object says, without what is another each time.
func text(obj *unstructured.Unstructured) string {
	labels := maps.Clone(obj.GetLabels())
	maps.DeleteFunc(labels, func(name, _ string) bool {
		return strings.HasPrefix(name, "kapp.k14s.io/app") || strings.HasPrefix(name, "kapp.k14s.io/assoc") ||
			name == "kubernetes.io/legacy-token-last-used" // a date, which the API server writes
	})
	says := map[string]any{"labels": labels}
	_, isRecord := obj.GetLabels()["kapp.k14s.io/is-app"]
	if obj.GetKind() == "Namespace" || isRecord {
		return asJSON(says)
	}
	for field, value := range obj.Object {
		if field != "metadata" && field != "status" && field != "secrets" {
			says[field] = value
		}
	}
	if obj.GetKind() != "Secret" {
		return asJSON(says)
	}
	data, _, _ := unstructured.NestedStringMap(obj.Object, "data")
	for key, value := range data {
		plain, err := base64.StdEncoding.DecodeString(value)
		if err != nil || isToken(obj) || strings.Contains(string(plain), "current-context") {
			plain = nil // a token, which is no other world's
		}
		data[key] = string(plain)
	}
	says["data"] = data
	return asJSON(says)
}

func asJSON(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// differences say how a snapshot is not as it should be. A .gitkeep and a marker
// may be beside the files of a package install.
func differences(want, got snapshot) []string {
	var wrong []string
	for key, w := range want {
		switch g, ok := got[key]; {
		case !ok:
			wrong = append(wrong, "missing: "+key)
		case g.going:
			wrong = append(wrong, "being deleted: "+key)
		case g.text != w.text:
			wrong = append(wrong, fmt.Sprintf("%s is\n    %s\n  and should be\n    %s", key, g.text, w.text))
		}
	}
	for key := range got {
		if want.has(key) || path.Base(key) == ".gitkeep" || path.Base(key) == marker && want.has(path.Dir(key)+"/packageinstall.yaml") {
			continue
		}
		wrong = append(wrong, "not expected: "+key)
	}
	slices.Sort(wrong)
	return wrong
}

// remade say what was there before and has been deleted and made anew: what
// would take workloads down, or make tokens invalid.
func remade(before, now snapshot) []string {
	var wrong []string
	for key, b := range before {
		_, kind, _ := strings.Cut(key, " ")
		kind, _, _ = strings.Cut(kind, " ")
		matters := slices.Contains([]string{"Namespace", "ServiceAccount", "App", "PackageInstall", "ConfigMap"}, kind)
		if n, ok := now[key]; ok && matters && !b.going && n.uid != b.uid {
			wrong = append(wrong, fmt.Sprintf("made anew: %s was %s and is %s", key, b.uid, n.uid))
		}
	}
	slices.Sort(wrong)
	return wrong
}
