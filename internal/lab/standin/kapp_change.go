package standin

import (
	"context"
	"crypto/md5" //nolint:gosec // kapp's own choice; nothing is protected by it
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// change is what happens to one object: it is created, updated, deleted or left.
type change struct {
	op     string
	wait   bool
	wanted *unstructured.Unstructured // nil for a delete
	live   *unstructured.Unstructured // nil for a create
	where  resource
	batch  int       // applied as a whole, then waited for as a whole
	order  int       // within the batch
	at     time.Time // when it was applied
	moved  bool      // the object's generation changed, so its controller must say that it has seen it
	hasty  bool      // see race
	done   bool
	shown  string // the last line about what it waits for
}

func (c *change) object() *unstructured.Unstructured {
	if c.wanted != nil {
		return c.wanted
	}
	return c.live
}

// planChanges compares what is wanted with what is there. An object that need not
// change is waited for only if it has not reconciled, or has failed to. What bears the
// App's label and is not wanted is deleted, in reverse order: in one batch with the
// rest, except for identities, rights and places, which what is deleted may still need.
func planChanges(items []item, present map[place]item, labelValue string) ([]*change, error) {
	var changes []*change
	wanted := map[place]bool{}
	for _, i := range items {
		at := placeOf(i.object)
		wanted[at] = true
		c := &change{op: "create", wait: true, wanted: i.object, where: i.resource, batch: min(rank(i.object), 1), order: rank(i.object)}
		if live, ok := present[at]; ok {
			c.live = live.object
			changed, err := differs(i.object, live.object)
			if err != nil {
				return nil, err
			}
			c.op = "update"
			if !changed {
				state := stateOf(live.object)
				c.op, c.wait = "noop", !state.done || state.failure != ""
			}
		}
		changes = append(changes, c)
	}
	for at, live := range present {
		if !wanted[at] && live.object.GetLabels()[labelApp] == labelValue {
			order := rank(live.object)
			changes = append(changes, &change{
				op: "delete", wait: true, live: live.object, where: live.resource,
				batch: max(1, 3-order), order: 100 - order,
			})
		}
	}
	slices.SortStableFunc(changes, func(a, b *change) int {
		if a.batch != b.batch {
			return a.batch - b.batch
		}
		if a.order != b.order {
			return a.order - b.order
		}
		return strings.Compare(describe(a.object()), describe(b.object()))
	})
	return changes, nil
}

func anyWork(changes []*change) bool {
	return slices.ContainsFunc(changes, func(c *change) bool { return c.op != "noop" || c.wait })
}

// differs reports whether wanted is not what was applied last, or the live object is no
// longer as it was right after that.
func differs(wanted, live *unstructured.Unstructured) (bool, error) {
	original, err := json.Marshal(wanted.Object)
	if err != nil {
		return false, err
	}
	sum, err := viewSum(live)
	if err != nil {
		return false, err
	}
	annotations := live.GetAnnotations()
	return annotations[annotationOriginal] != string(original) || annotations[annotationDiff] != sum, nil
}

// viewSum is a checksum over what an edit of the object would change. Status, what the
// API server fills in, finalizers and owners are no part of it.
func viewSum(u *unstructured.Unstructured) (string, error) {
	view := u.DeepCopy()
	delete(view.Object, "status")
	meta, _ := view.Object["metadata"].(map[string]any)
	for name := range meta {
		if name != "name" && name != "namespace" && name != "labels" && name != "annotations" {
			delete(meta, name)
		}
	}
	annotations := view.GetAnnotations()
	for name := range annotations {
		if name == annotationOriginal || name == annotationDiff || strings.HasPrefix(name, "deployment.kubernetes.io/") {
			delete(annotations, name)
		}
	}
	view.SetAnnotations(annotations)
	raw, err := json.Marshal(view.Object)
	sum := md5.Sum(raw) //nolint:gosec // as above
	return hex.EncodeToString(sum[:]), err
}

// print shows the changes and their numbers.
func (k *kapp) print(changes []*change) {
	k.out.printf("\nChanges\n\nNamespace  Name  Kind  Op  Wait to")
	for _, c := range changes {
		if c.op == "noop" && !c.wait {
			continue
		}
		op, wait := c.op, "reconcile"
		if c.op == "noop" {
			op = "-"
		}
		if c.op == "delete" {
			wait = "delete"
		}
		k.out.printf("%s  %s  %s  %s  %s", shownNamespace(c.object()), c.object().GetName(), c.object().GetKind(), op, wait)
	}
	k.out.printf("\n%s\n", summary(changes))
}

func summary(changes []*change) string {
	counts := map[string]int{}
	for _, c := range changes {
		counts[c.op]++
	}
	return fmt.Sprintf("Op: %d create, %d delete, %d update, %d noop, 0 exists", counts["create"], counts["delete"], counts["update"], counts["noop"])
}

// applyOne makes the change. Nothing is waited for.
func (k *kapp) applyOne(ctx context.Context, c *change) error {
	u := c.object()
	client := k.cluster.in(c.where, u.GetNamespace())
	if c.op != "noop" {
		k.out.event("%s %s", c.op, describe(u))
	}
	c.at = time.Now()
	switch c.op {
	case "create":
		created, err := client.Create(ctx, withOriginal(c.wanted), metav1.CreateOptions{FieldManager: managerKapp})
		if err != nil {
			return fmt.Errorf("create %s: Creating resource %s: %w", describe(u), describe(u), apiSays(err))
		}
		c.moved = true
		if err := k.recordApplied(ctx, c, created); err != nil || !c.hasty {
			return err
		}
		return k.miss(ctx, c)
	case "update":
		return k.updateOne(ctx, c)
	case "delete":
		if c.live.GetDeletionTimestamp() != nil {
			return nil
		}
		uid, propagation := c.live.GetUID(), metav1.DeletePropagationBackground
		err := client.Delete(ctx, u.GetName(), metav1.DeleteOptions{
			Preconditions: &metav1.Preconditions{UID: &uid}, PropagationPolicy: &propagation,
		})
		if err != nil && !isGone(err) {
			return fmt.Errorf("delete %s: Deleting resource %s: %w", describe(u), describe(u), apiSays(err))
		}
	}
	return nil
}

// updateOne replaces the live object and keeps of it what others put there for good.
func (k *kapp) updateOne(ctx context.Context, c *change) error {
	client := k.cluster.in(c.where, c.wanted.GetNamespace())
	live := c.live
	var updated *unstructured.Unstructured
	err := onConflict(func() error {
		next := withOriginal(c.wanted)
		next.SetResourceVersion(live.GetResourceVersion())
		next.SetFinalizers(live.GetFinalizers())
		next.SetOwnerReferences(live.GetOwnerReferences())
		if c.wanted.GetKind() == "Service" {
			for _, name := range []string{"clusterIP", "clusterIPs", "healthCheckNodePort"} {
				keepFields(next, live, "spec", name)
			}
		}
		var err error
		if updated, err = client.Update(ctx, next, metav1.UpdateOptions{FieldManager: managerKapp}); err == nil {
			return nil
		}
		if fresh, getErr := client.Get(ctx, c.wanted.GetName(), metav1.GetOptions{}); getErr == nil {
			live = fresh
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("update %s: Updating resource %s: %w", describe(c.wanted), describe(c.wanted), apiSays(err))
	}
	c.moved = updated.GetGeneration() != live.GetGeneration()
	if updated.GetKind() == "Secret" {
		if err := sleep(ctx, recordLag); err != nil {
			return err
		}
	}
	return k.recordApplied(ctx, c, updated)
}

// recordLag is how long after a changed Secret kapp writes its record of it, about: what
// reads the Secret often runs twice.
const recordLag = time.Second

// keepFields copies a field that next does not set.
func keepFields(next, live *unstructured.Unstructured, path ...string) {
	value, found, err := unstructured.NestedFieldCopy(live.Object, path...)
	if _, set, _ := unstructured.NestedFieldNoCopy(next.Object, path...); err != nil || !found || set {
		return
	}
	_ = unstructured.SetNestedField(next.Object, value, path...) // the parents are maps in both
}

// withOriginal adds the annotation that holds the whole manifest. A Secret's stringData
// is in it in clear text, as kapp leaves it.
func withOriginal(wanted *unstructured.Unstructured) *unstructured.Unstructured {
	next := wanted.DeepCopy()
	raw, err := json.Marshal(wanted.Object)
	if err != nil {
		return next
	}
	annotations := next.GetAnnotations()
	annotations[annotationOriginal] = string(raw)
	next.SetAnnotations(annotations)
	return next
}

// recordApplied notes on the object how it looks right after it was applied, so that a
// later edit shows.
func (k *kapp) recordApplied(ctx context.Context, c *change, live *unstructured.Unstructured) error {
	client := k.cluster.in(c.where, live.GetNamespace())
	err := onConflict(func() error {
		sum, err := viewSum(live)
		if err != nil {
			return err
		}
		annotations := live.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[annotationDiff] = sum
		live.SetAnnotations(annotations)
		_, err = client.Update(ctx, live, metav1.UpdateOptions{FieldManager: managerKapp})
		if err == nil {
			return nil
		}
		fresh, getErr := client.Get(ctx, live.GetName(), metav1.GetOptions{})
		if isGone(getErr) {
			return nil
		}
		if getErr == nil {
			live = fresh
		}
		return err
	})
	if err != nil && !isGone(err) {
		return said("Recording last applied resource of %s: %w", describe(c.wanted), apiSays(err))
	}
	return nil
}
