package delivery

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

// Adoption is what a creation would take over.
type Adoption struct {
	// Seen tells it from what is there after any change of it, "" if nothing
	// is there.
	Seen string
	// Changes are what the adoption does to it.
	Changes []Change
}

// Change is a text before and after.
type Change struct {
	What, Before, After string
}

// NotAsPlannedError: what an adoption takes over is not what the plan saw.
type NotAsPlannedError struct {
	Where, What string
	Seen, Found string // as in Adoption.Seen
}

func (e *NotAsPlannedError) Error() string {
	return fmt.Sprintf("%s in %s is not what the plan saw: %q then, %q now", e.What, e.Where, e.Seen, e.Found)
}

// adoption looks at the objects that a creation with a mark would take over.
// found are those that are there.
func (o *ownership) adoption(found map[cluster.Ref]*unstructured.Unstructured, objects []*unstructured.Unstructured, mine carvel.Mark) (Adoption, error) {
	var a Adoption
	var seen []string
	for _, obj := range objects {
		ref := refOf(obj)
		live := found[ref]
		if live == nil || live.GetDeletionTimestamp() != nil || o.resumes(carvel.MarkOf(live), mine) {
			continue
		}
		seen = append(seen, sighting(live))
		change := Change{What: ref.String()}
		var err error
		if ref.Resource == carvel.Secrets {
			change.Before, change.After = secretShapes(live, obj)
		} else if change.Before, err = shown(live, obj); err == nil {
			change.After, err = shown(obj, obj)
		}
		if err != nil {
			return a, err
		}
		a.Changes = append(a.Changes, change)
	}
	a.Seen = strings.Join(seen, ", ")
	return a, nil
}

// secretShapes tell of a Secret, before and after an object is applied over it,
// what is no secret. Keys that the object does not have stay.
func secretShapes(live, obj *unstructured.Unstructured) (before, after string) {
	was, is := sortedKeys(live), sortedKeys(obj)
	var b, a strings.Builder
	fmt.Fprintf(&b, "type: %s\n", carvel.SecretType(live))
	fmt.Fprintf(&a, "type: %s\n", carvel.SecretType(obj))
	for _, key := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(was, is)))) {
		if slices.Contains(was, key) {
			fmt.Fprintf(&b, "data.%s: (sensitive value)\n", key)
		}
		if slices.Contains(is, key) {
			fmt.Fprintf(&a, "data.%s: (the new sensitive value)\n", key)
		} else {
			fmt.Fprintf(&a, "data.%s: (sensitive value)\n", key)
		}
	}
	return b.String(), a.String()
}

// sighting names an object and its state. What its controllers report, and
// their bookkeeping, is no part of the state; of a Secret it is the version, by
// which its content cannot be guessed.
func sighting(live *unstructured.Unstructured) string {
	state := live.GetResourceVersion()
	if refOf(live).Resource != carvel.Secrets {
		kept := live.DeepCopy()
		for _, field := range [][]string{{"status"}, {"metadata", "managedFields"}, {"metadata", "resourceVersion"}, {"metadata", "generation"}} {
			unstructured.RemoveNestedField(kept.Object, field...)
		}
		data, err := json.Marshal(kept.Object) // keys are sorted
		if err != nil {
			panic(err) // it was read from JSON
		}
		sum := sha256.Sum256(data)
		state = hex.EncodeToString(sum[:6])
	}
	return fmt.Sprintf("%s %s (uid %s, state %s)", live.GetKind(), live.GetName(), live.GetUID(), state)
}

// asPlanned is a *NotAsPlannedError if an adoption finds something else than
// the plan saw.
func (h Hold) asPlanned(where, what, found string) error {
	if !h.Adopt || h.Seen == nil || *h.Seen == found {
		return nil
	}
	return &NotAsPlannedError{Where: where, What: what, Seen: *h.Seen, Found: found}
}

// adopt checks, before the first write of a creation that may take objects over,
// that they are what the plan saw, and that the API server would take all that
// is to be written. It returns what lets establish take over these objects as
// they are now, and no others; nil if nothing may be taken over.
func (o *ownership) adopt(ctx context.Context, c Cluster, what string, objects []*unstructured.Unstructured, mine carvel.Mark, how ForCluster,
) (func(*unstructured.Unstructured) error, error) {
	if !how.Adopt {
		return nil, nil
	}
	refs := refsOf(objects)
	found, err := findAll(ctx, c, refs)
	if err != nil {
		return nil, err
	}
	a, err := o.adoption(found, objects, mine)
	if err == nil {
		err = how.asPlanned(c.Name(), what, a.Seen)
	}
	if err != nil {
		return nil, err
	}
	for i, obj := range objects {
		if len(a.Changes) == 0 {
			break // there may be no namespace yet to try it in
		}
		if _, err := c.TryApply(ctx, refs[i], mine.On(obj), how.Manager); err != nil {
			return nil, err
		}
	}
	seen := map[cluster.Ref]string{}
	for ref, live := range found {
		seen[ref] = sighting(live)
	}
	return func(live *unstructured.Unstructured) error {
		was, now := seen[refOf(live)], sighting(live)
		if was == now {
			return nil
		}
		return &NotAsPlannedError{Where: c.Name(), What: refOf(live).String(), Seen: was, Found: now}
	}, nil
}
