package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
)

// rewatch is the pause before a watch that ended is opened again.
const rewatch = 500 * time.Millisecond

// Judge looks at an object, nil if there is none, and reports whether the wait
// is over.
type Judge func(obj *unstructured.Unstructured) (done bool, err error)

// Wait calls judge with the object as it is and each time that it changes,
// until judge is done or fails, or ctx ends.
func (c *Cluster) Wait(ctx context.Context, ref Ref, judge Judge) error {
	selector := fields.OneTermEqualSelector("metadata.name", ref.Name).String()
	for {
		list, err := c.list(ctx, ref, metav1.ListOptions{FieldSelector: selector})
		if err != nil {
			return err
		}
		var obj *unstructured.Unstructured
		for i := range list.Items {
			if ref.names(&list.Items[i]) {
				obj = &list.Items[i]
			}
		}
		if done, err := judge(obj); done || err != nil {
			return err
		}
		done, err := c.watch(ctx, ref, metav1.ListOptions{
			FieldSelector:       selector,
			ResourceVersion:     list.GetResourceVersion(),
			AllowWatchBookmarks: true,
		}, judge)
		if done || err != nil {
			return err
		}
		if err := c.pause(ctx, ref); err != nil {
			return err
		}
	}
}

func (c *Cluster) pause(ctx context.Context, ref Ref) error {
	select {
	case <-ctx.Done():
		return c.wrap("wait for", ref, ctx.Err())
	case <-time.After(rewatch):
		return nil
	}
}

// watch judges events until the watch ends, which is not an error.
func (c *Cluster) watch(ctx context.Context, ref Ref, options metav1.ListOptions, judge Judge) (bool, error) {
	return c.events(ctx, ref, options, func(kind watch.EventType, obj *unstructured.Unstructured) (bool, error) {
		if ref.Name != "" && !ref.names(obj) {
			return false, nil // which was not asked for
		}
		if kind == watch.Deleted {
			obj = nil
		}
		return judge(obj)
	})
}

func (c *Cluster) events(ctx context.Context, ref Ref, options metav1.ListOptions,
	see func(watch.EventType, *unstructured.Unstructured) (bool, error),
) (bool, error) {
	var events watch.Interface
	var x *exchange
	_, err := c.do(ctx, "watch", ref, func(ctx context.Context, ri dynamic.ResourceInterface) (*unstructured.Unstructured, error) {
		var err error
		x = exchangeOf(ctx)
		events, err = ri.Watch(ctx, options)
		return nil, err
	})
	if err != nil {
		return false, err
	}
	defer events.Stop()
	for {
		select {
		case <-ctx.Done():
			return false, c.wrap("wait for", ref, ctx.Err())
		case event, open := <-events.ResultChan():
			if !open || event.Type == watch.Error {
				return false, c.streamError(ref, x, event)
			}
			obj, ok := event.Object.(*unstructured.Unstructured)
			if !ok || event.Type == watch.Bookmark {
				continue
			}
			if done, err := see(event.Type, obj); done || err != nil {
				return done, err
			}
		}
	}
}

// streamError is why a watch cannot go on. Most of them end at some time, or with
// a Status that says so, and are opened again.
func (c *Cluster) streamError(ref Ref, x *exchange, event watch.Event) error {
	var limit *LimitError
	status, ok := event.Object.(*metav1.Status)
	switch {
	case errors.As(x.ended(), &limit):
		return limit
	case ok && x.ended() == nil && hasCause(status, "ClientWatchDecoding"): // client-go's, about what it cannot decode
		return c.wrap("watch", ref, x.notAPI(c.name, nil))
	}
	return nil
}

// Follow calls see with all objects of a resource in a namespace by their
// names, at first and each time that one changes, until ctx ends. The map is
// see's own.
func (c *Cluster) Follow(ctx context.Context, resource schema.GroupVersionResource, namespace string,
	see func(map[string]*unstructured.Unstructured),
) error {
	ref := Ref{Resource: resource, Namespace: namespace}
	for {
		list, err := c.list(ctx, ref, metav1.ListOptions{})
		if err != nil {
			return err
		}
		objects := make(map[string]*unstructured.Unstructured, len(list.Items))
		for i := range list.Items {
			objects[list.Items[i].GetName()] = &list.Items[i]
		}
		see(maps.Clone(objects))
		_, err = c.events(ctx, ref, metav1.ListOptions{ResourceVersion: list.GetResourceVersion(), AllowWatchBookmarks: true},
			func(kind watch.EventType, obj *unstructured.Unstructured) (bool, error) {
				if objects[obj.GetName()] = obj; kind == watch.Deleted {
					delete(objects, obj.GetName())
				}
				see(maps.Clone(objects))
				return false, nil
			})
		if err != nil {
			return err
		}
		if err := c.pause(ctx, ref); err != nil {
			return err
		}
	}
}

// WaitGone waits until the object with this uid is gone. judge, if not nil,
// sees it on its way and may end the wait with an error.
func (c *Cluster) WaitGone(ctx context.Context, ref Ref, uid types.UID, judge func(*unstructured.Unstructured) error) error {
	err := c.Wait(ctx, ref, func(obj *unstructured.Unstructured) (bool, error) {
		if obj == nil || uid != "" && obj.GetUID() != uid {
			return true, nil
		}
		if judge != nil {
			return false, judge(obj)
		}
		return false, nil
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: it is still there", err)
	}
	return err
}

// WaitNone waits until a namespace holds no object of a resource. When ctx
// ends first it returns the names of those that are left.
func (c *Cluster) WaitNone(ctx context.Context, resource schema.GroupVersionResource, namespace string) ([]string, error) {
	ref := Ref{Resource: resource, Namespace: namespace}
	var left []string
	for {
		list, err := c.list(ctx, ref, metav1.ListOptions{})
		if err != nil {
			return left, err
		}
		if len(list.Items) == 0 {
			return nil, nil
		}
		left = nil
		for _, item := range list.Items {
			left = append(left, item.GetKind()+" "+item.GetName())
		}
		gone, err := c.watch(ctx, ref, metav1.ListOptions{ResourceVersion: list.GetResourceVersion()},
			func(obj *unstructured.Unstructured) (bool, error) { return obj == nil, nil })
		if err != nil {
			return left, err
		}
		if !gone {
			if err := c.pause(ctx, ref); err != nil {
				return left, err
			}
		}
	}
}
