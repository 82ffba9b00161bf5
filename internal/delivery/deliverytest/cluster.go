package deliverytest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

// Cluster stands in for the Kubernetes engine and a cluster behind it.
type Cluster struct {
	Calls *Calls
	// Missing are resources that the cluster does not serve.
	Missing []schema.GroupVersionResource
	// Denied are verbs and resources that the identity lacks, such as "escalate roles".
	Denied []string
	// Controller, if not nil, is told of each object that was written, and may change
	// it, as a controller does that is quick: not in what the writer gets back.
	Controller func(ref cluster.Ref, obj *unstructured.Unstructured)
	// Finalized, if not nil, tells of an object that is deleted whether it stays for
	// now, as one does that a controller has to look after.
	Finalized func(ref cluster.Ref, obj *unstructured.Unstructured) bool

	name     string
	mu       sync.Mutex
	changed  *sync.Cond
	objects  map[cluster.Ref]*unstructured.Unstructured
	revision int
	made     int
}

// NewCluster is an empty one with a namespace.
func NewCluster(calls *Calls, name string, namespaces ...string) *Cluster {
	c := &Cluster{Calls: calls, name: name, objects: map[cluster.Ref]*unstructured.Unstructured{}}
	c.changed = sync.NewCond(&c.mu)
	for _, namespace := range namespaces {
		obj := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace"}}
		obj.SetName(namespace)
		c.Put(obj)
	}
	return c
}

// Name is that of the cluster.
func (c *Cluster) Name() string { return c.name }

// Endpoint is of no server.
func (c *Cluster) Endpoint() (cluster.Endpoint, error) {
	return cluster.Endpoint{Server: "https://" + c.name + ".example.com", CA: []byte("ca of " + c.name)}, nil
}

func (c *Cluster) begin(verb string, ref cluster.Ref) (func(error) error, error) {
	end, err := c.Calls.begin("%s %s %s", c.name, verb, ref)
	if err == nil && slices.Contains(c.Missing, ref.Resource) {
		err = &cluster.NotServedError{Cluster: c.name, Resource: ref.Resource.GroupResource().String()}
	}
	return end, err
}

// Put writes an object as somebody else, whatever was there.
func (c *Cluster) Put(obj *unstructured.Unstructured) { c.PutAs(carvel.Resource(obj), obj) }

// PutAs is Put of an object that the provider never makes.
func (c *Cluster) PutAs(resource schema.GroupVersionResource, obj *unstructured.Unstructured) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ref := cluster.Ref{Resource: resource, Namespace: obj.GetNamespace(), Name: obj.GetName()}
	c.store(ref, c.objects[ref], obj.DeepCopy())
}

// Change changes an object as somebody else, if it is there.
func (c *Cluster) Change(ref cluster.Ref, how func(*unstructured.Unstructured)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before, ok := c.objects[ref]
	if !ok {
		return
	}
	obj := before.DeepCopy()
	how(obj)
	c.store(ref, before, obj)
}

// Remove removes an object as somebody else, whether it is there or not.
func (c *Cluster) Remove(ref cluster.Ref) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(ref)
}

// Object is one as it is, nil if there is none.
func (c *Cluster) Object(ref cluster.Ref) *unstructured.Unstructured {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.objects[ref].DeepCopy()
}

// Refs are those of all objects, in the order of their texts.
func (c *Cluster) Refs() []cluster.Ref {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.SortedFunc(maps.Keys(c.objects), func(a, b cluster.Ref) int { return strings.Compare(a.String(), b.String()) })
}

// store keeps an object with what an API server gives it.
func (c *Cluster) store(ref cluster.Ref, before, obj *unstructured.Unstructured) *unstructured.Unstructured {
	if before == nil {
		c.made++
		obj.SetUID(types.UID(fmt.Sprintf("uid-%s-%d", c.name, c.made)))
		if made := obj.GetCreationTimestamp(); made.IsZero() { // else a test has set it
			obj.SetCreationTimestamp(metav1.NewTime(time.Now().Truncate(time.Second)))
		}
		obj.SetGeneration(1)
	} else {
		obj.SetUID(before.GetUID())
		obj.SetCreationTimestamp(before.GetCreationTimestamp())
		obj.SetGeneration(before.GetGeneration())
		if !reflect.DeepEqual(before.Object["spec"], obj.Object["spec"]) {
			obj.SetGeneration(before.GetGeneration() + 1)
		}
	}
	c.revision++
	obj.SetResourceVersion(strconv.Itoa(c.revision))
	c.objects[ref] = obj
	written := obj.DeepCopy()
	if c.Controller != nil {
		c.Controller(ref, obj)
		if !reflect.DeepEqual(written, obj) {
			c.revision++
			obj.SetResourceVersion(strconv.Itoa(c.revision))
		}
	}
	c.changed.Broadcast()
	return written
}

