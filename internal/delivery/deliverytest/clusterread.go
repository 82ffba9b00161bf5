package deliverytest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

// Get is that of the Kubernetes engine.
func (c *Cluster) Get(_ context.Context, ref cluster.Ref) (*unstructured.Unstructured, error) {
	end, err := c.begin("Get", ref)
	if err != nil {
		return nil, err
	}
	obj := c.Object(ref)
	if obj == nil {
		return nil, end(fmt.Errorf("get %s on %s: %w", ref, c.name, cluster.ErrNotFound))
	}
	return obj, end(nil)
}

// List is that of the Kubernetes engine.
func (c *Cluster) List(_ context.Context, resource schema.GroupVersionResource, namespace string) ([]unstructured.Unstructured, error) {
	end, err := c.begin("List", cluster.Ref{Resource: resource, Namespace: namespace})
	if err != nil {
		return nil, err
	}
	return c.list(resource, namespace), end(nil)
}

func (c *Cluster) list(resource schema.GroupVersionResource, namespace string) []unstructured.Unstructured {
	c.mu.Lock()
	defer c.mu.Unlock()
	var items []unstructured.Unstructured
	for ref, obj := range c.objects {
		if ref.Resource == resource && (namespace == "" || ref.Namespace == namespace) {
			items = append(items, *obj.DeepCopy())
		}
	}
	slices.SortFunc(items, func(a, b unstructured.Unstructured) int {
		return strings.Compare(a.GetNamespace()+"/"+a.GetName(), b.GetNamespace()+"/"+b.GetName())
	})
	return items
}

// ListWhere is that of the Kubernetes engine. It knows the selectors of a type and of a name.
func (c *Cluster) ListWhere(_ context.Context, resource schema.GroupVersionResource, namespace, selector string) ([]unstructured.Unstructured, bool, error) {
	end, err := c.begin("ListWhere "+selector, cluster.Ref{Resource: resource, Namespace: namespace})
	if err != nil {
		return nil, false, err
	}
	kind, byType := strings.CutPrefix(selector, "type=")
	name, byName := strings.CutPrefix(selector, "metadata.name=")
	if !byType && !byName {
		return nil, false, end(nil)
	}
	items := slices.DeleteFunc(c.list(resource, namespace), func(obj unstructured.Unstructured) bool {
		return byType && obj.Object["type"] != kind || byName && obj.GetName() != name
	})
	return items, true, end(nil)
}

// Served is that of the Kubernetes engine.
func (c *Cluster) Served(_ context.Context, resource schema.GroupVersionResource, namespace string) error {
	end, err := c.begin("Served", cluster.Ref{Resource: resource, Namespace: namespace})
	if err != nil {
		return err
	}
	return end(nil)
}

// Wait is that of the Kubernetes engine.
func (c *Cluster) Wait(ctx context.Context, ref cluster.Ref, judge cluster.Judge) error {
	end, err := c.begin("Wait", ref)
	if err != nil {
		return err
	}
	return end(c.until(ctx, func() (bool, error) { return judge(c.objects[ref].DeepCopy()) }))
}

// WaitGone is that of the Kubernetes engine.
func (c *Cluster) WaitGone(ctx context.Context, ref cluster.Ref, uid types.UID, judge func(*unstructured.Unstructured) error) error {
	end, err := c.begin("WaitGone", ref)
	if err != nil {
		return err
	}
	return end(c.until(ctx, func() (bool, error) {
		obj := c.objects[ref]
		if obj == nil || uid != "" && obj.GetUID() != uid {
			return true, nil
		}
		if judge != nil {
			return false, judge(obj.DeepCopy())
		}
		return false, nil
	}))
}

// WaitNone is that of the Kubernetes engine.
func (c *Cluster) WaitNone(ctx context.Context, resource schema.GroupVersionResource, namespace string) ([]string, error) {
	end, err := c.begin("WaitNone", cluster.Ref{Resource: resource, Namespace: namespace})
	if err != nil {
		return nil, err
	}
	var left []string
	err = c.until(ctx, func() (bool, error) {
		left = nil
		for ref, obj := range c.objects {
			if ref.Resource == resource && ref.Namespace == namespace {
				left = append(left, obj.GetKind()+" "+obj.GetName())
			}
		}
		return len(left) == 0, nil
	})
	return left, end(err)
}

// Follow is that of the Kubernetes engine.
func (c *Cluster) Follow(ctx context.Context, resource schema.GroupVersionResource, namespace string, see func(map[string]*unstructured.Unstructured)) error {
	end, err := c.begin("Follow", cluster.Ref{Resource: resource, Namespace: namespace})
	if err != nil {
		return err
	}
	return end(c.until(ctx, func() (bool, error) {
		objects := map[string]*unstructured.Unstructured{}
		for ref, obj := range c.objects {
			if ref.Resource == resource && ref.Namespace == namespace {
				objects[ref.Name] = obj.DeepCopy()
			}
		}
		see(objects)
		return false, nil
	}))
}

// until asks at first and after each change, with the lock held.
func (c *Cluster) until(ctx context.Context, done func() (bool, error)) error {
	stop := context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.changed.Broadcast()
	})
	defer stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		c.changed.Wait()
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}
