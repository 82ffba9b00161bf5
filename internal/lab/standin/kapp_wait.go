package standin

import (
	"context"
	"fmt"
	"math"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// waitInterval is how often kapp looks at what it waits for.
const waitInterval = 500 * time.Millisecond

// state is how far an object has come, as kapp sees it.
type state struct {
	done    bool
	failure string // why it will not succeed
	pending string // what it waits for
}

// rollout is how long a workload that was changed takes, if annotationReady does not
// say otherwise. No kubelet runs it here; the time lets the App that deploys it be seen
// under way.
const rollout = time.Second

// annotationReady on a workload is how long after it was changed it is ready: a duration,
// or "never".
const annotationReady = "stand-in.lab/ready-after"

// stateOf judges an object by its kind.
func stateOf(u *unstructured.Unstructured) state {
	switch u.GroupVersionKind().GroupKind().String() {
	case "App.kappctrl.k14s.io", "PackageInstall.packaging.carvel.dev", "PackageRepository.packaging.carvel.dev":
		return carvelState(u)
	case "CustomResourceDefinition.apiextensions.k8s.io":
		if conditionStatus(u, "Established") != "True" {
			return state{pending: "Condition Established is not set"}
		}
	}
	if isWorkload(u) {
		return rolloutOf(u)
	}
	return state{done: true}
}

// carvelState trusts a condition as soon as the object's own generation is observed,
// even if it tells of something older.
func carvelState(u *unstructured.Unstructured) state {
	var status genericStatus
	if err := convert(u.Object["status"], &status); err != nil {
		return state{pending: "status cannot be read"}
	}
	if status.ObservedGeneration != u.GetGeneration() {
		return state{pending: fmt.Sprintf("Waiting for generation %d to be observed", u.GetGeneration())}
	}
	for _, c := range status.Conditions {
		switch {
		case c.Status != "True":
		case c.Type == reconcileSucceeded:
			return state{done: true}
		case c.Type == reconcileFailed, c.Type == deleteFailed && u.GetDeletionTimestamp() == nil:
			message := status.UsefulErrorMessage
			if message == "" {
				message = c.Message
			}
			return state{done: true, failure: fmt.Sprintf("Reconcile failed: (message: %s)", message)}
		case c.Type == reconciling:
			return state{pending: "Reconciling"}
		}
	}
	return state{pending: "No ReconcileSucceeded condition"}
}

func conditionStatus(u *unstructured.Unstructured, name string) string {
	conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, c := range conditions {
		if fields, ok := c.(map[string]any); ok && fields["type"] == name {
			status, _ := fields["status"].(string)
			return status
		}
	}
	return ""
}

// wait looks at the changes of a group until all are done or one has failed.
func (k *kapp) wait(ctx context.Context, group []*change) error {
	for _, c := range group {
		if err := k.glance(c); err != nil {
			return err
		}
	}
	for first := true; ; first = false {
		open := 0
		for _, c := range group {
			// What has a controller gets an interval to be noticed.
			if !c.done && (!first || c.op == "delete" || rank(c.object()) != rankInstalls) {
				if err := k.check(ctx, c); err != nil {
					return err
				}
			}
			if !c.done {
				open++
			}
		}
		if open == 0 {
			return nil
		}
		if err := sleep(ctx, waitInterval); err != nil {
			return err
		}
	}
}

// glance is the first look. kapp is quicker than the controller of an object whose
// generation did not change, and takes the condition of before for the answer: a failure
// that has just been mended is reported once more.
func (k *kapp) glance(c *change) error {
	switch {
	case !c.wait:
		c.done = true
	case c.live != nil && !c.moved && c.op != "delete":
		return k.judge(c, stateOf(c.live))
	}
	return nil
}

func (k *kapp) check(ctx context.Context, c *change) error {
	u := c.object()
	live, err := k.cluster.in(c.where, u.GetNamespace()).Get(ctx, u.GetName(), metav1.GetOptions{})
	if c.op == "delete" {
		switch {
		case isGone(err), err == nil && live.GetUID() != c.live.GetUID():
			c.done = true
			k.out.event("ok: delete %s", describe(u))
		case err != nil:
			return fmt.Errorf("waiting on delete %s: %w", describe(u), apiSays(err))
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("waiting on reconcile %s: %w", describe(u), apiSays(err))
	}
	at := stateOf(live)
	if c.op != "noop" && isWorkload(u) && at.done && time.Since(c.at) < rollout { // times of the API are whole seconds
		at = state{pending: unavailable}
	}
	return k.judge(c, at)
}

// changed is when anybody last wrote the object, its status aside.
func changed(u *unstructured.Unstructured) time.Time {
	last := u.GetCreationTimestamp().Time
	for _, entry := range u.GetManagedFields() {
		if entry.Subresource == "" && entry.Time != nil && entry.Time.After(last) {
			last = entry.Time.Time
		}
	}
	return last
}

const unavailable = "Waiting for 1 unavailable replicas"

// rolloutOf is how far a workload has come: until it is ready, or until its own
// deadline, which is Kubernetes's if it names none.
func rolloutOf(u *unstructured.Unstructured) state {
	ready, since := rollout, time.Since(changed(u))
	if text, said := u.GetAnnotations()[annotationReady]; said {
		d, err := time.ParseDuration(text)
		if err != nil {
			d = math.MaxInt64
		}
		ready = d
	}
	deadline := int64(600)
	if own, found, err := unstructured.NestedInt64(u.Object, "spec", "progressDeadlineSeconds"); found && err == nil {
		deadline = own
	}
	switch {
	case since >= ready:
		return state{done: true}
	case since >= time.Duration(deadline)*time.Second:
		return state{failure: fmt.Sprintf("Deployment is not progressing: ProgressDeadlineExceeded (message: ReplicaSet %q has timed out progressing.)", u.GetName()+"-5d4f8c7b9")}
	}
	return state{pending: unavailable}
}

func isWorkload(u *unstructured.Unstructured) bool {
	switch u.GroupVersionKind().GroupKind().String() {
	case "Deployment.apps", "StatefulSet.apps", "DaemonSet.apps":
		return true
	}
	return false
}

// judge says how a change stands. A failure ends the wait.
func (k *kapp) judge(c *change, at state) error {
	u := c.object()
	switch {
	case at.failure != "":
		k.out.event("fail: reconcile %s", describe(u))
		return fmt.Errorf("waiting on reconcile %s: Finished unsuccessfully (%s)", describe(u), at.failure)
	case at.done:
		c.done = true
		k.out.event("ok: reconcile %s", describe(u))
	case at.pending != c.shown:
		c.shown = at.pending
		k.out.event("ongoing: reconcile %s", describe(u))
		k.out.event(" ^ %s", at.pending)
	}
	return nil
}