// drop removes an object, and with a Namespace what is in it.
func (c *Cluster) drop(ref cluster.Ref) {
	delete(c.objects, ref)
	if ref.Resource == carvel.Namespaces {
		maps.DeleteFunc(c.objects, func(r cluster.Ref, _ *unstructured.Unstructured) bool { return r.Namespace == ref.Name })
	}
	c.changed.Broadcast()
}

// Apply is that of the Kubernetes engine.
func (c *Cluster) Apply(_ context.Context, ref cluster.Ref, obj *unstructured.Unstructured, m cluster.Manager) (*unstructured.Unstructured, error) {
	end, err := c.begin("Apply", ref)
	if err != nil {
		return nil, err
	}
	live, err := c.apply(ref, obj, m)
	if err = end(err); err != nil {
		return nil, err
	}
	return live, nil
}

// TryApply is that of the Kubernetes engine.
func (c *Cluster) TryApply(_ context.Context, ref cluster.Ref, obj *unstructured.Unstructured, m cluster.Manager) (*unstructured.Unstructured, error) {
	end, err := c.begin("TryApply", ref)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	merged, err := c.merge(ref, obj, m)
	return merged, end(err)
}

// ApplyNew is that of the Kubernetes engine.
func (c *Cluster) ApplyNew(_ context.Context, ref cluster.Ref, obj *unstructured.Unstructured, m cluster.Manager) (*unstructured.Unstructured, error) {
	end, err := c.begin("ApplyNew", ref)
	if err != nil {
		return nil, err
	}
	if live := c.Object(ref); live != nil {
		return nil, end(&cluster.ExistsError{Cluster: c.name, Ref: ref, Live: live})
	}
	live, err := c.apply(ref, obj, m)
	if err = end(err); err != nil {
		return nil, err
	}
	return live, nil
}

// ApplyOver is that of the Kubernetes engine.
func (c *Cluster) ApplyOver(_ context.Context, ref cluster.Ref, obj, read *unstructured.Unstructured, m cluster.Manager) (*unstructured.Unstructured, error) {
	end, err := c.begin("ApplyOver", ref)
	if err != nil {
		return nil, err
	}
	same := obj.DeepCopy()
	same.SetUID(read.GetUID())
	same.SetResourceVersion(read.GetResourceVersion())
	live, err := c.apply(ref, same, m)
	if err = end(err); err != nil {
		return nil, err
	}
	return live, nil
}

func (c *Cluster) apply(ref cluster.Ref, obj *unstructured.Unstructured, m cluster.Manager) (*unstructured.Unstructured, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.objects[ref]
	merged, err := c.merge(ref, obj, m)
	if err != nil {
		return nil, err
	}
	if before != nil && reflect.DeepEqual(withoutTimes(before), withoutTimes(merged)) {
		return before.DeepCopy(), nil
	}
	return c.store(ref, before, merged), nil
}

// withoutTimes leaves out when managers have written, which is no change.
func withoutTimes(obj *unstructured.Unstructured) map[string]any {
	out := obj.DeepCopy()
	fields := out.GetManagedFields()
	for i := range fields {
		fields[i].Time = nil
	}
	out.SetManagedFields(fields)
	return out.Object
}

// merge is what an API server would store.
func (c *Cluster) merge(ref cluster.Ref, obj *unstructured.Unstructured, m cluster.Manager) (*unstructured.Unstructured, error) {
	before := c.objects[ref]
	if ref.Namespace != "" && c.objects[cluster.Ref{Resource: carvel.Namespaces, Name: ref.Namespace}] == nil {
		return nil, fmt.Errorf("apply %s on %s: %w", ref, c.name, apierrors.NewNotFound(carvel.Namespaces.GroupResource(), ref.Namespace))
	}
	uid, version := obj.GetUID(), obj.GetResourceVersion()
	if before == nil && uid != "" || before != nil && (uid != "" && uid != before.GetUID() || version != "" && version != before.GetResourceVersion()) {
		return nil, fmt.Errorf("apply %s on %s: %w", ref, c.name, cluster.ErrChanged)
	}
	merged, err := applied(before, obj, m)
	if apierrors.IsConflict(err) {
		return nil, &cluster.ConflictError{Cluster: c.name, Ref: ref, Fields: []cluster.FieldConflict{{Field: "?", Owner: err.Error()}}}
	}
	return merged, err
}

