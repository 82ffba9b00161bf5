package delivery

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

// Namespaces are the use cases about namespaces on run clusters.
type Namespaces struct {
	*ownership
	clusters
	mu            sync.Mutex
	administrator map[Cluster]bool                        // whether our identity may do everything there
	served        map[Cluster]error                       // whether it knows PackageInstalls
	everywhere    map[Cluster][]unstructured.Unstructured // ClusterRoleBindings
}

// RunNamespace is a namespace on a run cluster, with the rights of its
// ServiceAccount.
type RunNamespace struct {
	Cluster string
	carvel.RunNamespaceSpec
	// DeleteAdopted lets a delete delete also what was there before it was
	// adopted.
	DeleteAdopted bool
	UID           types.UID // of the Namespace that the state records, empty if it records none
	ForCluster
}

// resource is what marks call it.
func (s RunNamespace) resource() string { return "carvel_run_namespace " + s.Cluster + "/" + s.Name }

// RunNamespaceReceipt says what is on the run cluster.
type RunNamespaceReceipt struct {
	Creation string    // that applied objects bear; empty: nothing was applied
	TakenBy  string    // the resource that holds what was found now, "" for this one
	UID      types.UID // of the Namespace
	// Objects are "Kind/name" to YAML of the fields that the spec sets, as they
	// were applied or as they were found.
	Objects map[string]string
	// Labels and Annotations are those of the Namespace that the spec sets, as
	// they are now.
	Labels, Annotations map[string]string
	Mutations           []Mutation // of what was applied
	Left                []Left     // of what was to go
}

// PlannedObjects are the Objects of a receipt once the spec is applied. before
// are those that the state shows.
func PlannedObjects(s RunNamespace, before map[string]string) (map[string]string, error) {
	planned := map[string]string{}
	for _, obj := range carvel.RunNamespace(s.RunNamespaceSpec) {
		s.Ignore.keepText(obj, before[title(obj)])
		if err := showObject(planned, obj, obj); err != nil {
			return nil, err
		}
	}
	return planned, nil
}

// showObject adds the fields of live that shape has.
func showObject(into map[string]string, live, shape *unstructured.Unstructured) error {
	text, err := shown(live, shape)
	into[title(shape)] = text
	return err
}

// shown is the YAML of the fields of live that shape has, without what is secret
// in them.
func shown(live, shape *unstructured.Unstructured) (string, error) {
	fields, _ := cluster.Project(live.Object, shape.Object).(map[string]any)
	return render(carvel.MaskApp(fields), shape.GetName())
}

func render(fields map[string]any, name string) (string, error) {
	text, err := yaml.Marshal(fields)
	if err != nil {
		return "", fmt.Errorf("render %s: %w", name, err)
	}
	return string(text), nil
}

// NamespaceMissingError: the namespace that somebody else was to make is not
// there.
type NamespaceMissingError struct {
	Cluster, Namespace string
}

func (e *NamespaceMissingError) Error() string {
	return fmt.Sprintf("there is no namespace %s on %s", e.Namespace, e.Cluster)
}

// CheckNew tells what the adoption of a namespace changes.
func (ns *Namespaces) CheckNew(ctx context.Context, s RunNamespace) (Adoption, error) {
	c, err := ns.run(s.Cluster)
	if err != nil {
		return Adoption{}, err
	}
	objects := carvel.RunNamespace(s.RunNamespaceSpec)
	found, err := findAll(ctx, c, refsOf(objects))
	if err != nil {
		return Adoption{}, err
	}
	return ns.adoption(found, objects, carvel.Mark{Owner: ns.Owner, Resource: s.resource()})
}

