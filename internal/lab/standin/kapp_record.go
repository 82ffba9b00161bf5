package standin

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
)

const (
	labelApp         = "kapp.k14s.io/app"
	labelAssociation = "kapp.k14s.io/association"
	labelIsApp       = "kapp.k14s.io/is-app"
	labelIsChange    = "kapp.k14s.io/is-app-change"
	labelChangeOf    = "kapp.k14s.io/app-change-app"

	annotationIdentity = "kapp.k14s.io/identity"
	annotationOriginal = "kapp.k14s.io/original"
	annotationDiff     = "kapp.k14s.io/original-diff-md5"

	// changesToKeep is what the controller passes as --app-changes-max-to-keep.
	changesToKeep = 5
)

// record is the ConfigMap in which kapp keeps what belongs to an App.
type record struct {
	configMap *unstructured.Unstructured
	spec      recordSpec
}

type recordSpec struct {
	LabelKey       string      `json:"labelKey"`
	LabelValue     string      `json:"labelValue"`
	LastChange     *changeMeta `json:"lastChange,omitempty"`
	LastChangeName string      `json:"lastChangeName,omitempty"`
	UsedGKs        []recordGK  `json:"usedGKs,omitempty"`
}

type recordGK struct {
	Group   string `json:"Group"`
	Version string `json:"Version,omitempty"`
	Kind    string `json:"Kind"`
}

// changeMeta describes one deploy.
type changeMeta struct {
	StartedAt   time.Time  `json:"startedAt"`
	FinishedAt  *time.Time `json:"finishedAt,omitempty"`
	Successful  *bool      `json:"successful,omitempty"`
	Description string     `json:"description,omitempty"`
	Namespaces  []string   `json:"namespaces,omitempty"`
}

func (s recordSpec) namespaces() []string {
	if s.LastChange == nil {
		return nil
	}
	return s.LastChange.Namespaces
}

func (k *kapp) configMaps() dynamic.ResourceInterface {
	return k.cluster.dynamic.Resource(configMapsGVR).Namespace(k.target.recordNs)
}

// readRecord returns the App's record, nil if it has none. The qualified name is tried
// first, so that is the one in the text of an error.
func (k *kapp) readRecord(ctx context.Context) (*record, error) {
	for _, name := range []string{k.app + ".apps.k14s.io", k.app} {
		configMap, err := k.configMaps().Get(ctx, name, metav1.GetOptions{})
		if isGone(err) {
			continue
		}
		if err != nil {
			return nil, said("Getting app: %w", err)
		}
		rec := &record{configMap: configMap}
		text, _, _ := unstructured.NestedString(configMap.Object, "data", "spec")
		if err := json.Unmarshal([]byte(text), &rec.spec); err != nil {
			return nil, said("Parsing app '%s': %w", k.app, err)
		}
		return rec, nil
	}
	return nil, nil
}

// createRecord makes the record with a label value of its own. kapp makes no namespace,
// so a missing one is the API server's error here.
func (k *kapp) createRecord(ctx context.Context) (*record, error) {
	rec := &record{spec: recordSpec{LabelKey: labelApp, LabelValue: strconv.FormatInt(time.Now().UnixNano(), 10)}}
	rec.configMap = k.newConfigMap(map[string]any{labelIsApp: ""})
	rec.configMap.SetName(k.app)
	if err := rec.encode(); err != nil {
		return nil, err
	}
	created, err := k.configMaps().Create(ctx, rec.configMap, metav1.CreateOptions{FieldManager: managerKapp})
	if err != nil {
		return nil, err
	}
	rec.configMap = created
	return rec, nil
}

func (k *kapp) newConfigMap(labels map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"namespace": k.target.recordNs, "labels": labels},
	}}
}

func (r *record) encode() error {
	raw, err := json.Marshal(r.spec)
	if err != nil {
		return err
	}
	return unstructured.SetNestedField(r.configMap.Object, string(raw), "data", "spec")
}

