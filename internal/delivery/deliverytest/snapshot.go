package deliverytest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// Snapshot is all that there is, but for what is another in each world.
func (w *World) Snapshot() map[string]string {
	all := map[string]string{}
	for path, text := range w.Repository.Files() {
		if strings.HasSuffix(path, repolayout.MarkFile) {
			m := installfiles.ReadMark(installfiles.Contents{repolayout.MarkFile: []byte(text)})
			text = m.Owner + " " + m.Resource
		}
		if strings.HasSuffix(path, repolayout.EncryptedParamsFile) {
			text = "encrypted" // otherwise each time
		}
		all["git "+path] = text
	}
	for _, c := range []*Cluster{w.Build, w.Run} {
		for _, ref := range c.Refs() {
			obj := c.Object(ref)
			mark := carvel.MarkOf(obj)
			name := c.Name() + " " + ref.String()
			if obj.Object["type"] == carvel.TokenSecretType {
				name = name[:strings.LastIndex(name, "-")] // what follows is random
			}
			text := fmt.Sprint(obj.Object["type"], obj.GetLabels(), obj.Object["spec"], obj.Object["rules"], obj.Object["subjects"], mark.Owner, mark.Resource, mark.Adopted)
			data, _, _ := unstructured.NestedMap(obj.Object, "data")
			all[name] = text + fmt.Sprint(slices.Sorted(maps.Keys(data)))
		}
	}
	return all
}

// Creations are those that what there is bears.
func (w *World) Creations() []string {
	var all []string
	for path, text := range w.Repository.Files() {
		if strings.HasSuffix(path, repolayout.MarkFile) {
			all = append(all, installfiles.ReadMark(installfiles.Contents{repolayout.MarkFile: []byte(text)}).Creation)
		}
	}
	for _, c := range []*Cluster{w.Build, w.Run} {
		for _, ref := range c.Refs() {
			if mark := carvel.MarkOf(c.Object(ref)); mark.Creation != "" {
				all = append(all, mark.Creation)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Differences are the entries of two snapshots that are not the same.
func Differences(want, got map[string]string) string {
	var lines []string
	only := func(title string, of, not map[string]string) {
		for _, name := range slices.Sorted(maps.Keys(of)) {
			if text, there := not[name]; !there || text != of[name] {
				lines = append(lines, title+" "+name+": "+of[name])
			}
		}
	}
	only("wanted", want, got)
	only("got", got, want)
	return strings.Join(lines, "\n")
}
