// Package cluster applies, reads, deletes and waits for objects on one
// Kubernetes cluster. It uses server-side apply and watches, does no API
// discovery, and retries what passes by itself until the context ends. It
// knows no kind: what an object means is the caller's.
package cluster

import (
	"context"
	"fmt"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/outage"
)

// Cluster is one cluster. Nothing is read and no connection is made before the
// first call that needs it. It is safe for concurrent use.
type Cluster struct {
	name      string
	userAgent string
	connect   func() (*connection, error)
	outage    outage.Outage
}

// Endpoint is where a cluster's API server is, for building kubeconfigs.
type Endpoint struct {
	Server string
	CA     []byte // PEM; empty: publicly trusted
	// TLSServerName is the name in the server's certificate, "" for the
	// server's host; with Insecure it is not verified.
	TLSServerName string
	Insecure      bool
}

// New makes a Cluster. name is what errors call it.
func New(name, userAgent string, config Config) *Cluster {
	c := &Cluster{name: name, userAgent: userAgent}
	c.connect = sync.OnceValues(func() (*connection, error) { return open(name, userAgent, config) })
	return c
}

// Name is what errors call the cluster.
func (c *Cluster) Name() string { return c.name }

// Endpoint is the cluster's address as configured; it sends no request.
func (c *Cluster) Endpoint() (Endpoint, error) {
	conn, err := c.connect()
	if err != nil {
		return Endpoint{}, &ConnectionError{Cluster: c.name, Err: err}
	}
	return conn.endpoint, nil
}

// Ref names one object. Namespace is empty for cluster-wide kinds.
type Ref struct {
	Resource        schema.GroupVersionResource
	Namespace, Name string
}

// names reports whether an object is the one.
func (r Ref) names(obj *unstructured.Unstructured) bool {
	return obj.GetName() == r.Name && obj.GetNamespace() == r.Namespace
}

func (r Ref) String() string {
	name := r.Name
	if r.Namespace != "" {
		name = r.Namespace + "/" + r.Name
	}
	return fmt.Sprintf("%s %s", r.Resource.GroupResource(), name)
}

// Manager is a field manager of server-side apply. Force takes fields over
// from other managers; without it they are a *ConflictError.
type Manager struct {
	Name  string
	Force bool
}

// Get reads an object. A missing one is ErrNotFound.
func (c *Cluster) Get(ctx context.Context, ref Ref) (*unstructured.Unstructured, error) {
	return c.do(ctx, "get", ref, func(ctx context.Context, ri dynamic.ResourceInterface) (*unstructured.Unstructured, error) {
		return c.checked(ref, nil)(ri.Get(ctx, ref.Name, metav1.GetOptions{}))
	})
}

// Apply creates or updates an object by server-side apply, and returns it as
// stored.
func (c *Cluster) Apply(ctx context.Context, ref Ref, obj *unstructured.Unstructured, m Manager) (*unstructured.Unstructured, error) {
	return c.do(ctx, "apply", ref, func(ctx context.Context, ri dynamic.ResourceInterface) (*unstructured.Unstructured, error) {
		return c.checked(ref, obj)(ri.Apply(ctx, ref.Name, obj, metav1.ApplyOptions{FieldManager: m.Name, Force: m.Force}))
	})
}

// TryApply is Apply that changes nothing: the API server checks rights, fields
// and their owners, and admission, and returns what it would store.
func (c *Cluster) TryApply(ctx context.Context, ref Ref, obj *unstructured.Unstructured, m Manager) (*unstructured.Unstructured, error) {
	return c.do(ctx, "apply", ref, func(ctx context.Context, ri dynamic.ResourceInterface) (*unstructured.Unstructured, error) {
		return c.checked(ref, obj)(ri.Apply(ctx, ref.Name, obj, metav1.ApplyOptions{FieldManager: m.Name, Force: m.Force, DryRun: []string{metav1.DryRunAll}}))
	})
}

// Create posts an object: one that is a question, such as a
// SelfSubjectAccessReview, and is returned with its answer.
func (c *Cluster) Create(ctx context.Context, ref Ref, obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return c.do(ctx, "create", ref, func(ctx context.Context, ri dynamic.ResourceInterface) (*unstructured.Unstructured, error) {
		return ri.Create(ctx, obj, metav1.CreateOptions{})
	})
}

// Delete asks for the deletion of an object, dependents in the background,
// if it still is the one that was read, to the last field; otherwise it is
// ErrChanged. One that is missing, or is being deleted, is not an error.
func (c *Cluster) Delete(ctx context.Context, ref Ref, read *unstructured.Unstructured) error {
	if read.GetDeletionTimestamp() != nil {
		return nil
	}
	background := metav1.DeletePropagationBackground
	options := metav1.DeleteOptions{PropagationPolicy: &background, Preconditions: &metav1.Preconditions{}}
	if uid := read.GetUID(); uid != "" {
		options.Preconditions.UID = &uid
	}
	if version := read.GetResourceVersion(); version != "" {
		options.Preconditions.ResourceVersion = &version
	}
	_, err := c.do(ctx, "delete", ref, func(ctx context.Context, ri dynamic.ResourceInterface) (*unstructured.Unstructured, error) {
		return nil, ri.Delete(ctx, ref.Name, options)
	})
	if isNotFound(err) {
		return nil
	}
	return err
}

// List reads all objects of a resource in a namespace, "" for all namespaces.
func (c *Cluster) List(ctx context.Context, resource schema.GroupVersionResource, namespace string) ([]unstructured.Unstructured, error) {
	list, err := c.list(ctx, Ref{Resource: resource, Namespace: namespace}, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

// ListWhere is List of the objects that a field selector takes. The API server
// knows fields of its own for every resource; ok is false if it does not
// know this one.
func (c *Cluster) ListWhere(ctx context.Context, resource schema.GroupVersionResource, namespace, selector string) (items []unstructured.Unstructured, ok bool, err error) {
	list, err := c.list(ctx, Ref{Resource: resource, Namespace: namespace}, metav1.ListOptions{FieldSelector: selector})
	if apierrors.IsBadRequest(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	return list.Items, true, nil
}

// Served is a *NotServedError if the API server does not know a resource.
// The right to list it is not needed.
func (c *Cluster) Served(ctx context.Context, resource schema.GroupVersionResource, namespace string) error {
	_, err := c.list(ctx, Ref{Resource: resource, Namespace: namespace}, metav1.ListOptions{Limit: 1})
	if apierrors.IsForbidden(err) {
		return nil
	}
	return err
}

func (c *Cluster) list(ctx context.Context, ref Ref, options metav1.ListOptions) (list *unstructured.UnstructuredList, err error) {
	_, err = c.do(ctx, "list", ref, func(ctx context.Context, ri dynamic.ResourceInterface) (*unstructured.Unstructured, error) {
		var err error
		if list, err = ri.List(ctx, options); err == nil {
			err = c.checkList(ref, list)
		}
		return nil, err
	})
	return list, err
}