// Create applies the objects one after the other. What is there
// already is gone on with if an interrupted creation of the same resource
// has made it, and taken over if that is asked for.
func (ns *Namespaces) Create(ctx context.Context, s RunNamespace) (RunNamespaceReceipt, error) {
	var r RunNamespaceReceipt
	c, err := ns.run(s.Cluster)
	if err != nil {
		return r, err
	}
	mine := ns.mark(s.resource(), "")
	objects := carvel.RunNamespace(s.RunNamespaceSpec)
	if s.Existing {
		namespace, err := s.namespace(ctx, c)
		if err != nil {
			return r, err
		}
		r = s.receipt(namespace)
		if err := ns.refuseExisting(ctx, c, objects, mine, s.Hold); err != nil {
			return r, err
		}
	}
	adopt, err := ns.adopt(ctx, c, "namespace "+s.Name, objects, mine, s.ForCluster)
	if err != nil {
		return r, err
	}
	for i, obj := range objects {
		live, _, err := ns.establish(ctx, c, obj, mine, s.Manager, adopt)
		if err != nil {
			return r, err
		}
		if !s.Existing && i == 0 {
			r = s.receipt(live)
			if !carvel.MarkOf(live).Adopted {
				adopt = unclaimed(c.Name()) // what the cluster itself puts into a new namespace
			}
		}
		r.Creation = mine.Creation
		r.Mutations = append(r.Mutations, mutations(obj, live, s.Manager)...)
		if err := showObject(r.Objects, obj, obj); err != nil {
			return r, err
		}
	}
	return r, nil
}

// unclaimed lets objects be taken over that no resource holds.
func unclaimed(where string) func(*unstructured.Unstructured) error {
	return func(live *unstructured.Unstructured) error {
		if theirs := carvel.MarkOf(live); theirs.Creation != "" {
			return &ExistsError{Where: where, What: refOf(live).String(), Mark: theirs}
		}
		return nil
	}
}

