package standin

import (
	"context"
	"errors"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// deploy makes the cluster have docs, and no longer what the App had besides. The error
// is kapp's text without "kapp: Error: ".
func (k *kapp) deploy(ctx context.Context, docs []*unstructured.Unstructured) error {
	k.out.printf("Target cluster '%s'", k.target.config.Host)
	rec, err := k.readRecord(ctx)
	if err != nil {
		return err
	}
	if rec == nil {
		if rec, err = k.createRecord(ctx); err != nil {
			return err
		}
	}
	k.associate(rec)
	items, err := k.prepare(ctx, docs, rec)
	if err != nil {
		return err
	}
	present, err := k.existing(ctx, rec, items)
	if err != nil {
		return err
	}
	if err := k.checkOwnership(ctx, rec, items, present); err != nil {
		return err
	}
	changes, err := planChanges(items, present, rec.spec.LabelValue)
	if err != nil {
		return err
	}
	changes = k.race(changes)
	k.print(changes)
	var kinds []recordGK
	var namespaces []string
	for _, i := range items {
		kinds = append(kinds, gkOf(i.object))
		namespaces = append(namespaces, shownNamespace(i.object))
	}
	if !anyWork(changes) {
		k.out.printf("\nSucceeded")
		return nil
	}
	k.applying.Store(true)
	description := "update: " + summary(changes)
	change, err := k.beginChange(ctx, rec, description, kinds, namespaces)
	if err != nil {
		return err
	}
	k.associate(rec)
	k.watchPods(ctx, rec)
	err = k.apply(ctx, changes)
	// A canceled run still notes how it ended.
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if endErr := k.endChange(closing, rec, change, kinds, namespaces, err == nil); err == nil {
		err = endErr
	}
	k.associate(rec)
	if err == nil {
		k.out.printf("\nSucceeded")
	}
	return err
}

// clusterPlace stands for a namespace if an object has none.
const clusterPlace = "(cluster)"

func shownNamespace(u *unstructured.Unstructured) string {
	if ns := u.GetNamespace(); ns != "" {
		return ns
	}
	return clusterPlace
}

// delete removes everything that bears the App's label, then the App's record. An App
// without a record has nothing to remove.
func (k *kapp) delete(ctx context.Context) error {
	k.out.printf("Target cluster '%s'", k.target.config.Host)
	rec, err := k.readRecord(ctx)
	if err != nil {
		return err
	}
	if rec == nil {
		k.out.printf("App '%s' (namespace: %s) does not exist\n\nSucceeded", k.app, k.target.recordNs)
		return nil
	}
	k.associate(rec)
	present, err := k.existing(ctx, rec, nil)
	if err != nil {
		return err
	}
	changes, err := planChanges(nil, present, rec.spec.LabelValue)
	if err != nil {
		return err
	}
	k.print(changes)
	k.applying.Store(true)
	if err := k.apply(ctx, changes); err != nil {
		return err
	}
	if err := k.dropChanges(ctx, 0); err != nil {
		return err
	}
	err = k.configMaps().Delete(ctx, rec.configMap.GetName(), metav1.DeleteOptions{})
	if err != nil && !isGone(err) {
		return err
	}
	k.out.printf("\nSucceeded")
	return nil
}

// watchPods stands for the logs that kapp shows of pods: there are none here, but kapp
// says so when it may not look.
func (k *kapp) watchPods(ctx context.Context, rec *record) {
	_, err := k.cluster.dynamic.Resource(podsGVR).Namespace(k.target.recordNs).List(ctx,
		metav1.ListOptions{LabelSelector: labelApp + "=" + rec.spec.LabelValue, Limit: 1})
	if err != nil {
		k.out.event("Pod watching error: %v", err)
	}
}

// apply works through the changes batch by batch and waits for each before the next.
func (k *kapp) apply(ctx context.Context, changes []*change) error {
	ctx, cancel := context.WithTimeoutCause(ctx, k.options.timeout, errTimeout)
	defer cancel()
	done := 0
	for len(changes) > 0 {
		n := 1
		for n < len(changes) && changes[n].batch == changes[0].batch {
			n++
		}
		group := changes[:n]
		changes = changes[n:]
		k.out.event("---- applying %d changes [%d done] ----", n, done)
		for _, c := range group {
			if err := k.applyOne(ctx, c); err != nil {
				return k.timeoutText(ctx, err, group)
			}
		}
		k.out.event("---- waiting on %d changes ----", n)
		if !k.options.noWait {
			if err := k.wait(ctx, group); err != nil {
				return k.timeoutText(ctx, err, group)
			}
		}
		done += n
	}
	k.out.event("---- waiting complete [%d done] ----", done)
	return nil
}

var errTimeout = errors.New("kapp timed out")

func (k *kapp) timeoutText(ctx context.Context, err error, group []*change) error {
	if !errors.Is(context.Cause(ctx), errTimeout) {
		return err
	}
	var open []string
	for _, c := range group {
		if !c.done {
			open = append(open, describe(c.object()))
		}
	}
	return said("Timed out waiting after %s for resources: %v", k.options.timeout, open)
}