// Edit is that of the Kubernetes engine.
func (c *Cluster) Edit(_ context.Context, ref cluster.Ref, _ *unstructured.Unstructured, edits []cluster.FieldEdit, _ cluster.Manager) (*unstructured.Unstructured, error) {
	end, err := c.begin("Edit", ref)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.objects[ref]
	if before == nil {
		return nil, end(fmt.Errorf("patch %s on %s: %w", ref, c.name, cluster.ErrNotFound))
	}
	obj := before.DeepCopy()
	for _, e := range edits {
		_, there, err := unstructured.NestedFieldNoCopy(obj.Object, e.Path...)
		switch {
		case err != nil:
			return nil, end(err)
		case e.Value == nil && !there:
			return nil, end(fmt.Errorf("patch %s on %s: there is no field %v", ref, c.name, e.Path))
		case e.Value == nil:
			unstructured.RemoveNestedField(obj.Object, e.Path...)
		default:
			if err := unstructured.SetNestedField(obj.Object, e.Value, e.Path...); err != nil {
				return nil, end(err)
			}
		}
	}
	return c.store(ref, before, obj), end(nil)
}

// Delete is that of the Kubernetes engine.
func (c *Cluster) Delete(_ context.Context, ref cluster.Ref, read *unstructured.Unstructured) error {
	end, err := c.begin("Delete", ref)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	live := c.objects[ref]
	switch {
	case live == nil || live.GetDeletionTimestamp() != nil:
		return end(nil)
	case read.GetUID() != "" && read.GetUID() != live.GetUID(), read.GetResourceVersion() != "" && read.GetResourceVersion() != live.GetResourceVersion():
		return end(fmt.Errorf("delete %s on %s: %w", ref, c.name, cluster.ErrChanged))
	case c.Finalized != nil && c.Finalized(ref, live):
		obj := live.DeepCopy()
		now := metav1.Now()
		obj.SetDeletionTimestamp(&now)
		c.store(ref, live, obj)
		return end(nil)
	}
	c.drop(ref)
	return end(nil)
}

// Create answers a question about the identity's rights.
func (c *Cluster) Create(_ context.Context, ref cluster.Ref, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	end, err := c.begin("Create", ref)
	if err != nil {
		return nil, err
	}
	answer := obj.DeepCopy()
	switch obj.GetKind() {
	case "SelfSubjectAccessReview":
		asked, _, _ := unstructured.NestedStringMap(obj.Object, "spec", "resourceAttributes")
		denied := slices.Contains(c.Denied, asked["verb"]+" "+asked["resource"]) || asked["verb"] == "*" && len(c.Denied) > 0
		answer.Object["status"] = map[string]any{"allowed": !denied}
	case "SelfSubjectRulesReview":
		answer.Object["status"] = map[string]any{"resourceRules": []any{}}
	default:
		return nil, end(errors.New("not a question that is known: " + obj.GetKind()))
	}
	return answer, end(nil)
}

// CreateSubresource grants a token.
func (c *Cluster) CreateSubresource(_ context.Context, ref cluster.Ref, subresource string, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	end, err := c.begin("Create "+subresource+" of", ref)
	if err != nil {
		return nil, err
	}
	if c.Object(ref) == nil {
		return nil, end(fmt.Errorf("create %s of %s on %s: %w", subresource, ref, c.name, cluster.ErrNotFound))
	}
	seconds, _, err := unstructured.NestedInt64(obj.Object, "spec", "expirationSeconds")
	if err != nil {
		return nil, end(err)
	}
	answer := obj.DeepCopy()
	now := time.Now()
	answer.Object["status"] = map[string]any{
		"token":               Token(ref.Namespace, ref.Name, now, time.Duration(seconds)*time.Second),
		"expirationTimestamp": now.Add(time.Duration(seconds) * time.Second).UTC().Format(time.RFC3339),
	}
	return answer, end(nil)
}