// refuseExisting is an *ExistsError if one of the objects is there to stay
// and must not be taken over, before the first of them is written.
func (o *ownership) refuseExisting(ctx context.Context, c Cluster, objects []*unstructured.Unstructured, mine carvel.Mark, how Hold) error {
	for _, obj := range objects {
		live, err := find(ctx, c, refOf(obj))
		if err == nil && live != nil && live.GetDeletionTimestamp() == nil {
			_, err = o.takeOver(c.Name(), live, mine, how.Adopt)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// namespace reads the Namespace that somebody else has made.
func (s RunNamespace) namespace(ctx context.Context, c Cluster) (*unstructured.Unstructured, error) {
	namespace, err := find(ctx, c, cluster.Ref{Resource: carvel.Namespaces, Name: s.Name})
	if err == nil && namespace == nil {
		err = &NamespaceMissingError{Cluster: c.Name(), Namespace: s.Name}
	}
	return namespace, err
}

func (s RunNamespace) receipt(namespace *unstructured.Unstructured) RunNamespaceReceipt {
	r := RunNamespaceReceipt{UID: namespace.GetUID(), Objects: map[string]string{}, Labels: s.Labels, Annotations: s.Annotations}
	if !s.Existing { // the other objects show theirs in Objects
		r.Labels = s.Ignore.pick("labels", namespace.GetLabels(), s.Labels)
		r.Annotations = s.Ignore.pick("annotations", namespace.GetAnnotations(), s.Annotations)
	}
	return r
}

// Read reads the objects. A missing Namespace is ErrNotFound;
// another that is missing is left out of the receipt.
func (ns *Namespaces) Read(ctx context.Context, s RunNamespace) (RunNamespaceReceipt, error) {
	var r RunNamespaceReceipt
	c, err := ns.run(s.Cluster)
	if err != nil {
		return r, err
	}
	objects := carvel.RunNamespace(s.RunNamespaceSpec)
	refs := []cluster.Ref{{Resource: carvel.Namespaces, Name: s.Name}}
	for _, obj := range objects {
		refs = append(refs, refOf(obj))
	}
	live, err := findAll(ctx, c, refs)
	if err != nil {
		return r, err
	}
	namespace := live[refs[0]]
	if namespace == nil || namespace.GetDeletionTimestamp() != nil {
		return r, ErrNotFound // one that is being deleted cannot be kept
	}
	if !s.Existing && s.isReplaced(namespace, s.UID) {
		return r, ErrNotFound
	}
	r = s.receipt(namespace)
	r.TakenBy = ns.takenBy(s.resource(), carvel.MarkOf(live[refOf(objects[0])]), s.Hold)
	for _, obj := range objects {
		if live[refOf(obj)] == nil {
			continue
		}
		if err := showObject(r.Objects, live[refOf(obj)], obj); err != nil {
			return r, err
		}
	}
	return r, nil
}

// Update applies the objects and deletes those of before that are
// not wanted any more. The Namespace itself is never deleted. What another
// resource has taken over is a *TakenOverError, before anything is written.
func (ns *Namespaces) Update(ctx context.Context, before carvel.RunNamespaceSpec, s RunNamespace) (RunNamespaceReceipt, error) {
	var r RunNamespaceReceipt
	c, err := ns.run(s.Cluster)
	if err != nil {
		return r, err
	}
	objects := carvel.RunNamespace(s.RunNamespaceSpec)
	namespaces := cluster.Ref{Resource: carvel.Namespaces, Name: s.Name}
	found, err := findAll(ctx, c, append(refsOf(objects), namespaces))
	if err != nil {
		return r, err
	}
	if found[namespaces] == nil {
		return r, &NamespaceMissingError{Cluster: c.Name(), Namespace: s.Name}
	}
	marked, err := ns.markedForUpdate(c, before, s, objects, found)
	if err != nil {
		return r, err
	}
	r = s.receipt(found[namespaces])
	wanted := map[cluster.Ref]bool{namespaces: true}
	for i, obj := range objects {
		wanted[refOf(obj)] = true
		live, err := c.Apply(ctx, refOf(obj), marked[i], s.Manager)
		if err != nil {
			return r, err
		}
		r.Creation = carvel.MarkOf(marked[i]).Creation
		r.Mutations = append(r.Mutations, mutations(marked[i], live, s.Manager)...)
		if err := showObject(r.Objects, obj, obj); err != nil {
			return r, err
		}
	}
	for _, obj := range slices.Backward(carvel.RunNamespace(before)) {
		if ref := refOf(obj); !wanted[ref] {
			left, err := ns.remove(ctx, c, ref, s.resource(), s.ForCluster)
			if r.Left = append(r.Left, left...); err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

// markedForUpdate are the objects with their marks. One that was not among the
// resource's before must not be there, unless it is to be adopted.
func (ns *Namespaces) markedForUpdate(c Cluster, before carvel.RunNamespaceSpec, s RunNamespace,
	objects []*unstructured.Unstructured, found map[cluster.Ref]*unstructured.Unstructured,
) ([]*unstructured.Unstructured, error) {
	had := map[cluster.Ref]bool{}
	for _, obj := range carvel.RunNamespace(before) {
		had[refOf(obj)] = true
	}
	refs := refsOf(objects)
	mine := ns.mark(s.resource(), s.Creation)
	marked := make([]*unstructured.Unstructured, len(objects))
	for i, obj := range objects {
		live, mark := found[refs[i]], mine
		theirs := carvel.MarkOf(live)
		switch {
		case live == nil:
		case ns.lost(theirs, mine, s.Hold):
			return nil, &TakenOverError{Where: c.Name(), What: refs[i].String(), By: theirs}
		case theirs.Creation == "" && !had[refs[i]]:
			if !s.Adopt {
				return nil, &ExistsError{Where: c.Name(), What: refs[i].String()}
			}
			mark.Adopted = true
		default:
			mark.Adopted = s.isAdopted(live)
		}
		s.Ignore.preserve(obj, live)
		marked[i] = mark.On(obj)
	}
	return marked, nil
}