// save writes the record back, on a fresh copy if another writer was quicker.
func (k *kapp) save(ctx context.Context, rec *record) error {
	return onConflict(func() error {
		if err := rec.encode(); err != nil {
			return err
		}
		updated, err := k.configMaps().Update(ctx, rec.configMap, metav1.UpdateOptions{FieldManager: managerKapp})
		if err == nil {
			rec.configMap = updated
			return nil
		}
		if fresh, getErr := k.configMaps().Get(ctx, rec.configMap.GetName(), metav1.GetOptions{}); getErr == nil {
			rec.configMap = fresh
		}
		return err
	})
}

// beginChange notes in the record and in a ConfigMap of its own that a deploy begins.
// The record covers what was there and what is to come, so that a deploy that stops
// half-way loses sight of nothing.
func (k *kapp) beginChange(ctx context.Context, rec *record, description string, kinds []recordGK, namespaces []string) (*unstructured.Unstructured, error) {
	meta := changeMeta{
		StartedAt: time.Now().UTC(), Description: description,
		Namespaces: union(rec.spec.namespaces(), namespaces),
	}
	change := k.newConfigMap(map[string]any{labelIsChange: "", labelChangeOf: k.app})
	change.SetGenerateName(k.app + "-change-")
	if err := setMeta(change, meta); err != nil {
		return nil, err
	}
	created, err := k.configMaps().Create(ctx, change, metav1.CreateOptions{FieldManager: managerKapp})
	if err != nil {
		return nil, err
	}
	rec.spec.LastChange, rec.spec.LastChangeName = &meta, created.GetName()
	rec.spec.UsedGKs = uniqueGKs(append(slices.Clone(rec.spec.UsedGKs), kinds...))
	return created, k.save(ctx, rec)
}

// endChange notes how the deploy ended. After a success the record covers just what the
// App consists of now.
func (k *kapp) endChange(ctx context.Context, rec *record, change *unstructured.Unstructured, kinds []recordGK, namespaces []string, ok bool) error {
	finished := time.Now().UTC()
	rec.spec.LastChange.FinishedAt, rec.spec.LastChange.Successful = &finished, &ok
	if ok {
		rec.spec.UsedGKs, rec.spec.LastChange.Namespaces = uniqueGKs(kinds), union(nil, namespaces)
	}
	if err := setMeta(change, *rec.spec.LastChange); err != nil {
		return err
	}
	_, err := k.configMaps().Update(ctx, change, metav1.UpdateOptions{FieldManager: managerKapp})
	return errors.Join(err, k.save(ctx, rec), k.dropChanges(ctx, changesToKeep))
}

func setMeta(change *unstructured.Unstructured, meta changeMeta) error {
	raw, err := json.Marshal(meta)
	if err != nil {
		return err
	}
	return unstructured.SetNestedField(change.Object, string(raw), "data", "spec")
}

// dropChanges deletes the oldest ConfigMaps of changes beyond the number to keep.
func (k *kapp) dropChanges(ctx context.Context, keep int) error {
	list, err := k.configMaps().List(ctx, metav1.ListOptions{LabelSelector: labelIsChange + "," + labelChangeOf + "=" + k.app})
	if err != nil {
		return err
	}
	slices.SortFunc(list.Items, func(a, b unstructured.Unstructured) int {
		return startedAt(&a).Compare(startedAt(&b))
	})
	for i := range max(0, len(list.Items)-keep) {
		if err := k.configMaps().Delete(ctx, list.Items[i].GetName(), metav1.DeleteOptions{}); err != nil && !isGone(err) {
			return err
		}
	}
	return nil
}

func startedAt(change *unstructured.Unstructured) time.Time {
	var meta changeMeta
	text, _, _ := unstructured.NestedString(change.Object, "data", "spec")
	_ = json.Unmarshal([]byte(text), &meta) // one without a time is the oldest
	return meta.StartedAt
}

func union(a, b []string) []string {
	set := map[string]bool{}
	for _, s := range slices.Concat(a, b) {
		set[s] = true
	}
	return slices.Sorted(maps.Keys(set))
}

func uniqueGKs(kinds []recordGK) []recordGK {
	set := map[recordGK]bool{}
	for _, gk := range kinds {
		set[gk] = true
	}
	return sortedSet(set, func(a, b recordGK) int {
		return strings.Compare(a.Group+"/"+a.Kind+"/"+a.Version, b.Group+"/"+b.Kind+"/"+b.Version)
	})
}
