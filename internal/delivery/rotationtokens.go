package delivery

import (
	"context"
	"slices"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// findTokens finds the token Secrets of the kubeconfig beside the one in use, which go in
// the end. begun reports whether an older one is there; unused is the newest of those
// that are younger.
func (w *rotating) findTokens(ctx context.Context) (begun bool, unused string, err error) {
	names, err := w.ks.madeTokens(ctx, w.run, w.spec, carvel.MarkOf(w.secret))
	if err != nil {
		return false, "", err
	}
	legacy := w.spec.tokenOf(nil)
	if !slices.Contains(names, legacy) {
		names = append(names, legacy)
	}
	inUse, err := w.created(ctx, w.spec.TokenSecret)
	if err != nil {
		return false, "", err
	}
	var newest time.Time
	for _, name := range names {
		at, err := w.created(ctx, name)
		if err != nil {
			return false, "", err
		}
		if name == w.spec.TokenSecret || at.IsZero() {
			continue
		}
		w.old = append(w.old, name)
		begun = begun || at.Before(inUse)
		if !inUse.IsZero() && at.After(inUse) && at.After(newest) {
			newest, unused = at, name
		}
	}
	return begun, unused, nil
}

// created is when a token Secret was made, the zero time if it is not there or not the
// resource's.
func (w *rotating) created(ctx context.Context, name string) (time.Time, error) {
	s := w.spec
	s.TokenSecret = name
	live, err := find(ctx, w.run, refOf(s.tokenSecret()))
	if err != nil || live == nil || live.GetDeletionTimestamp() != nil || s.isTaken(carvel.MarkOf(live)) {
		return time.Time{}, err
	}
	return live.GetCreationTimestamp().Time, nil
}

// renew puts the token of another token Secret into the kubeconfig: the unused one, or one
// that is new.
func (w *rotating) renew(ctx context.Context, unused string, r *RotationReceipt) error {
	was, next := w.spec.TokenSecret, w.spec
	next.Labels, next.Annotations = w.ownLabels()
	if next.TokenSecret = unused; unused == "" {
		begin, err := w.ks.tokenNames(w.spec)
		if err != nil {
			return err
		}
		next.TokenSecret = uniqueTokenName(begin)
	}
	w.say("making token Secret %s of ServiceAccount %s/%s on run cluster %q", next.TokenSecret, next.ServiceAccount.Namespace, next.ServiceAccount.Name, w.RunCluster)
	token, err := w.makeToken(ctx, next)
	if err != nil {
		return err
	}
	r.Token = next.TokenSecret
	w.old = append(slices.DeleteFunc(w.old, func(name string) bool { return name == next.TokenSecret }), was)
	r.Apps, err = w.use(ctx, token, next.TokenSecret)
	return err
}

// makeToken makes a token Secret and waits for its token.
func (w *rotating) makeToken(ctx context.Context, next KubeconfigSecret) ([]byte, error) {
	if _, err := w.run.Get(ctx, next.ServiceAccount.ref()); err != nil {
		return nil, err // the token Secret of a missing account is deleted at once
	}
	mine := carvel.MarkOf(w.secret)
	mine.Adopted = false // which the Secret on the build cluster may be
	live, _, err := w.ks.establish(ctx, w.run, next.tokenSecret(), mine, next.Manager, nil)
	if err != nil {
		return nil, err
	}
	token, _, err := filled(ctx, w.run, live)
	return token, err
}

// ownLabels are the labels and annotations of the Secret that the token Secret has too.
func (w *rotating) ownLabels() (labels, annotations map[string]string) {
	labels, annotations = map[string]string{}, map[string]string{}
	for key, value := range w.spec.Labels {
		if key != carvel.ManagedByLabel {
			labels[key] = value
		}
	}
	for key, value := range w.spec.Annotations {
		if !slices.Contains([]string{carvel.MarkAnnotation, carvel.TokenSecretAnnotation, carvel.RotatedAnnotation}, key) {
			annotations[key] = value
		}
	}
	return labels, annotations
}
